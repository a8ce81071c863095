// The headers from C++: classes, exceptions inside of a coroutine, destructors.
#include "aco.h"
#include "check.h"
#include <costack.h>
#include <costack_uboot.h>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/* A coroutine that is destroyed with its cleanups when it goes out of scope. */
class Coroutine {
public:
    explicit Coroutine(costack_function function, costack_stack *stack = nullptr) {
        costack_options options{};
        options.stack = stack;
        const costack_status status = costack_create(function, this, &options, &handle);
        if (status != COSTACK_OK) {
            throw std::runtime_error(costack_strerror(status));
        }
    }
    Coroutine(const Coroutine &) = delete;
    Coroutine &operator=(const Coroutine &) = delete;
    ~Coroutine() {
        CHECK(costack_destroy(handle, 1) == COSTACK_OK);
    }
    bool resume() {
        return costack_resume(handle, nullptr, nullptr) == COSTACK_YIELDED;
    }
    std::vector<std::string> said;

private:
    costack_coroutine *handle = nullptr;
};

struct Guard {
    Coroutine &who;
    ~Guard() {
        who.said.push_back("destroyed");
    }
};

extern "C" void *speaks(void *) {
    Coroutine &self = *static_cast<Coroutine *>(costack_argument());
    {
        const Guard guard{self};
        self.said.push_back("one");
        costack_yield(nullptr, nullptr);
        try {
            const Guard inner{self};
            throw std::logic_error("two");
        } catch (const std::exception &error) {
            self.said.push_back(error.what());
            costack_yield(nullptr, nullptr);
        }
    }
    self.said.push_back("three");
    return nullptr;
}

void check_speaks(costack_stack *stack) {
    Coroutine co(speaks, stack);
    CHECK(co.resume());
    CHECK(co.said == std::vector<std::string>({"one"}));
    CHECK(co.resume());
    CHECK(co.said == std::vector<std::string>({"one", "destroyed", "two"}));
    CHECK(!co.resume());
    CHECK(co.said.size() == 5 && co.said[3] == "destroyed" && co.said[4] == "three");
    Coroutine another(speaks, stack);
    CHECK(another.resume());
}

void counts() {
    int *counter = static_cast<int *>(aco_get_arg());
    for (;;) {
        ++*counter;
        aco_yield();
    }
}

} // namespace

int main() {
    aco_thread_init(nullptr);
    aco_t *main_co = aco_create(nullptr, nullptr, 0, nullptr, nullptr);
    aco_share_stack_t *shared = aco_share_stack_new(0);
    int counter = 0;
    aco_t *co = aco_create(main_co, shared, 0, counts, &counter);
    aco_resume(co);
    aco_resume(co);
    CHECK(counter == 2 && !co->is_end);
    aco_destroy(co);
    aco_share_stack_destroy(shared);
    aco_destroy(main_co);
    std::puts("ok");
    return 0;
}

/* Before main, and in the same program, so that both headers are in one. */
namespace {
const bool checked = [] {
    costack_stack *stack = nullptr;
    CHECK(costack_stack_new(0, &stack) == COSTACK_OK);
    check_speaks(nullptr);
    check_speaks(stack);
    CHECK(costack_stack_destroy(stack) == COSTACK_OK);
    return true;
}();
} // namespace
