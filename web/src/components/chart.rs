//! Time over image size, in SVG.

use std::{fmt::Write as _, rc::Rc};

use yew::prelude::*;

use crate::model::{
    bench::{Curve, is_ours},
    text::{count, nanoseconds},
};

/// What the chart shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Ours first.
    pub curves: Rc<[Curve]>,
    /// The size and time to mark.
    pub this: Option<(u32, f64)>,
}

const WIDTH: f64 = 304.0;
const HEIGHT: f64 = 118.0;
const LEFT: f64 = 36.0;
const BOTTOM: f64 = 18.0;
const TOP: f64 = 8.0;
const RIGHT: f64 = 10.0;

/// The logarithms of what the axes begin and end with. Sizes and times both grow by factors, from a
/// few words to many pages.
struct Axes {
    low: f64,
    high: f64,
    least: f64,
    most: f64,
}

impl Axes {
    fn of(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let low = points()
            .map(|point| point.0)
            .fold(f64::INFINITY, f64::min)
            .max(1.0);
        let high = points().map(|point| point.0).fold(low * 2.0, f64::max);
        let least = points()
            .map(|point| point.1)
            .fold(f64::INFINITY, f64::min)
            .max(1.0);
        let most = points().map(|point| point.1).fold(least, f64::max);
        let least = least.log10().floor();
        Axes {
            low: low.log2(),
            high: high.log2(),
            least,
            most: most.log10().ceil().max(least + 1.0),
        }
    }

    fn x(&self, bytes: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (bytes.max(1.0).log2() - self.low) / (self.high - self.low)
    }

    fn y(&self, time: f64) -> f64 {
        let part = (time.max(1.0).log10() - self.least) / (self.most - self.least);
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * part
    }

    /// The times to label: the decades.
    fn times(&self) -> impl Iterator<Item = f64> {
        (self.least as i32..=self.most as i32).map(|decade| 10_f64.powi(decade))
    }

    /// The sizes to label: powers of four, or of two where there are few of those.
    fn sizes(&self) -> impl Iterator<Item = u64> {
        let step = if self.high - self.low > 5.0 { 2 } else { 1 };
        (0..32)
            .step_by(step)
            .filter(|power| (self.low..=self.high).contains(&f64::from(*power)))
            .map(|power| 1 << power)
    }
}

/// Time over image size, in SVG.
#[component]
pub fn Chart(props: &Props) -> Html {
    let axes = Axes::of(&props.curves);
    let rows = axes.times().map(|time| {
        let y = axes.y(time);
        html! {
            <>
                <path class="grid" d={format!("M{LEFT},{y:.1}H{}", WIDTH - RIGHT)} />
                <text x={(LEFT - 5.0).to_string()} y={format!("{:.1}", y + 3.0)} text-anchor="end">
                    { count(time as u64) }
                </text>
            </>
        }
    });
    let columns = axes.sizes().map(|size| {
        html! {
            <text x={format!("{:.1}", axes.x(size as f64))} y={(HEIGHT - 5.0).to_string()} text-anchor="middle">
                { short(size) }
            </text>
        }
    });
    let curves = props
        .curves
        .iter()
        .enumerate()
        .map(|(index, curve)| line(&axes, index, curve));
    let mark = props.this.map(|(bytes, time)| {
        let (x, y) = (axes.x(bytes.into()), axes.y(time));
        html! { <circle class="this" cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="4.5" /> }
    });
    let spoken = props
        .curves
        .iter()
        .map(spoken)
        .collect::<Vec<_>>()
        .join("; ");
    html! {
        <figure class="chart">
            <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img"
                aria-label={format!("Nanoseconds over bytes of the image: {spoken}")}>
                { for rows }
                { for columns }
                { for curves }
                { for mark }
            </svg>
            <figcaption>
                { for props.curves.iter().enumerate().map(|(index, curve)| html! {
                    <span class={classes!("key", style_of(index, curve))}>{ &curve.name }</span>
                }) }
                <span class="unit">{ "ns over bytes, both axes by factors" }</span>
            </figcaption>
        </figure>
    }
}

fn line(axes: &Axes, index: usize, curve: &Curve) -> Html {
    let mut path = String::new();
    for (index, &(bytes, time)) in curve.points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{:.1},{:.1}", axes.x(bytes), axes.y(time));
    }
    let dots = curve.points.iter().map(|&(bytes, time)| {
        let (x, y) = (
            format!("{:.1}", axes.x(bytes)),
            format!("{:.1}", axes.y(time)),
        );
        html! {
            <circle cx={x} cy={y} r="2.5">
                <title>{ format!("{}: {} B, {} ns", curve.name, bytes, nanoseconds(time)) }</title>
            </circle>
        }
    });
    html! { <g class={classes!("curve", style_of(index, curve))}><path d={path} />{ for dots }</g> }
}

fn style_of(index: usize, curve: &Curve) -> String {
    if is_ours(&curve.name) {
        format!("ours ours-{index}")
    } else {
        format!("peer peer-{}", index % 4)
    }
}

fn spoken(curve: &Curve) -> String {
    let points: Vec<String> = curve
        .points
        .iter()
        .map(|(bytes, time)| format!("{bytes} bytes {} ns", nanoseconds(*time)))
        .collect();
    format!("{} {}", curve.name, points.join(", "))
}

/// A power of two in few characters.
fn short(bytes: u64) -> String {
    match bytes {
        0..1024 => bytes.to_string(),
        _ => format!("{} K", bytes / 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(points: &[(f64, f64)]) -> Axes {
        Axes::of(&[Curve {
            name: String::new(),
            points: points.to_vec(),
        }])
    }

    #[test]
    fn axes_are_labelled_at_round_numbers() {
        let wide = axes(&[(88.0, 12.3), (65_536.0, 2_700.0)]);
        assert_eq!(
            wide.times().collect::<Vec<_>>(),
            [10.0, 100.0, 1000.0, 10_000.0]
        );
        let sizes: Vec<_> = wide.sizes().map(short).collect();
        assert_eq!(sizes, ["256", "1 K", "4 K", "16 K", "64 K"]);
        let narrow = axes(&[(40.0, 9.0), (256.0, 12.0)]);
        assert_eq!(narrow.times().collect::<Vec<_>>(), [1.0, 10.0, 100.0]);
        assert_eq!(narrow.sizes().collect::<Vec<_>>(), [64, 128, 256]);
    }

    #[test]
    fn sizes_and_times_spread_over_the_chart() {
        let axes = axes(&[(40.0, 1.0), (160.0, 100.0)]);
        assert_eq!(axes.x(40.0), LEFT);
        assert_eq!(axes.x(160.0), WIDTH - RIGHT);
        assert_eq!(axes.x(80.0), f64::midpoint(LEFT, WIDTH - RIGHT));
        assert_eq!(axes.y(1.0), HEIGHT - BOTTOM);
        assert_eq!(axes.y(10.0), f64::midpoint(HEIGHT - BOTTOM, TOP));
        assert_eq!(axes.y(100.0), TOP);
    }
}
