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
// At entry: as in call.s; rsi has the address of eight words.
// At exit: as in call.s, but r8 and r9 may be anything.
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
    mov r8d, [rsp]
    movzx r9d, word ptr [rsp + 4]
    xor r8d, [rsi]
    xor r9w, [rsi + 4]
    test r8d, 0xffc0
    jnz 3f
    test r9w, r9w
    jnz 4f
2:
    mov r15, [rsi + 8]
    mov r14, [rsi + 16]
    mov r13, [rsi + 24]
    mov r12, [rsi + 32]
    mov rbx, [rsi + 40]
    mov rbp, [rsi + 48]
    mov rcx, [rsi + 56]
    lea rsp, [rdx + 64]
    jmp rcx
3:
    ldmxcsr [rsi]
4:
    fldcw [rsi + 4]
    jmp 2b
