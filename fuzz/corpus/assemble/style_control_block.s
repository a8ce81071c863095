
    // keeps: rbx rbp r12 r13 r14 r15
    // first frame:
    // first block: entry rbx rbp . . . .
    // r8 is the address of the word that holds the target's sp; the block goes on behind it.
    lea rax, [rip + 2f]
    mov [rdi + 8], rax
    mov [rdi + 16], rbx
    mov [rdi + 24], rbp
    mov [rdi + 32], r12
    mov [rdi + 40], r13
    mov [rdi + 48], r14
    mov [rdi + 56], r15
    mov [rdi], rsp
    mov rdi, rsp
    mov rsp, rsi
    mov rbx, [r8 + 16]
    mov rbp, [r8 + 24]
    mov r12, [r8 + 32]
    mov r13, [r8 + 40]
    mov r14, [r8 + 48]
    mov r15, [r8 + 56]
    mov rax, [r8 + 8]
    jmp rax
2:
