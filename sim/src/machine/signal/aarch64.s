// What runs when a signal arrives, on aarch64; see x86_64.s. There is no red zone, x0 is the
// signal's number, and x30 leads to rt_sigreturn.
//
//   +------------------------------+
//   | the interrupted task's       |
//   | frames                       | <- sp when the signal came
//   +------------------------------+
//   | pc and all registers         | <- sp at the handler's entry and at rt_sigreturn
//   +------------------------------+
rt_signal:
    stp x29, x30, [sp, #-32]!
    mov x29, sp
    str x19, [sp, #16]
    mov x19, #-1
    mov x0, x19
    mov x1, x19
    mov x2, x19
    mov x3, x19
    mov x4, x19
    mov x5, x19
    mov x6, x19
    mov x7, x19
    mov x8, x19
    mov x9, x19
    mov x10, x19
    mov x11, x19
    mov x12, x19
    mov x13, x19
    mov x14, x19
    mov x15, x19
    mov x16, x19
    mov x17, x19
    fmov d0, x19
    cmp x0, #0
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    ret

// Gives every register back what it held.
rt_sigreturn:
    host sigreturn
