// Every field that a program may read holds what is true.
#include "aco.h"
#include "check.h"

static void header_and_library_agree(void) {
    const size_t *layout = costack_aco_layout();
#define AT(type, field) CHECK(*layout++ == offsetof(type, field))
    CHECK(*layout++ == sizeof(aco_t));
    AT(aco_t, share_stack);
    AT(aco_t, save_stack.ptr);
    AT(aco_t, save_stack.sz);
    AT(aco_t, save_stack.valid_sz);
    AT(aco_t, save_stack.max_cpsz);
    AT(aco_t, save_stack.ct_save);
    AT(aco_t, save_stack.ct_restore);
    AT(aco_t, is_end);
    AT(aco_t, arg);
    AT(aco_t, main_co);
    AT(aco_t, fp);
    CHECK(*layout++ == sizeof(aco_share_stack_t));
    AT(aco_share_stack_t, owner);
    AT(aco_share_stack_t, ptr);
    AT(aco_share_stack_t, sz);
    AT(aco_share_stack_t, align_highptr);
    AT(aco_share_stack_t, align_validsz);
    AT(aco_share_stack_t, real_ptr);
    AT(aco_share_stack_t, real_sz);
    AT(aco_share_stack_t, valgrind_stk_id);
    AT(aco_share_stack_t, guard_page_enabled);
}

/* final_valid_sz >= 4096, >= sz, in whole pages without a guard page, and close to sz. */
static void check_size(size_t asked, char guard) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t wanted = asked == 0 ? 2u << 20 : asked;
    aco_share_stack_t *stack = aco_share_stack_new2(asked, guard);
    CHECK(stack != NULL);
    CHECK(stack->sz >= 4096 && stack->sz >= wanted);
    CHECK(stack->sz % page == 0);
    CHECK(stack->sz < wanted + page || stack->sz == page);
    CHECK(stack->align_validsz >= 4096 && stack->align_validsz >= wanted);
    CHECK((char *)stack->align_highptr - (char *)stack->ptr == (ptrdiff_t)stack->align_validsz);
    CHECK((uintptr_t)stack->align_highptr % 16 == 0);
    CHECK(stack->guard_page_enabled == guard);
    CHECK(stack->real_sz == stack->sz + (guard ? page : 0));
    CHECK((char *)stack->ptr - (char *)stack->real_ptr == (guard ? (ptrdiff_t)page : 0));
    CHECK(stack->owner == NULL);
    memset(stack->ptr, 0x5a, stack->sz);
    aco_share_stack_destroy(stack);
}

static uintptr_t low, high;

static void within_bounds(void) {
    char here;
    CHECK((uintptr_t)&here > low && (uintptr_t)&here < high);
    aco_yield();
    aco_exit();
}

/* Yields with small and with large frames in turn. */
__attribute__((noinline)) static void uses(size_t bytes) {
    volatile char *pad = (volatile char *)__builtin_alloca(bytes);
    for (size_t at = 0; at < bytes; at++) {
        pad[at] = (char)(at + bytes);
    }
    aco_yield();
    for (size_t at = 0; at < bytes; at++) {
        CHECK(pad[at] == (char)(at + bytes));
    }
}

static void grows(void) {
    uses(16);
    uses(4000);
    uses(16);
    aco_exit();
}

static void save_stacks(aco_t *main_co) {
    aco_share_stack_t *stack = aco_share_stack_new(65536);
    aco_t *a = aco_create(main_co, stack, 0, grows, stack);
    aco_t *b = aco_create(main_co, stack, 1000, grows, NULL);

    CHECK(a->share_stack == stack && a->main_co == main_co);
    CHECK(a->fp == grows && a->arg == stack && !a->is_end);
    /* 64 bytes when nothing else is said; more where the first frame is larger. */
    CHECK(a->save_stack.ptr != NULL);
    CHECK(a->save_stack.sz >= 64 && a->save_stack.sz <= 256);
#if defined(__i386__) || defined(__x86_64__)
    CHECK(a->save_stack.sz == 64);
#endif
    CHECK(b->save_stack.sz >= 1000 && b->save_stack.sz < 1100);
    CHECK(a->save_stack.valid_sz == 0 && a->save_stack.max_cpsz == 0);
    CHECK(a->save_stack.ct_save == 0 && a->save_stack.ct_restore == 0);
    CHECK(stack->owner == NULL);

    aco_resume(a); /* small */
    CHECK(stack->owner == a);
    CHECK(a->save_stack.ct_save == 0); /* nothing is copied before another needs the stack */
    aco_resume(b);
    CHECK(stack->owner == b);
    CHECK(a->save_stack.ct_save == 1 && a->save_stack.ct_restore == 0);
    size_t small = a->save_stack.valid_sz;
    CHECK(small > 16 && small < 1000 && a->save_stack.max_cpsz == small);
    CHECK(a->save_stack.sz >= small);
    CHECK(memcmp(a->save_stack.ptr, (char *)stack->align_highptr - small, small) != 0);

    aco_resume(a); /* large */
    CHECK(stack->owner == a && a->save_stack.ct_restore == 1);
    CHECK(b->save_stack.ct_save == 1 && b->save_stack.ct_restore == 0);
    aco_resume(b); /* large */
    CHECK(a->save_stack.ct_save == 2 && b->save_stack.ct_restore == 1);
    size_t large = a->save_stack.valid_sz;
    CHECK(large > 4000 && a->save_stack.max_cpsz == large && a->save_stack.sz >= large);

    aco_resume(a); /* small again */
    aco_resume(b);
    CHECK(a->save_stack.valid_sz == small && a->save_stack.max_cpsz == large);
    CHECK(a->save_stack.ct_save == 3 && a->save_stack.ct_restore == 2);

    /* Running again and again as the owner copies nothing. */
    CHECK(b->save_stack.ct_save == 2 && b->save_stack.ct_restore == 2);
    aco_resume(b);
    CHECK(b->is_end && b->save_stack.ct_save == 2 && b->save_stack.ct_restore == 2);
    CHECK(stack->owner == NULL); /* the end frees the stack */
    CHECK(b->save_stack.max_cpsz == large);

    aco_resume(a);
    CHECK(a->is_end && a->save_stack.ct_restore == 3 && stack->owner == NULL);
    aco_destroy(a);
    aco_destroy(b);

    a = aco_create(main_co, stack, 0, grows, NULL);
    aco_resume(a);
    CHECK(stack->owner == a);
    aco_destroy(a); /* and so does freeing its owner */
    CHECK(stack->owner == NULL);

    low = (uintptr_t)stack->ptr;
    high = (uintptr_t)stack->align_highptr;
    a = aco_create(main_co, stack, 0, within_bounds, NULL);
    aco_resume(a);
    aco_destroy(a);
    aco_share_stack_destroy(stack);
}

int main(void) {
    CHECK(ACO_VERSION_MAJOR == 1 && ACO_VERSION_MINOR == 2 && ACO_VERSION_PATCH >= 0);
    header_and_library_agree();
    const size_t sizes[] = {0, 1, 4095, 4096, 4097, 10000, 65536, 1000001};
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        check_size(sizes[at], 0);
        check_size(sizes[at], 1);
    }
    aco_share_stack_t *stack = aco_share_stack_new(0);
    CHECK(stack->guard_page_enabled == 1 && stack->align_validsz >= 2u << 20);
    aco_share_stack_destroy(stack);

    aco_thread_init(NULL);
    aco_t *main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    save_stacks(main_co);
    aco_destroy(main_co);
    puts("ok");
    return 0;
}
