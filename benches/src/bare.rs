//! Coroutines whose function is written in assembly, so that an image can be smaller than a compiler's
//! frames allow: the switch's words, what the entry has put there, the address that the function keeps,
//! and as much room as is asked for.

use costack::bare::{INPUT, RESUMER_SP, SP, UNWOUND, YIELDED};
use costack::{Coroutine, SharedStack, bare};
use std::arch::naked_asm;

/// Sizes of images in bytes; the smallest has no room that is not used. On aarch64 sp is a multiple of 16,
/// so that 40 is none there.
pub const IMAGES: [usize; 3] = if cfg!(target_arch = "aarch64") {
    [48, 64, 80]
} else {
    [40, 56, 72]
};

/// A coroutine that yields what it is resumed with, with an image of so many bytes.
///
/// # Panics
/// When there is no memory, or the size is none of [`IMAGES`].
pub fn new(stack: &SharedStack, image_bytes: usize) -> Coroutine<usize, usize, usize> {
    let function = match IMAGES.iter().position(|bytes| *bytes == image_bytes) {
        Some(0) => echo::<{ IMAGES[0] }>,
        Some(1) => echo::<{ IMAGES[1] }>,
        Some(2) => echo::<{ IMAGES[2] }>,
        _ => panic!("no function makes an image of {image_bytes} B"),
    };
    // SAFETY: it is such a function, and what it yields are numbers.
    unsafe { bare::new_shared(stack, function) }.expect("memory")
}

/// On its stack, from the top: the return address that the entry leaves, room, the address of the frame
/// record; and while it is suspended, three words of the switch.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn echo<const IMAGE: usize>() -> ! {
    naked_asm!(
        "sub rsp, {room}",
        "mov [rsp], rsi",
        "mov ecx, {yielded}",
        "4:",
        "lea rdi, [rsi + {sp}]",
        "mov rsi, [rsi + {resumer_sp}]",
        include_str!("../../asm/x86_64/switch.s"),
        "mov rsi, [rsp]",
        "cmp rcx, {input}",
        "mov ecx, {yielded}",
        "je 4b",
        "mov ecx, {unwound}",
        "jmp 4b",
        room = const IMAGE - 8 - 3 * 8,
        sp = const SP,
        resumer_sp = const RESUMER_SP,
        input = const INPUT,
        yielded = const YIELDED,
        unwound = const UNWOUND,
    )
}

/// On its stack, from the top: room, the address of the frame record; and while it is suspended, three
/// words of the switch. The entry's arguments and its return address are taken off: it never returns.
#[cfg(target_arch = "x86")]
#[unsafe(naked)]
unsafe extern "C" fn echo<const IMAGE: usize>() -> ! {
    naked_asm!(
        "mov ecx, [esp + 8]",
        "mov edx, [esp + 12]",
        // The return address, five arguments, and three words for their alignment.
        "add esp, 9 * 4",
        "sub esp, {room}",
        "mov [esp], ecx",
        "mov eax, {yielded}",
        "4:",
        "lea edi, [ecx + {sp}]",
        "mov ecx, [ecx + {resumer_sp}]",
        include_str!("../../asm/i386/switch.s"),
        "mov ecx, [esp]",
        "cmp eax, {input}",
        "mov eax, {yielded}",
        "je 4b",
        "mov eax, {unwound}",
        "jmp 4b",
        room = const IMAGE - 3 * 4,
        sp = const SP,
        resumer_sp = const RESUMER_SP,
        input = const INPUT,
        yielded = const YIELDED,
        unwound = const UNWOUND,
    )
}

/// On its stack, from the top: room, the address of the frame record; and while it is suspended, four
/// words of the switch.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn echo<const IMAGE: usize>() -> ! {
    naked_asm!(
        "sub sp, sp, #{room}",
        "str x1, [sp]",
        "mov x3, #{yielded}",
        "4:",
        "add x0, x1, #{sp}",
        "ldr x1, [x1, #{resumer_sp}]",
        include_str!("../../asm/aarch64/switch.s"),
        "ldr x1, [sp]",
        "cmp x3, #{input}",
        "mov x3, #{yielded}",
        "b.eq 4b",
        "mov x3, #{unwound}",
        "b 4b",
        room = const IMAGE - 4 * 8,
        sp = const SP,
        resumer_sp = const RESUMER_SP,
        input = const INPUT,
        yielded = const YIELDED,
        unwound = const UNWOUND,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::{How, Ring};
    use costack::State;

    #[test]
    fn images_have_the_size_that_was_asked_for() {
        for bytes in IMAGES {
            assert_eq!(Ring::bare(3, bytes, How::PLAIN).image_bytes, bytes);
        }
    }

    #[test]
    fn values_go_in_and_out_and_all_of_them_end_when_dropped() {
        let stack = SharedStack::new(64 * 1024).unwrap();
        for bytes in IMAGES {
            let (mut a, mut b) = (new(&stack, bytes), new(&stack, bytes));
            for value in 0..100 {
                assert_eq!(a.resume(value), State::Yielded(value));
                assert_eq!(b.resume(value + 1), State::Yielded(value + 1));
            }
            drop(a);
            let never_run = new(&stack, bytes);
            drop((never_run, b));
            assert_eq!(stack.live(), 0);
        }
        stack.close().expect("nobody is left");
    }
}
