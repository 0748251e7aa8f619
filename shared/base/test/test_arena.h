/* test_arena.h - an arena that a test's program has from its first test to its last:
 * include it once, and give both to cmocka_run_group_tests. */
#pragma once

#include <trl/arena.h>

static trl_arena *arena;

static inline int
open_arena(void **state)
{
	(void)state;
	arena = trl_arena_new(0);
	return 0;
}

static inline int
close_arena(void **state)
{
	(void)state;
	trl_arena_free(&arena);
	return 0;
}
