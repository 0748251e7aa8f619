/* test_killing.h - a picture that its renderer ends of each time: whatever renders is
 * killed. Include it behind test_files.h. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "variant/variant.h"

/* Has the renderer crash as soon as there is one. */
static struct {
	trl_child *child;
	atomic_bool end;
} killing;

static void *
kill_it(void *unused)
{
	while (!atomic_load(&killing.end)) {
		const int pid = trl_child_pid(killing.child);

		if (pid > 0)
			(void)kill(pid, SIGSEGV);
		usleep(500);
	}
	return unused;
}

static void
know_it(trl_ctx *ctx, void *unused)
{
	struct media *self = world.self;

	(void)unused;
	assert_int_equal(
	    turns_take(ctx, self->variants->turns, &killing.child), TRL_OK);
	turns_leave(self->variants->turns, killing.child);
}

static void
kill_on(pthread_t *thread)
{
	atomic_store(&killing.end, false);
	assert_int_equal(pthread_create(thread, NULL, kill_it, NULL), 0);
}

static void
kill_no_more(pthread_t thread)
{
	atomic_store(&killing.end, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
}
