/* arena.c - a chain of blocks, filled from the front. The arena itself lies at the
 * head of its first block, so an idle one is a single allocation of 8 KiB; later
 * blocks double up to 256 KiB and go at reset, or when what they hold is forgotten.
 *
 * Under ASan the unused part of every block is poisoned: what is read after a
 * reset is reported. */
#include <trl/arena.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asan.h"

enum {
	ALIGNMENT = 16,
	FIRST_BLOCK = 8 << 10,
	LAST_BLOCK = 256 << 10,
	DEFAULT_LIMIT = 16 << 20
};

struct block {
	_Alignas(ALIGNMENT) struct block
	    *next;   /* the one before it in time; the first has NULL */
	size_t size; /* of the data, which follows */
};

struct trl_arena {
	ProtobufCAllocator protobuf;
	size_t limit, used;  /* used: of all blocks, alignment included */
	struct block *block; /* the one being filled */
	size_t fill;         /* bytes taken of it */
	struct block first;
};

static uint8_t *
data_of(struct block *block)
{
	return (uint8_t *)(block + 1);
}

static size_t
first_size(void)
{
	return FIRST_BLOCK - sizeof(struct trl_arena);
}

static void *
allocate_for_protobuf(void *self, size_t size)
{
	return trl_arena_try(self, size);
}

static void
free_for_protobuf(void *self, void *p)
{
	(void)self;
	(void)p;
}

trl_arena *
trl_arena_new(size_t limit_bytes)
{
	trl_arena *arena = malloc(FIRST_BLOCK);

	trl_assert(arena != NULL);
	arena->protobuf = (ProtobufCAllocator){
		.alloc = allocate_for_protobuf,
		.free = free_for_protobuf,
		.allocator_data = arena,
	};
	arena->limit = limit_bytes ? limit_bytes : DEFAULT_LIMIT;
	arena->used = 0;
	arena->fill = 0;
	arena->block = &arena->first;
	arena->first.next = NULL;
	arena->first.size = first_size();
	trl_asan_poison(data_of(&arena->first), first_size());
	return arena;
}

/* Those that were added after one. */
static void
free_later_blocks(trl_arena *arena, const struct block *than)
{
	while (arena->block != than) {
		struct block *next = arena->block->next;

		trl_assert(next);
		trl_asan_unpoison(data_of(arena->block), arena->block->size);
		free(arena->block);
		arena->block = next;
	}
}

void
trl_arena_free(trl_arena **arena)
{
	if (*arena == NULL)
		return;
	free_later_blocks(*arena, &(*arena)->first);
	trl_asan_unpoison(data_of(&(*arena)->first), first_size());
	free(TRL_TAKE(*arena));
}

void
trl_arena_reset(trl_arena *arena)
{
	trl_arena_rewind(arena, (struct trl_arena_mark){ .block = &arena->first });
}

struct trl_arena_mark
trl_arena_mark(const trl_arena *arena)
{
	return (struct trl_arena_mark){
		.block = arena->block, .fill = arena->fill, .used = arena->used
	};
}

void
trl_arena_rewind(trl_arena *arena, struct trl_arena_mark mark)
{
	free_later_blocks(arena, mark.block);
	arena->fill = mark.fill;
	arena->used = mark.used;
	trl_asan_poison(
	    data_of(arena->block) + mark.fill, arena->block->size - mark.fill);
}

/* Adds a block that holds size and makes it the one being filled. */
static void
grow(trl_arena *arena, size_t size)
{
	size_t wanted = arena->block->size * 2;
	struct block *block;

	if (wanted > LAST_BLOCK)
		wanted = LAST_BLOCK;
	if (wanted < size)
		wanted = size;
	block = malloc(sizeof *block + wanted);
	trl_assert(block != NULL);
	block->next = arena->block;
	block->size = wanted;
	trl_asan_poison(data_of(block), wanted);
	arena->block = block;
	arena->fill = 0;
}

void *
trl_arena_try(trl_arena *arena, size_t size)
{
	uint8_t *p;
	size_t rounded;

	if (size > arena->limit)
		return NULL;
	rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (rounded == 0)
		rounded = ALIGNMENT;
	if (rounded > arena->limit - arena->used)
		return NULL;
	if (rounded > arena->block->size - arena->fill)
		grow(arena, rounded);
	p = data_of(arena->block) + arena->fill;
	arena->fill += rounded;
	arena->used += rounded;
	trl_asan_unpoison(p, size);
	return p;
}

void *
trl_arena_alloc(trl_arena *arena, size_t size)
{
	void *p = trl_arena_try(arena, size);

	trl_assert(p != NULL);
	return p;
}

void *
trl_arena_zalloc(trl_arena *arena, size_t size)
{
	return memset(trl_arena_alloc(arena, size), 0, size);
}

char *
trl_arena_strdup(trl_arena *arena, const char *s)
{
	return trl_arena_memdup(arena, s, strlen(s) + 1);
}

char *
trl_arena_strndup(trl_arena *arena, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = trl_arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *
trl_arena_memdup(trl_arena *arena, const void *p, size_t n)
{
	void *copy = trl_arena_alloc(arena, n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *
trl_arena_printf(trl_arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = trl_arena_vprintf(arena, fmt, args);
	va_end(args);
	return text;
}

char *
trl_arena_vprintf(trl_arena *arena, const char *fmt, va_list args)
{
	char small[256];
	va_list again;
	char *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(small, sizeof small, fmt, args);
	trl_assert(n >= 0);
	text = trl_arena_alloc(arena, (size_t)n + 1);
	if ((size_t)n < sizeof small)
		memcpy(text, small, (size_t)n + 1);
	else
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

size_t
trl_arena_used(const trl_arena *arena)
{
	return arena->used;
}

ProtobufCAllocator *
trl_arena_protobuf(trl_arena *arena)
{
	return &arena->protobuf;
}
