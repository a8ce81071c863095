mov x29, sp
movk x9, #0x1234, lsl #16
add x0, x11, x0, lsl #3
cmp x0, #5
neg x0, x0
asr x0, x0, #2
msub x0, x10, x9, x0
sdiv x10, x0, x9
cset x0, lt
adr x11, 1f
ldr x0, [sp], #16
stp x29, x30, [sp, #-16]!
fmov d8, x0
mrs x9, fpcr
msr fpcr, x9
b 1f
br x16
b.ne 1f
cbnz x9, 1f
nop
bti j
brk #1
2: nop
