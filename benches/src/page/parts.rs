//! The sections of the page.

use super::chart::{self, Chart, Series};
use crate::bars::grouped;
use crate::memory::Kind;
use costack_bench_schema::{Bar, Fit, Group, Outcome, Report, Spread};
use maud::{Markup, PreEscaped, html};

/// How people say who is measured.
pub fn spoken(who: &str) -> String {
    match who {
        "costack" => "Costack".to_owned(),
        "costack_assembly" => "Costack, function in assembly".to_owned(),
        "costack_fp" => "Costack, fp flavour".to_owned(),
        "costack_own" => "Costack, own stacks".to_owned(),
        "costack_prefetch" => "Costack, prefetching".to_owned(),
        "costack_shared" => "Costack, shared stack".to_owned(),
        "costack_unpooled" => "Costack, not pooled".to_owned(),
        "corosensei_unpooled" => "corosensei, new stacks".to_owned(),
        "boost_context" => "Boost.Context".to_owned(),
        "os_thread" => "OS threads".to_owned(),
        "future" => "Future".to_owned(),
        "x86_64" => "x86-64".to_owned(),
        other => other.replace('_', " "),
    }
}

fn is_ours(who: &str) -> bool {
    who.starts_with("costack")
}

/// A ratio with as many digits as say something.
pub fn ratio(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => grouped(value.round() as u64),
    }
}

/// A time in the unit that fits it.
fn time(ns: f64) -> String {
    match ns {
        ..10.0 => format!("{ns:.2} ns"),
        10.0..100.0 => format!("{ns:.1} ns"),
        100.0..10_000.0 => format!("{} ns", grouped(ns.round() as u64)),
        10_000.0..1e6 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.1} ms", ns / 1e6),
    }
}

fn bytes(value: f64) -> String {
    match value {
        ..10_240.0 => format!("{} B", grouped(value.round() as u64)),
        10_240.0..1e7 => format!("{:.1} KiB", value / 1024.0),
        10_000_000.0..1e10 => format!("{:.1} MiB", value / 1048576.0),
        _ => format!("{:.2} GiB", value / 1073741824.0),
    }
}

fn in_unit(bar: &Bar, value: f64) -> String {
    if bar.unit == "bytes" {
        bytes(value)
    } else {
        ratio(value)
    }
}

/// A bar's value with a mark of whether it holds.
pub fn judged(bar: &Bar) -> Markup {
    html! {
        @if let Some(measured) = bar.measured {
            (in_unit(bar, measured.median)) " " (mark(bar.holds()))
        } @else { span.faint { "–" } }
    }
}

fn mark(holds: Option<bool>) -> Markup {
    html! {
        @match holds {
            Some(true) => span.mark.holds title="holds" { "✓ holds" },
            Some(false) => span.mark.missed title="does not hold" { "✗ missed" },
            None => span.mark.unknown title="not measured" { "not measured" },
        }
    }
}

/// The table of promises.
pub fn bars(report: &Report) -> Markup {
    let mut sources: Vec<&str> = Vec::new();
    for bar in &report.bars {
        if !sources.contains(&&*bar.source) {
            sources.push(&bar.source);
        }
    }
    let heading = |source: &str| match source {
        "native engine" => "Native engine",
        "runtime" => "Runtime",
        "design" => "What the design's prototypes reached",
        _ => "Others",
    };
    html! {
        section id="promises" {
            h2 { "What is promised, and whether it holds" }
            p.about { "The line in each gauge is the promise. Filled is the median; the darker part spans \
                       the quartiles." }
            div.wide { table.promises {
                thead { tr {
                    th { "Promise" }
                    th.number { "Bar" }
                    th.number { "Measured" }
                    th.number { "Quartiles" }
                    th.gauges { span.hidden { "Gauge" } }
                    th { "Holds" }
                } }
                @for source in sources {
                    tbody {
                        tr.source { th colspan="6" { (heading(source)) } }
                        @for bar in report.bars.iter().filter(|bar| bar.source == source) {
                            (bar_row(bar))
                        }
                    }
                }
            } }
        }
    }
}

