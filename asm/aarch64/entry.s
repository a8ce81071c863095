// The entry on aarch64, AAPCS64: where a stack starts to run. A switch has just jumped here.
//
// At entry:
//   sp   16-byte aligned; the function to run is in memory at sp and above
//   x19  what to call; it never returns
//   x29  address of the frame record {sp of the resumer, a code address}
//   x0   sp of the resumer
//   x2   the first value, x3 what it is
// The function is entered by a jump, with a return address: it never returns, and a call would
// leave the CPU's return predictor one entry too deep for the life of the resumer.
//
// At the jump, as arguments of a C function:
//   x0   sp of the resumer
//   x1   address of the frame record
//   x2   the first value
//   x3   what it is
//   x4   address of the function to run
    mov x1, x29
    mov x4, sp
    adr x30, 2f
    br x19
2:
    brk #1
