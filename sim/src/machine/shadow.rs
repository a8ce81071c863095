//! What is known about every aligned eight bytes of memory and every register, in one `u64`.
//!
//! ```text
//! bits 0..8     which bytes have been written, the lowest first
//! bit  8        the bytes belong to a segment
//! bits 10, 11   the lower, upper half holds a register that nothing had written: reading it back
//!               whole is no fault, using it is
//! bits 12..38   the task whose sp the value was made from, plus 1; on 32 bits, that of the lower
//! bits 38..64   that of the upper half on 32 bits
//! ```

use crate::fault::TaskNumber;

/// Which bytes have been written.
pub(crate) const WRITTEN: u64 = 0xff;
/// The bytes belong to a segment.
pub(crate) const MAPPED: u64 = 1 << 8;
/// The lower half was stored from an unwritten register; the upper half's bit is the next.
pub(crate) const CARRIED: u64 = 1 << 10;
/// Both of them.
pub(crate) const CARRIED_BOTH: u64 = CARRIED | CARRIED << 1;
const TAG_BITS: u32 = 26;
const TAG_SHIFT: u32 = 12;
/// The task of the value, or of its lower half.
pub(crate) const TAG: u64 = ((1 << TAG_BITS) - 1) << TAG_SHIFT;
/// The task of the upper half.
pub(crate) const TAG_HIGH: u64 = TAG << TAG_BITS;

/// What a value carries along: which of its bytes have been written, and whose pointer it is.
/// The bits are those of the memory's shadow, without those that say something about a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Shadow(pub u64);

impl Shadow {
    /// All bytes written, no pointer.
    pub const PLAIN: Shadow = Shadow(WRITTEN);
    /// Nothing written.
    pub const NONE: Shadow = Shadow(0);

    /// A pointer made from the sp of a task.
    pub const fn pointer(task: TaskNumber) -> Shadow {
        Shadow(WRITTEN | (((task as u64 + 1) << TAG_SHIFT) & TAG))
    }

    /// The tag alone: 0 for none.
    #[inline(always)]
    pub const fn tag(self) -> u64 {
        self.0 & TAG
    }

    /// The task of the tag.
    #[inline(always)]
    pub const fn task(self) -> Option<TaskNumber> {
        ((self.tag() >> TAG_SHIFT) as u32).checked_sub(1)
    }

    /// As an index: 0 for none, otherwise the task's number plus 1.
    #[inline(always)]
    pub const fn tag_index(self) -> usize {
        (self.tag() >> TAG_SHIFT) as usize
    }

    /// Written throughout, with this tag.
    #[inline(always)]
    pub const fn with_tag(tag: u64) -> Shadow {
        Shadow(WRITTEN | tag)
    }
}

/// The value of a half of a cell: four bytes with what is known about them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half {
    pub value: u32,
    /// As a cell's shadow would be if this were its lower half.
    pub shadow: u64,
}

/// Eight bytes of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Cell {
    pub value: u64,
    pub shadow: u64,
}

impl Cell {
    /// Four of its bytes.
    pub fn half(self, upper: bool) -> Half {
        let shift = u32::from(upper);
        let shadow = (self.shadow >> (4 * shift)) & 0xf
            | (self.shadow >> shift) & CARRIED
            | (self.shadow >> (TAG_BITS * shift)) & TAG;
        Half {
            value: (self.value >> (32 * shift)) as u32,
            shadow,
        }
    }

    /// The eight bytes from its middle to that of the next cell, as a cell of no place.
    #[inline(always)]
    pub fn across(self, next: Cell) -> Cell {
        let lower = (self.shadow >> 4) & 0xf
            | (self.shadow >> 1) & CARRIED
            | (self.shadow >> TAG_BITS) & TAG;
        let upper = (next.shadow & 0xf) << 4
            | (next.shadow & CARRIED) << 1
            | (next.shadow & TAG) << TAG_BITS;
        Cell {
            value: self.value >> 32 | next.value << 32,
            shadow: lower | upper,
        }
    }

    /// Replaces four of its bytes.
    pub fn set_half(&mut self, upper: bool, half: Half) {
        let shift = u32::from(upper);
        let mask = 0xf << (4 * shift) | CARRIED << shift | TAG << (TAG_BITS * shift);
        let shadow = (half.shadow & 0xf) << (4 * shift)
            | (half.shadow & CARRIED) << shift
            | (half.shadow & TAG) << (TAG_BITS * shift);
        self.shadow = self.shadow & !mask | shadow;
        let bytes = 0xffff_ffff << (32 * shift);
        self.value = self.value & !bytes | u64::from(half.value) << (32 * shift);
    }

    /// Replaces the bytes of a mask, without pointers in them.
    #[inline(always)]
    pub fn set_bytes(&mut self, value: u64, bytes: u64, written: u64) {
        let mut mask = 0;
        for byte in 0..8 {
            mask |= (0xff * (bytes >> byte & 1)) << (8 * byte);
        }
        self.value = self.value & !mask | value & mask;
        let mut clear = bytes;
        if bytes & 0x0f != 0 {
            clear |= CARRIED | TAG;
        }
        if bytes & 0xf0 != 0 {
            clear |= CARRIED << 1 | TAG_HIGH;
        }
        // A pointer of eight bytes keeps its tag with the lower half.
        if bytes != 0 {
            clear |= TAG;
        }
        self.shadow = self.shadow & !clear | written & bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_their_own_bytes_bits_and_tags() {
        let mut cell = Cell {
            value: 0,
            shadow: MAPPED,
        };
        let pointer = Shadow::pointer(41).0;
        let half = Half {
            value: 0xdead_beef,
            shadow: pointer & (TAG | 0xf),
        };
        cell.set_half(true, half);
        assert_eq!(cell.value, 0xdead_beef_0000_0000);
        assert_eq!(cell.shadow & WRITTEN, 0xf0);
        assert_eq!(cell.half(true).shadow, half.shadow);
        assert_eq!(cell.half(false).shadow, 0);
        assert_eq!(Shadow(cell.half(true).shadow).task(), Some(41));
        cell.set_bytes(0, 0xf0, 0xf0);
        assert_eq!(
            cell,
            Cell {
                value: 0,
                shadow: MAPPED | 0xf0
            }
        );
    }
}
