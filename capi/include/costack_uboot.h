/*
 * costack_uboot.h: the names under which coroutines were proposed for U-Boot ("Introduce coroutines
 * framework", RFC, January 2025), as thin wrappers of aco.h. They mean the same: one main co for
 * each thread, stacks that several coroutines share, and an end by co_exit().
 */
#ifndef COSTACK_UBOOT_H
#define COSTACK_UBOOT_H

#include "aco.h"

/* A coroutine, and a stack that several of them share. */
struct co;
struct co_stack;

/* A shared stack of at least this many usable bytes; the default size when it is 0. */
static inline struct co_stack *co_stack_new(size_t bytes) {
    return (struct co_stack *)aco_share_stack_new(bytes);
}

/* Gives a shared stack back, after its coroutines. */
static inline void co_stack_destroy(struct co_stack *stack) {
    aco_share_stack_destroy((aco_share_stack_t *)stack);
}

/* A coroutine; the main co when main_co is NULL. */
static inline struct co *co_create(struct co *main_co, struct co_stack *stack, size_t save_bytes,
                                   void (*function)(void), void *arg) {
    return (struct co *)aco_create((aco_t *)main_co, (aco_share_stack_t *)stack, save_bytes,
                                   function, arg);
}

/* Runs a coroutine until it yields or exits. */
static inline void co_resume(struct co *co) {
    aco_resume((aco_t *)co);
}

/* Gives control back to the main co. */
static inline void co_yield(void) {
    aco_yield();
}

/* Ends the running coroutine. */
static inline void co_exit(void) {
    aco_exit();
}

/* Frees a coroutine. */
static inline void co_destroy(struct co *co) {
    aco_destroy((aco_t *)co);
}

/* The argument of the running coroutine. */
static inline void *co_get_arg(void) {
    return aco_get_arg();
}

/* Whether a coroutine has ended. */
static inline int co_is_done(const struct co *co) {
    return ((const aco_t *)co)->is_end;
}

#endif
