/* fibre.h - AddressSanitizer is told of each change of stack; nothing in a plain
 * build. The order is the sanitizer's: start before the switch, finish after it. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define TRL_FIBRES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRL_FIBRES 1
#endif
#endif

#ifdef TRL_FIBRES
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define trl_fibre_start(save, bottom, bytes)                                           \
	__sanitizer_start_switch_fiber((save), (bottom), (bytes))
#define trl_fibre_finish(saved, bottom, bytes)                                         \
	__sanitizer_finish_switch_fiber((saved), (bottom), (bytes))
#define trl_fibre_clean(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define trl_fibre_start(save, bottom, bytes) ((void)0)
#define trl_fibre_finish(saved, bottom, bytes) ((void)0)
#define trl_fibre_clean(p, n) ((void)0)
#endif
