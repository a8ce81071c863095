//! What is promised, and what was measured: one table.

use crate::measure::{Measured, ratios};
use crate::memory::Stages;
use crate::statistics::spread;
use costack_bench_schema::{Bar, Echo, Spread};

/// The promises of DESIGN.md are what prototypes reached beside corosensei on one machine.
const DESIGN: &str = "design";
const NATIVE: &str = "native engine";
const RUNTIME: &str = "runtime";

/// Which of the cases of one name.
#[derive(Clone, Copy)]
enum Pick {
    /// The one without a parameter.
    Plain,
    /// With the largest parameter that is not above.
    AtMost(u64),
    /// With the parameter next to this, no more than a quarter away.
    Near(u64),
}

fn is_near(parameter: u64, wanted: u64) -> bool {
    parameter.abs_diff(wanted) <= wanted / 4
}

/// A case.
#[derive(Clone, Copy)]
struct Key(&'static str, &'static str, Pick);

impl Key {
    fn find<'a>(&self, all: &'a [Measured]) -> Option<&'a Measured> {
        let Key(group, who, pick) = *self;
        let named = all
            .iter()
            .filter(|case| case.group == group && case.who == who);
        match pick {
            Pick::Plain => {
                let mut named = named;
                named.find(|case| case.parameter.is_none())
            }
            Pick::AtMost(most) => named
                .filter(|case| case.parameter.is_some_and(|parameter| parameter <= most))
                .max_by_key(|case| case.parameter),
            Pick::Near(wanted) => named
                .filter(|case| {
                    case.parameter
                        .is_some_and(|parameter| is_near(parameter, wanted))
                })
                .min_by_key(|case| case.parameter.map(|parameter| parameter.abs_diff(wanted))),
        }
    }
}

/// What something is compared with, in the same round.
enum Over {
    /// corosensei's round trip, its root yielding.
    Yardstick,
    /// The sum of these, of the same group and with the same parameter where they have one.
    Others(&'static [&'static str]),
}

struct Promise {
    source: &'static str,
    what: &'static str,
    at_most: f64,
    ours: Key,
    over: Over,
}

const ROOT: &str = "own_round_trip/root_yields";
const HELPER: &str = "own_round_trip/helper_yields";
const DEEP: &str = "own_round_trip/four_deep";
const CALLED: &str = "own_round_trip/resume_not_inlined";
const SHARED: &str = "shared_round_trip";
const ROW: &str = "working_set/in_order";

const fn promise(
    source: &'static str,
    what: &'static str,
    at_most: f64,
    ours: Key,
    over: Over,
) -> Promise {
    Promise {
        source,
        what,
        at_most,
        ours,
        over,
    }
}

const COROSENSEI: Over = Over::Others(&["corosensei"]);

