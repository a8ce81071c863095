// The switch on x86-64, System V, as the end of a C function: integer flavour. One text for resume
// and for yield.
//
// The source gives up the CPU; the target gets it, and returns from the C function in which it gave
// up the CPU itself.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top, sp+56,
//   | frames of its functions   |        |                           | 16-byte aligned
//   +---------------------------+        +---------------------------+
//   | return address            | sp+48  | address of the entry      | sp+48
//   | rbp                       | sp+40  | rbp: zero                 | sp+40
//   | rbx                       | sp+32  | rbx: for the entry        | sp+32
//   | r12                       | sp+24  | r12: for the entry        | sp+24
//   | r13                       | sp+16  | r13: for the entry        | sp+16
//   | r14                       | sp+8   | r14: zero                 | sp+8
//   | r15                       | sp     | r15: zero                 | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry:
//   rdi  address of the word that receives the source's sp
//   rsi  where the target's seven words are: at its sp, or at the start of its image in a save
//        stack. What is read here is not needed again, so an image's need not be copied back
//   rdx  sp of the target
//   eax  what the target's C function returns
//   rsp  the source's stack; the return address of the source's C function is on it
// At exit, right behind the call of the target's C function:
//   rsp, rbx, rbp, r12 to r15  what they were at that call (System V, section 3.2.1)
//   eax  as at entry
//   rdi, rsi, rdx, r8 to r11  as at entry
//   rcx and the flags: anything
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
//
// Loads, and no pops: rsp changes once, so that a signal finds one stack or the other, and they are
// quicker.
//
// The return is a jump: the address that the CPU's return predictor expects is that of the call of
// the source, so a ret would be mispredicted each time.
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov r15, [rsi]
    mov r14, [rsi + 8]
    mov r13, [rsi + 16]
    mov r12, [rsi + 24]
    mov rbx, [rsi + 32]
    mov rbp, [rsi + 40]
    mov rcx, [rsi + 48]
    lea rsp, [rdx + 56]
    jmp rcx
