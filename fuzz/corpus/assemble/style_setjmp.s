
    // keeps: rbx rbp r12 r13 r14 r15
    // first frame:
    // first block: rbx rbp . . . . entry
    // What initjmp writes is the first block. Below are setjmp of the buffer at rdi, without the
    // call that a C compiler makes of it, and longjmp to the buffer at r8.
    mov [rdi + 8], rbx
    mov [rdi + 16], rbp
    mov [rdi + 24], r12
    mov [rdi + 32], r13
    mov [rdi + 40], r14
    mov [rdi + 48], r15
    mov [rdi], rsp
    lea rax, [rip + 3f]
    mov [rdi + 56], rax
    mov rdi, rsp
    mov eax, 0
3:
    // setjmp has returned. 1: somebody has jumped here.
    test eax, eax
    jne 2f
    mov rsp, rsi
    mov rbx, [r8 + 8]
    mov rbp, [r8 + 16]
    mov r12, [r8 + 24]
    mov r13, [r8 + 32]
    mov r14, [r8 + 40]
    mov r15, [r8 + 48]
    mov r9, [r8 + 56]
    mov eax, 1
    jmp r9
2:
