// The switch on x86-64, System V: floating-point flavour. One text for resume and for yield.
//
// As switch.s, and MXCSR and the x87 control word belong to each side: System V (section 3.2.1)
// has their control bits callee-saved. Costs about 10 ns per round trip.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+32, 16-byte aligned
//   | MXCSR                     | sp+28  | MXCSR                     | sp+28
//   | x87 control word          | sp+24  | x87 control word          | sp+24
//   | rbx                       | sp+16  | rbx: what the entry calls | sp+16
//   | resume address (label 2)  | sp+8   | address of the entry      | sp+8
//   | rbp                       | sp     | rbp: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry and at exit: as in switch.s.
// At exit, besides: MXCSR and the x87 control word are what they were when the target entered its
// own switch. The two bytes at sp+26 are not used.
    lea rsp, [rsp - 4]
    stmxcsr [rsp]
    lea rsp, [rsp - 4]
    fnstcw [rsp]
    push rbx
    lea rbx, [rip + 2f]
    push rbx
    push rbp
    mov [rdi], rsp
    mov rdi, rsp
    mov rsp, rsi
    pop rbp
    pop rsi
    pop rbx
    fldcw [rsp]
    lea rsp, [rsp + 4]
    ldmxcsr [rsp]
    lea rsp, [rsp + 4]
    jmp rsi
2:
