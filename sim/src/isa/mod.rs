//! Instructions as data: what the texts are parsed into, independent of what executes them.
//!
//! The machine executes these on concrete values; the prover runs them on symbolic ones.

pub mod aarch64;
pub(crate) mod unwind;
pub mod x86;

/// Names a register of the machine: an index into its register file.
///
/// Each ISA has its own numbering, documented in its module; [`crate::isa::registers`] lists it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reg(pub(crate) u8);

impl Reg {
    /// Its index in the register file.
    #[inline(always)]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How many bytes an operation works on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Width {
    /// 1.
    Byte = 1,
    /// 2.
    Half = 2,
    /// 4.
    Word = 4,
    /// 8.
    Double = 8,
}

impl Width {
    /// How many bytes.
    #[inline(always)]
    pub const fn bytes(self) -> u32 {
        self as u32
    }

    /// How many bits.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self as u32 * 8
    }

    /// A value with as many low bits set.
    #[inline(always)]
    pub const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// A bit for each byte, as in a word's shadow.
    #[inline(always)]
    pub const fn byte_mask(self) -> u64 {
        (1 << self.bytes()) - 1
    }

    /// The sign-extended low bits of a value.
    #[inline(always)]
    pub const fn sign_extend(self, value: u64) -> i64 {
        let shift = 64 - self.bits();
        ((value << shift) as i64) >> shift
    }
}

/// What a page says about a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterInfo {
    /// Its name.
    pub name: &'static str,
    /// Where it is in the register file.
    pub reg: Reg,
    /// What it is to a caller.
    pub class: crate::view::RegisterClass,
    /// Bytes in it.
    pub bytes: u32,
}

impl RegisterInfo {
    /// Whether anything has been written to it. What a shadow says of bytes that it does not have
    /// means nothing.
    pub(crate) fn is_written(&self, shadow: crate::machine::shadow::Shadow) -> bool {
        shadow.0 & ((1 << self.bytes) - 1) != 0
    }
}

/// The registers of an ISA in the order in which they are shown.
pub fn registers(isa: crate::program::Isa) -> &'static [RegisterInfo] {
    use crate::program::Isa;
    match isa {
        Isa::X86_64 => &x86::registers::X86_64,
        Isa::I386 => &x86::registers::I386,
        Isa::Aarch64 => &aarch64::registers::AARCH64,
    }
}

/// The name of a register.
pub fn register_name(isa: crate::program::Isa, reg: Reg) -> &'static str {
    registers(isa)
        .iter()
        .find(|info| info.reg == reg)
        .map_or("?", |info| info.name)
}
