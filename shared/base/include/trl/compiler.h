/* compiler.h - what the language lacks: checked results, scoped cleanup,
 * assertions that stay in. Anybody may include it. */
#pragma once

#include <stddef.h>

#define TRL_MUST_CHECK __attribute__((warn_unused_result))
#define TRL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define TRL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Runs destructor(&variable) when the scope ends; destructors take T **. */
#define TRL_AUTO(destructor) __attribute__((cleanup(destructor)))

/* Hands over ownership: gives the pointer and leaves NULL behind. */
#define TRL_TAKE(pointer)                                                              \
	__extension__({                                                                \
		__typeof__(pointer) taken_ = (pointer);                                \
		(pointer) = NULL;                                                      \
		taken_;                                                                \
	})

/* A broken invariant ends the process, in every build. Input never asserts. */
#define trl_assert(condition)                                                          \
	((condition) ? (void)0 : trl_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void trl_assert_failed(const char *condition, const char *file, int line);
