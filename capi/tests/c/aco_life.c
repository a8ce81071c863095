// What a coroutine goes through: made, resumed, yielding from any depth, ended, destroyed; what it
// and others are told meanwhile.
// valgrind
#include "aco.h"
#include "check.h"

static int steps;

static void step(int number) {
    aco_yield();
    steps = number;
}

static void walk(void) {
    CHECK(aco_get_arg() == &steps);
    for (int number = 1; number <= 6; number++) {
        step(number);
    }
    aco_exit();
}

static int exits_from_within(int depth) {
    if (depth == 0) {
        aco_exit();
        return 0;
    }
    return exits_from_within(depth - 1) + 1;
}

static void deep(void) {
    CHECK(exits_from_within(20) == 0); /* what called aco_exit() does not go on */
}

static aco_t *expected;

static void knows_itself(void) {
    CHECK(aco_get_co() == expected);
    CHECK(aco_gtls_co == expected);
    CHECK(aco_get_co()->arg == aco_get_arg());
    aco_yield();
    CHECK(aco_get_co() == expected);
    aco_exit();
}

static void own_stacks(aco_t *main_co) {
    aco_share_stack_t *stack = aco_share_stack_new(0);
    aco_t *co = aco_create(main_co, stack, 0, walk, &steps);
    steps = 0;
    for (int turn = 0; turn < 6; turn++) {
        CHECK(!co->is_end);
        aco_resume(co);
        CHECK(steps == turn);
        CHECK(aco_gtls_co == main_co);
    }
    aco_resume(co);
    CHECK(steps == 6 && co->is_end == 1);
    aco_destroy(co);

    co = aco_create(main_co, stack, 0, deep, NULL);
    aco_resume(co);
    CHECK(co->is_end);
    aco_destroy(co);

    expected = aco_create(main_co, stack, 0, knows_itself, main_co);
    aco_resume(expected);
    aco_resume(expected);
    CHECK(expected->is_end);
    aco_destroy(expected);

    /* One that is suspended, and one that never ran, can be destroyed. */
    co = aco_create(main_co, stack, 0, walk, &steps);
    aco_resume(co);
    aco_destroy(co);
    aco_destroy(aco_create(main_co, stack, 0, walk, &steps));
    aco_share_stack_destroy(stack);
}

static void resumes_another(void) {
    aco_t *inner = (aco_t *)aco_get_arg();
    for (int turn = 0; turn < 3; turn++) {
        aco_resume(inner);
        CHECK(aco_get_co() != inner);
        aco_yield();
    }
    aco_exit();
}

static void nested(aco_t *main_co) {
    aco_share_stack_t *outer_stack = aco_share_stack_new(0);
    aco_share_stack_t *inner_stack = aco_share_stack_new(0);
    aco_t *inner = aco_create(main_co, inner_stack, 0, walk, &steps);
    aco_t *outer = aco_create(main_co, outer_stack, 0, resumes_another, inner);
    steps = 0;
    for (int turn = 0; turn < 3; turn++) {
        aco_resume(outer);
        CHECK(steps == turn);
    }
    aco_resume(outer);
    CHECK(outer->is_end && !inner->is_end);
    aco_destroy(outer);
    aco_destroy(inner);
    aco_share_stack_destroy(outer_stack);
    aco_share_stack_destroy(inner_stack);
}

int main(void) {
    aco_thread_init(NULL);
    aco_t *main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    CHECK(main_co->main_co == NULL && main_co->share_stack == NULL && !main_co->is_end);
    own_stacks(main_co);
    nested(main_co);
    aco_destroy(main_co);

    /* A thread may begin anew. */
    main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    own_stacks(main_co);
    aco_destroy(main_co);
    puts("ok");
    return 0;
}
