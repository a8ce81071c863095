// The switch on x86-64, System V: integer flavour. One text for resume and for yield.
//
// The source gives up the CPU; the target gets it.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | root frame                |        | root frame                |
//   | frames of its functions   |        |                           |
//   +---------------------------+        +---------------------------+
//   | rbp                       | sp+16  | 0, ends the chain of rbp  | sp+16
//   | rbx                       | sp+8   | first function to call    | sp+8
//   | resume address (label 2)  | sp     | address of the entry      | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry:
//   rdi  address of the word that receives the source's sp
//   rsi  sp of the target, as a switch stored it or as the first frame was laid out
//   rdx  a value for the target
//   rsp  the source's stack
// At exit, after the last instruction, now on the target's stack:
//   rsp, rbx, rbp  what they were when the target entered its own switch
//   rsi  sp of the source: what the word at [rdi] holds as well, without a load
//   rdx  the value from the source
//   rcx, r8, r9, r10, r11  pass through unread
//   every other register and the flags: anything. The compiler is told that all of them are
//   clobbered, so whatever of them was live is in the frames above sp already.
// A stack that has not run yet is entered with [rsp] = first function, [rsp+8] = 0, and rsi, rdx
// and those that pass through as at exit.
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
    push rbp
    push rbx
    lea rbx, [rip + 2f]
    push rbx
    mov [rdi], rsp
    mov rdi, rsp
    mov rsp, rsi
    mov rsi, rdi
    pop rdi
    jmp rdi
2:
    pop rbx
    pop rbp
