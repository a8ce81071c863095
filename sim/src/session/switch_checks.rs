//! What the last switch has kept, obligation by obligation: the machine's own values, where the
//! prover has symbols.
//!
//! A task that goes on is compared with itself as it was when it left. All of it is read from the
//! log, backwards from the current position, and moves nothing.

use std::ops::Range;

use super::Session;
use crate::fault::TaskNumber;
use crate::isa::{RegisterInfo, aarch64, registers};
use crate::machine::log::At;
use crate::machine::{REGISTERS, SegmentKind, signal};
use crate::prove::{Contract, Flavour, Id};
use crate::view::{RegisterClass, StepKind, SwitchCheck, SwitchChecks, TickKind, Verdict};

/// Registers at some position.
#[derive(Clone, Copy)]
struct File([u64; REGISTERS]);

impl File {
    fn get(&self, info: &RegisterInfo) -> u64 {
        self.0[info.reg.index() % REGISTERS]
    }
}

/// One passage through the switch text.
struct Passage {
    /// The position at which the source comes to the text.
    entry: usize,
    /// The step that moves sp.
    moves: usize,
    /// The position at which the target has left the text; `None` while it is in it.
    exit: Option<usize>,
    source: TaskNumber,
    target: TaskNumber,
}

impl Session {
    /// What the last switch up to the current position has kept; `None` before the first one.
    ///
    /// While the target is still within the text, and where the log no longer reaches back to
    /// where the target left, the verdicts say so.
    pub fn switch_checks(&self) -> Option<SwitchChecks> {
        let made = self
            .ticks
            .partition_point(|tick| tick.step < self.position());
        let switches: Vec<(usize, TaskNumber)> = self.ticks[..made]
            .iter()
            .filter(|tick| tick.kind == TickKind::Switch)
            .map(|tick| (tick.step as usize, tick.task))
            .collect();
        let &(moves, target) = switches.last()?;
        // Whoever a switch brought is whom the next one takes away; main is there at first.
        let sources = || std::iter::once(0).chain(switches.iter().map(|(_, task)| *task));
        let source = sources().nth(switches.len() - 1)?;
        let left = switches[..switches.len() - 1]
            .iter()
            .zip(sources())
            .filter(|(_, source)| *source == target)
            .last()
            .map(|((step, _), _)| *step);
        let passage = Passage {
            entry: self.entry_of(moves),
            moves,
            exit: self.exit_of(moves),
            source,
            target,
        };
        let before = left.map(|step| self.entry_of(step));
        let kept_from = self.machine.log.kept_from;
        let reach = before.unwrap_or(passage.entry).min(passage.entry);
        let checks = match passage.exit {
            _ if reach < kept_from && kept_from > 0 => {
                all(Verdict::Unknown, "the log no longer reaches back so far")
            }
            None => all(Verdict::Pending, "the switch is under way"),
            Some(exit) => self.compare(&passage, exit, left, before),
        };
        Some(SwitchChecks {
            step: moves as u64,
            source,
            target,
            left_at: before.map(|position| position as u64),
            checks,
        })
    }

    /// The file that the instruction before which a position stands comes from.
    fn file_at(&self, position: usize) -> Option<&str> {
        let pc = match self.machine.log.steps.get(position) {
            _ if position == self.position => self.machine.pc,
            Some(step) => step.pc(),
            None => self.end_pc,
        };
        Some(&*self.code.line_of(pc)?.file)
    }

    /// The position at which the text was come to in which this step moved sp.
    fn entry_of(&self, moves: usize) -> usize {
        let file = self.file_at(moves);
        let mut entry = moves;
        // A signal may have come within the text: its handler is stepped over.
        let mut position = moves;
        while position > 0 {
            position -= 1;
            let is_text =
                self.file_at(position) == file && !self.machine.log.steps[position].is_host();
            if is_text && !self.is_of_signal(position) {
                entry = position;
            } else if !self.is_of_signal(position) {
                break;
            }
        }
        entry
    }

    /// Whether this step is a signal's: its arrival, or one of its handler. A position stands in a
    /// handler where the next step is one.
    fn is_of_signal(&self, step: usize) -> bool {
        let from = self.ticks.partition_point(|tick| tick.step < step as u64);
        let mut here = self.ticks[from..]
            .iter()
            .take_while(|tick| tick.step == step as u64);
        here.any(|tick| tick.kind == TickKind::Signal)
            || self
                .file_at(step)
                .is_some_and(|file| file.starts_with(signal::FOLDER))
    }

