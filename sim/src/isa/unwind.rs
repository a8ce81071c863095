//! Where the caller's frame is, instruction by instruction, read off the instructions themselves.
//!
//! What a compiler writes down in `.eh_frame`, this finds by following sp through the text: every
//! push, pop and constant change of sp from a function's entry on. That works for switch texts as
//! well, because both sides of a switch have the same layout: when sp is exchanged for another
//! one, the offsets go on as they were.

/// How to find the frame's top and what it holds, before an instruction. The *top* is sp as it was
/// before the call, above the return address on x86. Offsets are relative to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    /// top = sp + this, if sp has only moved by constants.
    pub sp: Option<i32>,
    /// top = frame pointer + this, if the frame pointer belongs to this frame.
    pub fp: Option<i32>,
    /// Where the caller's frame pointer is saved; it is still in its register if nowhere.
    pub saved_fp: Option<i32>,
    /// Where the return address is; in its register if nowhere.
    pub return_address: Option<i32>,
}

/// A register that an instruction has put on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Saved {
    /// The instruction.
    pub index: u32,
    /// Where it is.
    pub offset: i32,
    /// The register.
    pub register: &'static str,
    /// The register was loaded with an address of the text just before: it is not saved, it is
    /// where the task goes on.
    pub resume: bool,
}

/// What an instruction does to the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// sp = sp + this, and nothing is stored.
    MoveSp(i32),
    /// sp = sp - word, then a register is stored there.
    Push(Option<u8>),
    /// A register is loaded from sp, then sp = sp + word.
    Pop(Option<u8>),
    /// sp moves, then one or two registers are stored at sp + offset.
    Store {
        first: u8,
        second: Option<u8>,
        offset: i32,
        moved: i32,
    },
    /// One or two registers are loaded from sp + offset, then sp moves.
    Load {
        first: u8,
        second: Option<u8>,
        offset: i32,
        moved: i32,
    },
    /// frame pointer = sp + this.
    SetFp(i32),
    /// sp = frame pointer + this.
    SpFromFp(i32),
    /// sp = frame pointer, then the frame pointer is popped.
    Leave,
    /// sp is exchanged for another of the same layout.
    Exchange,
    /// sp is something else.
    Lost,
    /// A register gets an address of the text.
    CodeAddress(u8),
    /// Execution may also go on there.
    Branch(u32),
    /// Execution goes on there.
    Jump(u32),
    /// Execution never goes on here.
    Return,
    /// Nothing of that.
    None,
}

/// What differs between the ISAs.
pub(crate) struct Abi {
    pub word: i32,
    pub fp: u8,
    /// The register of the return address, where there is one.
    pub link: Option<u8>,
    pub register_name: fn(u8) -> &'static str,
}

/// The rules of a text, and what it puts on the stack.
#[derive(Debug, Default)]
pub(crate) struct Unwind {
    pub rules: Vec<Rule>,
    pub saved: Vec<Saved>,
}

/// Follows sp through a text. `entry(index)` says whether a function begins there.
pub(crate) fn follow(
    count: usize,
    abi: &Abi,
    effect: impl Fn(usize) -> Effect,
    entry: impl Fn(usize) -> bool,
) -> Unwind {
    let on_stack = abi.link.is_none();
    let start = Rule {
        sp: Some(if on_stack { abi.word } else { 0 }),
        fp: None,
        saved_fp: None,
        return_address: on_stack.then_some(-abi.word),
    };
    let mut unwind = Unwind::default();
    let mut at_target: Vec<Option<Rule>> = vec![None; count];
    let mut rule = start;
    let mut code_address = None;
    for index in 0..count {
        if entry(index) {
            rule = start;
        } else if let Some(known) = at_target[index] {
            rule = known;
        }
        unwind.rules.push(rule);
        let effect = effect(index);
        let mut note = |rule: &Rule, register: u8, at_sp: i32| {
            if let Some(sp) = rule.sp {
                unwind.saved.push(Saved {
                    index: index as u32,
                    offset: at_sp - sp,
                    register: (abi.register_name)(register),
                    resume: code_address == Some(register),
                });
            }
        };
        let moved = |rule: &mut Rule, by: i32| {
            rule.sp = rule.sp.and_then(|sp| sp.checked_sub(by));
        };
        match effect {
            Effect::MoveSp(by) => moved(&mut rule, by),
            Effect::Push(register) => {
                moved(&mut rule, -abi.word);
                if let Some(register) = register {
                    note(&rule, register, 0);
                    stored(&mut rule, abi, register, 0);
                }
            }
            Effect::Pop(register) => {
                loaded(&mut rule, abi, register, 0);
                moved(&mut rule, abi.word);
            }
            Effect::Store {
                first,
                second,
                offset,
                moved: by,
            } => {
                moved(&mut rule, by);
                for (register, at) in [(Some(first), offset), (second, offset + abi.word)] {
                    if let Some(register) = register {
                        note(&rule, register, at);
                        stored(&mut rule, abi, register, at);
                    }
                }
            }
            Effect::Load {
                first,
                second,
                offset,
                moved: by,
            } => {
                loaded(&mut rule, abi, Some(first), offset);
                loaded(&mut rule, abi, second, offset + abi.word);
                moved(&mut rule, by);
            }
            Effect::SetFp(by) => rule.fp = rule.sp.and_then(|sp| sp.checked_sub(by)),
            Effect::SpFromFp(by) => rule.sp = rule.fp.and_then(|fp| fp.checked_sub(by)),
            Effect::Leave => {
                rule.sp = rule.fp;
                loaded(&mut rule, abi, Some(abi.fp), 0);
                moved(&mut rule, abi.word);
            }
            Effect::Exchange => rule.fp = None,
            Effect::Lost => rule.sp = None,
            Effect::Branch(to) | Effect::Jump(to) => {
                if let Some(target) = at_target.get_mut(to as usize)
                    && to as usize > index
                {
                    target.get_or_insert(rule);
                }
            }
            Effect::CodeAddress(_) | Effect::Return | Effect::None => {}
        }
        code_address = match effect {
            Effect::CodeAddress(register) => Some(register),
            _ => None,
        };
    }
    unwind
}

/// A register is stored at sp + `at`.
fn stored(rule: &mut Rule, abi: &Abi, register: u8, at: i32) {
    let offset = rule.sp.map(|sp| at - sp);
    if register == abi.fp && rule.saved_fp.is_none() {
        rule.saved_fp = offset;
    }
    if abi.link == Some(register) && rule.return_address.is_none() {
        rule.return_address = offset;
    }
}

/// A register is loaded from sp + `at`.
fn loaded(rule: &mut Rule, abi: &Abi, register: Option<u8>, at: i32) {
    let offset = rule.sp.map(|sp| at - sp);
    if register == Some(abi.fp) {
        rule.fp = None;
        if rule.saved_fp == offset {
            rule.saved_fp = None;
        }
    }
    if register.is_some() && register == abi.link && rule.return_address == offset {
        rule.return_address = None;
    }
}
