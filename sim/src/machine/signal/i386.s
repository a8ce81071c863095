// What runs when a signal arrives, on i386; see x86_64.s. There is no red zone, and the signal's
// number is on the stack, as cdecl wants it.
//
//   +------------------------------+
//   | the interrupted task's       |
//   | frames                       | <- sp when the signal came
//   +------------------------------+
//   | eip and all registers        |
//   | three empty words            |
//   | the signal's number          | <- sp at rt_sigreturn
//   | return address: rt_sigreturn | <- sp at the handler's entry
//   +------------------------------+
rt_signal:
    push ebp
    mov ebp, esp
    push ebx
    mov ebx, [ebp + 8]
    mov ebx, -1
    mov eax, ebx
    mov ecx, ebx
    mov edx, ebx
    xor eax, ebx
    pop ebx
    pop ebp
    ret

// Gives every register back what it held.
rt_sigreturn:
    host sigreturn
