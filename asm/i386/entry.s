// The entry on i386, System V: where a stack starts to run. A switch has just jumped here.
//
// At entry:
//   esp  [esp] is what to call, it never returns; the function to run is at esp+4 and above, an
//        address that is 16-byte aligned
//   ebp  address of the frame record {sp of the resumer, a code address}
//   edi  sp of the resumer
//   edx  the first value, eax what it is
// At the call, as arguments of a C function, on the stack, esp 16-byte aligned again:
//   [esp]     sp of the resumer
//   [esp+4]   address of the frame record
//   [esp+8]   the first value
//   [esp+12]  what it is
//   [esp+16]  address of the function to run
    pop esi
    mov ecx, esp
    sub esp, 12
    push ecx
    push eax
    push edx
    push ebp
    push edi
    call esi
    ud2
