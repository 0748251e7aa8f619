/* asan.h - what base tells AddressSanitizer; nothing in a plain build. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define TRL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRL_ASAN 1
#endif
#endif

#ifdef TRL_ASAN
#include <sanitizer/asan_interface.h>
#if defined(__GNUC__) && !defined(__clang__)
/* gcc takes poisoning fresh memory for reading it. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define trl_asan_poison(p, n) __asan_poison_memory_region((p), (n))
#define trl_asan_unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define trl_asan_poison(p, n) ((void)(p), (void)(n))
#define trl_asan_unpoison(p, n) ((void)(p), (void)(n))
#endif
