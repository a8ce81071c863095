// The switch on i386, System V, as the end of a C function: floating-point flavour.
//
// As call.s, and MXCSR and the x87 control word belong to each side.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top, sp+28,
//   | frames of its functions   |        |                           | 16-byte aligned
//   +---------------------------+        +---------------------------+
//   | as in call.s              | sp+8   | as in call.s              | sp+8
//   | x87 control word          | sp+4   | x87 control word          | sp+4
//   | MXCSR                     | sp     | MXCSR                     | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry and at exit: as in call.s. The two bytes at sp+6 are not used.
// At exit, besides: the control bits of MXCSR and the x87 control word are what they were when the
// target gave up the CPU. MXCSR keeps the status bits that it has; see asm/x86_64/call_fp.s.
    push ebp
    push ebx
    push esi
    push edi
    lea esp, [esp - 8]
    stmxcsr [esp]
    fnstcw [esp + 4]
    mov [ecx], esp
    mov ecx, [esp]
    mov ebx, [edx]
    and ecx, 0x3f
    and ebx, 0xffc0
    or ebx, ecx
    push ebx
    ldmxcsr [esp]
    mov esp, edx
    fldcw [esp + 4]
    lea esp, [esp + 8]
    pop edi
    pop esi
    pop ebx
    pop ebp
    pop ecx
    jmp ecx
