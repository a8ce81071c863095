// The switch on aarch64, AAPCS64: integer flavour. One text for resume and for yield.
//
// The source gives up the CPU; the target gets it.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+32, 16-byte aligned
//   | not used                  | sp+24  | not used                  | sp+24
//   | x19                       | sp+16  | x19: what the entry calls | sp+16
//   | resume address (label 2)  | sp+8   | address of the entry      | sp+8
//   | x29                       | sp     | x29: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// The two lower words are a frame record: a debugger or profiler that follows the chain of x29
// and gets to sp goes on into the functions of this stack. sp is 16-byte aligned throughout.
//
// At entry:
//   x0  address of the word that receives the source's sp
//   x1  sp of the target, as a switch stored it or as the first frame was laid out
//   x2  a value for the target
//   x3  what the value is
//   sp  the source's stack
// At exit, after the last instruction, now on the target's stack:
//   sp, x19, x29  what they were when the target entered its own switch
//   x0  sp of the source: what it stored, without a load
//   x2, x3  from the source; x5 to x17 pass through unread as well
//   x18  is left alone
//   every other register, d8 to d15 among them, and the flags: anything. The compiler is told that
//   all of them are clobbered, so whatever of them was live is in the frames above sp already.
// A stack that has not run yet goes on at its entry with the same register contents.
// FPCR is shared by both sides: it is neither read nor written.
    adr x4, 2f
    stp x29, x4, [sp, #-32]!
    str x19, [sp, #16]
    mov x19, sp
    str x19, [x0]
    mov x0, sp
    mov sp, x1
    ldr x19, [sp, #16]
    ldp x29, x4, [sp], #32
    br x4
2:
