//! aarch64: the text runs at full speed, and the states at both arrivals are compared.

use std::arch::naked_asm;
use std::collections::HashMap;
use std::sync::Mutex;

use costack_sim::prove::Flavour;

use crate::simulated::{self, BLOCK_BYTES, Did, Relocation, STACK_BYTES, Snapshot};

/// All registers that the text could touch.
#[repr(C)]
#[derive(Clone, Copy)]
struct State {
    x: [u64; 31],
    sp: u64,
    d8_to_d15: [u64; 8],
    fpcr: u64,
}

const ZERO: State = State {
    x: [0; 31],
    sp: 0,
    d8_to_d15: [0; 8],
    fpcr: 0,
};

/// What the assembly below reads and writes.
#[repr(C)]
struct Exchange {
    /// With which the two tasks enter the text.
    enter: [State; 2],
    /// In which the fresh task, then the first one, is reached.
    arrive: [State; 2],
    /// The test's own.
    own_sp: u64,
    own_fpcr: u64,
    /// Where the fresh task's text begins.
    fresh_text: u64,
}

#[unsafe(no_mangle)]
static mut COSTACK_LOCKSTEP: Exchange = Exchange {
    enter: [ZERO; 2],
    arrive: [ZERO; 2],
    own_sp: 0,
    own_fpcr: 0,
    fresh_text: 0,
};

/// One test at a time has it.
static EXCHANGE: Mutex<()> = Mutex::new(());

const BYTES: usize = size_of::<State>();
const OWN: usize = 4 * BYTES;
const _: () = assert!(BYTES == 41 * 8 && OWN < 4096);

/// All registers from a state at x16, then a jump to `$to`, an instruction.
macro_rules! load {
    ($to:literal) => {
        concat!(
            "ldr x17, [x16, #248]\n mov sp, x17\n",
            "ldp d8, d9, [x16, #256]\n ldp d10, d11, [x16, #272]\n",
            "ldp d12, d13, [x16, #288]\n ldp d14, d15, [x16, #304]\n",
            "ldr x17, [x16, #320]\n msr fpcr, x17\n",
            "ldp x0, x1, [x16]\n ldp x2, x3, [x16, #16]\n ldp x4, x5, [x16, #32]\n",
            "ldp x6, x7, [x16, #48]\n ldp x8, x9, [x16, #64]\n ldp x10, x11, [x16, #80]\n",
            "ldp x12, x13, [x16, #96]\n ldp x14, x15, [x16, #112]\n",
            "ldp x18, x19, [x16, #144]\n ldp x20, x21, [x16, #160]\n",
            "ldp x22, x23, [x16, #176]\n ldp x24, x25, [x16, #192]\n",
            "ldp x26, x27, [x16, #208]\n ldp x28, x29, [x16, #224]\n ldr x30, [x16, #240]\n",
            $to
        )
    };
}

/// All registers into the state that `$at` bytes lie before; uses the stack below sp.
macro_rules! store {
    ($at:literal) => {
        concat!(
            "stp x16, x17, [sp, #-16]!\n",
            "adrp x16, COSTACK_LOCKSTEP\n add x16, x16, :lo12:COSTACK_LOCKSTEP\n",
            "add x16, x16, #",
            $at,
            "\n",
            "stp x0, x1, [x16]\n stp x2, x3, [x16, #16]\n stp x4, x5, [x16, #32]\n",
            "stp x6, x7, [x16, #48]\n stp x8, x9, [x16, #64]\n stp x10, x11, [x16, #80]\n",
            "stp x12, x13, [x16, #96]\n stp x14, x15, [x16, #112]\n",
            "stp x18, x19, [x16, #144]\n stp x20, x21, [x16, #160]\n",
            "stp x22, x23, [x16, #176]\n stp x24, x25, [x16, #192]\n",
            "stp x26, x27, [x16, #208]\n stp x28, x29, [x16, #224]\n str x30, [x16, #240]\n",
            "ldp x0, x1, [sp], #16\n stp x0, x1, [x16, #128]\n",
            "mov x0, sp\n str x0, [x16, #248]\n",
            "stp d8, d9, [x16, #256]\n stp d10, d11, [x16, #272]\n",
            "stp d12, d13, [x16, #288]\n stp d14, d15, [x16, #304]\n",
            "mrs x0, fpcr\n str x0, [x16, #320]\n",
        )
    };
}

/// Enters a text with the first state, and returns when the first task is reached again.
#[unsafe(naked)]
unsafe extern "C" fn enter(text: unsafe extern "C" fn()) {
    naked_asm!(
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "adrp x16, COSTACK_LOCKSTEP",
        "add x16, x16, :lo12:COSTACK_LOCKSTEP",
        "mov x17, sp",
        "str x17, [x16, #1312]",
        "mrs x17, fpcr",
        "str x17, [x16, #1320]",
        "mov x17, x0",
        // The text's address waits in x17's place until all else is loaded.
        "str x17, [x16, #136]",
        load!("ldr x17, [x16, #136]\n br x17"),
        options(raw),
    )
}

/// Where the fresh task begins: notes how, and enters the text with the second state.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn costack_lockstep_fresh() {
    naked_asm!(
        store!("656"),
        "adrp x16, COSTACK_LOCKSTEP",
        "add x16, x16, :lo12:COSTACK_LOCKSTEP",
        "ldr x17, [x16, #1328]",
        "add x16, x16, #328",
        "str x17, [x16, #136]",
        load!("ldr x17, [x16, #136]\n br x17"),
        options(raw),
    )
}

