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
const LEFT: f64 = 26.0;
const BOTTOM: f64 = 18.0;
const TOP: f64 = 8.0;
const RIGHT: f64 = 10.0;

/// Sizes grow by factors, so their axis is logarithmic; times start at zero.
struct Axes {
    low: f64,
    high: f64,
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
        let most = points().map(|point| point.1).fold(1.0, f64::max);
        Axes {
            low: low.log2(),
            high: high.log2(),
            most: ceiling(most),
        }
    }

    fn x(&self, bytes: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (bytes.max(1.0).log2() - self.low) / (self.high - self.low)
    }

    fn y(&self, time: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * time / self.most
    }
}

/// The next of 1, 2, 4, 5, 10, 20, 40, 50, …: its quarters, or fifths, are round.
fn ceiling(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 10.0];
    steps
        .into_iter()
        .map(|step| step * decade)
        .find(|top| *top >= value)
        .unwrap_or(value)
}

/// Time over image size, in SVG.
#[component]
pub fn Chart(props: &Props) -> Html {
    let axes = Axes::of(&props.curves);
    let rows = (0..=4).map(|index| {
        let time = axes.most * f64::from(index) / 4.0;
        let y = axes.y(time);
        html! {
            <>
                <path class="grid" d={format!("M{LEFT},{y:.1}H{}", WIDTH - RIGHT)} />
                <text x={(LEFT - 5.0).to_string()} y={format!("{:.1}", y + 3.0)} text-anchor="end">
                    { shortest(time) }
                </text>
            </>
        }
    });
    let mut sizes: Vec<f64> = props
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(|point| point.0))
        .collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let columns = sizes.iter().map(|&size| {
        html! {
            <text x={format!("{:.1}", axes.x(size))} y={(HEIGHT - 5.0).to_string()} text-anchor="middle">
                { count(size as u64) }
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
                <span class="unit">{ "ns over bytes of the image" }</span>
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
        "ours".to_owned()
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

fn shortest(time: f64) -> String {
    let text = format!("{time:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [
            (0.7, 1.0),
            (1.0, 1.0),
            (13.0, 20.0),
            (34.0, 40.0),
            (83.0, 100.0),
        ] {
            assert_eq!(ceiling(value), top, "{value}");
        }
    }

    #[test]
    fn sizes_spread_over_the_width() {
        let curve = Curve {
            name: String::new(),
            points: vec![(40.0, 9.0), (160.0, 12.0)],
        };
        let axes = Axes::of(&[curve]);
        assert_eq!(axes.x(40.0), LEFT);
        assert_eq!(axes.x(160.0), WIDTH - RIGHT);
        assert_eq!(axes.x(80.0), f64::midpoint(LEFT, WIDTH - RIGHT));
        assert_eq!(axes.y(0.0), HEIGHT - BOTTOM);
        assert_eq!(axes.y(20.0), TOP);
    }
}
