//! Requests to Valgrind: some instructions without an effect, which it recognises ("The Client
//! Request mechanism" in its manual). On the CPU they cost a few cycles and do nothing.

use core::arch::asm;
use core::ops::Range;

/// Numbers of requests: those of the core, and those of memcheck, whose upper half is `MC`.
const STACK_REGISTER: usize = 0x1501;
const STACK_DEREGISTER: usize = 0x1502;
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;

pub(super) fn register_stack(bytes: Range<usize>) -> usize {
    request([STACK_REGISTER, bytes.start, bytes.end - 1, 0, 0, 0])
}

pub(super) fn deregister_stack(number: usize) {
    request([STACK_DEREGISTER, number, 0, 0, 0, 0]);
}

pub(super) fn make_undefined(bytes: Range<usize>) {
    let len = bytes.end - bytes.start;
    request([MAKE_MEM_UNDEFINED, bytes.start, len, 0, 0, 0]);
}

/// Asks; the answer is 0 where nobody listens.
fn request(words: [usize; 6]) -> usize {
    let mut answer = 0;
    // SAFETY: the rotations of a register add up to full turns, and the last instruction exchanges
    // or combines a register with itself.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const words,
            inout("rdx") answer,
            options(nostack),
        );
        #[cfg(target_arch = "x86")]
        asm!(
            "rol edi, 3",
            "rol edi, 13",
            "rol edi, 29",
            "rol edi, 19",
            "xchg ebx, ebx",
            in("eax") &raw const words,
            inout("edx") answer,
            options(nostack),
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") &raw const words,
            inout("x3") answer,
            options(nostack),
        );
    }
    answer
}
