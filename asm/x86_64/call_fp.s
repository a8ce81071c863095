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
// At entry: as in call.s; rsi has the address of eight words. The two bytes at sp+6 are not used.
// At exit: as in call.s.
// At exit, besides: MXCSR and the x87 control word are what they were when the target gave up the
// CPU.
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
    ldmxcsr [rsi]
    fldcw [rsi + 4]
    mov r15, [rsi + 8]
    mov r14, [rsi + 16]
    mov r13, [rsi + 24]
    mov r12, [rsi + 32]
    mov rbx, [rsi + 40]
    mov rbp, [rsi + 48]
    mov rcx, [rsi + 56]
    lea rsp, [rdx + 64]
    jmp rcx
