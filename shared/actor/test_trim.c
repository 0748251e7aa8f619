/* test_trim.c - what a rush left free between what stays goes back to the system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <trl/actor.h>

enum { ACTORS = 100, PIECES = 300, PIECE = 64 << 10, PATIENCE_MS = 20000 };

static void
rest(trl_ctx *ctx, void *arg)
{
	(void)arg;
	assert_int_equal(trl_sleep(ctx, 10), TRL_OK);
}

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

static size_t
resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t all, pages;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%zu %zu", &all, &pages), 2);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool
is_given_back(void *before)
{
	return resident() + (size_t)PIECES * PIECE / 4 * 3 < *(size_t *)before;
}

/* The sanitizer has an allocator of its own, which keeps what is free for a while. */
static bool
may_keep(void *before)
{
#ifdef __SANITIZE_ADDRESS__
	(void)before;
	return true;
#else
	return is_given_back(before);
#endif
}

static void
what_a_rush_left_free_goes_back_when_it_is_over(void **state)
{
	static void *kept[PIECES], *free_again[PIECES];
	trl_loop *loop = trl_loop_new(NULL);
	size_t before;

	(void)state;
	for (int i = 0; i < PIECES; i++) {
		free_again[i] = malloc(PIECE);
		kept[i] = malloc(16);
		memset(free_again[i], 1, PIECE);
	}
	before = resident();
	for (int i = 0; i < PIECES; i++)
		free(free_again[i]);
	assert_false(is_given_back(&before));
	for (int i = 0; i < ACTORS; i++)
		assert_int_equal(
		    trl_spawn(loop, &(struct trl_spawn){ "rest", rest, NULL, 1000 }),
		    TRL_OK);
	assert_true(trl_loop_run_until(loop, nobody_alive, loop, PATIENCE_MS));
	assert_true(trl_loop_run_until(loop, may_keep, &before, PATIENCE_MS));
	for (int i = 0; i < PIECES; i++)
		free(kept[i]);
	trl_loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_rush_left_free_goes_back_when_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
