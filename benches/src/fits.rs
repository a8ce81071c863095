//! How costs grow: lines through what was measured, each with its slope.

use crate::memory::Stages;
use crate::statistics;
use costack_bench_schema::{Fit, Outcome};

/// Which series get a line, and over what.
const SERIES: &[(&str, bool, &str)] = &[
    ("shared_round_trip", false, "ns per byte of the image"),
    ("working_set/in_order", true, "ns per tenfold tasks"),
    ("working_set/random", true, "ns per tenfold tasks"),
    ("runtime/yield_among_many", true, "ns per tenfold tasks"),
    ("runtime/sleep", true, "ns per tenfold timers"),
    ("stacks/hit_ratio", true, "ns per tenfold stacks"),
];

/// A line for each series of at least two points.
#[must_use]
pub fn fits(results: &[Outcome], stages: &Stages) -> Vec<Fit> {
    let mut fits = Vec::new();
    for &(group, logarithmic, unit) in SERIES {
        let of_group = || results.iter().filter(|result| result.group == group);
        let mut who: Vec<&str> = of_group().map(Outcome::who).collect();
        who.sort_unstable();
        who.dedup();
        for who in who {
            let points: Vec<(f64, f64)> = of_group()
                .filter(|result| result.who() == who)
                .filter_map(|result| Some((result.number()?, result.median.estimate)))
                .collect();
            fits.extend(fit(group, who, unit, logarithmic, &points));
        }
    }
    for (who, points) in stages.growth() {
        fits.extend(fit("memory", &who, "bytes per task", false, &points));
    }
    fits
}

fn fit(
    group: &str,
    who: &str,
    unit: &str,
    logarithmic: bool,
    points: &[(f64, f64)],
) -> Option<Fit> {
    let scale = |x: f64| if logarithmic { x.log10() } else { x };
    let scaled: Vec<(f64, f64)> = points.iter().map(|(x, y)| (scale(*x), *y)).collect();
    let (slope, at) = statistics::line(&scaled)?;
    let off = |(x, y): &(f64, f64)| ((at + slope * x - y) / y).abs();
    Some(Fit {
        group: group.to_owned(),
        who: who.to_owned(),
        unit: unit.to_owned(),
        logarithmic,
        slope,
        at,
        off_by: scaled.iter().map(off).fold(0.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn finds_the_slope_of_a_series() {
        let bytes = [(96.0, 12.0), (1024.0, 40.0), (512.0, 24.5), (8192.0, 255.0)];
        let line = fit("g", "costack", "ns per byte", false, &bytes).unwrap();
        assert!((line.slope - 0.03).abs() < 0.001, "{line:?}");
        let tenfold = fit("g", "w", "u", true, &[(10.0, 5.0), (1000.0, 9.0)]).unwrap();
        assert_eq!((tenfold.slope, tenfold.at), (2.0, 3.0));
        assert!(tenfold.off_by < 1e-12);
        assert!(fit("g", "w", "u", false, &[(1.0, 1.0)]).is_none());
    }
}
