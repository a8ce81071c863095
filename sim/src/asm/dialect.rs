//! What an ISA brings to the assembler.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::cursor::{Cursor, Parsed};
use super::lex::Comments;
use super::read::Known;
use crate::isa::{aarch64, x86};

/// How the instructions of an ISA are read and placed.
pub(crate) trait Dialect {
    /// An instruction.
    type Inst: Copy + 'static;

    /// The lines of this dialect that were read before.
    fn known(&self) -> &'static LocalKey<RefCell<Known<Self::Inst>>>;

    /// How comments begin.
    fn comments(&self) -> Comments;
    /// The instruction after its mnemonic; `None` if there is no such mnemonic.
    fn parse(&self, mnemonic: &str, cursor: &mut Cursor<'_>) -> Option<Parsed<Self::Inst>>;
    /// The instruction that calls a service of the host.
    fn host(&self, service: u16) -> Self::Inst;
    /// Bytes it takes.
    fn length(&self, inst: &Self::Inst) -> u32;
    /// Fills in the address of the label that the instruction refers to; `memory` says whether
    /// the label stands in a memory operand.
    fn resolve(&self, inst: &mut Self::Inst, address: u32, memory: bool);
}

/// x86-64 and i386.
#[derive(Clone, Copy, Debug)]
pub(crate) struct X86 {
    pub long_mode: bool,
}

impl Dialect for X86 {
    type Inst = x86::Inst;

    fn known(&self) -> &'static LocalKey<RefCell<Known<x86::Inst>>> {
        thread_local! {
            static X86_64: RefCell<Known<x86::Inst>> = RefCell::default();
            static I386: RefCell<Known<x86::Inst>> = RefCell::default();
        }
        match self.long_mode {
            true => &X86_64,
            false => &I386,
        }
    }

    fn comments(&self) -> Comments {
        Comments { hash: true }
    }

    fn parse(&self, mnemonic: &str, cursor: &mut Cursor<'_>) -> Option<Parsed<x86::Inst>> {
        x86::parse(mnemonic, cursor, self.long_mode)
    }

    fn host(&self, service: u16) -> x86::Inst {
        x86::Inst::Host { service }
    }

    fn length(&self, inst: &x86::Inst) -> u32 {
        x86::length(inst, self.long_mode)
    }

    fn resolve(&self, inst: &mut x86::Inst, address: u32, memory: bool) {
        inst.resolve(address, memory);
    }
}

/// aarch64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aarch64;

impl Dialect for Aarch64 {
    type Inst = aarch64::Inst;

    fn known(&self) -> &'static LocalKey<RefCell<Known<aarch64::Inst>>> {
        thread_local! {
            static AARCH64: RefCell<Known<aarch64::Inst>> = RefCell::default();
        }
        &AARCH64
    }

    fn comments(&self) -> Comments {
        Comments { hash: false }
    }

    fn parse(&self, mnemonic: &str, cursor: &mut Cursor<'_>) -> Option<Parsed<aarch64::Inst>> {
        aarch64::parse(mnemonic, cursor)
    }

    fn host(&self, service: u16) -> aarch64::Inst {
        aarch64::Inst::Host { service }
    }

    fn length(&self, _: &aarch64::Inst) -> u32 {
        4
    }

    fn resolve(&self, inst: &mut aarch64::Inst, address: u32, _: bool) {
        inst.resolve(address);
    }
}
