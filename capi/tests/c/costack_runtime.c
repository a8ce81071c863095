// Tasks, time, mutexes and completions of costack.h, by a clock that jumps.
#include "check.h"
#include <costack.h>
#include <string.h>

#define V(number) ((void *)(uintptr_t)(number))
#define N(value) ((uintptr_t)(value))

static char order[64];

static void note(char letter) {
    const size_t length = strlen(order);
    CHECK(length + 1 < sizeof order);
    order[length] = letter;
}

static void check_order(const char *expected) {
    CHECK(strcmp(order, expected) == 0);
    memset(order, 0, sizeof order);
}

static void *sleeps(void *argument) {
    const char letter = (char)N(argument);
    note(letter);
    CHECK(costack_sleep_us((uint64_t)(letter - 'a' + 1) * 1000) == COSTACK_OK);
    note((char)(letter - 32));
    return argument;
}

static void check_sleep(costack_runtime *runtime, costack_pool *pool) {
    const costack_task_options options = {pool, 0, 0, 0, 0, "sleeper"};
    costack_task *task = NULL;
    uint64_t before, after;
    CHECK(costack_now_us(&before) == COSTACK_OK);
    CHECK(costack_spawn(sleeps, V('c'), &options, NULL) == COSTACK_OK);
    CHECK(costack_spawn(sleeps, V('a'), &options, NULL) == COSTACK_OK);
    CHECK(costack_spawn(sleeps, V('b'), &options, &task) == COSTACK_OK);
    CHECK(costack_task_is_ended(task) == 0);
    CHECK(costack_runtime_run(runtime) == COSTACK_OK);
    CHECK(costack_now_us(&after) == COSTACK_OK && after - before >= 3000);
    check_order("cabABC");
    void *result = NULL;
    CHECK(costack_task_is_ended(task) == 1);
    CHECK(costack_task_join(task, &result) == COSTACK_OK && N(result) == 'b');

    const costack_task_options later = {pool, 0, 5000, 0, 0, NULL};
    CHECK(costack_spawn(sleeps, V('a'), &later, NULL) == COSTACK_OK);
    CHECK(costack_spawn(sleeps, V('b'), &options, NULL) == COSTACK_OK);
    CHECK(costack_runtime_run(runtime) == COSTACK_OK);
    check_order("bBaA");
}

static void *yields(void *argument) {
    for (int turn = 0; turn < 3; turn++) {
        note((char)N(argument));
        CHECK(costack_yield_now() == COSTACK_OK);
    }
    return NULL;
}

static costack_mutex *mutex;
static costack_completion *completion;

static void *locks(void *argument) {
    CHECK(costack_mutex_lock(mutex) == COSTACK_OK);
    CHECK(costack_mutex_lock(mutex) == COSTACK_ERROR_HELD);
    CHECK(costack_mutex_destroy(mutex) == COSTACK_ERROR_BUSY);
    note((char)N(argument));
    CHECK(costack_sleep_us(1000) == COSTACK_OK);
    note((char)N(argument));
    CHECK(costack_mutex_unlock(mutex) == COSTACK_OK);
    CHECK(costack_mutex_unlock(mutex) == COSTACK_ERROR_NOT_OWNER);
    return NULL;
}

static void *tries(void *argument) {
    (void)argument;
    CHECK(costack_mutex_try_lock(mutex) == COSTACK_ERROR_BUSY);
    CHECK(costack_mutex_lock_timeout(mutex, 100) == COSTACK_TIMED_OUT);
    CHECK(costack_mutex_unlock(mutex) == COSTACK_ERROR_NOT_OWNER);
    return NULL;
}

