// What runs when a signal arrives, on x86-64: a handler, as a compiler makes one.
//
// As Linux enters it: rdi is the signal's number, and the return address leads to rt_sigreturn,
// above which the frame with the interrupted registers lies.
//
//   +------------------------------+
//   | the interrupted task's       |
//   | frames                       | <- sp when the signal came
//   | 128 bytes of red zone        |
//   +------------------------------+
//   | rip and all registers        | <- sp at rt_sigreturn
//   | return address: rt_sigreturn | <- sp at the handler's entry
//   +------------------------------+
//
// It uses its stack, and changes every register that a function may change, so that a switch
// which relies on one of them between two instructions goes wrong.
rt_signal:
    push rbp
    mov rbp, rsp
    push rbx
    push rdi
    mov rbx, -1
    mov rax, rbx
    mov rcx, rbx
    mov rdx, rbx
    mov rsi, rbx
    mov r8, rbx
    mov r9, rbx
    mov r10, rbx
    mov r11, rbx
    pop rdi
    xor edi, edi
    pop rbx
    pop rbp
    ret

// Gives every register back what it held.
rt_sigreturn:
    host sigreturn
