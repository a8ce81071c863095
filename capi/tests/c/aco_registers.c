// aco_resume() and aco_yield() keep what the ABI calls callee-saved: every integer register, d8 to
// d15 on aarch64, and, unless they are shared, the floating-point control words.
// valgrind
#include "aco.h"
#include "check.h"
#include <fenv.h>

/* Loads marks into all callee-saved registers, calls a function, and stores what they are then. */
#if defined(__x86_64__)
#define REGISTERS 6
__asm__(".text\n"
        ".globl call_with_marks\n"
        "call_with_marks:\n" /* rdi: function, rsi: its argument, rdx: marks, rcx: seen */
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "push %rcx\n"
        "mov (%rdx), %rbx; mov 8(%rdx), %rbp; mov 16(%rdx), %r12\n"
        "mov 24(%rdx), %r13; mov 32(%rdx), %r14; mov 40(%rdx), %r15\n"
        "mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "call *%rax\n"
        "pop %rcx\n"
        "mov %rbx, (%rcx); mov %rbp, 8(%rcx); mov %r12, 16(%rcx)\n"
        "mov %r13, 24(%rcx); mov %r14, 32(%rcx); mov %r15, 40(%rcx)\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");
#elif defined(__i386__)
#define REGISTERS 4
__asm__(".text\n"
        ".globl call_with_marks\n"
        "call_with_marks:\n"
        "push %ebx; push %ebp; push %esi; push %edi\n"
        "mov 28(%esp), %edx\n"
        "mov 20(%esp), %eax\n"
        "sub $8, %esp\n"
        "pushl 32(%esp)\n" /* the argument, at 24(%esp) before these three words */
        "mov (%edx), %ebx; mov 4(%edx), %ebp; mov 8(%edx), %esi; mov 12(%edx), %edi\n"
        "call *%eax\n"
        "add $12, %esp\n"
        "mov 32(%esp), %ecx\n"
        "mov %ebx, (%ecx); mov %ebp, 4(%ecx); mov %esi, 8(%ecx); mov %edi, 12(%ecx)\n"
        "pop %edi; pop %esi; pop %ebp; pop %ebx\n"
        "ret\n");
#elif defined(__aarch64__)
#define REGISTERS 19
__asm__(".text\n"
        ".globl call_with_marks\n"
        "call_with_marks:\n"
        "stp x29, x30, [sp, #-176]!\n"
        "stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n"
        "stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n"
        "str x3, [sp, #160]\n"
        "ldp x19, x20, [x2]\n ldp x21, x22, [x2, #16]\n ldp x23, x24, [x2, #32]\n"
        "ldp x25, x26, [x2, #48]\n ldp x27, x28, [x2, #64]\n ldr x29, [x2, #80]\n"
        "ldp d8, d9, [x2, #88]\n ldp d10, d11, [x2, #104]\n"
        "ldp d12, d13, [x2, #120]\n ldp d14, d15, [x2, #136]\n"
        "mov x9, x0\n mov x0, x1\n blr x9\n"
        "ldr x3, [sp, #160]\n"
        "stp x19, x20, [x3]\n stp x21, x22, [x3, #16]\n stp x23, x24, [x3, #32]\n"
        "stp x25, x26, [x3, #48]\n stp x27, x28, [x3, #64]\n str x29, [x3, #80]\n"
        "stp d8, d9, [x3, #88]\n stp d10, d11, [x3, #104]\n"
        "stp d12, d13, [x3, #120]\n stp d14, d15, [x3, #136]\n"
        "ldp x19, x20, [sp, #16]\n ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n"
        "ldp x25, x26, [sp, #64]\n ldp x27, x28, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n"
        "ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n"
        "ldp x29, x30, [sp], #176\n"
        "ret\n");
#endif

void call_with_marks(void (*function)(void *), void *argument, const uintptr_t *marks,
                     uintptr_t *seen);

