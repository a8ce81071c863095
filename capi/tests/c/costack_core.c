// The whole of costack.h that has to do with coroutines: values both ways, stacks, states, errors.
// valgrind
#include "check.h"
#include <costack.h>
#include <stdint.h>
#include <string.h>

#define V(number) ((void *)(uintptr_t)(number))
#define N(value) ((uintptr_t)(value))

static void *sums(void *first) {
    uintptr_t total = 0;
    void *number = first;
    while (number != NULL) {
        total += N(number);
        CHECK(costack_yield(V(total), &number) == COSTACK_OK);
    }
    return V(total + 1000);
}

static void check_sums(costack_stack *stack, int keep_fp) {
    const costack_options options = {stack, 0, 0, keep_fp, "sums"};
    costack_coroutine *co = NULL;
    void *out = NULL;
    CHECK(costack_create(sums, NULL, &options, &co) == COSTACK_OK);
    CHECK(strcmp(costack_name(co), "sums") == 0);
    CHECK(costack_get_state(co) == COSTACK_STATE_FRESH);
    CHECK(costack_resume(co, V(3), &out) == COSTACK_YIELDED && N(out) == 3);
    CHECK(costack_get_state(co) == COSTACK_STATE_SUSPENDED);
    CHECK(costack_resume(co, V(4), &out) == COSTACK_YIELDED && N(out) == 7);
    CHECK(costack_resume(co, V(5), NULL) == COSTACK_YIELDED);
    CHECK(costack_resume(co, NULL, &out) == COSTACK_ENDED && N(out) == 1012);
    CHECK(costack_get_state(co) == COSTACK_STATE_ENDED);
    CHECK(costack_resume(co, NULL, &out) == COSTACK_ERROR_FINISHED && N(out) == 1012);
    CHECK(costack_destroy(co, 1) == COSTACK_OK);
}

static int argument = 41;

static void *knows_itself(void *self) {
    CHECK(costack_current() == (costack_coroutine *)self);
    CHECK(costack_argument() == &argument);
    CHECK(costack_name(costack_current()) == NULL);
    CHECK(costack_get_state(costack_current()) == COSTACK_STATE_RUNNING);
    CHECK(costack_resume(costack_current(), NULL, NULL) == COSTACK_ERROR_RUNNING);
    CHECK(costack_destroy(costack_current(), 0) == COSTACK_ERROR_RUNNING);
    CHECK(costack_yield(NULL, NULL) == COSTACK_OK);
    CHECK(costack_current() == (costack_coroutine *)self);
    return &argument;
}

static void check_self(costack_stack *stack) {
    const costack_options options = {stack, 0, 0, 0, NULL};
    costack_coroutine *co;
    void *out;
    CHECK(costack_create(knows_itself, &argument, &options, &co) == COSTACK_OK);
    CHECK(costack_current() == NULL && costack_argument() == NULL);
    CHECK(costack_resume(co, co, NULL) == COSTACK_YIELDED);
    CHECK(costack_current() == NULL);
    CHECK(costack_resume(co, NULL, &out) == COSTACK_ENDED && out == &argument);
    CHECK(costack_destroy(co, 0) == COSTACK_OK);
}

static int exits(int depth) {
    if (depth == 0) {
        costack_exit(V(77));
        return 0;
    }
    return exits(depth - 1) + 1;
}

static void *exits_from_within(void *value) {
    CHECK(value == NULL);
    CHECK(exits(10) == 0);
    return NULL;
}

static void check_exit(costack_stack *stack) {
    const costack_options options = {stack, 0, 0, 0, NULL};
    costack_coroutine *co;
    void *out;
    CHECK(costack_create(exits_from_within, NULL, &options, &co) == COSTACK_OK);
    CHECK(costack_resume(co, NULL, &out) == COSTACK_ENDED && N(out) == 77);
    CHECK(costack_destroy(co, 0) == COSTACK_OK);
}

/* Cleanups note the order in which they run. */
static char order[16];

static void note(void *letter) {
    const size_t length = strlen(order);
    CHECK(length + 1 < sizeof order);
    order[length] = *(const char *)letter;
    CHECK(costack_current() != NULL);
}

