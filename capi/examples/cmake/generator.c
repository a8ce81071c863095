/* A generator: a coroutine that yields one number after the other. */
#include <costack.h>
#include <inttypes.h>
#include <stdio.h>

static void *fibonacci(void *first) {
    (void)first;
    uintptr_t number = 0, next = 1;
    while (number < 100) {
        costack_yield((void *)number, NULL);
        const uintptr_t sum = number + next;
        number = next;
        next = sum;
    }
    return NULL;
}

int main(void) {
    costack_coroutine *generator;
    costack_status status = costack_create(fibonacci, NULL, NULL, &generator);
    if (status != COSTACK_OK) {
        fprintf(stderr, "no generator: %s\n", costack_strerror(status));
        return 1;
    }
    void *number;
    while (costack_resume(generator, NULL, &number) == COSTACK_YIELDED) {
        printf("%" PRIuPTR "\n", (uintptr_t)number);
    }
    return costack_destroy(generator, 1) == COSTACK_OK ? 0 : 1;
}
