// The entry on x86-64, System V: where a stack starts to run. A switch has just jumped here.
//
// At entry:
//   rsp  16-byte aligned; the function to run is in memory at rsp and above
//   rbx  what to call; it never returns
//   rbp  address of the frame record {sp of the resumer, a code address}
//   rdi  sp of the resumer
//   rdx  the first value, rcx what it is
// The function is entered by a jump, with a return address below: it never returns, and a call
// would leave the CPU's return predictor one entry too deep for the life of the resumer.
//
// At the jump, as arguments of a C function:
//   rdi  sp of the resumer
//   rsi  address of the frame record
//   rdx  the first value
//   rcx  what it is
//   r8   address of the function to run
    mov rsi, rbp
    mov r8, rsp
    lea rax, [rip + 2f]
    push rax
    jmp rbx
2:
    ud2
