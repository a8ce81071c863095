//! `costack tune`.

mod cost;

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Result, bail};
use costack::scenario::Clock;
use costack_engine::trace::{Record, StackKind, What};
use costack_engine::tune::{Copied, runs, tune as replay};
use costack_lang::syntax::{self, Program};
use costack_sim::program::Isa;

use crate::args;
use crate::backend::{Backend, HOST_ISA, How, Module};
use crate::show::{self, GOOD, lines, out, styled, table, thousands};
use crate::{Verdict, input};

use cost::Cost;

/// What another number of stacks means.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Choice {
    copied: Copied,
    memory_bytes: u64,
    time_ns: f64,
}

/// Shows what other numbers of shared stacks would copy.
pub(super) fn tune(args: &args::Tune) -> Result<Verdict> {
    let input = input::read(&args.file)?;
    let (records, stack_bytes) = match input.is_trace() {
        true if args.isa.is_some() => return Err(input.not_run_again("--isa")),
        true => (super::trace::read(&input)?.records, None),
        false => {
            let isa = args.isa.map_or(HOST_ISA, Isa::from);
            let program = input.scenario(isa)?;
            let how = How {
                backend: Backend::Sim,
                isa,
                steps: 0,
                clock: Clock::Virtual,
                trust_pointers: false,
            };
            let run = super::run_as(&program, &how, &Module::default())?;
            if let Some(fault) = &run.fault {
                bail!("{}: it does not run to its end: {fault}", input.name);
            }
            (run.records, Some(largest_stack(&program)))
        }
    };
    let tasks = shared_tasks(&records);
    if tasks == 0 {
        bail!(
            "{}: no task shares a stack, so nothing is copied",
            input.name
        );
    }
    let turns = runs(&records);
    let cost = Cost::measure()?;
    let range = args.stacks.0.clone();
    let choices: Vec<Choice> = range
        .map(|stacks| {
            let copied = replay(&turns, stacks);
            Choice {
                copied,
                memory_bytes: u64::from(stacks) * stack_bytes.unwrap_or(0)
                    + copied.save_stack_bytes,
                time_ns: cost.time_ns(&copied),
            }
        })
        .collect();
    let best = recommended(&choices);
    let mut out = out();
    writeln!(
        out,
        "{}: {} on shared stacks, {}",
        input.name,
        show::count(tasks, "task"),
        show::count(turns.len() as u64, "turn")
    )?;
    let of = match stack_bytes {
        Some(bytes) => format!("stacks of {}", show::bytes(bytes)),
        None => "save stacks only, as a trace does not say how large a stack is".to_owned(),
    };
    writeln!(
        out,
        "memory: {of}; time: of evictions, {} each and {} per KB, measured on this machine\n",
        show::time(cost.eviction_ns),
        show::time(cost.byte_ns * 1000.0)
    )?;
    let shown: Vec<&Choice> = choices
        .iter()
        .filter(|choice| is_shown(choice, &choices, best))
        .collect();
    write!(out, "{}", lines(&rows(&shown, best)))?;
    writeln!(out, "\nbytes copied")?;
    write!(out, "{}", chart(&shown))?;
    writeln!(out, "\n{}", advice(&choices, best))?;
    out.flush()?;
    Ok(Verdict::Good)
}

/// Bytes of the largest shared stack.
fn largest_stack(program: &Program) -> u64 {
    let stacks = program.stacks.iter();
    let shared = stacks.filter(|stack| stack.kind == syntax::StackKind::Shared);
    shared.map(|stack| stack.bytes.into()).max().unwrap_or(0)
}

fn shared_tasks(records: &[Record]) -> u64 {
    let kinds: BTreeMap<u32, StackKind> = records
        .iter()
        .filter_map(|record| match &record.what {
            What::Task { task, stack, .. } => Some((*task, *stack)),
            _ => None,
        })
        .collect();
    let shared = kinds.values().filter(|kind| **kind == StackKind::Shared);
    shared.count() as u64
}

