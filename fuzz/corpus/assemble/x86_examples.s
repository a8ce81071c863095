mov eax, [esp + 4]
movzx eax, cl
lea eax, [ebp + ecx*4 - 40]
xchg eax, ecx
push ebp
pop ebp
sub esp, 40
neg eax
imul eax, ecx
idiv ecx
cdq
sar eax, cl
sete al
jne 2f
jmp edi
ret
leave
ldmxcsr [esp]
nop
ud2
2: nop
