// The switch on i386, System V: floating-point flavour. One text for resume and for yield.
//
// As switch.s, and MXCSR and the x87 control word belong to each side.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+20, 16-byte aligned
//   | esi                       | sp+16  | esi: what the entry calls | sp+16
//   | MXCSR                     | sp+12  | MXCSR                     | sp+12
//   | x87 control word          | sp+8   | x87 control word          | sp+8
//   | resume address: the jmp 3f| sp+4   | address of the entry      | sp+4
//   | ebp                       | sp     | ebp: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry and at exit: as in switch.s.
// At exit, besides: MXCSR and the x87 control word are what they were when the target entered its
// own switch. The two bytes at sp+10 are not used.
    push esi
    lea esp, [esp - 4]
    stmxcsr [esp]
    lea esp, [esp - 4]
    fnstcw [esp]
    call 2f
    jmp 3f
2:
    push ebp
    mov [edi], esp
    mov edi, esp
    mov esp, ecx
    pop ebp
    pop ecx
    fldcw [esp]
    lea esp, [esp + 4]
    ldmxcsr [esp]
    lea esp, [esp + 4]
    jmp ecx
3:
    pop esi
