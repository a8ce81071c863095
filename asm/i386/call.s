// The switch on i386, System V, as the end of a C function: integer flavour. One text for resume
// and for yield.
//
// The source gives up the CPU; the target gets it, and returns from the C function in which it gave
// up the CPU itself.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top, sp+20,
//   | frames of its functions   |        |                           | 16-byte aligned
//   +---------------------------+        +---------------------------+
//   | return address            | sp+16  | address of the entry      | sp+16
//   | ebp                       | sp+12  | ebp: zero                 | sp+12
//   | ebx                       | sp+8   | ebx: for the entry        | sp+8
//   | esi                       | sp+4   | esi: for the entry        | sp+4
//   | edi                       | sp     | edi: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry:
//   ecx  address of the word that receives the source's sp
//   edx  sp of the target
//   eax  what the target's C function returns
//   esp  the source's stack; the return address of the source's C function is on it
// At exit, right behind the call of the target's C function:
//   esp, ebx, ebp, esi, edi  what they were at that call (System V i386, section 2.2.3)
//   eax  as at entry
//   ecx, edx and the flags: anything
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
    push ebp
    push ebx
    push esi
    push edi
    mov [ecx], esp
    mov esp, edx
    pop edi
    pop esi
    pop ebx
    pop ebp
    pop ecx
    jmp ecx
