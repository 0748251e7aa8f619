/* feed.c - the actor that brings to the open streams what happens, and their
 * heartbeats; it runs while there are streams. It asks whose feed went on once a
 * second, however many streams are open, and at each notice of one that concerns a
 * stream here. */
#include <stdlib.h>
#include <string.h>

#include <notify_v1.trl.h>

#include <trl/log.h>

#include "streams/stream.h"

enum { ROUND_MS = 10000, TICK_US = 1000000, LOOK_US = 5000000 };

/* To those whose turn it is, which is spread where many came at once: lets the client,
 * and whoever is in between, see that the stream lives. */
static void
beat(trl_ctx *ctx, struct edge_streams *all)
{
	static const char heartbeat[] = ": hb\n\n";
	size_t n = all->n / STREAM_SPREAD_S + 1, i = 0;
	const uint64_t due = trl_mono_us() - STREAM_BEAT_S * 1000000ull;
	struct edge_stream *streams, **last = &streams;

	stream_round_begin(all);
	for (; n && all->first->beat_us <= due; n--) {
		if (all->first->live) { /* else its opening has it */
			*last = all->first;
			last = &all->first->picked;
		}
		stream_beat_last(all->first);
	}
	*last = NULL;
	for (struct edge_stream *s = streams; s; s = s->picked) {
		if (s->live)
			(void)stream_write(s, heartbeat, sizeof heartbeat - 1);
		stream_pause(ctx, i++);
	}
	stream_round_end(all);
}

/* Ends those that may not go on, though nothing is to be sent to them. Errors: faults.
 */
static enum trl_code
look(trl_ctx *ctx, struct edge_streams *all)
{
	struct edge_stream *streams, **last = &streams;
	enum trl_code rc;

	all->look_us = trl_mono_us() + LOOK_US;
	stream_round_begin(all);
	for (struct edge_stream *s = all->first; s; s = s->next) {
		if (!s->live) /* its opening looks */
			continue;
		*last = s;
		last = &s->picked;
	}
	*last = NULL;
	rc = stream_check(ctx, all, streams, false);
	stream_round_end(all);
	return rc;
}

static void
between(trl_ctx *ctx, enum trl_code rc, bool *failing)
{
	if (rc != TRL_OK && !*failing)
		trl_log_err(ctx); /* tried again each second */
	*failing = rc != TRL_OK;
	trl_err_clear(ctx);
	trl_arena_reset(ctx->arena);
	trl_set_deadline(ctx, trl_mono_us() + ROUND_MS * 1000ull);
}

static void
wait_for_more(trl_ctx *ctx, struct edge_streams *all, uint64_t until_us)
{
	const uint64_t now = trl_mono_us();

	if (all->hinted || now >= until_us)
		return;
	all->ticket = trl_park_begin(ctx);
	all->waits = true;
	if (trl_park_for(ctx, all->ticket, "feed",
		(uint32_t)((until_us - now) / 1000 + 1)) != TRL_OK)
		trl_err_clear(ctx); /* time passed */
	all->waits = false;
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct edge_streams *all = arg;
	uint64_t tick_us = trl_mono_us();
	bool failing = false, failing_look = false, more;
	enum trl_code rc;

	ctx->service = "edge";
	while (all->n) {
		all->hinted = false;
		do {
			rc = stream_bring(ctx, all, &more);
			between(ctx, rc, &failing);
		} while (more && trl_mono_us() < tick_us);
		if (trl_mono_us() >= tick_us) {
			tick_us = trl_mono_us() + TICK_US;
			if (all->n)
				beat(ctx, all);
			if (all->n && trl_mono_us() >= all->look_us)
				between(ctx, look(ctx, all), &failing_look);
		}
		if (more)
			continue;
		if (rc != TRL_OK)
			all->hinted = false;
		wait_for_more(ctx, all, tick_us);
	}
	all->runs = false;
}

enum trl_code
stream_run(trl_ctx *ctx, struct edge_streams *all)
{
	const struct trl_spawn spawn = {
		.name = "streams", .run = run, .arg = all, .timeout_ms = ROUND_MS
	};

	if (all->runs)
		return TRL_OK;
	if (trl_spawn(ctx->loop, &spawn) != TRL_OK)
		return trl_fail(ctx, TRL_BUSY, "no actor is free for streams");
	all->runs = true;
	return TRL_OK;
}

static void
hint(struct edge_streams *all)
{
	all->hinted = true;
	if (all->waits)
		(void)trl_wake(all->ticket);
}

static void
on_feed(void *arg, struct trl_id tenant, struct trl_id account)
{
	struct edge_streams *all = arg;

	if (trl_id_is_nil(account) ? stream_set_find(all, BY_TENANT, tenant) != NULL
				   : stream_set_find(all, BY_CALLER, account) != NULL)
		hint(all);
}

/* What a member may do has changed. What is sent is looked at anyway; this ends idle
 * streams within a second. */
static void
on_grant(void *arg, struct trl_id tenant, struct trl_id account)
{
	struct edge_streams *all = arg;

	(void)account;
	if (stream_set_find(all, BY_TENANT, tenant))
		all->look_us = 0;
}

static double
count_streams(void *arg)
{
	return (double)((struct edge_streams *)arg)->n;
}

static trl_series *
count(const char *name, const char *help)
{
	return trl_series_get(
	    trl_counter_new(name, help, NULL), (const char *const[]){ NULL });
}

struct edge_streams *
edge_streams_new(struct edge *self)
{
	struct edge_streams *all = calloc(1, sizeof *all);
	trl_metric *ended;

	trl_assert(all);
	all->edge = self;
	all->permission = notify_v1_stream_events.permission;
	trl_metric_callback("trellis_edge_streams", "Event streams that are open",
	    false, count_streams, all);
	all->sent =
	    count("trellis_edge_stream_events_total", "Events sent into streams");
	all->refused = count("trellis_edge_streams_refused_total",
	    "Streams that were not opened because there were too many");
	ended = trl_counter_new("trellis_edge_streams_dropped_total",
	    "Streams that the edge ended, by reason", "reason", NULL);
	all->slow = trl_series_at(ended, "slow");
	all->denied = trl_series_at(ended, "denied");
	trl_bus_watch(self->host->bus, "notify.feed", on_feed, all);
	trl_bus_watch(self->host->bus, "tenants.grant", on_grant, all);
	return all;
}

void
edge_streams_free(struct edge_streams **at)
{
	struct edge_streams *all = TRL_TAKE(*at);

	if (!all)
		return;
	trl_assert(!all->runs);
	trl_metric_callback_drop(all);
	free(all);
}

void
edge_streams_drain(struct edge_streams *all)
{
	all->draining = true;
}

bool
edge_streams_drained(struct edge_streams *all)
{
	if (all->runs && !all->n)
		hint(all); /* its actor ends at once, and not with its tick */
	return !all->runs;
}
