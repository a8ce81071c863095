/*
 * aco.h: Costack for programs that were written for libaco.
 *
 * Source-compatible with libaco 1.2 as its documentation describes it: a program that includes
 * "aco.h" is compiled again with this one and linked with -lcostack. Written from that
 * documentation; the types hold true values, the functions are Costack's.
 *
 * What is different, and better so:
 * - A coroutine may resume another one, as long as they do not share a stack.
 * - Misuse that can be detected (resuming a coroutine that has ended, yielding outside of every
 *   coroutine, destroying a stack with live coroutines) is printed and ends the process.
 * - The guard page can be neither written nor read.
 * - aarch64 works too; what is said of the x87 and MXCSR control words holds for FPCR there.
 *
 * Macros that change what this header does, defined before it is included, and best for the whole
 * program:
 * - ACO_CONFIG_SHARE_FPU_MXCSR_ENV: coroutines made by aco_create() share the control words of the
 *   floating-point units with the main co. Otherwise each keeps its own, to begin with those that
 *   were in force at aco_thread_init().
 * - ACO_USE_VALGRIND: stacks are made known to valgrind, whose headers must be installed. Without
 *   it, memcheck takes each switch for a corruption.
 */
#ifndef ACO_H
#define ACO_H

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef ACO_USE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of libaco's documentation that this header follows. */
#define ACO_VERSION_MAJOR 1
#define ACO_VERSION_MINOR 2
#define ACO_VERSION_PATCH 2

/* A coroutine's function, and the last-word function. */
typedef void (*aco_cofuncp_t)(void);

struct aco_s;
struct aco_share_stack_s;
typedef struct aco_s aco_t;
typedef struct aco_share_stack_s aco_share_stack_t;

/* A coroutine's private save stack. */
typedef struct {
    void *ptr;         /* its memory */
    size_t sz;         /* bytes that it holds; it grows when an image is larger */
    size_t valid_sz;   /* bytes of the image that was saved last */
    size_t max_cpsz;   /* bytes of the largest image that was saved */
    size_t ct_save;    /* how often an image was saved */
    size_t ct_restore; /* how often an image was restored */
} aco_save_stack_t;

/* A stack that several coroutines share. */
struct aco_share_stack_s {
    aco_t *owner; /* the coroutine whose bytes are on it; NULL when it is free */
    void *costack_private;
    void *ptr;            /* its lowest usable byte */
    size_t sz;            /* usable bytes */
    void *align_highptr;  /* the address after its highest byte */
    size_t align_validsz; /* usable bytes below that */
    void *real_ptr;       /* as ptr and sz, with the guard page */
    size_t real_sz;
    unsigned long valgrind_stk_id; /* valgrind's number for it */
    char guard_page_enabled;
};

/* A coroutine. */
struct aco_s {
    void *costack_private[16];
    aco_share_stack_t *share_stack; /* NULL for a main co */
    aco_save_stack_t save_stack;
    char is_end;      /* 1 after aco_exit() */
    void *arg;        /* see aco_get_arg() */
    aco_t *main_co;   /* NULL for a main co */
    aco_cofuncp_t fp; /* its function */
};

/* Prepares the calling thread. When the function of a coroutine returns instead of calling
 * aco_exit(), last_word_co_fp is called, or, if that is NULL, the default protector, which prints
 * which coroutine it was; then the process is aborted. */
void aco_thread_init(aco_cofuncp_t last_word_co_fp);

/* Equal to aco_share_stack_new2(sz, 1). */
aco_share_stack_t *aco_share_stack_new(size_t sz);

/* A shared stack of sz usable bytes or a few more, in whole pages; 2 MiB when sz is 0. With a guard
 * page, running over its end is a segmentation fault. Never NULL: the process is aborted when there
 * is no memory. */
aco_share_stack_t *aco_share_stack_new2(size_t sz, char guard_page_enabled);

/* Gives a shared stack back. All of its coroutines must have been destroyed, or have ended. */
void aco_share_stack_destroy(aco_share_stack_t *sstk);

