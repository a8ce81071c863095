/* Boost.Context for the benches: its C-level switch, which everything else in that library is built
 * upon. The declarations are those of <boost/context/detail/fcontext.hpp>, which is C++. */

#include <stddef.h>

typedef void *fcontext_t;

typedef struct {
    fcontext_t from;
    void *data;
} transfer_t;

extern transfer_t jump_fcontext(fcontext_t to, void *data);
extern fcontext_t make_fcontext(void *top, size_t bytes, void (*function)(transfer_t));

/* Makes a context on a stack that ends at `top`. */
fcontext_t costack_boost_make(void *top, size_t bytes, void (*function)(transfer_t)) {
    return make_fcontext(top, bytes, function);
}

/* Goes to a context and takes a value along. */
transfer_t costack_boost_jump(fcontext_t to, void *data) {
    return jump_fcontext(to, data);
}

#ifdef COSTACK_TRY
static void function(transfer_t transfer) { jump_fcontext(transfer.from, transfer.data); }

int main(void) {
    static char stack[65536] __attribute__((aligned(16)));
    fcontext_t context = make_fcontext(stack + sizeof stack, sizeof stack, function);
    return jump_fcontext(context, NULL).data != NULL;
}
#endif
