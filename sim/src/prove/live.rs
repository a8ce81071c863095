//! P6 and P7: which bytes of the stacks are live, and when.

use super::check::{Check, Judged, wrong};
use super::machine::Machine;
use super::report::Transition;
use super::value::{Bits, Byte, Region, Side, Symbol, Term, Value};

/// A byte of a stack and the instants at which it is live, in steps.
struct Live {
    region: Region,
    offset: i64,
    /// After this step; from the entry on if there is none.
    after: Option<usize>,
    /// Up to the beginning of this step.
    until: usize,
}

impl Check<'_, '_> {
    /// P7, as far as it is not a load of its own that is wrong.
    pub(super) fn image(&self) -> Judged {
        let machine = self.machine;
        if machine.contract.top_lost > 0 {
            let reason = format!(
                "the runtime leaves the topmost {} bytes of a stack out of its images",
                machine.contract.top_lost
            );
            return wrong(None, reason);
        }
        let block = Region::Block(machine.roles.source);
        let Some(step) = machine.memory.writer(block, 0) else {
            let reason = "nothing writes the word that receives sp".to_owned();
            return wrong(self.last_step(), reason);
        };
        let stored = machine.stored_sp();
        match self.stored_offset() {
            Some(low) if (-machine.contract.room..=0).contains(&low) => {}
            _ => {
                return wrong(
                    Some(step),
                    format!(
                        "the word for sp receives {}: the image from there up does not hold \
                         the source's frames",
                        self.shown(&stored)
                    ),
                );
            }
        }
        if let Some((offset, step)) = self.image_differs() {
            let at = Symbol::Base(Region::Stack(machine.roles.source)).plus(offset);
            let reason = format!(
                "the byte at {} is not what the source left there: its image depends on the target",
                self.shown(&Value::of(at, machine.word)),
            );
            return wrong(step.or(self.last_step()), reason);
        }
        Ok(format!(
            "all that is read back lies from the stored sp up; the source stores {}",
            self.shown(&stored)
        ))
    }

    /// The induction: the target's image was made by the text's part before the jump. The source
    /// must end up with the same one, whatever the part after the jump does to it. Returns a byte
    /// that differs and who wrote it.
    fn image_differs(&self) -> Option<(i64, Option<usize>)> {
        let past = self.past?;
        let low = self.stored_offset()?;
        let pairs = [
            (Region::Stack as fn(Side) -> Region, low..0),
            (Region::Block, self.machine.contract.block.clone()),
        ];
        pairs.into_iter().find_map(|(region, range)| {
            let (now, then) = (region(self.machine.roles.source), region(past.roles.source));
            range.into_iter().find_map(|offset| {
                let byte = self.machine.memory.byte(now, offset);
                let assumed = renamed(past.memory.byte(then, offset), past, self.machine);
                let writer = self.machine.memory.writer(now, offset);
                (byte != assumed).then_some((offset, writer))
            })
        })
    }

    /// The stored sp, from the source's sp at its entry.
    fn stored_offset(&self) -> Option<i64> {
        let term = self.machine.stored_sp().term()?;
        let stack = Region::Stack(self.machine.roles.source);
        (term.symbol == Symbol::Base(stack)).then_some(term.offset)
    }

    /// P6.
    pub(super) fn signal_safe(&self) -> Judged {
        let machine = self.machine;
        let live = self.live();
        let final_sp = machine.sp();
        let instants = machine.steps.iter().map(|step| &step.sp);
        for (instant, sp) in instants.chain([&final_sp]).enumerate() {
            let culprit = instant.checked_sub(1);
            let (region, offset) = match machine.stack_of(sp) {
                Some(found) => found,
                None => {
                    let reason = format!("sp is {}, in no stack", self.shown(sp));
                    return wrong(culprit, reason);
                }
            };
            if let Err(reason) = self.inside(region, offset) {
                return wrong(culprit, format!("sp is {}, {reason}", self.shown(sp)));
            }
            let reach = offset - machine.contract.red_zone;
            let lost = live.iter().find(|byte| {
                byte.region == region
                    && byte.offset < reach
                    && byte.after.is_none_or(|after| after < instant)
                    && instant <= byte.until
            });
            if let Some(byte) = lost {
                let at = Symbol::Base(byte.region).plus(byte.offset);
                let reason = format!(
                    "sp is {}, and the byte at {} below it is still needed: a signal handler \
                     overwrites it",
                    self.shown(sp),
                    self.shown(&Value::of(at, machine.word)),
                );
                return wrong(culprit, reason);
            }
        }
        Ok(format!(
            "at all {} instants sp is in a stack and nothing live lies below it{}",
            machine.steps.len() + 1,
            match machine.contract.red_zone {
                0 => String::new(),
                bytes => format!(" and its red zone of {bytes} bytes"),
            }
        ))
    }

