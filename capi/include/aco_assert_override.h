/*
 * Short names for the checks of aco.h; in particular, assert() becomes one that NDEBUG does not
 * turn off. Include it last, and only where the C library's assert() is not wanted.
 */
#ifndef ACO_ASSERT_OVERRIDE_H
#define ACO_ASSERT_OVERRIDE_H

#include "aco.h"

#ifdef assert
#undef assert
#endif

/* Tell the compiler which way a condition mostly goes. */
#define likely(x) aco_likely(x)
#define unlikely(x) aco_unlikely(x)

#define assert(EX) aco_assert(EX)

/* Equal to assert((ptr) != NULL). */
#define assertptr(ptr) aco_assertptr(ptr)

/* That an allocation was successful. */
#define assertalloc_bool(b) aco_assertalloc_bool(b)
#define assertalloc_ptr(ptr) aco_assertalloc_ptr(ptr)

#endif