/// Where the first task goes on: notes how, and returns from `enter`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn costack_lockstep_arrived() {
    naked_asm!(
        store!("984"),
        "adrp x16, COSTACK_LOCKSTEP",
        "add x16, x16, :lo12:COSTACK_LOCKSTEP",
        "ldr x17, [x16, #1312]",
        "mov sp, x17",
        "ldr x17, [x16, #1320]",
        "msr fpcr, x17",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "ret",
        options(raw),
    )
}

macro_rules! places {
    ($begin:ident, $fresh:ident, $text:literal) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $begin() {
            naked_asm!(
                include_str!($text),
                "b costack_lockstep_arrived",
                options(raw)
            )
        }

        #[unsafe(naked)]
        unsafe extern "C" fn $fresh() {
            naked_asm!(include_str!($text), "brk #1", options(raw))
        }
    };
}

places!(begin, fresh, "../../../asm/aarch64/switch.s");
places!(begin_fp, fresh_fp, "../../../asm/aarch64/switch_fp.s");

/// A snapshot's registers with real addresses. x16 and x17 carry the way into the text; the switch
/// says that they pass through unread, and they are not compared.
fn state(snapshot: &Snapshot, relocation: &Relocation) -> State {
    let mut state = ZERO;
    for (name, value) in &snapshot.registers {
        let value = relocation.word(*value);
        match *name {
            "sp" => state.sp = value,
            "fpcr" => state.fpcr = value,
            "nzcv" => {}
            _ => {
                let (kind, number) = name.split_at(1);
                let number: usize = number.parse().expect("a numbered register");
                match kind {
                    "x" => state.x[number] = value,
                    "d" if (8..16).contains(&number) => state.d8_to_d15[number - 8] = value,
                    "d" => {}
                    _ => panic!("no register {name}"),
                }
            }
        }
    }
    state
}

#[track_caller]
fn compare(what: &str, found: &State, wanted: &State) {
    for number in (0..31).filter(|number| ![16, 17].contains(number)) {
        let (found, wanted) = (found.x[number], wanted.x[number]);
        assert_eq!(found, wanted, "x{number} is {found:#x} {what}");
    }
    assert_eq!(found.sp, wanted.sp, "sp {what}");
    assert_eq!(found.d8_to_d15, wanted.d8_to_d15, "d8 to d15 {what}");
    assert_eq!(found.fpcr, wanted.fpcr, "fpcr {what}");
}

#[repr(C, align(16))]
struct Memory([u8; 2 * STACK_BYTES as usize + 2 * BLOCK_BYTES as usize]);

pub fn check(flavour: Flavour, seed: u64) {
    let (begin, fresh): (unsafe extern "C" fn(), unsafe extern "C" fn()) = match flavour {
        Flavour::Integer => (begin, fresh),
        Flavour::Fp => (begin_fp, fresh_fp),
    };
    let run = simulated::run(flavour, seed);
    let mut memory = Box::new(Memory([0; _]));
    let entry: unsafe extern "C" fn() = costack_lockstep_fresh;
    let mut code = HashMap::from([(run.places.fresh, entry as usize)]);
    // Every instruction has four bytes, in the simulator as well.
    let [first, second] = run.places.texts;
    for offset in (0..run.places.fresh - first).step_by(4) {
        code.insert(first + offset, begin as usize + offset as usize);
        code.insert(second + offset, fresh as usize + offset as usize);
    }
    let relocation = Relocation {
        places: run.places.clone(),
        memory: memory.0.as_mut_ptr().expose_provenance(),
        code,
    };
    relocation.fill(&run.start);
    let sets: Vec<usize> = (0..run.snapshots.len())
        .filter(|at| run.snapshots[*at].did == Did::SetRegisters)
        .collect();
    let enters = [sets[0], sets[1]].map(|at| state(&run.snapshots[at], &relocation));
    // What the simulator has right before it sets registers for the fresh task, and at the end.
    let arrivals =
        [sets[1] - 1, run.snapshots.len() - 1].map(|at| state(&run.snapshots[at], &relocation));
    let exclusive = EXCHANGE.lock().unwrap();
    // SAFETY: this thread has the exchange; the states are those of two tasks on the stacks in
    // `memory`, and the text returns to `enter`'s caller with all that the ABI wants kept.
    let found = unsafe {
        let exchange = &raw mut COSTACK_LOCKSTEP;
        (*exchange).enter = enters;
        (*exchange).fresh_text = fresh as usize as u64;
        enter(begin);
        (&raw const (*exchange).arrive).read_volatile()
    };
    drop(exclusive);
    compare("where the fresh task begins", &found[0], &arrivals[0]);
    compare("where the first task goes on", &found[1], &arrivals[1]);
    // `store!` has used the two words below sp, which the text had popped.
    let used = |address: u64| {
        let below = found.iter().map(|state| state.sp - 16..state.sp);
        let address = relocation.address(address).expect("a stack or a block");
        below.into_iter().any(|used| used.contains(&address))
    };
    let mut end = run.end;
    end.retain(|(address, _)| !used(*address));
    relocation.check_memory(&end);
}
