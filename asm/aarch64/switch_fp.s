// The switch on aarch64, AAPCS64: floating-point flavour. One text for resume and for yield.
//
// As switch.s, and FPCR belongs to each side.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+32, 16-byte aligned
//   | FPCR                      | sp+24  | FPCR                      | sp+24
//   | x19                       | sp+16  | x19: what the entry calls | sp+16
//   | resume address (label 2)  | sp+8   | address of the entry      | sp+8
//   | x29                       | sp     | x29: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry and at exit: as in switch.s.
// At exit, besides: FPCR is what it was when the target entered its own switch.
    adr x4, 2f
    stp x29, x4, [sp, #-32]!
    mrs x4, fpcr
    stp x19, x4, [sp, #16]
    mov x19, sp
    str x19, [x0]
    mov x0, sp
    mov sp, x1
    ldp x19, x4, [sp, #16]
    msr fpcr, x4
    ldp x29, x4, [sp], #32
    br x4
2:
