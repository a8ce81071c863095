//! x86-64 and i386: a child is stepped through the text.

use std::arch::naked_asm;
use std::collections::HashMap;

use costack_sim::prove::Flavour;
use nix::libc;

use crate::simulated::{self, BLOCK_BYTES, Did, Relocation, Run, STACK_BYTES, Snapshot};
use crate::traced::{self, Registers, Traced, pc};

/// Defines the two places where a text stands, with a breakpoint before and after it.
macro_rules! places {
    ($begin:ident, $fresh:ident, $text:literal) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $begin() {
            naked_asm!("int3", include_str!($text), "int3", "ud2", options(raw))
        }

        #[unsafe(naked)]
        unsafe extern "C" fn $fresh() {
            naked_asm!("int3", include_str!($text), "ud2", options(raw))
        }
    };
}

#[cfg(target_arch = "x86_64")]
places!(begin, fresh, "../../../asm/x86_64/switch.s");
#[cfg(target_arch = "x86_64")]
places!(begin_fp, fresh_fp, "../../../asm/x86_64/switch_fp.s");
#[cfg(target_arch = "x86")]
places!(begin, fresh, "../../../asm/i386/switch.s");
#[cfg(target_arch = "x86")]
places!(begin_fp, fresh_fp, "../../../asm/i386/switch_fp.s");

/// The flags that the simulator knows: CF, ZF, SF, OF.
const FLAGS: u64 = 1 | 1 << 6 | 1 << 7 | 1 << 11;

#[cfg(target_arch = "x86_64")]
type Slot = u64;
#[cfg(target_arch = "x86")]
type Slot = i32;

/// The place of a general register or the flags.
#[cfg(target_arch = "x86_64")]
fn slot<'r>(registers: &'r mut Registers, name: &str) -> Option<&'r mut Slot> {
    Some(match name {
        "rax" => &mut registers.rax,
        "rbx" => &mut registers.rbx,
        "rcx" => &mut registers.rcx,
        "rdx" => &mut registers.rdx,
        "rsi" => &mut registers.rsi,
        "rdi" => &mut registers.rdi,
        "rbp" => &mut registers.rbp,
        "rsp" => &mut registers.rsp,
        "r8" => &mut registers.r8,
        "r9" => &mut registers.r9,
        "r10" => &mut registers.r10,
        "r11" => &mut registers.r11,
        "r12" => &mut registers.r12,
        "r13" => &mut registers.r13,
        "r14" => &mut registers.r14,
        "r15" => &mut registers.r15,
        "rflags" => &mut registers.eflags,
        _ => return None,
    })
}

/// The place of a general register or the flags.
#[cfg(target_arch = "x86")]
fn slot<'r>(registers: &'r mut Registers, name: &str) -> Option<&'r mut Slot> {
    Some(match name {
        "eax" => &mut registers.eax,
        "ebx" => &mut registers.ebx,
        "ecx" => &mut registers.ecx,
        "edx" => &mut registers.edx,
        "esi" => &mut registers.esi,
        "edi" => &mut registers.edi,
        "ebp" => &mut registers.ebp,
        "esp" => &mut registers.esp,
        "eflags" => &mut registers.eflags,
        _ => return None,
    })
}

/// The area that FXSAVE fills (Intel SDM, volume 1, table 10-2): the x87 control word is its first
/// two bytes, MXCSR those at 24.
#[repr(C, align(16))]
struct Fx([u8; 512]);

#[cfg(target_arch = "x86_64")]
const FX: [libc::c_uint; 2] = [libc::PTRACE_GETFPREGS, libc::PTRACE_SETFPREGS];
#[cfg(target_arch = "x86")]
const FX: [libc::c_uint; 2] = [libc::PTRACE_GETFPXREGS, libc::PTRACE_SETFPXREGS];

fn fx(child: &Traced) -> Fx {
    let mut area = Fx([0; 512]);
    // SAFETY: the request fills such an area.
    let result = unsafe { libc::ptrace(FX[0] as _, child.pid().as_raw(), 0, &raw mut area) };
    assert_eq!(result, 0, "floating-point registers can be read");
    area
}

/// A register of the child, as the simulator names it.
fn read(registers: &mut Registers, area: &Fx, name: &str) -> u64 {
    match name {
        "mxcsr" => u32::from_ne_bytes(area.0[24..28].try_into().unwrap()).into(),
        "fpcw" => u16::from_ne_bytes(area.0[..2].try_into().unwrap()).into(),
        _ => {
            let value = *slot(registers, name).unwrap_or_else(|| panic!("no register {name}"));
            value as usize as u64
        }
    }
}

