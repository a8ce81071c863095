// The names of U-Boot's coroutines.
#include "check.h"
#include <costack_uboot.h>

static int steps;

static void walks(void) {
    int *counter = (int *)co_get_arg();
    CHECK(counter == &steps);
    for (int turn = 0; turn < 5; turn++) {
        ++*counter;
        co_yield();
    }
    co_exit();
}

int main(void) {
    struct co *main_co = co_create(NULL, NULL, 0, NULL, NULL);
    struct co_stack *stack = co_stack_new(8192);
    struct co *a = co_create(main_co, stack, 0, walks, &steps);
    struct co *b = co_create(main_co, stack, 0, walks, &steps);
    int turns = 0;
    while (!co_is_done(a) || !co_is_done(b)) {
        if (!co_is_done(a)) {
            co_resume(a);
        }
        if (!co_is_done(b)) {
            co_resume(b);
        }
        turns++;
    }
    CHECK(steps == 10 && turns == 6);
    co_destroy(a);
    co_destroy(b);
    co_stack_destroy(stack);
    co_destroy(main_co);
    puts("ok");
    return 0;
}
