// Each thread has a main co and coroutines of its own, at the same time as the others.
#include "aco.h"
#include "check.h"
#include <pthread.h>

enum { THREADS = 4, COROUTINES = 50, TURNS = 40 };

static void counts(void) {
    uintptr_t *counter = (uintptr_t *)aco_get_arg();
    for (int turn = 0; turn < TURNS; turn++) {
        ++*counter;
        aco_yield();
    }
    aco_exit();
}

static void *run(void *number) {
    aco_thread_init(NULL);
    aco_t *main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    CHECK(aco_gtls_co == main_co);
    aco_share_stack_t *stack = aco_share_stack_new(0);
    uintptr_t counters[COROUTINES];
    aco_t *cos[COROUTINES];
    for (int at = 0; at < COROUTINES; at++) {
        counters[at] = (uintptr_t)number;
        cos[at] = aco_create(main_co, stack, 0, counts, &counters[at]);
        CHECK(cos[at]->main_co == main_co);
    }
    for (int turn = 1; turn <= TURNS; turn++) {
        for (int at = 0; at < COROUTINES; at++) {
            aco_resume(cos[at]);
            CHECK(counters[at] == (uintptr_t)number + (uintptr_t)turn);
            CHECK(aco_gtls_co == main_co);
        }
    }
    for (int at = 0; at < COROUTINES; at++) {
        aco_resume(cos[at]);
        CHECK(cos[at]->is_end);
        aco_destroy(cos[at]);
    }
    aco_share_stack_destroy(stack);
    aco_destroy(main_co);
    return number;
}

int main(void) {
    pthread_t threads[THREADS];
    for (uintptr_t at = 0; at < THREADS; at++) {
        CHECK(pthread_create(&threads[at], NULL, run, (void *)(at * 1000)) == 0);
    }
    for (uintptr_t at = 0; at < THREADS; at++) {
        void *result;
        CHECK(pthread_join(threads[at], &result) == 0);
        CHECK(result == (void *)(at * 1000));
    }
    puts("ok");
    return 0;
}