fn bar_row(bar: &Bar) -> Markup {
    let bound = match (bar.at_most, bar.at_least) {
        (Some(most), _) => format!("≤ {}", in_unit(bar, most)),
        (_, Some(least)) => format!("≥ {}", in_unit(bar, least)),
        _ => String::new(),
    };
    let (what, at) = match bar.what.split_once(" (") {
        Some((what, at)) => (what, at.strip_suffix(')').unwrap_or(at)),
        None => (&*bar.what, ""),
    };
    html! {
        tr {
            td { (what) @if !at.is_empty() { span.at { (at) } } }
            td.number { (bound) }
            @if let Some(measured) = bar.measured {
                td.number { strong { (in_unit(bar, measured.median)) } }
                td.number.faint {
                    @if measured.low != measured.high {
                        (in_unit(bar, measured.low)) " – " (in_unit(bar, measured.high))
                    }
                }
                td.gauges { (gauge(bar, measured)) }
            } @else {
                td.number { "–" }
                td.faint colspan="2" { (bar.why_not.as_deref().unwrap_or_default()) }
            }
            td { (mark(bar.holds())) }
        }
    }
}

/// The promise at two thirds of the gauge; what is far beyond fills it.
fn gauge(bar: &Bar, measured: Spread) -> Markup {
    let bound = bar.at_most.or(bar.at_least).unwrap_or(1.0);
    let part = |value: f64| (value / bound * 66.0).clamp(0.0, 100.0);
    let class = if bar.holds() == Some(true) {
        "gauge"
    } else {
        "gauge over"
    };
    let (low, high) = (part(measured.low), part(measured.high));
    html! {
        div class=(class) {
            div.fill style=(format!("width:{:.1}%", part(measured.median))) {}
            div.spread style=(format!("left:{low:.1}%;width:{:.1}%", (high - low).max(0.8))) {}
            div.bound style="left:66%" {}
        }
    }
}

/// Sections of groups: those of one area together.
pub fn groups(report: &Report) -> Markup {
    let areas = [
        (
            "own_round_trip",
            "Round trips on own stacks",
            "One resume and one yield, a value each way.",
        ),
        (
            "shared_round_trip",
            "Round trips on a shared stack",
            "What the copies cost.",
        ),
        (
            "stacks",
            "More stacks than one",
            "A pool of shared stacks is a cache.",
        ),
        (
            "working_set",
            "Working sets",
            "What happens when the tasks outgrow the caches.",
        ),
        (
            "life",
            "Lives",
            "From making a coroutine to dropping it, and the end before its time.",
        ),
        (
            "runtime",
            "The runtime",
            "Tasks, timers, and what they wait for.",
        ),
        ("backtrace", "Backtraces", "What walking the frames costs."),
        (
            "simulator",
            "The simulator",
            "Steps of a simulated machine.",
        ),
    ];
    html! {
        @for (area, title, about) in areas {
            @let groups: Vec<&Group> = report
                .groups
                .iter()
                .filter(|group| group.id.split('/').next() == Some(area))
                .collect();
            @if !groups.is_empty() {
                section id=(area) {
                    h2 { (title) }
                    p.about { (about) }
                    div.cards {
                        @let alone = groups.len() == 1;
                        @for group in groups { (card(report, group, alone)) }
                    }
                }
            }
        }
    }
}

fn card(report: &Report, group: &Group, alone: bool) -> Markup {
    let results: Vec<&Outcome> = report
        .results
        .iter()
        .filter(|result| result.group == group.id)
        .collect();
    let wide = alone && group.axis.is_some();
    let class = if wide { "card broad" } else { "card" };
    html! {
        article class=(class) id=(group.id.replace('/', "-")) {
            h3 { (group.title) span.per { "per " (group.per) } }
            p { (group.about) }
            @match &group.axis {
                Some(axis) => (growth(report, group, axis, &results, wide)),
                None => (ranking(&results)),
            }
            @if !group.cannot.is_empty() {
                ul.cannot {
                    @for absent in &group.cannot {
                        li { b { (spoken(&absent.what)) } ": " (absent.why) "." }
                    }
                }
            }
        }
    }
}

/// Who is much slower than the quickest of the others has a bar that is cut off.
const CUT: f64 = 12.0;

fn ranking(results: &[&Outcome]) -> Markup {
    let mut sorted = results.to_vec();
    sorted.sort_by(|a, b| a.median.estimate.total_cmp(&b.median.estimate));
    let middle = sorted
        .get(sorted.len() / 2)
        .map_or(1.0, |result| result.median.estimate);
    let shown = sorted
        .iter()
        .map(|result| result.median.estimate)
        .filter(|time| *time <= middle * CUT / 4.0)
        .fold(0.0, f64::max);
    html! {
        table.ranking {
            thead.hidden { tr { th { "Who" } th { "Time" } th { "Ratio to corosensei's round trip" } } }
            tbody {
                @for result in sorted {
                    @let part = result.median.estimate / shown * 100.0;
                    tr.ours[is_ours(result.who())] {
                        th scope="row" { (spoken(result.who())) }
                        td.length {
                            div class=(if part > 100.5 { "length cut" } else { "length" })
                                style=(format!("width:{:.1}%", part.min(100.0))) {}
                        }
                        td.number title=(quartiles(result)) { (time(result.median.estimate)) }
                        td.number.faint { @if let Some(spread) = result.ratio { "×" (ratio(spread.median)) } }
                    }
                }
            }
        }
    }
}

