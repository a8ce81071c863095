//! The report as a page: one file, without scripts, that needs nothing beside it.

mod chart;
mod parts;

use crate::bars::grouped;
use costack_bench_schema::{Bar, Machine, Report};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page about a report, and about others that are laid beside it.
#[must_use]
pub fn page(own: &Report, others: &[Report]) -> String {
    let measured: Vec<bool> = own.bars.iter().filter_map(Bar::holds).collect();
    let holding = measured.iter().filter(|holds| **holds).count();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Costack, measured" }
                style { (PreEscaped(include_str!("page/style.css"))) }
            }
            body {
                header {
                    p.brand { "Costack" }
                    h1 { "Measured beside its peers" }
                    p.verdict {
                        strong { (holding) " of " (measured.len()) }
                        " promises hold on this machine. Every ratio is the median over interleaved rounds \
                         of one process, with its quartiles behind it."
                    }
                    (origin(own))
                }
                main {
                    (parts::bars(own))
                    @if !others.is_empty() { (side_by_side(own, others)) }
                    (parts::groups(own))
                    (parts::memory(own))
                    (parts::instructions(own))
                    (parts::echo(own))
                    (parts::skipped(own))
                    (method(own))
                }
                footer { "Costack's bench report, schema " code { (own.schema) } "." }
            }
        }
    };
    page.into_string()
}

fn origin(report: &Report) -> Markup {
    let machine = &report.machine;
    let mode = report.suite.as_ref().map_or("", |suite| &suite.mode);
    let took = report
        .suite
        .as_ref()
        .map(|suite| suite.seconds.round() as u64);
    let facts = [
        ("Processor", with_cores(machine)),
        ("Kernel", kernel(machine)),
        ("Compiler", report.rustc.clone()),
        ("Commit", report.commit.clone()),
        (
            "Measured",
            report.measured_at.replace('T', " ").replace('Z', " UTC"),
        ),
        (
            "Run",
            took.map_or(String::new(), |took| format!("{mode}, {took} s")),
        ),
    ];
    html! {
        dl.origin {
            @for (name, value) in facts {
                @if !value.trim().is_empty() {
                    div { dt { (name) } dd { (value) } }
                }
            }
        }
    }
}

fn kernel(machine: &Machine) -> String {
    let parts = [&machine.os, &machine.kernel, &machine.arch].map(|part| part.trim());
    let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(" ")
}

fn with_cores(machine: &Machine) -> String {
    let cpu = if machine.cpu.is_empty() {
        "unknown"
    } else {
        &machine.cpu
    };
    format!("{cpu}, {} threads", machine.cores)
}

/// A short name for a machine at the head of a column.
fn short(report: &Report) -> String {
    let cpu = report
        .machine
        .cpu
        .split('@')
        .next()
        .unwrap_or_default()
        .trim();
    let date = report.measured_at.split('T').next().unwrap_or_default();
    let cpu = if cpu.is_empty() {
        &report.machine.arch
    } else {
        cpu
    };
    format!("{cpu} · {} · {date}", report.machine.arch)
}

fn side_by_side(own: &Report, others: &[Report]) -> Markup {
    let all: Vec<&Report> = std::iter::once(own).chain(others).collect();
    html! {
        section id="machines" {
            h2 { "Machines side by side" }
            p.about { "Ratios to corosensei's round trip of the same machine and run; what a machine \
                       has not measured is left empty." }
            div.wide { table {
                thead { tr {
                    th { "Promise" }
                    @for report in &all { th.number { (short(report)) } }
                } }
                tbody {
                    @for bar in &own.bars {
                        tr {
                            td { (bar.what) }
                            @for report in &all {
                                @let theirs = report.bars.iter().find(|theirs| {
                                    stem(&theirs.what) == stem(&bar.what)
                                });
                                td.number { @if let Some(bar) = theirs { (parts::judged(bar)) } }
                            }
                        }
                    }
                }
            } }
            details {
                summary { "Every result" }
                div.wide { table {
                    thead { tr {
                        th { "Bench" }
                        @for report in &all { th.number { (short(report)) } }
                    } }
                    tbody {
                        @for result in &own.results {
                            tr {
                                td { code { (result.id) } }
                                @for report in &all {
                                    @let theirs = report.results.iter().find(|theirs| {
                                        theirs.id == result.id
                                    });
                                    td.number {
                                        @if let Some(ratio) = theirs.and_then(|theirs| theirs.ratio) {
                                            (parts::ratio(ratio.median))
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
}

/// A promise without what it was measured at.
fn stem(what: &str) -> &str {
    what.split(" (").next().unwrap_or(what)
}

fn method(report: &Report) -> Markup {
    let rounds = report
        .results
        .iter()
        .filter_map(|result| result.rounds)
        .max();
    html! {
        section id="method" {
            h2 { "How it was measured" }
            p.about {
                "All who do the same thing run in one process and take turns: A B C A B C, "
                @if let Some(rounds) = rounds { (grouped(rounds as u64)) " rounds in all, " }
                "so that whatever slows the machine down slows all of them. corosensei's round trip runs \
                 in every round as the yardstick. A ratio is taken within its round; shown is the \
                 median of these ratios, and the quartiles between which half of them lie. What is \
                 made for a bench is made before the clock starts. Lines are fitted by the median of \
                 the slopes between all pairs of points, which one point that is off does not bend."
            }
            @if let Some(suite) = &report.suite {
                @if !suite.commands.is_empty() {
                    p { "To repeat it:" }
                    pre { @for command in &suite.commands { (command) "\n" } }
                }
            }
        }
    }
}