    fn exit_of(&self, moves: usize) -> Option<usize> {
        let file = self.file_at(moves);
        (moves + 1..=self.position)
            .find(|&position| self.file_at(position) != file && !self.is_of_signal(position))
    }

    /// The registers at some earlier positions, which go down.
    fn registers_at<const N: usize>(&self, positions: [usize; N]) -> [File; N] {
        let mut values = self.machine.values;
        let mut at = self.position;
        positions.map(|position| {
            while at > position {
                at -= 1;
                for entry in self.machine.log.entries_of(at).rev() {
                    if let At::Register(index) = entry.at() {
                        values[index as usize % REGISTERS] = entry.value;
                    }
                }
            }
            File(values)
        })
    }

    fn compare(
        &self,
        passage: &Passage,
        exit: usize,
        left: Option<usize>,
        before: Option<usize>,
    ) -> Vec<SwitchCheck> {
        let infos = registers(self.isa());
        let [now, entry, then] =
            self.registers_at([exit, passage.entry, before.unwrap_or(passage.entry)]);
        let of = |class: RegisterClass, vector: bool| {
            let is_vector =
                move |info: &&RegisterInfo| aarch64::registers::is_float(info.reg) == vector;
            infos
                .iter()
                .filter(move |info| info.class == class)
                .filter(is_vector)
        };
        let fresh = before.is_none();
        let keeps = |vector: bool| {
            let (clobbered, kept): (Vec<&RegisterInfo>, Vec<&RegisterInfo>) =
                of(RegisterClass::CalleeSaved, vector)
                    .partition(|info| self.host.clobbers(info.name));
            if kept.is_empty() && clobbered.is_empty() {
                return Verdict::NotApplicable("this ISA has none".into());
            }
            if fresh {
                return Verdict::NotApplicable("it had not run before: nothing to keep".into());
            }
            let lost: Vec<String> = kept
                .iter()
                .filter(|info| then.get(info) != now.get(info))
                .map(|info| {
                    let (then, now) = (then.get(info), now.get(info));
                    format!("{} is {now:#x}, was {then:#x}", info.name)
                })
                .collect();
            match lost.is_empty() {
                true => Verdict::Holds(kept_words(&names(&kept), &names(&clobbered))),
                false => Verdict::Broken(lost.join("; ")),
            }
        };
        let sp = infos
            .iter()
            .find(|info| info.class == RegisterClass::StackPointer);
        let sp_of = |file: &File| sp.map_or(0, |sp| file.get(sp));
        let mut checks = Vec::with_capacity(Id::ALL.len());
        let mut add = |id, verdict| checks.push(SwitchCheck { id, verdict });
        add(Id::P1, keeps(false));
        add(
            Id::P2,
            match (fresh, sp_of(&then), sp_of(&now)) {
                (true, _, now) => {
                    Verdict::Holds(format!("{now:#x}, the end of its first frame").into())
                }
                (false, then, now) if then == now => {
                    Verdict::Holds(format!("{now:#x}, as when it left").into())
                }
                (false, then, now) => {
                    Verdict::Broken(format!("{now:#x}, was {then:#x} when it left"))
                }
            },
        );
        add(Id::P3, self.goes_on(exit, left));
        add(Id::P4, self.control(passage, &then, &entry, &now, fresh));
        add(Id::P5, keeps(true));
        add(Id::P6, self.sp_stays_inside(passage, exit));
        add(Id::P7, self.image_is_whole(passage, before));
        add(
            Id::P8,
            match fresh {
                false => Verdict::NotApplicable("asked for where a task begins".into()),
                true => self.begins_aligned(sp_of(&now)),
            },
        );
        add(
            Id::P9,
            Verdict::NotApplicable("the simulated instructions cannot touch them".into()),
        );
        add(Id::P10, self.writes_stay_inside(passage, exit));
        add(
            Id::P11,
            Verdict::NotApplicable("scenarios pass values through the runtime".into()),
        );
        checks
    }

