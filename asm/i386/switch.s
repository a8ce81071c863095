// The switch on i386, System V: integer flavour. One text for resume and for yield.
//
// The source gives up the CPU; the target gets it.
//
//   a suspended stack                    a stack that has not run yet
//
//   higher addresses                     higher addresses
//   +---------------------------+ top    +---------------------------+ top
//   | frames of its functions   |        | the function to run       |
//   +---------------------------+        +---------------------------+ sp+12, 16-byte aligned
//   | esi                       | sp+8   | esi: what the entry calls | sp+8
//   | resume address: the jmp 3f| sp+4   | address of the entry      | sp+4
//   | ebp                       | sp     | ebp: for the entry        | sp
//   +---------------------------+        +---------------------------+
//   nothing live below sp                nothing live below sp
//
// The two lower words are a frame record: a debugger or profiler that follows the chain of ebp
// and gets to sp goes on into the functions of this stack.
//
// There is no address relative to the instruction pointer here, so a call pushes the resume
// address: that of the jump after it.
//
// At entry:
//   edi  address of the word that receives the source's sp
//   ecx  sp of the target, as a switch stored it or as the first frame was laid out
//   edx  a value for the target
//   eax  what the value is
//   esp  the source's stack
// At exit, after the last instruction, now on the target's stack:
//   esp, esi, ebp  what they were when the target entered its own switch
//   edi  sp of the source: what it stored, without a load
//   edx, eax  from the source
//   every other register and the flags: anything. The compiler is told that all of them are
//   clobbered, so whatever of them was live is in the frames above sp already.
// A stack that has not run yet goes on at its entry with the same register contents, but esi is
// still to be popped.
// MXCSR and the x87 control word are shared by both sides: neither is read nor written.
    push esi
    call 2f
    jmp 3f
2:
    push ebp
    mov [edi], esp
    mov edi, esp
    mov esp, ecx
    pop ebp
    pop ecx
    jmp ecx
3:
    pop esi