/// Sets all registers to those of a snapshot.
fn set(child: &Traced, snapshot: &Snapshot, relocation: &Relocation) {
    let mut registers = child.registers();
    let mut area = fx(child);
    for (name, value) in &snapshot.registers {
        match *name {
            "mxcsr" => area.0[24..28].copy_from_slice(&(*value as u32).to_ne_bytes()),
            "fpcw" => area.0[..2].copy_from_slice(&(*value as u16).to_ne_bytes()),
            "rflags" | "eflags" => {
                let flags = slot(&mut registers, name).expect("the flags");
                *flags = *flags & !(FLAGS as Slot) | *value as Slot;
            }
            _ => {
                let slot = slot(&mut registers, name).expect("a general register");
                *slot = relocation.word(*value) as Slot;
            }
        }
    }
    nix::sys::ptrace::setregs(child.pid(), registers).expect("registers can be set");
    // SAFETY: the request reads such an area.
    let result = unsafe { libc::ptrace(FX[1] as _, child.pid().as_raw(), 0, &raw mut area) };
    assert_eq!(result, 0, "floating-point registers can be set");
}

#[track_caller]
fn compare(child: &Traced, at: usize, snapshot: &Snapshot, relocation: &Relocation) {
    let mut registers = child.registers();
    let area = fx(child);
    for (name, value) in &snapshot.registers {
        let mut found = read(&mut registers, &area, name);
        let wanted = relocation.word(*value);
        if name.ends_with("flags") {
            found &= FLAGS;
        }
        assert_eq!(
            found, wanted,
            "{name} is {found:#x} after instruction {at}, `{}`, and the simulator says {wanted:#x}",
            snapshot.line
        );
    }
}

/// Steps a child through what the simulator did; returns where it was after each step.
fn step_through(
    begin: unsafe extern "C" fn(),
    run: &Run,
    relocation: &Relocation,
    comparing: bool,
) -> Vec<usize> {
    // SAFETY: at its first instruction, a breakpoint, the child's registers are set; it never
    // returns from there.
    let child = Traced::start(|| unsafe { begin() });
    child.begin();
    let mut seen = Vec::new();
    for (at, snapshot) in run.snapshots.iter().enumerate() {
        match snapshot.did {
            Did::SetRegisters => {
                if at > 0 {
                    child.run(None);
                }
                set(&child, snapshot, relocation);
            }
            Did::Instruction => {
                child.step();
                if comparing {
                    compare(&child, at, snapshot, relocation);
                }
            }
            Did::Arrived => assert!(child.at_breakpoint(), "the first task goes on"),
        }
        seen.push(pc(&child.registers()));
    }
    seen
}

#[repr(C, align(4096))]
struct Memory([u8; 2 * STACK_BYTES as usize + 2 * BLOCK_BYTES as usize]);

pub fn check(flavour: Flavour, seed: u64) {
    let (begin, fresh): (unsafe extern "C" fn(), unsafe extern "C" fn()) = match flavour {
        Flavour::Integer => (begin, fresh),
        Flavour::Fp => (begin_fp, fresh_fp),
    };
    let run = simulated::run(flavour, seed);
    let instructions = run.snapshots.iter();
    let instructions = instructions.filter(|snapshot| snapshot.did == Did::Instruction);
    assert!(instructions.count() >= 16, "both ways");
    let memory: &Memory = traced::shared();
    let mut relocation = Relocation {
        places: run.places.clone(),
        memory: memory.0.as_ptr().expose_provenance(),
        code: HashMap::from([(run.places.fresh, fresh as usize)]),
    };
    // Once to learn where each instruction stands, once to compare.
    relocation.fill(&run.start);
    let seen = step_through(begin, &run, &relocation, false);
    for (snapshot, real) in run.snapshots.iter().zip(seen) {
        if snapshot.did == Did::Arrived {
            continue;
        }
        let before = relocation.code.insert(snapshot.pc, real);
        assert!(
            before.is_none_or(|before| before == real),
            "{}",
            snapshot.line
        );
        // The fresh task's text is the same one, but it is not run to its end.
        let [first, second] = run.places.texts;
        if (first..run.places.fresh).contains(&snapshot.pc) {
            let twin = real - begin as usize + fresh as usize;
            relocation.code.insert(snapshot.pc - first + second, twin);
        }
    }
    relocation.fill(&run.start);
    step_through(begin, &run, &relocation, true);
    relocation.check_memory(&run.end);
}