/// The fewest stacks with which no number in the range would save a twentieth of what one stack
/// copies: more only costs memory. `None` where there is no choice.
fn recommended(choices: &[Choice]) -> Option<u32> {
    if choices.len() < 2 {
        return None;
    }
    let times = || choices.iter().map(|choice| choice.time_ns);
    let (least, most) = (
        times().fold(f64::INFINITY, f64::min),
        times().fold(0.0, f64::max),
    );
    let enough = least + (most - least) * 0.05;
    let first = choices.iter().find(|choice| choice.time_ns <= enough);
    first.map(|choice| choice.copied.stacks)
}

/// Of a long range, what matters: round numbers, the recommended one, both ends.
fn is_shown(choice: &Choice, choices: &[Choice], best: Option<u32>) -> bool {
    let number = choice.copied.stacks;
    let ends = [choices.first(), choices.last()];
    choices.len() <= 16
        || Some(number) == best
        || ends.iter().flatten().any(|end| end.copied.stacks == number)
        || number.is_power_of_two()
        || (number.is_multiple_of(3) && (number / 3).is_power_of_two())
}

fn rows(shown: &[&Choice], best: Option<u32>) -> comfy_table::Table {
    let mut table = table(["stacks", "evictions", "copied", "memory", "time", ""]);
    for choice in shown {
        let Choice {
            copied,
            memory_bytes,
            time_ns,
        } = choice;
        table.add_row([
            copied.stacks.to_string(),
            thousands(copied.saves),
            show::bytes(copied.bytes()),
            show::bytes(*memory_bytes),
            show::time(*time_ns),
            match Some(copied.stacks) == best {
                true => "<- recommended".to_owned(),
                false => String::new(),
            },
        ]);
    }
    for column in 0..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table
}

/// The width of the longest bar, in characters.
const BAR: f64 = 60.0;

fn chart(shown: &[&Choice]) -> String {
    let most = shown.iter().map(|choice| choice.copied.bytes()).max();
    let most = most.unwrap_or(0).max(1) as f64;
    let bar = |choice: &&Choice| {
        let eighths = (choice.copied.bytes() as f64 / most * BAR * 8.0).round() as usize;
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
        let bar = "█".repeat(eighths / 8) + part;
        format!("{:>6} ▕{bar}", choice.copied.stacks)
            .trim_end()
            .to_owned()
            + "\n"
    };
    shown.iter().map(bar).collect()
}

fn advice(choices: &[Choice], best: Option<u32>) -> String {
    let chosen = choices
        .iter()
        .find(|choice| Some(choice.copied.stacks) == best);
    let (Some(first), Some(chosen)) = (choices.first(), chosen) else {
        return "a range, such as --stacks 1..64, would tell which number to recommend".to_owned();
    };
    let stacks = show::count(chosen.copied.stacks.into(), "shared stack");
    let recommended = styled(GOOD, stacks);
    if chosen == first {
        return format!("recommended: {recommended}; more would not save a twentieth of the time");
    }
    format!(
        "recommended: {recommended}; they copy {} instead of {} and take {} instead of {} with {}",
        show::bytes(chosen.copied.bytes()),
        show::bytes(first.copied.bytes()),
        show::bytes(chosen.memory_bytes),
        show::bytes(first.memory_bytes),
        show::count(first.copied.stacks.into(), "shared stack"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(stacks: u32, time_ns: f64) -> Choice {
        Choice {
            copied: Copied {
                stacks,
                saved_bytes: time_ns as u64,
                ..Copied::default()
            },
            memory_bytes: 0,
            time_ns,
        }
    }

    #[test]
    fn the_recommendation_is_where_more_stacks_stop_helping() {
        let curve = [1000.0, 400.0, 100.0, 40.0, 38.0, 38.0];
        let choices: Vec<_> = (1..).zip(curve).map(|(n, t)| choice(n, t)).collect();
        assert_eq!(recommended(&choices), Some(4));
        assert_eq!(recommended(&choices[..1]), None);
        let flat: Vec<_> = (1..5).map(|n| choice(n, 0.0)).collect();
        assert_eq!(recommended(&flat), Some(1));
    }

    #[test]
    fn bars_are_in_proportion() {
        let (one, two, none) = (choice(1, 800.0), choice(2, 400.0), choice(3, 0.0));
        let drawn = chart(&[&one, &two, &none]);
        let lengths: Vec<_> = drawn.lines().map(|l| l.matches('█').count()).collect();
        assert_eq!(lengths, [60, 30, 0]);
    }
}
