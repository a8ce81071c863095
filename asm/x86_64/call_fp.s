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
// At exit: as in call.s, but r8 and r9 may be anything.
// At exit, besides: the control bits of MXCSR and the x87 control word are what they were when the
// target gave up the CPU.
//
// MXCSR keeps the status bits that it has. To load other ones (PE aside) takes an Intel Xeon some
// 75 ns, and tasks that compute seldom have the same.
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
    mov r9d, [rsi]
    and r8d, 0x3f
    and r9d, 0xffc0
    or r9d, r8d
    push r9
    ldmxcsr [rsp]
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
