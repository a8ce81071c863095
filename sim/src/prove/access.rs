//! Loads and stores of the symbolic machine: where they may go, and what is noted of them.

use super::machine::{Load, Machine, Place, Stop};
use super::report::Id;
use super::value::{Region, Symbol, Term, Value};
use crate::isa::Width;

impl Machine<'_> {
    /// How far an sp is from where a task's offsets count, if it is in one of the two stacks.
    pub fn stack_offset(&self, sp: &Value) -> Option<i64> {
        self.stack_of(sp).map(|(_, offset)| offset)
    }

    /// The stack that an sp is in, and where.
    pub fn stack_of(&self, sp: &Value) -> Option<(Region, i64)> {
        let (region, offset) = place_of(sp)?;
        match region {
            Region::Stack(side) if side == self.roles.source || side == self.roles.target => {
                Some((region, offset))
            }
            _ => None,
        }
    }

    /// A load. What cannot be told is an unknown value, and noted: it may not even be memory.
    pub fn load(&mut self, address: &Value, width: Width) -> Value {
        let Some((region, offset)) = place_of(address) else {
            let shown = self.show().value(address);
            self.violation(Id::P7, format!("cannot tell where this reads: at {shown}"));
            return self.unknown("what is read by way", width);
        };
        let end = offset.saturating_add(i64::from(width.bytes()));
        let block = &self.contract.block;
        // Below a task's own frames there is only what a text has put there.
        let unwritten = (offset..end.min(0)).any(|at| !self.memory.is_known(region, at));
        let fault = match region {
            Region::Stack(side) if side == self.roles.target && offset < self.image_low => {
                Some("which lies below the target's image")
            }
            Region::Stack(side)
                if side == self.roles.target
                    && offset < self.image_low + self.contract.left_out() =>
            {
                Some("where the target's words have not been copied back")
            }
            Region::Stack(side) if side == self.roles.source || side == self.roles.target => {
                unwritten.then_some("which nothing has written")
            }
            Region::Image(side) if side == self.roles.target => {
                let outside = offset < 0 || end > self.contract.first_frame_bytes();
                outside.then_some("which lies beside the words that a switch leaves")
            }
            Region::Block(side) if side == self.roles.source || side == self.roles.target => {
                let outside = offset < block.start.min(0) || end > block.end;
                outside.then_some("which lies beside the word for sp")
            }
            Region::Text(_) => Some("where the text itself is"),
            Region::Stack(_) | Region::Block(_) | Region::Image(_) => {
                Some("which belongs to another task")
            }
        };
        if let Some(fault) = fault {
            let shown = self.show().value(address);
            self.violation(
                Id::P7,
                format!("reads {} bytes at {shown}, {fault}", width.bytes()),
            );
        }
        let step = self.step();
        for byte in 0..i64::from(width.bytes()) {
            let offset = offset.wrapping_add(byte);
            let written = self.memory.writer(region, offset);
            self.loads.push(Load {
                step,
                region,
                offset,
                written,
            });
        }
        self.memory.read(region, offset, width)
    }

    /// A store.
    pub fn store(&mut self, address: &Value, value: &Value) -> Result<(), Stop> {
        let Some((region, offset)) = place_of(address) else {
            let shown = self.show().value(address);
            let reason = format!("cannot tell where this writes: at {shown}");
            self.violation(Id::P10, reason.clone());
            return Err(Stop(reason));
        };
        let bytes = value.width().bytes();
        let end = offset.saturating_add(i64::from(bytes));
        let block = &self.contract.block;
        let fault = match region {
            Region::Stack(side) if side == self.roles.source => {
                if end > 0 {
                    Some("where the source's own frames are")
                } else {
                    let beyond = offset < -self.contract.room;
                    beyond.then_some("so far below that there may be no stack")
                }
            }
            Region::Block(side) if side == self.roles.source => {
                let outside = offset < block.start || end > block.end;
                outside.then_some("beside the word that receives sp")
            }
            Region::Stack(side) if side == self.roles.target => Some("on the target's stack"),
            Region::Block(_) => Some("in another task's control block"),
            Region::Image(_) => Some("in a save stack"),
            Region::Text(_) => Some("where the text itself is"),
            Region::Stack(_) => Some("on another task's stack"),
        };
        if let Some(fault) = fault {
            let shown = self.show().value(address);
            self.violation(Id::P10, format!("writes {bytes} bytes at {shown}, {fault}"));
        }
        let step = self.step();
        self.memory.write(region, offset, value, Some(step));
        self.wrote(Place::Memory(region, offset), *value);
        Ok(())
    }
}

/// The memory that an address is known to belong to.
fn place_of(address: &Value) -> Option<(Region, i64)> {
    match address.term()? {
        Term {
            symbol: Symbol::Base(region),
            offset,
        } => Some((region, offset)),
        _ => None,
    }
}
