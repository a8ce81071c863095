// The switch on x86-64, System V, as the end of a C function: floating-point flavour.
//
// As call.s, and MXCSR and the x87 control word belong to each side: System V (section 3.2.1) has
// their control bits callee-saved, and the status bits of MXCSR not.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top, sp+64,
//   | frames of its functions   |        |                           | 16-byte aligned
//   +---------------------------+        +---------------------------+
//   | as in call.s              | sp+8   | as in call.s              | sp+8
//   | x87 control word          | sp+4   | x87 control word          | sp+4
//   | MXCSR                     | sp     | MXCSR                     | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry and at exit: as in call.s, but rdx and r8 may be anything at exit.
// At exit, besides: the control bits of MXCSR and the x87 control word are what they were when the
// target gave up the CPU.
//
// To load either costs several times as much as to store it, and two sides seldom differ. So each
// is loaded only if it differs.
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    lea rsp, [rsp - 8]
    stmxcsr [rsp]
    fnstcw [rsp + 4]
    mov [rdi], rsp
    mov edx, [rsp]
    movzx r8d, word ptr [rsp + 4]
    mov rsp, rsi
    xor edx, [rsp]
    xor r8w, [rsp + 4]
    test edx, 0xffc0
    jnz 3f
    test r8w, r8w
    jnz 4f
2:
    lea rsp, [rsp + 8]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    pop rcx
    jmp rcx
3:
    ldmxcsr [rsp]
4:
    fldcw [rsp + 4]
    jmp 2b