    /// Whether an sp is inside its stack, and its own frames are not below it.
    fn inside(&self, region: Region, offset: i64) -> Result<(), String> {
        let machine = self.machine;
        let own = region == Region::Stack(machine.roles.source);
        let low = if own { 0 } else { machine.image_low };
        let contract = machine.contract;
        if offset < low - contract.room {
            return Err("so far down that there may be no stack".to_owned());
        }
        if !own && self.transition == Transition::Fresh && offset > 0 {
            return Err("above the first frame, where the stack may end".to_owned());
        }
        let live = if own { 0 } else { machine.final_offset() };
        if offset > live + contract.red_zone {
            return Err("above live frames, which a signal handler overwrites".to_owned());
        }
        Ok(())
    }

    /// Every live byte below the two tasks' frames. Those above are live always.
    fn live(&self) -> Vec<Live> {
        let machine = self.machine;
        let mut live = Vec::new();
        for load in &machine.loads {
            live.push(Live {
                region: load.region,
                offset: load.offset,
                after: load.written,
                until: load.step,
            });
        }
        // The source's image, from its writing on.
        let stack = Region::Stack(machine.roles.source);
        let low = self.stored_offset().unwrap_or(0);
        let image = machine.memory.bytes(stack);
        for (offset, cell) in image.filter(|(offset, _)| (low..0).contains(offset)) {
            live.push(Live {
                region: stack,
                offset,
                after: cell.step,
                until: machine.steps.len(),
            });
        }
        live
    }
}

/// A byte of one run in the words of another: source for source, target for target. What was
/// unknown there is unknown here in the same order, after all that is unknown from there.
fn renamed(byte: Byte, from: &Machine<'_>, to: &Machine<'_>) -> Byte {
    match byte {
        Byte::Known(_) => byte,
        Byte::Part(..) | Byte::Bits(..) => {
            let pieces = byte.pieces().into_iter().flatten();
            let renamed = pieces.map(|bits| Bits {
                term: renamed_term(bits.term, from, to),
                ..bits
            });
            Byte::of(renamed).unwrap_or(byte)
        }
    }
}

fn renamed_term(Term { symbol, offset }: Term, from: &Machine<'_>, to: &Machine<'_>) -> Term {
    let side = |side: Side| match side {
        _ if side == from.roles.source => to.roles.source,
        _ if side == from.roles.target => to.roles.target,
        other => other,
    };
    let region = |region: Region| match region {
        Region::Stack(owner) => Region::Stack(side(owner)),
        Region::Block(owner) => Region::Block(side(owner)),
        Region::Image(owner) => Region::Image(side(owner)),
        Region::Text(owner) => Region::Text(side(owner)),
    };
    let symbol = match symbol {
        Symbol::Base(base) => Symbol::Base(region(base)),
        Symbol::Register(owner, reg) => Symbol::Register(side(owner), reg),
        Symbol::Return(owner) => Symbol::Return(side(owner)),
        Symbol::First(owner, slot) => Symbol::First(side(owner), slot),
        Symbol::Memory(base, at) => Symbol::Memory(region(base), at),
        Symbol::Unknown(number) => Symbol::Unknown(number + from.unknowns.len()),
    };
    symbol.plus(offset)
}
