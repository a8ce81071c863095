// The runtime's stubs on aarch64, AAPCS64: what compiled functions call.
//
// As x86_64.s, with these differences: the switch keeps x19 and x29, and the stubs save x20 to x28 and d8 to d15, of which AAPCS64 has
// the low halves preserved; sp is a multiple of 16 at all times.
//
//   the stack of a suspended task
//
//   +------------------------------+ top
//   | arguments nine and up        |
//   | frames of the scenario's     |
//   | functions, x29 and x30 at    |
//   | the top of each              |
//   +------------------------------+
//   | x29, x30                     | <- x29 in the stub
//   | x20 to x28, d8 to d15        |
//   +------------------------------+
//   | x19, resume address, x29     | <- sp, stored by the switch text
//   +------------------------------+

// Main's context begins here.
rt_main:
    bl main
    host end

// A task begins here; see asm/aarch64/entry.s. x19 is rt_first.
rt_entry:
    .entry

// x4: address of the words that the task was made with: its function, an empty one, eight for the
// argument registers, then the arguments that travel on the stack. Nobody returns to the entry,
// so sp moves up to these.
rt_first:
    .cancels
    // One that was cancelled before it has run never does.
    host cancelled
    cbz x0, .Lwanted
    add x8, x4, #80
    mov sp, x8
    mov x29, #0
    bl rt_exit
.Lwanted:
    .end
    ldr x9, [x4]
    ldp x0, x1, [x4, #16]
    ldp x2, x3, [x4, #32]
    ldp x6, x7, [x4, #64]
    add x8, x4, #80
    // Before sp moves: what is below it belongs to whichever signal comes.
    ldp x4, x5, [x4, #48]
    mov sp, x8
    mov x29, #0
    blr x9
    bl rt_exit

// x0: the name of the task to resume.
rt_resume:
    host resume
    // x0: 0 integer flavour, 1 fp flavour.
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    stp x20, x21, [sp, #-16]!
    stp x22, x23, [sp, #-16]!
    stp x24, x25, [sp, #-16]!
    stp x26, x27, [sp, #-16]!
    str x28, [sp, #-16]!
    stp d8, d9, [sp, #-16]!
    stp d10, d11, [sp, #-16]!
    stp d12, d13, [sp, #-16]!
    stp d14, d15, [sp, #-16]!
    cbnz x0, .Lresume_fp
    host aim
    .switch
    host back
    b .Lresumed
.Lresume_fp:
    host aim
    .switch_fp
    host back
.Lresumed:
    ldp d14, d15, [sp], #16
    ldp d12, d13, [sp], #16
    ldp d10, d11, [sp], #16
    ldp d8, d9, [sp], #16
    ldr x28, [sp], #16
    ldp x26, x27, [sp], #16
    ldp x24, x25, [sp], #16
    ldp x22, x23, [sp], #16
    ldp x20, x21, [sp], #16
    ldp x29, x30, [sp], #16
    ret

// The running task stays ready and gives way.
rt_yield:
    host give_way
    b rt_leave

// Goes on as the runtime has decided. x0: 0 switches to the resumer, 1 does so with the fp
// flavour, 2 goes on, 3 polls: main has no resumer.
rt_leave:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    stp x20, x21, [sp, #-16]!
    stp x22, x23, [sp, #-16]!
    stp x24, x25, [sp, #-16]!
    stp x26, x27, [sp, #-16]!
    str x28, [sp, #-16]!
    stp d8, d9, [sp, #-16]!
    stp d10, d11, [sp, #-16]!
    stp d12, d13, [sp, #-16]!
    stp d14, d15, [sp, #-16]!
    cbnz x0, .Lother
    host aim
    .switch
.Lleft:
    ldp d14, d15, [sp], #16
    ldp d12, d13, [sp], #16
    ldp d10, d11, [sp], #16
    ldp d8, d9, [sp], #16
    ldr x28, [sp], #16
    ldp x26, x27, [sp], #16
    ldp x24, x25, [sp], #16
    ldp x22, x23, [sp], #16
    ldp x20, x21, [sp], #16
    ldp x29, x30, [sp], #16
    .cancels
    host cancelled
    cbnz x0, rt_exit
    .end
    ret
.Lother:
    cmp x0, #2
    b.eq .Lleft
    cmp x0, #3
    b.eq .Lpoll
    host aim
    .switch_fp
    b .Lleft
// Main resumes whom the scheduler names until it is main's turn.
.Lpoll:
    host poll
    // x0: 0 and 1 as above; 2 it is main's turn; 3 time has passed, ask again.
    cbnz x0, .Lpoll_other
    host aim
    .switch
    host back
    b .Lpoll
.Lpoll_other:
    cmp x0, #2
    b.eq .Lleft
    cmp x0, #3
    b.eq .Lpoll
    host aim
    .switch_fp
    host back
    b .Lpoll

// The running task ends. Nothing of its stack is needed again, so nothing is saved.
rt_exit:
    host exit
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    cbnz x0, .Lexit_fp
    host aim
    .switch
    host unreachable
.Lexit_fp:
    host aim
    .switch_fp
    host unreachable

// Main waits until all started tasks have ended.
rt_run:
    host run
    b rt_leave

// x0: the name of the task to start.
rt_start:
    host start
    ret

// x0: the number of the spawn statement; then the arguments.
rt_spawn:
    host spawn
    ret

// x0: the name of a task. x0: 1 if it has not ended, otherwise 0.
rt_alive:
    host alive
    ret

// x0: the name of a task.
rt_join:
    host join
    b rt_leave

// x0: microseconds.
rt_sleep_us:
    host sleep_us
    b rt_leave

// x0: milliseconds.
rt_sleep_ms:
    host sleep_ms
    b rt_leave

// x0: a mutex.
rt_lock:
    host lock
    b rt_leave

rt_unlock:
    host unlock
    ret

// x0: an event.
rt_wait:
    host wait
    b rt_leave

rt_complete:
    host complete
    ret

// x0: a channel, x1: the value.
rt_send:
    host send
    b rt_leave

// x0: a channel; then: the value, which is in the task's control block by then.
rt_recv:
    host recv
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    bl rt_leave
    host received
    ldp x29, x30, [sp], #16
    ret

// x0: a request, then its words. x0: the answer.
rt_request:
    host request
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    bl rt_leave
    host answer
    ldp x29, x30, [sp], #16
    ret

// x0: what the running task has received last.
rt_received:
    host received
    ret

// x0: microseconds since the program began.
rt_now:
    host now
    ret

// x0: the number of the running task.
rt_self:
    host task_number
    ret

// x0: the number of the print statement; then the values.
rt_print:
    host print
    ret

// x0: the rounding mode. FPCR.RMode counts up 1 and down 2, MXCSR and the language the other way.
rt_fpmode:
    mrs x0, fpcr
    lsr x0, x0, #22
    and x1, x0, #1
    lsr x0, x0, #1
    and x0, x0, #1
    orr x0, x0, x1, lsl #1
    ret

// x0: the rounding mode, as above.
rt_set_fpmode:
    and x1, x0, #1
    lsr x0, x0, #1
    and x0, x0, #1
    orr x0, x0, x1, lsl #1
    lsl x0, x0, #22
    mrs x1, fpcr
    movz x2, #0xc0, lsl #16
    orr x1, x1, x2
    eor x1, x1, x2
    orr x1, x1, x0
    msr fpcr, x1
    ret