/* aco_create(NULL, NULL, 0, NULL, NULL) makes the thread's main co, which must be there before any
 * other coroutine is made.
 *
 * Otherwise makes a coroutine that will run co_fp on share_stack and yield to main_co. save_stack_sz
 * is how many bytes its save stack holds to begin with, 64 when it is 0; it is fitted to the images
 * that are saved. Never NULL. */
aco_t *aco_create(aco_t *main_co, aco_share_stack_t *share_stack, size_t save_stack_sz,
                  aco_cofuncp_t co_fp, void *arg);

/* aco_create() under ACO_CONFIG_SHARE_FPU_MXCSR_ENV. */
aco_t *aco_create_sharing_fpu(aco_t *main_co, aco_share_stack_t *share_stack,
                              size_t save_stack_sz, aco_cofuncp_t co_fp, void *arg);

/* Runs co until it yields or exits. All registers that the ABI calls callee-saved are kept, and
 * the floating-point control words unless they are shared. */
void aco_resume(aco_t *co);

/* Gives control back from a coroutine to its main co; returns when it is resumed. Keeps the same
 * registers. */
void aco_yield(void);

/* The running coroutine. */
aco_t *aco_get_co(void);

/* Its arg. */
void *aco_get_arg(void);

/* Ends the running coroutine: sets its is_end, frees its stack for others, and gives control back
 * to its main co for good. Does not return. */
void aco_exit(void);

/* Frees a coroutine, its save stack included. A main co is destroyed last. */
void aco_destroy(aco_t *co);

/* The running coroutine of the calling thread, as a variable. */
aco_t **aco_gtls_co_location(void);
#define aco_gtls_co (*aco_gtls_co_location())

/* For the test that compares this header with the library. */
const size_t *costack_aco_layout(void);

#ifdef ACO_CONFIG_SHARE_FPU_MXCSR_ENV
#define aco_create aco_create_sharing_fpu
#endif

#ifdef ACO_USE_VALGRIND
static inline aco_share_stack_t *costack_aco_share_stack_new2(size_t sz, char guard_page_enabled) {
    aco_share_stack_t *sstk = aco_share_stack_new2(sz, guard_page_enabled);
    sstk->valgrind_stk_id = VALGRIND_STACK_REGISTER(sstk->ptr, sstk->align_highptr);
    return sstk;
}

static inline aco_share_stack_t *costack_aco_share_stack_new(size_t sz) {
    return costack_aco_share_stack_new2(sz, 1);
}

static inline void costack_aco_share_stack_destroy(aco_share_stack_t *sstk) {
    VALGRIND_STACK_DEREGISTER(sstk->valgrind_stk_id);
    aco_share_stack_destroy(sstk);
}

#define aco_share_stack_new costack_aco_share_stack_new
#define aco_share_stack_new2 costack_aco_share_stack_new2
#define aco_share_stack_destroy costack_aco_share_stack_destroy
#endif

/* What aco_assert_override.h gives short names to. */
#if defined(__GNUC__)
#define aco_likely(x) (__builtin_expect(!!(x), 1))
#define aco_unlikely(x) (__builtin_expect(!!(x), 0))
#else
#define aco_likely(x) (!!(x))
#define aco_unlikely(x) (!!(x))
#endif

#define costack_aco_check(condition, what)                                                         \
    ((void)(aco_likely(condition) ||                                                               \
            (fprintf(stderr, "%s: %s: %d: %s: %s\n", __FILE__, __func__, __LINE__, what,           \
                     #condition),                                                                  \
             abort(), 0)))

/* As assert(), whether or not NDEBUG is defined. */
#define aco_assert(EX) costack_aco_check(EX, "Aborting: assertion failed")

/* That a pointer is not NULL. */
#define aco_assertptr(ptr) costack_aco_check((ptr) != NULL, "Aborting: assertion failed")

/* That an allocation was successful. */
#define aco_assertalloc_bool(b) costack_aco_check(b, "Aborting: failed to allocate memory")
#define aco_assertalloc_ptr(ptr) costack_aco_check((ptr) != NULL, "Aborting: failed to allocate memory")

#ifdef __cplusplus
}
#endif

#endif