    /// Where the target goes on is behind the text that it left by.
    fn goes_on(&self, exit: usize, left: Option<usize>) -> Verdict {
        let pc = match self.machine.log.steps.get(exit) {
            _ if exit == self.position => self.machine.pc,
            Some(step) => step.pc(),
            None => self.end_pc,
        };
        let address = self.code.address_of(pc);
        let Some(left) = left else {
            return Verdict::Holds(format!("{address:#x}, the entry of a fresh task").into());
        };
        let file = self.file_at(left);
        let mut behind = self.machine.log.steps[left].pc();
        while self.code.line_of(behind).map(|line| &*line.file) == file {
            behind += 1;
        }
        match behind == pc {
            true => Verdict::Holds(format!("{address:#x}, behind the text it left by").into()),
            false => Verdict::Broken(format!(
                "{address:#x}; it left by the text that ends at {:#x}",
                self.code.address_of(behind)
            )),
        }
    }

    /// The fp flavour brings the target's control words back; the integer flavour leaves alone
    /// whatever is there.
    fn control(
        &self,
        passage: &Passage,
        then: &File,
        entry: &File,
        now: &File,
        fresh: bool,
    ) -> Verdict {
        let is_fp = self
            .file_at(passage.moves)
            .is_some_and(|file| file.ends_with("switch_fp.s"));
        let (expected, word) = match is_fp {
            true if fresh => {
                return Verdict::NotApplicable("it had not run before: nothing to keep".into());
            }
            true => (then, "as when it left"),
            false => (entry, "untouched"),
        };
        let control = registers(self.isa())
            .iter()
            .filter(|info| info.class == RegisterClass::Control);
        let (same, lost): (Vec<&RegisterInfo>, Vec<&RegisterInfo>) =
            control.partition(|info| expected.get(info) == now.get(info));
        match lost.first() {
            None => Verdict::Holds(format!("{} {word}", names(&same)).into()),
            Some(info) => Verdict::Broken(format!(
                "{} is {:#x}, was {:#x}",
                info.name,
                now.get(info),
                expected.get(info)
            )),
        }
    }

    /// A task begins with sp as if its first function had been called.
    fn begins_aligned(&self, sp: u64) -> Verdict {
        let contract = Contract::of(self.isa(), Flavour::Integer);
        let (past, unit) = (contract.entry_sp, contract.entry_alignment);
        let is_aligned = sp
            .wrapping_sub(past as u64)
            .is_multiple_of(unit.unsigned_abs());
        let wanted = match past {
            0 => format!("a multiple of {unit}"),
            _ => format!("{} below a multiple of {unit}", -past),
        };
        match is_aligned {
            true => Verdict::Holds(format!("{sp:#x}, {wanted}").into()),
            false => Verdict::Broken(format!("{sp:#x}, which is not {wanted}")),
        }
    }

    /// A signal at any of these positions would find sp in a stack.
    fn sp_stays_inside(&self, passage: &Passage, exit: usize) -> Verdict {
        let sp = self.machine.sp_reg().index();
        let mut value = self.registers_at([exit])[0].0[sp];
        for position in (passage.entry..=exit).rev() {
            if position < exit {
                let entries = self.machine.log.entries_of(position).rev();
                for entry in entries {
                    if entry.at() == At::Register(sp as u8) {
                        value = entry.value;
                    }
                }
            }
            if !self
                .machine
                .stacks
                .iter()
                .any(|stack| (stack.base..=stack.top).contains(&value))
            {
                let step = position.saturating_sub(1);
                let line = self.code.line_of(self.machine.log.steps[step].pc());
                let text = line.map_or("", |line| line.text.trim());
                return Verdict::Broken(format!(
                    "after `{text}`, step {step}, sp is {value:#x}, which is in no stack"
                ));
            }
        }
        let count = exit - passage.entry;
        Verdict::Holds(format!("sp was inside a stack after each of {count} instructions").into())
    }

    fn image_is_whole(&self, passage: &Passage, before: Option<usize>) -> Verdict {
        let from = before.unwrap_or(0) as u64;
        let mut steps = self.records.of_steps(from..passage.moves as u64 + 1).rev();
        let restored = steps.find_map(|(step, kind)| match kind {
            StepKind::Restore { task, bytes, .. } if task == passage.target => Some((step, bytes)),
            _ => None,
        });
        match restored {
            // A restore whose image differs from what was saved is a fault, which ends the run.
            Some((step, bytes)) => Verdict::Holds(
                format!("{bytes} B came back at step {step} with the checksum they left with")
                    .into(),
            ),
            None => Verdict::Holds("its bytes never left the stack".into()),
        }
    }

    /// The text writes below the source's frames, and into the source's control block.
    fn writes_stay_inside(&self, passage: &Passage, exit: usize) -> Verdict {
        let sp = self.machine.sp_reg().index();
        let at_entry = self.registers_at([passage.entry])[0].0[sp];
        let stack = self
            .machine
            .stacks
            .iter()
            .find(|stack| (stack.base..=stack.top).contains(&at_entry));
        let below: Range<u64> = stack.map_or(0..0, |stack| stack.base..at_entry);
        let block = self.machine.blocks.iter().find(|block| {
            block.live
                && block.kind
                    == SegmentKind::ControlBlock {
                        task: passage.source,
                    }
        });
        let block = block.map_or(0..0, |block| block.address..block.address + block.bytes);
        let mut count = 0;
        for step in passage.entry..exit {
            // A handler that came in between writes onto the stack it found.
            if self.is_of_signal(step) {
                continue;
            }
            for entry in self.machine.log.entries_of(step) {
                let At::Cell(address) = entry.at() else {
                    continue;
                };
                count += 1;
                // Cells are of eight bytes; on 32 bits the first may begin below.
                let touched = |range: &Range<u64>| address + 8 > range.start && address < range.end;
                if !touched(&below) && !touched(&block) {
                    return Verdict::Broken(format!(
                        "step {step} wrote at {address:#x}, which is neither"
                    ));
                }
            }
        }
        Verdict::Holds(
            format!("{count} words, below the source's frames or in its control block").into(),
        )
    }
}

