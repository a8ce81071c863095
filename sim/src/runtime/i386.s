// The runtime's stubs on i386, System V: what compiled functions call.
//
// As x86_64.s, with these differences: arguments come on the stack, above the return address, which
// is why services are called before anything is pushed; the switch keeps esi and ebp, and the stubs save
// ebx and edi; there is no red zone.
//
//   the stack of a suspended task
//
//   +------------------------------+ top
//   | arguments                    |
//   | return address into rt_first |
//   | frames of the scenario's     |
//   | functions                    |
//   +------------------------------+
//   | return address               |
//   | ebp                          | <- ebp in the stub
//   | ebx, edi                     |
//   +------------------------------+
//   | esi, resume address, ebp     | <- sp, pushed by the switch text
//   +------------------------------+

// Main's context begins here.
rt_main:
    call main
    host end

// A task begins here; see asm/i386/entry.s. esi will be rt_first.
rt_entry:
    .entry

// The fifth argument is the address of the words that the task was made with: its function, three
// empty ones, then the arguments. Nobody returns to the entry, so sp moves up to these.
rt_first:
    mov edx, [esp + 20]
    .cancels
    // One that was cancelled before it has run never does.
    host cancelled
    test eax, eax
    je .Lwanted
    lea esp, [edx + 16]
    mov ebp, 0
    call rt_exit
.Lwanted:
    .end
    mov eax, [edx]
    lea esp, [edx + 16]
    mov ebp, 0
    call eax
    call rt_exit

// The name of the task to resume.
rt_resume:
    host resume
    // eax: 0 integer flavour, 1 fp flavour.
    push ebp
    mov ebp, esp
    push ebx
    push edi
    test eax, eax
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
    pop edi
    pop ebx
    pop ebp
    ret

// The running task stays ready and gives way.
rt_yield:
    host give_way
    jmp rt_leave

// Goes on as the runtime has decided. eax: 0 switches to the resumer, 1 does so with the fp
// flavour, 2 goes on, 3 polls: main has no resumer.
rt_leave:
    push ebp
    mov ebp, esp
    push ebx
    push edi
    test eax, eax
    jne .Lother
    host aim
    .switch
.Lleft:
    pop edi
    pop ebx
    pop ebp
    .cancels
    host cancelled
    test eax, eax
    jne rt_exit
    .end
    ret
.Lother:
    cmp eax, 2
    je .Lleft
    cmp eax, 3
    je .Lpoll
    host aim
    .switch_fp
    jmp .Lleft
// Main resumes whom the scheduler names until it is main's turn.
.Lpoll:
    host poll
    // eax: 0 and 1 as above; 2 it is main's turn; 3 time has passed, ask again.
    test eax, eax
    jne .Lpoll_other
    host aim
    .switch
    host back
    jmp .Lpoll
.Lpoll_other:
    cmp eax, 2
    je .Lleft
    cmp eax, 3
    je .Lpoll
    host aim
    .switch_fp
    host back
    jmp .Lpoll

// The running task ends. Nothing of its stack is needed again, so nothing is saved.
rt_exit:
    host exit
    push ebp
    mov ebp, esp
    test eax, eax
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

// The name of the task to start.
rt_start:
    host start
    ret

// The number of the spawn statement; then the arguments.
rt_spawn:
    host spawn
    ret

// The name of a task. eax: 1 if it has not ended, otherwise 0.
rt_alive:
    host alive
    ret

// The name of a task.
rt_join:
    host join
    jmp rt_leave

// microseconds.
rt_sleep_us:
    host sleep_us
    jmp rt_leave

// milliseconds.
rt_sleep_ms:
    host sleep_ms
    jmp rt_leave

// a mutex.
rt_lock:
    host lock
    jmp rt_leave

rt_unlock:
    host unlock
    ret

// an event.
rt_wait:
    host wait
    jmp rt_leave

rt_complete:
    host complete
    ret

// a channel, and the value.
rt_send:
    host send
    jmp rt_leave

// a channel. eax: the value, which is in the task's control block by then.
rt_recv:
    host recv
    push ebp
    mov ebp, esp
    sub esp, 8
    call rt_leave
    host received
    add esp, 8
    pop ebp
    ret

// a request, then its words. eax: the answer.
rt_request:
    host request
    push ebp
    mov ebp, esp
    sub esp, 8
    call rt_leave
    host answer
    add esp, 8
    pop ebp
    ret

// eax: what the running task has received last.
rt_received:
    host received
    ret

// eax: microseconds since the program began.
rt_now:
    host now
    ret

// eax: the number of the running task.
rt_self:
    host task_number
    ret

// The number of the print statement; then the values.
rt_print:
    host print
    ret

// eax: the rounding field of MXCSR.
rt_fpmode:
    sub esp, 4
    stmxcsr [esp]
    pop eax
    shr eax, 13
    and eax, 3
    ret

// The rounding field of both control words: bits 13 and 14 of MXCSR, 10 and 11 of the x87 control
// word.
rt_set_fpmode:
    mov ecx, [esp + 4]
    sub esp, 4
    stmxcsr [esp]
    mov eax, [esp]
    and eax, 0xffff9fff
    mov edx, ecx
    shl edx, 13
    or eax, edx
    mov [esp], eax
    ldmxcsr [esp]
    fnstcw [esp]
    mov eax, [esp]
    and eax, 0xfffff3ff
    shl ecx, 10
    or eax, ecx
    mov [esp], eax
    fldcw [esp]
    add esp, 4
    ret