const PROMISES: &[Promise] = &[
    promise(
        NATIVE,
        "root yields, to corosensei",
        0.95,
        Key(ROOT, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        NATIVE,
        "a helper yields and returns, to corosensei",
        0.40,
        Key(HELPER, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        NATIVE,
        "four deep, returns each time, to corosensei",
        0.60,
        Key(DEEP, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        NATIVE,
        "resume not inlined, to corosensei",
        1.00,
        Key(CALLED, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        NATIVE,
        "create, run, drop, to corosensei with its stack reused",
        1.00,
        Key("life/create_run_drop", "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        NATIVE,
        "shared, evicting at most 96 B, to corosensei's root",
        3.0,
        Key(SHARED, "costack", Pick::AtMost(96)),
        Over::Yardstick,
    ),
    promise(
        NATIVE,
        "shared, evicting 1 KiB, to two copies and an own trip",
        1.15,
        Key(SHARED, "costack", Pick::Near(1024)),
        Over::Others(&["two_plain_copies", "own_root"]),
    ),
    promise(
        NATIVE,
        "shared, evicting 8 KiB, to two copies and an own trip",
        1.15,
        Key(SHARED, "costack", Pick::Near(8192)),
        Over::Others(&["two_plain_copies", "own_root"]),
    ),
    promise(
        NATIVE,
        "in order over the largest working set, to a thousand",
        2.0,
        Key(ROW, "costack_prefetch", Pick::AtMost(u64::MAX)),
        Over::Others(&["few"]),
    ),
    promise(
        RUNTIME,
        "yield_now, two on own stacks, to corosensei's root",
        2.5,
        Key("runtime/yield_now", "costack", Pick::Plain),
        Over::Yardstick,
    ),
    promise(
        RUNTIME,
        "yield_now among a million sharing a stack, to corosensei's root",
        8.0,
        Key("runtime/yield_among_many", "costack", Pick::Near(1_000_000)),
        Over::Yardstick,
    ),
    promise(
        RUNTIME,
        "spawn, run, join, to corosensei's root",
        25.0,
        Key("runtime/spawn_and_join", "costack", Pick::Plain),
        Over::Yardstick,
    ),
    promise(
        DESIGN,
        "root yields: 3.1 ns where corosensei takes 3.3",
        3.1 / 3.3,
        Key(ROOT, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        DESIGN,
        "a helper yields: 5.1 ns where corosensei takes 17",
        5.1 / 17.0,
        Key(HELPER, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        DESIGN,
        "four deep: 11 ns where corosensei takes 21",
        11.0 / 21.0,
        Key(DEEP, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        DESIGN,
        "resume not inlined: 18 ns where corosensei takes 18.7",
        18.0 / 18.7,
        Key(CALLED, "costack", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        DESIGN,
        "root yields, fp flavour: 3.1 ns and 9 more where corosensei takes 3.3",
        12.1 / 3.3,
        Key(ROOT, "costack_fp", Pick::Plain),
        COROSENSEI,
    ),
    promise(
        DESIGN,
        "shared, evicting 80 B or a little more: 9.3 ns to 3.3",
        9.3 / 3.3,
        Key(SHARED, "costack", Pick::Near(80)),
        Over::Yardstick,
    ),
    promise(
        DESIGN,
        "in order over 2 million and more, 120 B and more: 15 ns to 3.3",
        15.0 / 3.3,
        Key(ROW, "costack_prefetch", Pick::AtMost(u64::MAX)),
        Over::Yardstick,
    ),
];

/// All promises, with what was measured.
#[must_use]
pub fn bars(all: &[Measured], stages: &Stages, echo: &[Echo]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = PROMISES
        .iter()
        .map(|promise| promise.against(all))
        .collect();
    let at = bars.iter().position(|bar| bar.source == RUNTIME);
    bars.insert(at.unwrap_or(0), memory(stages));
    let at = bars.iter().position(|bar| bar.source == DESIGN);
    bars.insert(at.unwrap_or(0), served(echo));
    bars
}

impl Promise {
    fn against(&self, all: &[Measured]) -> Bar {
        let bar = Bar {
            source: self.source.to_owned(),
            what: self.what.to_owned(),
            unit: "ratio".to_owned(),
            at_most: Some(self.at_most),
            ..Bar::default()
        };
        let Some(ours) = self.ours.find(all) else {
            return without(bar, "this was not measured");
        };
        let samples = match self.over {
            Over::Yardstick => Some(vec![&*ours.yardstick]),
            Over::Others(names) => names.iter().map(|name| beside(all, ours, name)).collect(),
        };
        let Some(samples) = samples else {
            return without(bar, "what it is compared with was not measured");
        };
        let what = match ours.parameter {
            Some(parameter) => format!("{} ({})", bar.what, with_unit(ours, parameter)),
            None => bar.what,
        };
        Bar {
            what,
            measured: Some(spread(&ratios(&ours.samples, &samples))),
            ..bar
        }
    }
}

/// The samples of someone who was measured in the same batch: the yardstick is shared within it.
fn beside<'a>(all: &'a [Measured], ours: &Measured, who: &str) -> Option<&'a [f64]> {
    let in_batch =
        |case: &&Measured| std::rc::Rc::ptr_eq(&case.yardstick, &ours.yardstick) && case.who == who;
    let mut cases: Vec<&Measured> = all.iter().filter(in_batch).collect();
    cases.sort_by_key(|case| case.parameter != ours.parameter);
    cases.first().map(|case| &*case.samples)
}

fn with_unit(ours: &Measured, parameter: u64) -> String {
    let grouped = grouped(parameter);
    if ours.group == SHARED {
        format!("measured at {grouped} B")
    } else {
        format!("measured at {grouped} tasks")
    }
}

/// A number with spaces between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            // Narrow, and no line breaks there.
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

fn without(bar: Bar, why: &str) -> Bar {
    Bar {
        why_not: Some(why.to_owned()),
        ..bar
    }
}

fn memory(stages: &Stages) -> Bar {
    let bar = Bar {
        source: NATIVE.to_owned(),
        what: "resident bytes of each of ten million coroutines on one shared stack, all told"
            .to_owned(),
        unit: "bytes".to_owned(),
        at_most: Some(200.0),
        ..Bar::default()
    };
    let Some(stage) = stages.most_shared() else {
        return without(bar, "no process could be measured");
    };
    let each = stage.each();
    Bar {
        what: format!(
            "{} (measured at {}, images of {} B)",
            bar.what,
            grouped(stage.tasks),
            stage.image_bytes
        ),
        measured: Some(Spread {
            median: each,
            low: each,
            high: each,
        }),
        ..bar
    }
}

fn served(echo: &[Echo]) -> Bar {
    let bar = Bar {
        source: RUNTIME.to_owned(),
        what: "echo server, requests per second, to may".to_owned(),
        unit: "ratio".to_owned(),
        at_least: Some(0.9),
        ..Bar::default()
    };
    let of = |who: &str| echo.iter().find(|echo| echo.who == who);
    let (Some(ours), Some(theirs)) = (of("costack"), of("may")) else {
        return without(bar, "the servers were not measured");
    };
    let ratios: Vec<f64> = ours
        .rounds
        .iter()
        .zip(&theirs.rounds)
        .map(|(ours, theirs)| ours / theirs)
        .collect();
    if ratios.is_empty() {
        return without(bar, "the servers answered nothing");
    }
    Bar {
        measured: Some(spread(&ratios)),
        ..bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn case(
        group: &str,
        who: &'static str,
        parameter: Option<u64>,
        samples: &[f64],
        yardstick: &Rc<[f64]>,
    ) -> Measured {
        Measured {
            group: group.to_owned(),
            who,
            parameter,
            companion: false,
            facts: Default::default(),
            samples: samples.to_vec(),
            yardstick: Rc::clone(yardstick),
        }
    }

    #[track_caller]
    fn check(bars: &[Bar], what: &str, median: Option<f64>, holds: Option<bool>) {
        let bar = bars.iter().find(|bar| bar.what.starts_with(what)).unwrap();
        assert_eq!(bar.measured.map(|spread| spread.median), median, "{bar:?}");
        assert_eq!(bar.holds(), holds, "{bar:?}");
        assert_eq!(bar.measured.is_none(), bar.why_not.is_some(), "{bar:?}");
    }

    #[test]
    fn compares_within_a_batch_and_with_the_same_parameter() {
        let (a, b): (Rc<[f64]>, Rc<[f64]>) = ([2.0, 2.0].into(), [1.0, 1.0].into());
        let all = [
            case(ROOT, "costack", None, &[3.0, 3.0], &a),
            case(ROOT, "corosensei", None, &[4.0, 4.0], &a),
            case(HELPER, "corosensei", None, &[1.0, 1.0], &b),
            case(SHARED, "costack", Some(88), &[5.0, 5.0], &b),
            case(SHARED, "costack", Some(1032), &[13.0, 13.0], &b),
            case(SHARED, "two_plain_copies", Some(88), &[1.0, 1.0], &b),
            case(SHARED, "two_plain_copies", Some(1032), &[9.0, 9.0], &b),
            case(SHARED, "own_root", None, &[1.0, 1.0], &b),
        ];
        let bars = bars(&all, &Stages::default(), &[]);
        check(&bars, "root yields, to", Some(0.75), Some(true));
        check(&bars, "a helper yields and", None, None);
        check(
            &bars,
            "shared, evicting at most 96 B",
            Some(5.0),
            Some(false),
        );
        check(&bars, "shared, evicting 1 KiB", Some(1.3), Some(false));
        check(&bars, "resident bytes", None, None);
        check(&bars, "echo server", None, None);
    }

    #[test]
    fn thousands_are_kept_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(10_000_000), "10\u{202f}000\u{202f}000");
    }
}