fn all(
    verdict: fn(std::borrow::Cow<'static, str>) -> Verdict,
    why: &'static str,
) -> Vec<SwitchCheck> {
    Id::ALL
        .map(|id| SwitchCheck {
            id,
            verdict: verdict(why.into()),
        })
        .to_vec()
}

/// `rbx, rbp`; of many in a row only the ends: `d8 to d15`.
fn names(infos: &[&RegisterInfo]) -> String {
    match infos {
        [first, .., last] if infos.len() > 4 => format!("{} to {}", first.name, last.name),
        _ => infos
            .iter()
            .map(|info| info.name)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn kept_words(kept: &str, clobbered: &str) -> std::borrow::Cow<'static, str> {
    match (kept, clobbered) {
        ("", clobbered) => format!("{clobbered}: declared clobbered, the frames hold them").into(),
        (kept, "") => format!("{kept}, as when it left").into(),
        (kept, clobbered) => {
            format!("{kept}, as when it left; {clobbered} declared clobbered").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::program::Isa;
    use crate::{Options, gallery, runtime};

    /// All verdicts of a run, each once for its switch; `name` is the scenario's.
    fn verdicts(name: &str, isa: Isa) -> Vec<(u64, SwitchCheck)> {
        let scenario = gallery::all().find(|scenario| scenario.name == name);
        verdicts_of(scenario.expect("it is in the gallery").text, isa)
    }

    fn verdicts_of(text: &str, isa: Isa) -> Vec<(u64, SwitchCheck)> {
        let program = costack_lang::parse("x.costack", text).expect("no mistakes");
        let session = runtime::load(Arc::new(program), isa, Options::default());
        let mut session = session.expect("it loads");
        let mut found: Vec<(u64, SwitchCheck)> = Vec::new();
        while session.step() == crate::view::StepOutcome::Stepped && session.position() < 5000 {
            let Some(now) = session.switch_checks() else {
                continue;
            };
            let is_over = now
                .checks
                .iter()
                .all(|check| !matches!(check.verdict, Verdict::Pending(_)));
            if is_over && found.last().is_none_or(|(step, _)| *step != now.step) {
                found.extend(now.checks.into_iter().map(|check| (now.step, check)));
            }
        }
        found
    }

    #[track_caller]
    fn check_broken(all: &[(u64, SwitchCheck)], id: Id, word: &str) {
        let broken = all.iter().find_map(|(_, check)| match &check.verdict {
            Verdict::Broken(why) if check.id == id => Some(why.clone()),
            _ => None,
        });
        assert!(broken.is_some_and(|why| why.contains(word)), "{all:#?}");
    }

    #[test]
    fn our_switches_keep_everything() {
        for name in ["two_tasks_shared", "two_tasks_own", "deep_and_shallow"] {
            for isa in Isa::ALL {
                let all = verdicts(name, isa);
                assert!(all.len() > 40, "{}", all.len());
                for (step, check) in all {
                    assert!(
                        !matches!(check.verdict, Verdict::Broken(_) | Verdict::Unknown(_)),
                        "{name} on {}, step {step}: {check:?}",
                        isa.name()
                    );
                }
            }
        }
    }

    /// At every position within a switch, and right behind it.
    #[test]
    fn a_signal_in_the_middle_is_not_the_switchs_fault() {
        let scenario = gallery::all().find(|scenario| scenario.name == "two_tasks_shared");
        let text = scenario.expect("it is in the gallery").text;
        let program = Arc::new(costack_lang::parse("x.costack", text).expect("no mistakes"));
        for isa in Isa::ALL {
            let load = || {
                let options = Options::default();
                runtime::load(Arc::clone(&program), isa, options).expect("it loads")
            };
            let mut session = load();
            // The second task's first switch, and one to a task that has yielded.
            let mut within = Vec::new();
            for _ in 0..5 {
                session.next(crate::view::Granularity::Switch, 10_000);
                let moves = session.position() as usize - 1;
                let entry = session.entry_of(moves) as u64;
                while session.exit_of(moves).is_none() {
                    session.step();
                }
                within.push(entry..=session.position());
            }
            for position in within.into_iter().flatten() {
                let mut session = load();
                session.jump(position);
                session
                    .intervene(crate::view::Intervention::Signal)
                    .expect("a signal");
                for _ in 0..80 {
                    let checks = session.switch_checks().into_iter();
                    for check in checks.flat_map(|checks| checks.checks) {
                        assert!(
                            !matches!(check.verdict, Verdict::Broken(_) | Verdict::Unknown(_)),
                            "{}, signal at {position}, now {}: {check:?}",
                            isa.name(),
                            session.position()
                        );
                    }
                    session.step();
                }
            }
        }
    }

    #[test]
    fn tells_which_register_was_lost() {
        let all = verdicts("pitfalls/register_forgotten", Isa::X86_64);
        check_broken(&all, Id::P1, "r13");
        let all = verdicts("pitfalls/vector_registers_forgotten", Isa::Aarch64);
        check_broken(&all, Id::P5, "d8");
    }

    #[test]
    fn tells_where_sp_was_outside() {
        let scenario = gallery::all().find(|scenario| scenario.name == "styles/control_block");
        let text = scenario.expect("it is in the gallery").text;
        let whole = "    mov [rdi], rsp\n";
        let astray = "    mov [rdi], rsp\n    mov r9, rsp\n    mov rsp, 64\n    mov rsp, r9\n";
        assert!(text.contains(whole));
        let all = verdicts_of(&text.replace(whole, astray), Isa::X86_64);
        check_broken(&all, Id::P6, "in no stack");
    }

    #[test]
    fn tells_what_else_was_written() {
        let scenario = gallery::all().find(|scenario| scenario.name == "styles/control_block");
        let text = scenario.expect("it is in the gallery").text;
        let whole = "    mov [rdi], rsp\n";
        let astray = "    mov [rdi], rsp\n    mov [rsp + 8], rdi\n";
        let all = verdicts_of(&text.replace(whole, astray), Isa::X86_64);
        check_broken(&all, Id::P10, "wrote at");
    }

    #[test]
    fn says_so_while_the_switch_is_under_way() {
        let scenario = &gallery::SCENARIOS[1];
        let program = costack_lang::parse(&scenario.file(), scenario.text).expect("no mistakes");
        let session = runtime::load(Arc::new(program), Isa::X86_64, Options::default());
        let mut session = session.expect("it loads");
        assert_eq!(session.switch_checks(), None);
        session.next(crate::view::Granularity::Switch, 10_000);
        let checks = session.switch_checks().expect("there was one");
        assert_eq!((checks.source, checks.target, checks.left_at), (0, 1, None));
        assert!(
            checks
                .checks
                .iter()
                .all(|check| matches!(check.verdict, Verdict::Pending(_)))
        );
    }
}