static void check_call(void (*function)(void *), void *argument, uintptr_t seed) {
    uintptr_t marks[REGISTERS], seen[REGISTERS];
    for (int at = 0; at < REGISTERS; at++) {
        marks[at] = seed * 0x01000193u + (uintptr_t)at * 0x9e3779b9u;
    }
    call_with_marks(function, argument, marks, seen);
    for (int at = 0; at < REGISTERS; at++) {
        CHECK(marks[at] == seen[at]);
    }
}

static void resume(void *co) {
    aco_resume((aco_t *)co);
}

static void yield(void *nothing) {
    (void)nothing;
    aco_yield();
}

static void marked(void) {
    uintptr_t seed = (uintptr_t)aco_get_arg();
    for (int turn = 0; turn < 10; turn++) {
        check_call(yield, NULL, seed + (uintptr_t)turn);
    }
    aco_exit();
}

static void registers(aco_t *main_co) {
    aco_share_stack_t *stack = aco_share_stack_new(0);
    aco_t *alone = aco_create(main_co, stack, 0, marked, (void *)1000);
    for (int turn = 0; !alone->is_end; turn++) {
        check_call(resume, alone, 77u + (uintptr_t)turn);
    }
    aco_destroy(alone);

    /* Only two that share a stack copy their frames, which memcheck cannot follow. */
    aco_t *a = aco_create(main_co, stack, 0, marked, (void *)3000);
    aco_t *b = aco_create(main_co, stack, 0, marked, (void *)5000);
    for (int turn = 0; !a->is_end; turn++) {
        check_call(resume, a, 11u + (uintptr_t)turn);
        check_call(resume, b, 31u + (uintptr_t)turn);
    }
    CHECK(b->is_end);
    aco_destroy(a);
    aco_destroy(b);
    aco_share_stack_destroy(stack);
}

/* Rounding modes, as MXCSR and the x87 control word have them, or FPCR. */
struct modes {
    unsigned a, b;
};

static struct modes modes(void) {
    struct modes seen = {0, 0};
#if defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    seen.a = seen.b = (unsigned)(fpcr >> 22 & 3);
#else
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    seen.a = mxcsr >> 13 & 3;
    seen.b = x87 >> 10 & 3;
#endif
    return seen;
}

static void check_modes(int rounding) {
    fenv_t now;
    fegetenv(&now);
    struct modes before = modes();
    fesetround(rounding);
    struct modes wanted = modes();
    fesetenv(&now);
    CHECK(before.a == wanted.a && before.b == wanted.b);
}

#ifdef ACO_CONFIG_SHARE_FPU_MXCSR_ENV
enum { SHARED = 1 };
#else
enum { SHARED = 0 };
#endif

static void rounds_up(void) {
    check_modes(FE_TONEAREST); /* as at aco_thread_init(), if it has its own */
    fesetround(FE_UPWARD);
    aco_yield();
    check_modes(SHARED ? FE_TOWARDZERO : FE_UPWARD);
    fesetround(FE_UPWARD);
    aco_yield();
    check_modes(SHARED ? FE_TONEAREST : FE_UPWARD);
    aco_exit();
}

static void rounding(aco_t *main_co) {
    aco_share_stack_t *stack = aco_share_stack_new(0);
    fesetround(SHARED ? FE_TONEAREST : FE_DOWNWARD);
    aco_t *co = aco_create(main_co, stack, 0, rounds_up, NULL);
    aco_resume(co);
    check_modes(SHARED ? FE_UPWARD : FE_DOWNWARD);
    fesetround(FE_TOWARDZERO);
    aco_resume(co);
    check_modes(SHARED ? FE_UPWARD : FE_TOWARDZERO);
    fesetround(FE_TONEAREST);
    aco_resume(co);
    check_modes(FE_TONEAREST);
    CHECK(co->is_end);
    aco_destroy(co);
    aco_share_stack_destroy(stack);
}

int main(int count, char **arguments) {
    (void)arguments;
    aco_thread_init(NULL);
    aco_t *main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    registers(main_co);
    /* valgrind, under which an argument is given, does not simulate rounding modes. */
    if (count == 1) {
        rounding(main_co);
    }
    aco_destroy(main_co);
    puts("ok");
    return 0;
}