static void note_and_yield(void *letter) {
    CHECK(costack_yield(NULL, NULL) == COSTACK_OK);
    note(letter);
}

static void *cleans_up(void *how) {
    /* Local variables are gone when the function returns, and there in all other cases. */
    static char lasting[] = "abcd";
    char on_stack[] = "abcd";
    char *local = N(how) & 2 ? on_stack : lasting;
    CHECK(costack_cleanup_pop(1) == COSTACK_ERROR_NO_CLEANUP);
    CHECK(costack_cleanup_push(note, &local[0]) == COSTACK_OK);
    CHECK(costack_cleanup_push(note_and_yield, &local[1]) == COSTACK_OK);
    CHECK(costack_cleanup_push(note, &local[2]) == COSTACK_OK);
    CHECK(costack_cleanup_push(note, &local[3]) == COSTACK_OK);
    CHECK(costack_cleanup_pop(N(how) & 1) == COSTACK_OK);
    CHECK(costack_cleanup_push(NULL, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_yield(NULL, NULL) == COSTACK_OK);
    if (N(how) & 2) {
        costack_exit(V(5));
    }
    return V(6);
}

static void check_cleanups(costack_stack *stack, int keep_fp) {
    const costack_options options = {stack, 0, 0, keep_fp, NULL};
    costack_coroutine *co, *other;
    void *out;
    /* At the end, however that comes. A cleanup may yield. */
    for (uintptr_t how = 0; how < 4; how++) {
        memset(order, 0, sizeof order);
        CHECK(costack_create(cleans_up, NULL, &options, &co) == COSTACK_OK);
        CHECK(costack_resume(co, V(how), NULL) == COSTACK_YIELDED);
        CHECK(costack_resume(co, NULL, NULL) == COSTACK_YIELDED);
        CHECK(costack_resume(co, NULL, &out) == COSTACK_ENDED && N(out) == (how & 2 ? 5 : 6));
        CHECK(strcmp(order, how & 1 ? "dcba" : "cba") == 0);
        CHECK(costack_destroy(co, 1) == COSTACK_OK);
    }
    /* When it is destroyed: only if it is asked for. Its bytes may be out by then. */
    for (int run = 0; run < 2; run++) {
        memset(order, 0, sizeof order);
        CHECK(costack_create(cleans_up, NULL, &options, &co) == COSTACK_OK);
        CHECK(costack_create(cleans_up, NULL, &options, &other) == COSTACK_OK);
        CHECK(costack_resume(co, V(2), NULL) == COSTACK_YIELDED);
        CHECK(costack_resume(other, V(2), NULL) == COSTACK_YIELDED);
        CHECK(costack_destroy(co, run) == COSTACK_OK);
        CHECK(strcmp(order, run ? "cba" : "") == 0);
        CHECK(costack_destroy(other, run) == COSTACK_OK);
        CHECK(strcmp(order, run ? "cbacba" : "") == 0);
    }
    /* One that has not run has nothing to clean up. */
    CHECK(costack_create(cleans_up, NULL, &options, &co) == COSTACK_OK);
    CHECK(costack_destroy(co, 1) == COSTACK_OK);
}

static void *forever(void *value) {
    for (;;) {
        CHECK(costack_yield(value, &value) == COSTACK_OK);
    }
}

static void check_shared(costack_stack *stack) {
    const costack_options options = {stack, 0, 500, 0, NULL};
    enum { COUNT = 5 };
    costack_coroutine *cos[COUNT];
    costack_statistics statistics;
    costack_stack_statistics of_stack;
    void *out;
    for (int at = 0; at < COUNT; at++) {
        CHECK(costack_create(forever, NULL, &options, &cos[at]) == COSTACK_OK);
        CHECK(costack_get_statistics(cos[at], &statistics) == COSTACK_OK);
        CHECK(statistics.saves == 0 && statistics.restores == 0 && statistics.save_bytes >= 500);
    }
    for (uintptr_t turn = 1; turn <= 20; turn++) {
        for (uintptr_t at = 0; at < COUNT; at++) {
            CHECK(costack_resume(cos[at], V(turn * at), &out) == COSTACK_YIELDED);
            CHECK(N(out) == turn * at);
        }
    }
    CHECK(costack_get_statistics(cos[0], &statistics) == COSTACK_OK);
    CHECK(statistics.saves == 20 && statistics.restores == 19);
    CHECK(statistics.image_bytes > 0 && statistics.image_bytes == statistics.largest_image_bytes);
    CHECK(costack_stack_get_statistics(stack, &of_stack) == COSTACK_OK);
    CHECK(of_stack.live == COUNT && of_stack.bytes >= 65536);
    CHECK(of_stack.save_bytes >= COUNT * statistics.image_bytes);
    CHECK(costack_stack_destroy(stack) == COSTACK_ERROR_STACK_HAS_COROUTINES);
    for (int at = 0; at < COUNT; at++) {
        CHECK(costack_destroy(cos[at], 0) == COSTACK_OK);
    }
    CHECK(costack_stack_get_statistics(stack, &of_stack) == COSTACK_OK);
    CHECK(of_stack.live == 0 && of_stack.save_bytes == 0);
}

static void *resumes(void *inner) {
    void *out;
    const costack_status status = costack_resume((costack_coroutine *)inner, V(9), &out);
    CHECK(status != COSTACK_YIELDED || N(out) == 9);
    costack_yield(V(status), NULL);
    return NULL;
}

static void check_nested(costack_stack *stack) {
    const costack_options shared = {stack, 0, 0, 0, NULL};
    costack_coroutine *inner, *outer;
    void *out;
    /* On stacks of their own, and one shared with one own. */
    for (int kind = 0; kind < 3; kind++) {
        CHECK(costack_create(forever, NULL, kind == 1 ? &shared : NULL, &inner) == COSTACK_OK);
        CHECK(costack_create(resumes, NULL, kind == 2 ? &shared : NULL, &outer) == COSTACK_OK);
        CHECK(costack_resume(outer, inner, &out) == COSTACK_YIELDED && N(out) == 0);
        CHECK(costack_resume(outer, NULL, NULL) == COSTACK_ENDED);
        CHECK(costack_destroy(inner, 1) == COSTACK_OK && costack_destroy(outer, 1) == COSTACK_OK);
    }
    /* Not on the same one. */
    CHECK(costack_create(forever, NULL, &shared, &inner) == COSTACK_OK);
    CHECK(costack_create(resumes, NULL, &shared, &outer) == COSTACK_OK);
    CHECK(costack_resume(outer, inner, &out) == COSTACK_YIELDED);
    CHECK((costack_status)(intptr_t)out == COSTACK_ERROR_STACK_IN_USE);
    CHECK(costack_resume(inner, V(1), &out) == COSTACK_YIELDED && N(out) == 1);
    CHECK(costack_resume(outer, NULL, NULL) == COSTACK_ENDED);
    CHECK(costack_destroy(outer, 0) == COSTACK_OK && costack_destroy(inner, 0) == COSTACK_OK);
}

static void check_errors(costack_stack *stack) {
    const costack_options shared = {stack, 0, 0, 0, NULL};
    costack_coroutine *co = NULL;
    costack_stack *none = NULL;
    costack_statistics statistics;
    costack_stack_statistics of_stack;
    CHECK(costack_create(NULL, NULL, NULL, &co) == COSTACK_ERROR_NULL && co == NULL);
    CHECK(costack_create(forever, NULL, NULL, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_resume(NULL, NULL, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_yield(NULL, NULL) == COSTACK_ERROR_NO_COROUTINE);
    CHECK(costack_exit(NULL) == COSTACK_ERROR_NO_COROUTINE);
    CHECK(costack_cleanup_push(note, NULL) == COSTACK_ERROR_NO_COROUTINE);
    CHECK(costack_cleanup_pop(0) == COSTACK_ERROR_NO_COROUTINE);
    CHECK(costack_destroy(NULL, 0) == COSTACK_ERROR_NULL);
    CHECK(costack_get_state(NULL) == COSTACK_ERROR_NULL && costack_name(NULL) == NULL);
    CHECK(costack_get_statistics(NULL, &statistics) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_new(4096, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_destroy(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_limit(NULL, 0) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_get_statistics(NULL, &of_stack) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_get_statistics(stack, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_stack_new(SIZE_MAX, &none) == COSTACK_ERROR_SIZE && none == NULL);
    const costack_options huge = {NULL, SIZE_MAX / 2 + 1, 0, 0, NULL};
    CHECK(costack_create(forever, NULL, &huge, &co) == COSTACK_ERROR_SIZE && co == NULL);
    /* No more save stacks than the limit: nothing changes, and it goes on when there is room. */
    CHECK(costack_stack_limit(stack, 64) == COSTACK_OK);
    CHECK(costack_create(forever, NULL, &shared, &co) == COSTACK_ERROR_OUT_OF_MEMORY);
    CHECK(co == NULL);
    CHECK(costack_stack_limit(stack, SIZE_MAX) == COSTACK_OK);
    CHECK(costack_create(forever, NULL, &shared, &co) == COSTACK_OK);
    CHECK(costack_destroy(co, 0) == COSTACK_OK);
}

static void *pads(void *value) {
    char pad[3000];
    memset(pad, (int)N(value), sizeof pad);
    __asm__ volatile("" : : "r"(pad) : "memory");
    const char mark = (char)N(value);
    CHECK(costack_yield(value, &value) == COSTACK_OK);
    __asm__ volatile("" : : "r"(pad) : "memory");
    CHECK(pad[0] == mark && pad[2999] == mark);
    return value;
}

static void check_memory(costack_stack *stack) {
    const costack_options shared = {stack, 0, 0, 0, NULL};
    costack_coroutine *a, *b;
    costack_stack_statistics of_stack;
    void *out;
    CHECK(costack_create(pads, NULL, &shared, &a) == COSTACK_OK);
    CHECK(costack_create(pads, NULL, &shared, &b) == COSTACK_OK);
    CHECK(costack_resume(a, V(1), &out) == COSTACK_YIELDED);
    CHECK(costack_stack_get_statistics(stack, &of_stack) == COSTACK_OK);
    CHECK(costack_stack_limit(stack, of_stack.save_bytes + 100) == COSTACK_OK);
    CHECK(costack_resume(b, V(2), &out) == COSTACK_ERROR_OUT_OF_MEMORY && N(out) == 1);
    CHECK(costack_get_state(b) == COSTACK_STATE_FRESH);
    CHECK(costack_get_state(a) == COSTACK_STATE_SUSPENDED);
    CHECK(costack_resume(a, V(3), &out) == COSTACK_ENDED && N(out) == 3);
    CHECK(costack_stack_limit(stack, SIZE_MAX) == COSTACK_OK);
    CHECK(costack_resume(b, V(4), &out) == COSTACK_YIELDED && N(out) == 4);
    CHECK(costack_destroy(a, 0) == COSTACK_OK && costack_destroy(b, 0) == COSTACK_OK);
}

int main(int count, char **arguments) {
    (void)arguments;
    CHECK(costack_version() == COSTACK_VERSION_MAJOR * 1000000 + COSTACK_VERSION_MINOR * 1000 +
                                   COSTACK_VERSION_PATCH);
    CHECK(strchr(costack_version_string(), '.') != NULL);
    CHECK(strcmp(costack_strerror(COSTACK_OK), "done") == 0);
    CHECK(strstr(costack_strerror(COSTACK_ERROR_FINISHED), "ended") != NULL);
    CHECK(strcmp(costack_strerror(12345), "an unknown status") == 0);

    costack_stack *stack = NULL;
    CHECK(costack_stack_new(65536, &stack) == COSTACK_OK);
    for (int keep_fp = 0; keep_fp < 2; keep_fp++) {
        check_sums(NULL, keep_fp);
        check_cleanups(NULL, keep_fp);
    }
    check_self(NULL);
    check_exit(NULL);
    check_errors(stack);
    /* Memcheck, under which an argument is given, cannot follow copied frames. */
    if (count == 1) {
        for (int keep_fp = 0; keep_fp < 2; keep_fp++) {
            check_sums(stack, keep_fp);
            check_cleanups(stack, keep_fp);
        }
        check_self(stack);
        check_exit(stack);
        check_shared(stack);
        check_nested(stack);
        check_memory(stack);
    }
    CHECK(costack_stack_destroy(stack) == COSTACK_OK);
    costack_trim();
    puts("ok");
    return 0;
}
