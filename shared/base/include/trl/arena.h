/* arena.h - memory with one end: everything taken from an arena goes when the
 * arena is reset. One per message; handlers free nothing.
 *
 * Bounded: past its limit an arena fails by trl_assert, unless taken by
 * trl_arena_try, which is for sizes that come from outside. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>
#include <trl/compiler.h>

typedef struct trl_arena trl_arena;

/* A new arena, empty; it may hold limit_bytes at most (0: 16 MiB). */
trl_arena *trl_arena_new(size_t limit_bytes);
void trl_arena_free(trl_arena **arena);
/* Forgets all, keeps the first block for reuse. */
void trl_arena_reset(trl_arena *arena);

/* How far an arena is filled. */
struct trl_arena_mark {
	void *block;
	size_t fill, used;
};
struct trl_arena_mark trl_arena_mark(const trl_arena *arena);
/* Forgets what was taken since the mark and keeps what was there before: for a loop
 * whose turns leave nothing behind. The mark is of this arena, since its last reset,
 * and not of what an earlier mark has forgotten. */
void trl_arena_rewind(trl_arena *arena, struct trl_arena_mark mark);

/* Aligned to 16, not zeroed / zeroed. Never NULL. size 0 is allowed. */
void *trl_arena_alloc(trl_arena *arena, size_t size);
void *trl_arena_zalloc(trl_arena *arena, size_t size);
/* NULL where the limit would be passed. */
void *trl_arena_try(trl_arena *arena, size_t size);
char *trl_arena_strdup(trl_arena *arena, const char *s);
char *trl_arena_strndup(trl_arena *arena, const char *s, size_t n);
void *trl_arena_memdup(trl_arena *arena, const void *p, size_t n);
char *trl_arena_printf(trl_arena *arena, const char *fmt, ...) TRL_PRINTF(2, 3);
char *trl_arena_vprintf(trl_arena *arena, const char *fmt, va_list args)
    TRL_PRINTF(2, 0);
size_t trl_arena_used(const trl_arena *arena);

/* The arena as protobuf-c's allocator (free does nothing, a passed limit gives
 * NULL, which protobuf-c reports as a failed unpack). Lives as long as the arena. */
ProtobufCAllocator *trl_arena_protobuf(trl_arena *arena);
