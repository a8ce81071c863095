// The runtime's stubs on x86-64, System V: what compiled functions call.
//
// `host NAME` hands over to the runtime (runtime/host.rs). It reads arguments where the ABI puts
// them and leaves its answer in rax; `host aim` loads the registers that the switch reads. A
// service is called before anything is pushed, where its arguments are easy to find. `.switch` and `.switch_fp` stand for the switch text of the
// flavour, which is put in at that place, like inline assembly. What stands between `.cancels` and
// `.end` is there only for scenarios that cancel tasks.
//
// A stub that switches is to its caller what a compiled function with inline assembly is: the
// switch text keeps rbx, rbp and rsp and says that it clobbers all else, so the stub saves r12 to
// r15 in its own frame. They are part of the image.
//
//   the stack of a suspended task
//
//   +------------------------------+ top
//   | arguments seven and up       |
//   | return address into rt_first |
//   | frames of the scenario's     |
//   | functions                    |
//   +------------------------------+
//   | return address               |
//   | rbp                          | <- rbp in the stub
//   | r12, r13, r14, r15           |
//   +------------------------------+
//   | rbx, resume address, rbp     | <- sp, pushed by the switch text
//   +------------------------------+

// Main's context begins here.
rt_main:
    call main
    host end

// A task begins here; see asm/x86_64/entry.s. rbx is rt_first.
rt_entry:
    .entry

// r8: address of the words that the task was made with: its function, an empty one, six for the
// argument registers, then the arguments that travel on the stack. Nobody returns to the entry,
// so sp moves up to these: what was below has done its work, and no image need hold it.
rt_first:
    .cancels
    // One that was cancelled before it has run never does.
    host cancelled
    test rax, rax
    je .Lwanted
    lea rsp, [r8 + 64]
    mov rbp, 0
    call rt_exit
.Lwanted:
    .end
    mov rax, [r8]
    mov rdi, [r8 + 16]
    mov rsi, [r8 + 24]
    mov rdx, [r8 + 32]
    mov rcx, [r8 + 40]
    mov r9, [r8 + 56]
    lea rsp, [r8 + 64]
    mov r8, [r8 + 48]
    mov rbp, 0
    call rax
    call rt_exit

// rdi: the name of the task to resume.
rt_resume:
    host resume
    // rax: 0 integer flavour, 1 fp flavour.
    push rbp
    mov rbp, rsp
    push r12
    push r13
    push r14
    push r15
    test rax, rax
    jne .Lresume_fp
    host aim
    .switch
    host back
    jmp .Lresumed
.Lresume_fp:
    host aim
    .switch_fp
    host back
.Lresumed:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    ret

// The running task stays ready and gives way.
rt_yield:
    host give_way
    jmp rt_leave

// Goes on as the runtime has decided. rax: 0 switches to the resumer, 1 does so with the fp
// flavour, 2 goes on, 3 polls: main has no resumer.
rt_leave:
    push rbp
    mov rbp, rsp
    push r12
    push r13
    push r14
    push r15
    test rax, rax
    jne .Lother
    host aim
    .switch
.Lleft:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    .cancels
    host cancelled
    test rax, rax
    jne rt_exit
    .end
    ret
.Lother:
    cmp rax, 2
    je .Lleft
    cmp rax, 3
    je .Lpoll
    host aim
    .switch_fp
    jmp .Lleft
// Main resumes whom the scheduler names until it is main's turn.
.Lpoll:
    host poll
    // rax: 0 and 1 as above; 2 it is main's turn; 3 time has passed, ask again.
    test rax, rax
    jne .Lpoll_other
    host aim
    .switch
    host back
    jmp .Lpoll
.Lpoll_other:
    cmp rax, 2
    je .Lleft
    cmp rax, 3
    je .Lpoll
    host aim
    .switch_fp
    host back
    jmp .Lpoll

// The running task ends. Nothing of its stack is needed again, so nothing is saved.
rt_exit:
    host exit
    push rbp
    mov rbp, rsp
    test rax, rax
    jne .Lexit_fp
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
    jmp rt_leave

// rdi: the name of the task to start.
rt_start:
    host start
    ret

// rdi: the number of the spawn statement; then the arguments.
rt_spawn:
    host spawn
    ret

// rdi: the name of a task. rax: 1 if it has not ended, otherwise 0.
rt_alive:
    host alive
    ret

// rdi: the name of a task.
rt_join:
    host join
    jmp rt_leave

// rdi: microseconds.
rt_sleep_us:
    host sleep_us
    jmp rt_leave

// rdi: milliseconds.
rt_sleep_ms:
    host sleep_ms
    jmp rt_leave

// rdi: a mutex.
rt_lock:
    host lock
    jmp rt_leave

rt_unlock:
    host unlock
    ret

// rdi: an event.
rt_wait:
    host wait
    jmp rt_leave

rt_complete:
    host complete
    ret

// rdi: a channel, rsi: the value.
rt_send:
    host send
    jmp rt_leave

// rdi: a channel. rax: the value, which is in the task's control block by then.
rt_recv:
    host recv
    push rbp
    mov rbp, rsp
    call rt_leave
    host received
    pop rbp
    ret

// rdi: a request, then its words. rax: the answer.
rt_request:
    host request
    push rbp
    mov rbp, rsp
    call rt_leave
    host answer
    pop rbp
    ret

// rax: what the running task has received last.
rt_received:
    host received
    ret

// rax: microseconds since the program began.
rt_now:
    host now
    ret

// rax: the number of the running task.
rt_self:
    host task_number
    ret

// rdi: the number of the print statement; then the values.
rt_print:
    host print
    ret

// rax: the rounding field of MXCSR.
rt_fpmode:
    stmxcsr [rsp - 8]
    mov eax, [rsp - 8]
    shr eax, 13
    and eax, 3
    ret

// rdi: the rounding field of both control words: bits 13 and 14 of MXCSR, 10 and 11 of the x87
// control word.
rt_set_fpmode:
    stmxcsr [rsp - 8]
    mov eax, [rsp - 8]
    and eax, 0xffff9fff
    mov ecx, edi
    shl ecx, 13
    or eax, ecx
    mov [rsp - 8], eax
    ldmxcsr [rsp - 8]
    fnstcw [rsp - 8]
    mov eax, [rsp - 8]
    and eax, 0xfffff3ff
    shl edi, 10
    or eax, edi
    mov [rsp - 8], eax
    fldcw [rsp - 8]
    ret
