// The switch on x86-64, System V: integer flavour. One text for resume and for yield.
//
// The source gives up the CPU; the target gets it.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+24, 16-byte aligned
//   | rbx                       | sp+16  | rbx: what the entry calls | sp+16
//   | resume address (label 2)  | sp+8   | address of the entry      | sp+8
//   | rbp                       | sp     | rbp: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// The two lower words are a frame record: a debugger or profiler that follows the chain of rbp
// and gets to sp goes on into the functions of this stack.
//
// At entry:
//   rdi  address of the word that receives the source's sp
//   rsi  sp of the target, as a switch stored it or as the first frame was laid out
//   rdx  a value for the target
//   rcx  what the value is
//   rsp  the source's stack
// At exit, after the last instruction, now on the target's stack:
//   rsp, rbx, rbp  what they were when the target entered its own switch
//   rdi  sp of the source: what it stored, without a load
//   rdx, rcx  from the source; r8 to r11 pass through unread as well
//   every other register and the flags: anything. The compiler is told that all of them are
//   clobbered, so whatever of them was live is in the frames above sp already.
// A stack that has not run yet goes on at its entry with the same register contents.
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
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
    jmp rsi
2:
