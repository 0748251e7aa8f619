/* watch.c - what an operator sees of the loop: a line when a turn took too long,
 * with the actor that held it, and on SIGUSR1 a line an actor. The watchdog reads
 * the clock when actors change, so an idle process is not woken by it. */
#include <signal.h>
#include <string.h>

#include <trl/log.h>

#include "runtime.h"

static double
alive(void *self)
{
	return (double)trl_actors_alive(self);
}

static double
limit(void *self)
{
	return (double)((const trl_loop *)self)->options.max_actors;
}

/* Those in use, and those kept for soon. */
static double
stacks(void *self)
{
	double n = 0;

	for (const struct trl_actor *a = ((trl_loop *)self)->made; a != NULL;
	     a = a->next_made)
		n += a->warm;
	return n;
}

static double
arena_bytes(void *self)
{
	double n = 0;

	for (const struct trl_actor *a = ((trl_loop *)self)->alive; a != NULL;
	     a = a->next_alive)
		n += (double)trl_arena_used(a->ctx.arena);
	return n;
}

static void
dump(uv_signal_t *signal, int number)
{
	trl_loop *loop = signal->data;
	struct trl_buf text = { 0 };
	char *line, *rest;

	(void)number;
	trl_actors_dump(loop, &text);
	trl_buf_add(&text, "", 1);
	trl_log(TRL_LOG_WARN, NULL, "actors", TRL_LOG_INT("alive", loop->n_alive));
	for (line = strtok_r((char *)text.data, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		trl_log(TRL_LOG_WARN, NULL, "actor", TRL_LOG_STR("actor", line));
	trl_buf_fini(&text);
}

void
trl_watch_init(trl_loop *loop)
{
	trl_metric *turns = trl_histogram_new(TRL_SCALE_FINE,
	    "trellis_loop_turn_seconds",
	    "Turns of the loop that had work, from the first completion to the flush",
	    NULL);
	trl_metric *slow = trl_counter_new("trellis_loop_slow_turns_total",
	    "Turns of the loop longer than the watchdog allows", NULL);
	trl_metric *refused = trl_counter_new("trellis_actors_refused_total",
	    "Actors not started because as many as allowed were alive", NULL);

	loop->turn_seconds = trl_series_get(turns, (const char *const[]){ NULL });
	loop->slow_turns = trl_series_get(slow, (const char *const[]){ NULL });
	loop->refused = trl_series_get(refused, (const char *const[]){ NULL });
	trl_metric_callback("trellis_actors_alive", "Actors alive", false, alive, loop);
	trl_metric_callback("trellis_actors_limit", "Actors that may be alive at once",
	    false, limit, loop);
	trl_metric_callback("trellis_actor_stacks", "Stacks of actors that hold memory",
	    false, stacks, loop);
	trl_metric_callback("trellis_actor_arena_bytes",
	    "Bytes in the arenas of actors alive", false, arena_bytes, loop);
	trl_assert(uv_signal_init(&loop->uv, &loop->usr1) == 0);
	loop->usr1.data = loop;
	trl_assert(uv_signal_start(&loop->usr1, dump, SIGUSR1) == 0);
	uv_unref((uv_handle_t *)&loop->usr1);
}

void
trl_watch_fini(trl_loop *loop)
{
	trl_metric_callback_drop(loop);
}

void
trl_watch_turn(trl_loop *loop)
{
	uint64_t took = loop->clock_us - loop->now_us;

	trl_series_observe_us(loop->turn_seconds, took);
	if (took > (uint64_t)loop->options.watchdog_ms * 1000) {
		trl_series_add(loop->slow_turns, 1);
		trl_log(TRL_LOG_WARN, NULL, "the loop was held",
		    TRL_LOG_STR("actor", loop->longest_name ? loop->longest_name : "-"),
		    TRL_LOG_INT("turn_ms", took / 1000),
		    TRL_LOG_INT("actor_ms", loop->longest_us / 1000));
	}
	loop->longest_us = 0;
	loop->longest_name = NULL;
}
