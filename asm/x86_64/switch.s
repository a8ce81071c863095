// The switch on x86-64, System V: integer flavour. One text for resume and for yield.
//
// Called the source: who gives up the CPU. Called the target: who gets it.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | root frame                |
//   +---------------------------+        +---------------------------+
//   | rbp                       | sp+16  | rbp: 0                    | sp+16
//   | rbx                       | sp+8   | rbx: for the entry        | sp+8
//   | resume address            | sp     | address of the entry      | sp
//   +---------------------------+        +---------------------------+
//   (nothing live below sp)              (nothing live below sp)
//
// At entry:
//   rdi  address of the word that receives the source's sp
//   rsi  sp of the target, as an earlier switch stored it
//   rdx  a value for the target
//   rsp  the source's stack
// At exit (the instruction after the last one, now on the target's stack):
//   rsp  what it was when the target entered its own switch
//   rbx  what it was when the target entered its own switch
//   rbp  what it was when the target entered its own switch
//   rdx  the value from the source
//   rax, rcx, rsi, rdi, r8 to r15, xmm0 to xmm15 and the flags: anything. The compiler is told
//   that they are clobbered, so it has spilled whatever of them was live.
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
    push rbp
    push rbx
    lea rax, [rip + 2f]
    push rax
    mov [rdi], rsp
    mov rsp, rsi
    pop rax
    jmp rax
2:
    pop rbx
    pop rbp
