// An exception that nobody in a coroutine catches does not go on into its resumer.
// case aco: abort: terminate called after throwing
// case costack: abort: terminate called after throwing
#include "aco.h"
#include <costack.h>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace {

void throws() {
    throw std::runtime_error("nobody catches this");
}

extern "C" void *throws_too(void *) {
    throws();
    return nullptr;
}

} // namespace

int main(int, char **arguments) {
    aco_thread_init(nullptr);
    aco_t *main_co = aco_create(nullptr, nullptr, 0, nullptr, nullptr);
    try {
        if (std::strcmp(arguments[1], "aco") == 0) {
            aco_resume(aco_create(main_co, aco_share_stack_new(0), 0, throws, nullptr));
        } else {
            costack_coroutine *co = nullptr;
            costack_create(throws_too, nullptr, nullptr, &co);
            costack_resume(co, nullptr, nullptr);
        }
    } catch (...) {
        std::fprintf(stderr, "the exception left its coroutine\n");
    }
    return 1;
}