fn quartiles(result: &Outcome) -> String {
    let Some(quartiles) = result.quartiles else {
        return String::new();
    };
    let rounds = result.rounds.unwrap_or_default();
    format!(
        "quartiles {} to {}, {rounds} rounds",
        time(quartiles.low),
        time(quartiles.high)
    )
}

fn growth(report: &Report, group: &Group, axis: &str, results: &[&Outcome], wide: bool) -> Markup {
    let who = who(results);
    let series: Vec<Series> = who
        .iter()
        .map(|who| Series {
            who: (*who).to_owned(),
            points: results
                .iter()
                .filter(|result| result.who() == *who)
                .filter_map(|result| {
                    let quartiles = result.quartiles?;
                    let spread = (quartiles.low, result.median.estimate, quartiles.high);
                    Some((result.number()?, spread))
                })
                .collect(),
        })
        .map(Series::sorted)
        .collect();
    let fits: Vec<&Fit> = report
        .fits
        .iter()
        .filter(|fit| fit.group == group.id)
        .collect();
    // Either kind of function has sizes of its own.
    let by_size = group.id == "shared_round_trip";
    let absent = if by_size { "–" } else { "cannot" };
    let svg = chart::draw(&Chart {
        x: axis.to_owned(),
        y: format!("ns per {}", group.per),
        from_zero: !by_size,
        series,
        wide,
    });
    html! {
        figure { (PreEscaped(svg)) (legend(&who, &fits)) }
        details {
            summary { "Numbers" }
            div.wide { table.numbers {
                thead { tr {
                    th.number { (axis) }
                    @for who in &who { th.number { (spoken(who)) } }
                    @if results.iter().any(|result| !result.facts.is_empty()) { th { "Also" } }
                } }
                tbody {
                    @for parameter in parameters(results) {
                        tr {
                            th.number scope="row" { (grouped(parameter as u64)) }
                            @for who in &who {
                                @let result = results.iter().find(|result| {
                                    result.who() == *who && result.number() == Some(parameter)
                                });
                                td.number title=[result.map(|result| quartiles(result))] {
                                    @match result {
                                        Some(result) => (time(result.median.estimate)),
                                        None => span.faint { (absent) },
                                    }
                                }
                            }
                            @for result in results.iter().filter(|result| {
                                result.number() == Some(parameter) && !result.facts.is_empty()
                            }) {
                                td { (facts(result)) }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn facts(result: &Outcome) -> String {
    let fact = |(name, value): (&String, &f64)| match &**name {
        "hit_ratio" => format!("{:.0} % hits", value * 100.0),
        "image_bytes" => format!("images of {value:.0} B"),
        other => format!("{} {value:.2}", other.replace('_', " ")),
    };
    result.facts.iter().map(fact).collect::<Vec<_>>().join(", ")
}

fn who<'a>(results: &[&'a Outcome]) -> Vec<&'a str> {
    let mut who: Vec<&str> = Vec::new();
    for result in results {
        if !who.contains(&result.who()) {
            who.push(result.who());
        }
    }
    who.sort_by_key(|who| (!is_ours(who), who.len()));
    who
}

fn parameters(results: &[&Outcome]) -> Vec<f64> {
    let mut parameters: Vec<f64> = results
        .iter()
        .filter_map(|result| result.number())
        .collect();
    parameters.sort_by(f64::total_cmp);
    parameters.dedup();
    parameters
}

fn legend(who: &[&str], fits: &[&Fit]) -> Markup {
    html! {
        figcaption {
            @for who in who {
                span.key {
                    i style=(format!("background:var(--{})", chart::class(who))) {}
                    b { (spoken(who)) }
                    @if let Some(fit) = fits.iter().find(|fit| fit.who == *who) {
                        span.slope { (slope(fit)) }
                    }
                }
            }
        }
    }
}

fn slope(fit: &Fit) -> String {
    let digits = match fit.slope.abs() {
        ..0.1 => 4,
        0.1..10.0 => 2,
        _ => 0,
    };
    format!("{:+.digits$} {}", fit.slope, fit.unit)
}

/// Resident memory.
pub fn memory(report: &Report) -> Markup {
    if report.memory.is_empty() {
        return html! {};
    }
    let of = |kind: Kind| {
        report
            .memory
            .iter()
            .filter(move |stage| stage.who == kind.who())
    };
    let series: Vec<Series> = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Growth)
        .map(|kind| Series {
            who: kind.who().to_owned(),
            points: of(kind)
                .filter(|stage| stage.tasks > 0 && stage.resident_bytes > 0)
                .map(|stage| {
                    let value = stage.resident_bytes as f64;
                    (stage.tasks as f64, (value, value, value))
                })
                .collect(),
        })
        .map(Series::sorted)
        .filter(|series| !series.points.is_empty())
        .collect();
    let who: Vec<String> = series.iter().map(|series| series.who.clone()).collect();
    let who: Vec<&str> = who.iter().map(String::as_str).collect();
    let fits: Vec<&Fit> = report
        .fits
        .iter()
        .filter(|fit| fit.group == "memory")
        .collect();
    let svg = chart::draw(&Chart {
        x: "tasks".to_owned(),
        y: "resident bytes".to_owned(),
        from_zero: false,
        series,
        wide: true,
    });
    html! {
        section id="memory" {
            h2 { "Memory" }
            p.about { "Resident bytes of suspended tasks, each kind in a process of its own, beyond what \
                       the process had before the first of them. Own stacks end where the system gives no \
                       more areas of address space." }
            div.cards { article.card.broad {
                figure { (PreEscaped(svg)) (legend(&who, &fits)) }
            } article.card.broad {
                div.wide { table.numbers {
                    thead { tr {
                        th { "Stage" } th.number { "Tasks" } th.number { "Image" }
                        th.number { "Resident" } th.number { "Each" }
                    } }
                    @for kind in Kind::ALL {
                        tbody {
                            @if of(kind).next().is_some() {
                                tr.source { th colspan="5" { (kind.who()) } }
                            }
                            @for stage in of(kind) {
                                tr {
                                    td { (stage.stage) }
                                    td.number { (grouped(stage.tasks)) }
                                    td.number { @if stage.image_bytes > 0 { (bytes(stage.image_bytes as f64)) } }
                                    td.number { (bytes(stage.resident_bytes as f64)) }
                                    td.number { @if stage.tasks > 0 { (bytes(stage.each())) } }
                                }
                            }
                        }
                    }
                } }
            } }
        }
    }
}

/// Instruction counts.
pub fn instructions(report: &Report) -> Markup {
    if report.instructions.is_empty() {
        return html! {};
    }
    html! {
        section id="instructions" {
            h2 { "Instructions" }
            p.about { "Of one round trip, counted by callgrind. They repeat exactly: a test fails when one \
                       is added." }
            div.cards { article.card {
                table.numbers {
                    thead { tr { th { "Path" } th.number { "Counted" } th.number { "Recorded" } } }
                    tbody {
                        @for path in &report.instructions {
                            tr {
                                td { (path.path.replace('_', " ")) }
                                td.number { (path.instructions) }
                                td.number.faint {
                                    @match path.recorded {
                                        Some(recorded) => (recorded),
                                        None => "–",
                                    }
                                }
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// Echo servers.
pub fn echo(report: &Report) -> Markup {
    if report.echo.is_empty() {
        return html! {};
    }
    html! {
        section id="echo" {
            h2 { "Echo servers" }
            p.about { "Requests of 64 bytes over loopback, one task for each connection; the load comes from \
                       another process, the same for both, and the servers take turns." }
            div.cards { article.card.broad {
                table.numbers {
                    thead { tr {
                        th { "Server" } th.number { "Connections" } th.number { "Requests per second" }
                        th.number { "Quartiles" } th.number { "p99" }
                    } }
                    tbody {
                        @for echo in &report.echo {
                            tr {
                                td { (spoken(&echo.who)) }
                                td.number { (grouped(echo.connections)) }
                                td.number { strong { (grouped(echo.per_second.median.round() as u64)) } }
                                td.number.faint {
                                    (grouped(echo.per_second.low.round() as u64)) " – "
                                    (grouped(echo.per_second.high.round() as u64))
                                }
                                td.number { (time(echo.p99_us * 1e3)) }
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// What could not be measured.
pub fn skipped(report: &Report) -> Markup {
    if report.skipped.is_empty() {
        return html! {};
    }
    html! {
        section id="skipped" {
            h2 { "Left out" }
            ul.cannot {
                @for skipped in &report.skipped { li { b { (skipped.what) } ": " (skipped.why) "." } }
            }
        }
    }
}
