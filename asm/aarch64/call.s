// The switch on aarch64, AAPCS64, as the end of a C function: integer flavour. One text for resume
// and for yield.
//
// The source gives up the CPU; the target gets it, and returns from the C function in which it gave
// up the CPU itself.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top, sp+160,
//   | frames of its functions   |        |                           | 16-byte aligned
//   +---------------------------+        +---------------------------+
//   | d8 to d15                 | sp+96  | d8 to d15: zero           | sp+96
//   | x21 to x28                | sp+32  | x21 to x28: x21 for the   | sp+32
//   |                           |        | entry, the others zero    |
//   | x19, x20                  | sp+16  | x19, x20: for the entry   | sp+16
//   | x30: return address       | sp+8   | address of the entry      | sp+8
//   | x29                       | sp     | x29: zero                 | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// At entry:
//   x0   what the target's C function returns
//   x1   sp of the target
//   x2   address of the word that receives the source's sp
//   x30  return address of the source's C function
//   sp   the source's stack
// At exit, right behind the call of the target's C function:
//   sp, x19 to x29, d8 to d15  what they were at that call (AAPCS64, sections 6.1.1 and 6.1.2)
//   x0   as at entry
//   x1 to x8, x10 to x18  as at entry; x9: anything
// FPCR is shared by both sides: it is neither read nor written.
    stp x29, x30, [sp, #-160]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x2]
    mov sp, x1
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    ldp x29, x30, [sp], #160
    ret
