//! A task's colours, for pictures that stand without the page's style sheet. The page's own are
//! computed by `web/style/theme.css` from the same numbers.

use costack_sim::view::TaskNumber;

/// What is coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shade {
    /// Text, and the edges of frames.
    Text,
    /// The ground of rows.
    Row,
}

/// `#rrggbb`; main's is a grey.
pub fn task_colour(task: TaskNumber, shade: Shade) -> String {
    let (light, chroma) = match shade {
        Shade::Text => (0.46, 0.15),
        Shade::Row => (0.977, 0.014),
    };
    let Some(index) = task.checked_sub(1) else {
        return match shade {
            Shade::Text => "#4b5565".to_owned(),
            Shade::Row => "#f6f7f9".to_owned(),
        };
    };
    let hue = 250.0 + 155.0 * f64::from(index % 360);
    let [red, green, blue] = srgb(light, chroma, hue.to_radians());
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Oklch to sRGB, as CSS Color 4 defines it.
fn srgb(light: f64, chroma: f64, hue: f64) -> [u8; 3] {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (light + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (light - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (light - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded = match value {
            value if value <= 0.003_130_8 => 12.92 * value,
            value => 1.055 * value.powf(1.0 / 2.4) - 0.055,
        };
        // It is between 0 and 255.
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_red_are_what_they_are_called() {
        assert_eq!(srgb(1.0, 0.0, 0.0), [255, 255, 255]);
        assert_eq!(srgb(0.0, 0.0, 0.0), [0, 0, 0]);
        let [red, green, blue] = srgb(0.627_95, 0.257_68, 29.233_f64.to_radians());
        assert!(
            red >= 254 && green <= 2 && blue <= 2,
            "{red} {green} {blue}"
        );
    }

    #[test]
    fn neighbours_differ() {
        let colours: Vec<_> = (0..4).map(|task| task_colour(task, Shade::Text)).collect();
        for (index, colour) in colours.iter().enumerate() {
            assert!(!colours[..index].contains(colour), "{colours:?}");
        }
    }
}
