// Ten thousand coroutines with random lifetimes on a few shared stacks: each finds its frames as it
// has left them, at any depth.
#include "aco.h"
#include "check.h"

enum { STACKS = 8, ALIVE = 500, ALL = 10000 };

static uint64_t state = 88172645463325252u;

static unsigned random_below(unsigned bound) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % bound;
}

static unsigned descend(unsigned depth, unsigned seed) {
    volatile unsigned marks[8];
    const unsigned words = 1 + seed % 8;
    for (unsigned at = 0; at < words; at++) {
        marks[at] = seed * 31 + depth * 7 + at;
    }
    if (depth > 0) {
        seed = descend(depth - 1, seed);
    } else {
        aco_yield();
    }
    for (unsigned at = 0; at < words; at++) {
        CHECK(marks[at] == seed * 31 + depth * 7 + at);
    }
    return seed;
}

/* Its argument is on the heap: how often it yields, and a count of its own. */
struct plan {
    unsigned yields, done, seed;
};

static void live(void) {
    struct plan *plan = (struct plan *)aco_get_arg();
    while (plan->done < plan->yields) {
        plan->done++;
        CHECK(descend(plan->seed % 13, plan->seed) == plan->seed);
        plan->seed += 17;
    }
    aco_exit();
}

struct life {
    aco_t *co;
    struct plan *plan;
    unsigned resumed;
};

int main(void) {
    aco_thread_init(NULL);
    aco_t *main_co = aco_create(NULL, NULL, 0, NULL, NULL);
    aco_share_stack_t *stacks[STACKS];
    for (int at = 0; at < STACKS; at++) {
        stacks[at] = aco_share_stack_new2(at % 2 ? 65536 : 0, (char)(at % 3 != 0));
    }
    static struct life lives[ALIVE];
    unsigned made = 0, ended = 0, killed = 0, alive = 0;
    while (ended + killed < ALL) {
        struct life *life = &lives[random_below(ALIVE)];
        if (life->co == NULL) {
            if (made == ALL) {
                if (alive == 0) {
                    break;
                }
                continue;
            }
            life->plan = (struct plan *)malloc(sizeof(struct plan));
            CHECK(life->plan != NULL);
            life->plan->yields = random_below(12);
            life->plan->done = 0;
            life->plan->seed = random_below(1000);
            life->resumed = 0;
            life->co = aco_create(main_co, stacks[random_below(STACKS)], random_below(300), live,
                                  life->plan);
            made++;
            alive++;
            continue;
        }
        if (random_below(60) == 0) {
            killed++;
        } else {
            aco_resume(life->co);
            life->resumed++;
            CHECK(life->co->is_end == (life->resumed == life->plan->yields + 1));
            if (!life->co->is_end) {
                CHECK(life->plan->done == life->resumed);
                CHECK(life->co->share_stack->owner == life->co);
                continue;
            }
            CHECK(life->co->share_stack->owner == NULL);
            ended++;
        }
        CHECK(life->co->save_stack.ct_restore <= life->co->save_stack.ct_save);
        CHECK(life->co->save_stack.max_cpsz >= life->co->save_stack.valid_sz);
        aco_destroy(life->co);
        free(life->plan);
        life->co = NULL;
        alive--;
    }
    CHECK(made == ALL && ended + killed == ALL && ended > killed);
    for (int at = 0; at < STACKS; at++) {
        aco_share_stack_destroy(stacks[at]);
    }
    aco_destroy(main_co);
    puts("ok");
    return 0;
}