static void check_mutex(costack_runtime *runtime) {
    CHECK(costack_mutex_new(&mutex) == COSTACK_OK);
    CHECK(costack_spawn(locks, V('a'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_spawn(locks, V('b'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_spawn(tries, NULL, NULL, NULL) == COSTACK_OK);
    CHECK(costack_runtime_run(runtime) == COSTACK_OK);
    check_order("aabb");
    CHECK(costack_mutex_try_lock(mutex) == COSTACK_OK);
    CHECK(costack_mutex_unlock(mutex) == COSTACK_OK);
    CHECK(costack_mutex_destroy(mutex) == COSTACK_OK);
}

static void *waits(void *argument) {
    CHECK(costack_completion_wait(completion) == COSTACK_OK);
    note((char)N(argument));
    return NULL;
}

static void check_completion(costack_runtime *runtime) {
    CHECK(costack_completion_new(&completion) == COSTACK_OK);
    CHECK(costack_completion_is_done(completion) == 0);
    CHECK(costack_complete(completion) == COSTACK_OK); /* one that comes before its wait counts */
    CHECK(costack_completion_is_done(completion) == 1);
    CHECK(costack_completion_wait(completion) == COSTACK_OK);
    CHECK(costack_completion_wait_timeout(completion, 500) == COSTACK_TIMED_OUT);
    CHECK(costack_spawn(waits, V('a'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_spawn(waits, V('b'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_yield_now() == COSTACK_OK);
    CHECK(costack_completion_destroy(completion) == COSTACK_ERROR_BUSY);
    CHECK(costack_complete(completion) == COSTACK_OK);
    CHECK(costack_yield_now() == COSTACK_OK);
    check_order("a");
    CHECK(costack_complete_all(completion) == COSTACK_OK);
    CHECK(costack_runtime_run(runtime) == COSTACK_OK);
    check_order("b");
    CHECK(costack_completion_wait(completion) == COSTACK_OK);
    CHECK(costack_completion_reinit(completion) == COSTACK_OK);
    CHECK(costack_completion_is_done(completion) == 0);
    CHECK(costack_completion_destroy(completion) == COSTACK_OK);
}

static void *never_ends(void *argument) {
    (void)argument;
    const costack_status status = costack_completion_wait(completion);
    CHECK(status == COSTACK_ERROR_CANCELLED);
    CHECK(costack_sleep_us(1) == COSTACK_ERROR_CANCELLED);
    note('x');
    return V(8);
}

static void check_deadlock_and_cancel(costack_runtime *runtime) {
    costack_task *task;
    void *result = NULL;
    CHECK(costack_completion_new(&completion) == COSTACK_OK);
    CHECK(costack_spawn(never_ends, NULL, NULL, &task) == COSTACK_OK);
    CHECK(costack_runtime_run(runtime) == COSTACK_ERROR_DEADLOCK);
    CHECK(costack_task_cancel(task) == COSTACK_OK);
    CHECK(costack_task_join(task, &result) == COSTACK_OK && N(result) == 8);
    check_order("x");
    /* One that has not begun never does. */
    CHECK(costack_spawn(never_ends, NULL, NULL, &task) == COSTACK_OK);
    CHECK(costack_task_cancel(task) == COSTACK_OK);
    CHECK(costack_task_join(task, NULL) == COSTACK_ERROR_CANCELLED);
    check_order("");
    /* Those that are left when the runtime ends are cancelled then. */
    const costack_task_options background = {NULL, 0, 0, 0, 1, NULL};
    CHECK(costack_spawn(never_ends, NULL, &background, NULL) == COSTACK_OK);
    CHECK(costack_yield_now() == COSTACK_OK);
    CHECK(costack_runtime_run(runtime) == COSTACK_OK);
}

static void *polls(void *argument) {
    uintptr_t polled = 0;
    (void)argument;
    while (costack_stop_requested() == 0) {
        polled++;
        CHECK(costack_sleep_us(100) == COSTACK_OK);
    }
    return V(polled);
}

static void check_stop(void) {
    costack_task *task;
    void *result = NULL;
    CHECK(costack_spawn(polls, NULL, NULL, &task) == COSTACK_OK);
    CHECK(costack_sleep_us(1050) == COSTACK_OK);
    CHECK(costack_task_stop(task) == COSTACK_OK);
    CHECK(costack_task_join(task, &result) == COSTACK_OK && N(result) >= 10);
}

/* A coroutine of its own inside a task. */
static void *gives(void *value) {
    CHECK(costack_sleep_us(1) == COSTACK_ERROR_IN_COROUTINE);
    CHECK(costack_yield_now() == COSTACK_ERROR_IN_COROUTINE);
    for (;;) {
        CHECK(costack_yield(V(N(value) + 1), &value) == COSTACK_OK);
    }
}

static void *resumes(void *argument) {
    costack_coroutine *co;
    void *out;
    CHECK(costack_create(gives, NULL, NULL, &co) == COSTACK_OK);
    for (uintptr_t turn = 0; turn < 5; turn++) {
        CHECK(costack_resume(co, V(turn), &out) == COSTACK_YIELDED && N(out) == turn + 1);
        CHECK(costack_current() == NULL);
        CHECK(costack_yield_now() == COSTACK_OK);
    }
    CHECK(costack_yield(NULL, NULL) == COSTACK_ERROR_NO_COROUTINE);
    CHECK(costack_destroy(co, 1) == COSTACK_OK);
    note((char)N(argument));
    return NULL;
}

static costack_runtime *the_runtime;
static costack_task *myself;

static void *misuses(void *argument) {
    (void)argument;
    CHECK(costack_runtime_run(the_runtime) == COSTACK_ERROR_SELF);
    CHECK(costack_runtime_destroy(the_runtime) == COSTACK_ERROR_SELF);
    CHECK(costack_task_join(myself, NULL) == COSTACK_ERROR_SELF);
    return NULL;
}

static void check_errors(void) {
    costack_runtime *second = NULL;
    uint64_t now;
    CHECK(costack_runtime_new(0, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_runtime_new(0, &second) == COSTACK_ERROR_HAS_RUNTIME && second == NULL);
    CHECK(costack_runtime_run(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_runtime_destroy(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_spawn(NULL, NULL, NULL, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_task_join(NULL, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_task_is_ended(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_task_cancel(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_task_stop(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_task_detach(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_mutex_lock(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_mutex_new(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_completion_wait(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_completion_new(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_complete(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_pool_new(1, 0, NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_now_us(NULL) == COSTACK_ERROR_NULL);
    CHECK(costack_spawn(misuses, NULL, NULL, &myself) == COSTACK_OK);
    CHECK(costack_yield_now() == COSTACK_OK);
    CHECK(costack_task_detach(myself) == COSTACK_OK);
    CHECK(costack_now_us(&now) == COSTACK_OK);
}

static void check_without_runtime(void) {
    uint64_t now;
    costack_pool *pool;
    CHECK(costack_spawn(yields, NULL, NULL, NULL) == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_sleep_us(1) == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_yield_now() == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_now_us(&now) == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_stop_requested() == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_mutex_new(&mutex) == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_completion_new(&completion) == COSTACK_ERROR_NO_RUNTIME);
    CHECK(costack_pool_new(1, 0, &pool) == COSTACK_ERROR_NO_RUNTIME);
}

int main(void) {
    check_without_runtime();
    costack_pool *pool;
    costack_runtime_statistics statistics;
    CHECK(costack_runtime_new(COSTACK_VIRTUAL_TIME, &the_runtime) == COSTACK_OK);
    CHECK(costack_pool_new(2, 65536, &pool) == COSTACK_OK);
    check_sleep(the_runtime, NULL);
    check_sleep(the_runtime, pool);
    CHECK(costack_pool_destroy(pool) == COSTACK_OK);
    CHECK(costack_spawn(yields, V('a'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_spawn(yields, V('b'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_runtime_run(the_runtime) == COSTACK_OK);
    check_order("ababab");
    check_mutex(the_runtime);
    check_completion(the_runtime);
    check_stop();
    CHECK(costack_spawn(resumes, V('r'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_spawn(resumes, V('s'), NULL, NULL) == COSTACK_OK);
    CHECK(costack_runtime_run(the_runtime) == COSTACK_OK);
    check_order("rs");
    check_errors();
    CHECK(costack_runtime_get_statistics(the_runtime, &statistics) == COSTACK_OK);
    CHECK(statistics.spawned >= 10 && statistics.live == 0 && statistics.switches > 20);
    check_deadlock_and_cancel(the_runtime);
    CHECK(costack_runtime_destroy(the_runtime) == COSTACK_OK);
    check_order("x");
    check_without_runtime();
    puts("ok");
    return 0;
}
