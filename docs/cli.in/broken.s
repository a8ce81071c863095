// The switch of asm/x86_64/switch.s, but the last `pop rbx` is gone: the task that goes on finds
// another's value in rbx.
    push rbx
    lea rbx, [rip + 2f]
    push rbx
    push rbp
    mov [rdi], rsp
    mov rdi, rsp
    mov rsp, rsi
    pop rbp
    pop rsi
    add rsp, 8
    jmp rsi
2:
