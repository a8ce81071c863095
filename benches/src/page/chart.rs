//! Charts of growth. Colours are placeholders that the page's style replaces, so that they follow the
//! reader's light or dark.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::error::Error;
use std::ops::Range;

/// A chart of series over the same x, which grows by factors.
pub struct Chart {
    /// What x counts.
    pub x: String,
    /// What y is.
    pub y: String,
    /// Whether y begins at zero; otherwise it grows by factors too.
    pub from_zero: bool,
    /// Those shown.
    pub series: Vec<Series>,
    /// Whether it has the whole width of the page, or half of it.
    pub wide: bool,
}

/// Points of x, and the low, middle and high of y.
pub struct Series {
    /// Who.
    pub who: String,
    /// The least x first.
    pub points: Vec<(f64, (f64, f64, f64))>,
}

impl Series {
    /// With the least x first.
    pub fn sorted(mut self) -> Self {
        self.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        self
    }
}

/// Pixels: what its place has, so that its text is as large as the page's.
fn size(wide: bool) -> (u32, u32) {
    if wide { (820, 380) } else { (500, 320) }
}

/// The colour names of the style, each with its placeholder.
const COLOURS: [(&str, RGBColor); 9] = [
    ("ours", RGBColor(1, 1, 1)),
    ("ours-2", RGBColor(1, 1, 2)),
    ("ours-3", RGBColor(1, 1, 3)),
    ("peer-1", RGBColor(1, 1, 4)),
    ("peer-2", RGBColor(1, 1, 5)),
    ("peer-3", RGBColor(1, 1, 6)),
    ("limit", RGBColor(1, 1, 7)),
    ("text", RGBColor(1, 1, 8)),
    ("line", RGBColor(1, 1, 9)),
];

/// The colour name of someone.
pub fn class(who: &str) -> &'static str {
    match who {
        "costack" | "costack, shared stack" => "ours",
        "costack_assembly" | "costack_prefetch" | "costack, own stacks" => "ours-2",
        "costack_own" | "costack_fp" => "ours-3",
        "two_plain_copies" => "limit",
        "future" | "boxed futures" => "peer-2",
        "corosensei" | "corosensei, own stacks" => "peer-1",
        _ => "peer-3",
    }
}

fn colour(class: &str) -> RGBColor {
    let found = COLOURS.iter().find(|(name, _)| *name == class);
    found.map_or(BLACK, |(_, colour)| *colour)
}

/// The chart as SVG; a note where it has no points.
pub fn draw(chart: &Chart) -> String {
    if chart.series.iter().all(|series| series.points.is_empty()) {
        return "<p>nothing to show</p>".to_owned();
    }
    let mut svg = String::new();
    match drawn(chart, &mut svg) {
        Ok(()) => styled(&svg, size(chart.wide)),
        Err(error) => format!("<p>this chart cannot be drawn: {error}</p>"),
    }
}

/// Placeholders become names of the style's colours, and the size that of its place.
fn styled(svg: &str, (width, height): (u32, u32)) -> String {
    let mut svg = svg.to_owned();
    for (name, RGBColor(red, green, blue)) in COLOURS {
        let hex = format!("#{red:02X}{green:02X}{blue:02X}");
        for attribute in ["fill", "stroke"] {
            svg = svg.replace(
                &format!("{attribute}=\"{hex}\""),
                &format!("style=\"{attribute}:var(--{name})\""),
            );
        }
    }
    let size = format!("width=\"{width}\" height=\"{height}\" ");
    svg.replacen(&size, "role=\"img\" ", 1)
}

fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, 0.0f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    low..high
}

fn drawn(chart: &Chart, svg: &mut String) -> Result<(), Box<dyn Error>> {
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let x = range(points().map(|(x, _)| *x));
    let y = range(points().flat_map(|(_, (low, _, high))| [*low, *high]));
    // A little room beside the first and the last point.
    let room = (x.end / x.start).powf(0.04).max(1.05);
    let x = x.start / room..x.end * room;
    let root = SVGBackend::with_string(svg, size(chart.wide)).into_drawing_area();
    if chart.from_zero {
        on(chart, &root, x, 0.0..y.end * 1.08)?;
    } else {
        let y = y.start / 1.4..y.end * 1.4;
        let ticks = apart(rounds(&y), 0.06);
        on(chart, &root, x, y.log_scale().with_key_points(ticks))?;
    }
    root.present()?;
    Ok(())
}

fn on<Y>(
    chart: &Chart,
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    x: Range<f64>,
    y: Y,
) -> Result<(), Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let measured = chart.series.iter().flat_map(|series| &series.points);
    let ticks = apart(measured.map(|(x, _)| *x).collect(), 0.045);
    let text = |size: u32| ("sans-serif", size).into_font().color(&colour("text"));
    let mut context = ChartBuilder::on(root)
        .margin(6)
        .margin_right(18)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x.log_scale().with_key_points(ticks), y)?;
    context
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(colour("line"))
        .axis_style(colour("line"))
        .x_desc(&chart.x)
        .y_desc(&chart.y)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .y_labels(6)
        .label_style(text(12))
        .axis_desc_style(text(13))
        .draw()?;
    for series in &chart.series {
        let colour = colour(class(&series.who));
        let middle = || series.points.iter().map(|(x, (_, y, _))| (*x, *y));
        context.draw_series(LineSeries::new(middle(), colour.stroke_width(2)))?;
        context.draw_series(series.points.iter().map(|(x, (low, _, high))| {
            PathElement::new(vec![(*x, *low), (*x, *high)], colour.stroke_width(5))
        }))?;
        context.draw_series(middle().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    Ok(())
}

/// One, two and five times the powers of ten within a range.
fn rounds(range: &Range<f64>) -> Vec<f64> {
    let (low, high) = (range.start.log10().floor(), range.end.log10().ceil());
    let powers = (low as i32..=high as i32).map(|power| 10f64.powi(power));
    let rounds = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
    rounds.filter(|value| range.contains(value)).collect()
}

/// Those that are so far apart on a logarithmic axis, as a part of its length, that their labels do
/// not touch.
fn apart(mut values: Vec<f64>, part: f64) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return values;
    };
    let distance = (last / first).ln() * part;
    let mut kept: Vec<f64> = Vec::new();
    for value in values {
        if kept
            .last()
            .is_none_or(|last| (value / last).ln() > distance)
        {
            kept.push(value);
        }
    }
    kept
}

/// A number as an axis has it: 1k, 2M.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        ..1e3 => (value, ""),
        1e3..1e6 => (value / 1e3, "k"),
        1e6..1e9 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    let text = format!("{value:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_line_in_the_colour_of_each_series() {
        let series = |who: &str| Series {
            who: who.to_owned(),
            points: vec![(100.0, (9.0, 10.0, 11.0)), (1000.0, (19.0, 20.0, 21.0))],
        };
        for from_zero in [true, false] {
            let svg = draw(&Chart {
                x: "bytes".to_owned(),
                y: "ns".to_owned(),
                from_zero,
                series: vec![series("costack"), series("corosensei")],
                wide: from_zero,
            });
            assert!(svg.starts_with("<svg"), "{svg}");
            assert!(svg.contains("stroke:var(--ours)"), "{svg}");
            assert!(svg.contains("stroke:var(--peer-1)"), "{svg}");
            assert!(!svg.contains("#0101"), "a placeholder is left: {svg}");
        }
    }

    #[test]
    fn labels_do_not_touch() {
        let values = vec![1.0, 1.01, 2.0, 2.02, 100.0];
        assert_eq!(apart(values, 0.1), [1.0, 2.0, 100.0]);
        assert_eq!(apart(vec![3.0, 3.0], 0.1), [3.0]);
        assert_eq!(rounds(&(8.0..60.0)), [10.0, 20.0, 50.0]);
    }

    #[test]
    fn axes_shorten_their_numbers() {
        assert_eq!(short(64.0), "64");
        assert_eq!(short(1500.0), "1.5k");
        assert_eq!(short(10_000_000.0), "10M");
    }
}
