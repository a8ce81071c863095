// A coroutine that returns, last words, failed assertions, misuse: each ends the process by SIGABRT,
// and tells why.
// case returns: abort: has returned; a coroutine ends with aco_exit()
// case returns-after-yield: abort: has returned; a coroutine ends with aco_exit()
// case last-word: abort: these are my last words
// case resume-ended: abort: it has finished and cannot be resumed
// case resume-null: abort: no coroutine was given
// case yield-outside: abort: it was called outside of every coroutine
// case yield-without-init: abort: it was called outside of every coroutine
// case exit-outside: abort: aco_exit: it was called outside of every coroutine
// case arg-outside: abort: aco_get_arg: no coroutine is running
// case stack-in-use: abort: its stack is in use
// case destroy-running: abort: it is running already
// case live-stack: abort: the stack still has 1 live coroutine(s)
// case create-without-function: abort: co_fp is NULL
// case create-without-stack: abort: share_stack is NULL
// case huge: abort: address space
// case assert: abort: assertion failed: 1 + 1 == 3
// case assertptr: abort: assertion failed
// case assertalloc_ptr: abort: failed to allocate memory
// case assertalloc_bool: abort: failed to allocate memory
// case override: abort: assertion failed: 2 + 2 == 5
// case overflow: abort: stack overflow in coroutine
#include "aco.h"
#include "check.h"

static aco_t *main_co, *other;
static aco_share_stack_t *stack;

static void returns(void) {}

static void yields_then_returns(void) {
    aco_yield();
}

static void exits(void) {
    aco_exit();
}

static void forever(void) {
    for (;;) {
        aco_yield();
    }
}

static void resumes_other(void) {
    aco_resume(other);
    aco_exit();
}

static void destroys_itself(void) {
    aco_destroy(aco_get_co());
}

static void last_word(void) {
    CHECK(aco_get_co() == other && aco_get_co()->arg == &other);
    fprintf(stderr, "these are my last words\n");
}

static int overflows(int depth) {
    volatile char pad[1024];
    pad[0] = (char)depth;
    return depth == 0 ? 0 : overflows(depth - 1) + pad[0];
}

static void runs_over(void) {
    CHECK(overflows(1 << 20) == 1);
}

/* Two programs in one: this one uses the names of aco_assert_override.h. */
static void overridden(void);

int main(int count, char **arguments) {
    (void)count;
    const char *name = arguments[1];
#define IS(text) (strcmp(name, text) == 0)
    if (IS("yield-without-init")) {
        aco_yield();
    }
    aco_thread_init(IS("last-word") ? last_word : NULL);
    main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    stack = aco_share_stack_new(IS("overflow") ? 65536 : 0);
    aco_cofuncp_t function = IS("returns") || IS("last-word")       ? returns
                             : IS("returns-after-yield")            ? yields_then_returns
                             : IS("stack-in-use")                   ? resumes_other
                             : IS("destroy-running")                ? destroys_itself
                             : IS("live-stack")                     ? forever
                             : IS("overflow")                       ? runs_over
                             : IS("create-without-function")        ? NULL
                                                                    : exits;
    if (IS("stack-in-use")) {
        other = aco_create(main_co, stack, 0, exits, NULL);
    }
    aco_t *co = aco_create(main_co, IS("create-without-stack") ? NULL : stack, 0, function, &other);
    if (IS("last-word")) {
        other = co;
    }
    aco_resume(co);
    if (IS("returns-after-yield") || IS("resume-ended")) {
        aco_resume(co);
    } else if (IS("resume-null")) {
        aco_resume(NULL);
    } else if (IS("yield-outside")) {
        aco_yield();
    } else if (IS("exit-outside")) {
        aco_exit();
    } else if (IS("arg-outside")) {
        aco_destroy(main_co);
        aco_get_arg();
    } else if (IS("live-stack")) {
        aco_share_stack_destroy(stack);
    } else if (IS("huge")) {
        aco_share_stack_new(SIZE_MAX / 2);
    } else if (IS("assert")) {
        aco_assert(1 + 1 == 2);
        aco_assert(1 + 1 == 3);
    } else if (IS("assertptr")) {
        aco_assertptr(stack);
        aco_assertptr((void *)NULL);
    } else if (IS("assertalloc_ptr")) {
        aco_assertalloc_ptr(stack);
        aco_assertalloc_ptr((void *)NULL);
    } else if (IS("assertalloc_bool")) {
        aco_assertalloc_bool(stack != NULL);
        aco_assertalloc_bool(stack == NULL);
    } else if (IS("override")) {
        overridden();
    }
    fprintf(stderr, "%s: the process is still there\n", name);
    return 1;
}

#include "aco_assert_override.h"

static void overridden(void) {
    assert(likely(2 + 2 == 4) && !unlikely(2 + 2 == 5));
    assertptr(stack);
    assertalloc_ptr(stack);
    assertalloc_bool(stack != NULL);
    assert(2 + 2 == 5);
}
