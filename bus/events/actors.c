/* actors.c - the actors and timers of a service's end of events. */
#include "events.h"

#include <stdlib.h>

#include <trl/loop_uv.h>

bool
events_spawn(struct events *events, const char *name,
    void (*run)(trl_ctx *ctx, void *arg), void *arg, uint32_t timeout_ms)
{
	struct trl_spawn spec = {
		.name = name, .run = run, .arg = arg, .timeout_ms = timeout_ms
	};

	if (trl_spawn(events->loop, &spec) != TRL_OK)
		return false;
	events->running++;
	return true;
}

void
events_ends(struct events *events)
{
	events->running--;
}

uv_timer_t *
events_timer(struct events *events, void *data)
{
	uv_timer_t *timer = calloc(1, sizeof *timer);

	trl_assert(timer != NULL);
	trl_assert(uv_timer_init(trl_loop_uv(events->loop), timer) == 0);
	timer->data = data;
	return timer;
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle);
}

void
events_timer_close(uv_timer_t **pointer)
{
	uv_timer_t *timer = TRL_TAKE(*pointer);

	if (!timer)
		return;
	uv_timer_stop(timer);
	uv_close((uv_handle_t *)timer, on_closed);
}
