//! Medians and what goes with them.

use costack_bench_schema::{Estimate, Quartiles, Spread};

/// The value that a part `at` of all values is not above, between the two next to it.
///
/// # Panics
/// When there are no values.
#[must_use]
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let position = at * (sorted.len() - 1) as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * position.fract()
}

/// A sorted copy.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The median.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// The median with its quartiles.
#[must_use]
pub fn spread(values: &[f64]) -> Spread {
    let sorted = sorted(values);
    Spread {
        median: quantile(&sorted, 0.5),
        low: quantile(&sorted, 0.25),
        high: quantile(&sorted, 0.75),
    }
}

/// The quartiles.
#[must_use]
pub fn quartiles(values: &[f64]) -> Quartiles {
    let Spread { low, high, .. } = spread(values);
    Quartiles { low, high }
}

/// The median with a confidence interval of 95 % that asks nothing about the distribution: how many
/// of the values lie below the true median is binomial.
#[must_use]
pub fn median_estimate(values: &[f64]) -> Estimate {
    let sorted = sorted(values);
    let len = sorted.len() as f64;
    let half = 0.98 * len.sqrt() / len;
    Estimate {
        estimate: quantile(&sorted, 0.5),
        low: quantile(&sorted, (0.5 - half).max(0.0)),
        high: quantile(&sorted, (0.5 + half).min(1.0)),
    }
}

/// The mean with a confidence interval of 95 %, and the standard deviation.
#[must_use]
pub fn mean_estimate(values: &[f64]) -> (Estimate, f64) {
    let len = values.len() as f64;
    let mean = values.iter().sum::<f64>() / len;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (len - 1.0).max(1.0)).sqrt();
    let half = 1.96 * deviation / len.sqrt();
    let estimate = Estimate {
        estimate: mean,
        low: mean - half,
        high: mean + half,
    };
    (estimate, deviation)
}

/// A line through points: slope, height at zero. Both are medians (Theil 1950, Sen 1968), so that a
/// single point that is off does not bend it. `None` for fewer than two different x.
#[must_use]
pub fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut slopes = Vec::new();
    for (at, a) in points.iter().enumerate() {
        for b in &points[at + 1..] {
            if a.0 != b.0 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let slope = median(&slopes);
    let rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some((slope, median(&rests)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), 2.5);
        let spread = spread(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
    }

    #[test]
    fn an_interval_holds_its_median_and_narrows_with_more_values() {
        let values: Vec<f64> = (0..101).map(f64::from).collect();
        let many = median_estimate(&values);
        let few = median_estimate(&values[45..56]);
        assert!(many.low < 50.0 && many.estimate == 50.0 && many.high > 50.0);
        assert!((many.high - many.low) / 101.0 < (few.high - few.low) / 11.0);
        let one = median_estimate(&[7.0]);
        assert_eq!((one.low, one.estimate, one.high), (7.0, 7.0, 7.0));
    }

    #[test]
    fn means_know_their_deviation() {
        let (mean, deviation) = mean_estimate(&[1.0, 3.0]);
        assert_eq!(mean.estimate, 2.0);
        assert!((deviation - 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean_estimate(&[4.0]).1, 0.0);
    }

    #[test]
    fn a_line_is_not_bent_by_one_point_that_is_off() {
        let mut points: Vec<_> = (0..9)
            .map(|x| (f64::from(x), 2.0 * f64::from(x) + 1.0))
            .collect();
        assert_eq!(line(&points), Some((2.0, 1.0)));
        points[4].1 = 1000.0;
        let (slope, at) = line(&points).unwrap();
        assert!((slope - 2.0).abs() < 0.5 && (at - 1.0).abs() < 2.0);
        assert_eq!(line(&points[..1]), None);
    }
}
