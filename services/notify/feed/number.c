/* number.c - gives entries their numbers, right after the commit that left them
 * (the writer's process hears of it), and each second whatever was left by one that did
 * not come to it. One row's lock elects who numbers; it is taken only where something
 * waits. Then the edges are told by notice whose feed went on; a notice that is lost
 * costs a second. Once a minute a piece of what is older than a day is forgotten. */
#include <stdlib.h>
#include <string.h>

#include <trl/log.h>

#include "feed/feed.h"

enum {
	TOGETHER = 500,
	PIECE = 5000,
	EACH_MS = 1000,
	ROUND_MS = 10000,
	FORGET_EACH_S = 60
};
static const int64_t kept_us = (int64_t)24 * 3600 * 1000000;

struct notify_feed {
	struct notify *notify;
	trl_actor *actor;
	struct trl_ticket ticket; /* of the actor, while it waits */
	bool waits, hinted, closing, failing;
	uint64_t forgot_us;
};

static void
on_news(void *arg, uint32_t mask)
{
	struct notify_feed *feed = arg;

	(void)mask;
	feed->hinted = true;
	if (feed->waits)
		(void)trl_wake(feed->ticket);
}

/* Numbers a piece; *n is how many feeds went on. */
static enum trl_code
number_some(struct notify_feed *feed, trl_ctx *ctx, size_t *n)
{
	struct notify *self = feed->notify;
	Notify__V1__ListFeedChangesReply moved =
	    NOTIFY__V1__LIST_FEED_CHANGES_REPLY__INIT;
	Notify__V1__FeedChange waits = NOTIFY__V1__FEED_CHANGE__INIT;
	enum trl_code rc;
	trl_batch *work;

	*n = 0;
	rc = trl_batch_get_one(ctx, self->sys, TRL_SCOPE_NOBODY, &notify_sql_feed_waits,
	    NULL, &waits.base);
	if (rc != TRL_OK || !waits.has_number)
		return rc;
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);
	trl_batch_add(work, &notify_sql_feed_lock, NULL);
	trl_batch_get(work, &notify_sql_feed_number, NULL, &moved.base,
	    TRL_ARG_INT("limit", TOGETHER), TRL_ARG_TIME("now", trl_now(ctx)));
	rc = trl_batch_write_unrecorded(work);
	for (size_t i = 0; rc == TRL_OK && i < moved.n_items; i++)
		trl_bus_notify(self->bus, "notify.feed",
		    trl_value_id(moved.items[i]->tenant_id),
		    trl_value_id(moved.items[i]->account_id));
	*n = moved.n_items;
	return rc;
}

static enum trl_code
forget_some(struct notify_feed *feed, trl_ctx *ctx)
{
	const uint64_t now = trl_mono_us();
	Notify__V1__FeedChange gone = NOTIFY__V1__FEED_CHANGE__INIT;
	trl_batch *work;
	enum trl_code rc;

	if (feed->forgot_us && now - feed->forgot_us < FORGET_EACH_S * 1000000ull)
		return TRL_OK;
	work = trl_batch_new(ctx, feed->notify->sys, TRL_SCOPE_NOBODY);
	trl_batch_get(work, &notify_sql_feed_forget, NULL, &gone.base,
	    TRL_ARG_TIME("before", trl_now(ctx) - kept_us),
	    TRL_ARG_INT("limit", PIECE));
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK && gone.number < PIECE) /* else more at the next turn */
		feed->forgot_us = now;
	return rc;
}

static enum trl_code
go_round(struct notify_feed *feed, trl_ctx *ctx)
{
	enum trl_code rc;
	size_t n;

	do {
		rc = number_some(feed, ctx, &n);
		trl_arena_reset(ctx->arena);
	} while (rc == TRL_OK && n > 0 && !feed->closing);
	return rc == TRL_OK ? forget_some(feed, ctx) : rc;
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct notify_feed *feed = arg;
	enum trl_code rc;

	ctx->service = "notify";
	while (!feed->closing) {
		trl_set_deadline(ctx, trl_mono_us() + ROUND_MS * 1000ull);
		feed->hinted = false;
		rc = go_round(feed, ctx);
		if (rc != TRL_OK && !feed->failing && !feed->closing)
			trl_log_err(ctx); /* tried again each second */
		feed->failing = rc != TRL_OK;
		trl_err_clear(ctx);
		trl_arena_reset(ctx->arena);
		if (feed->closing || feed->hinted)
			continue;
		feed->ticket = trl_park_begin(ctx);
		feed->waits = true;
		rc = trl_park_for(ctx, feed->ticket, "feed", EACH_MS);
		feed->waits = false;
		if (rc != TRL_OK) /* nobody woke it: a second has passed */
			trl_err_clear(ctx);
	}
	free(feed);
}

struct notify_feed *
notify_feed_open(struct notify *self)
{
	struct notify_feed *feed = calloc(1, sizeof *feed);
	const struct trl_spawn spawn = {
		.name = "notify feed", .run = run, .arg = feed, .timeout_ms = ROUND_MS
	};

	trl_assert(feed);
	feed->notify = self;
	trl_pg_on_news(self->pg, TRL_PG_SERVICE, on_news, feed);
	trl_pg_on_news(self->sys, TRL_PG_SERVICE, on_news, feed);
	trl_assert(trl_spawn_get(self->loop, &spawn, &feed->actor) == TRL_OK);
	return feed;
}

void
notify_feed_close(struct notify_feed **at)
{
	struct notify_feed *feed = TRL_TAKE(*at);

	if (!feed)
		return;
	trl_pg_on_news(feed->notify->pg, TRL_PG_SERVICE, NULL, NULL);
	trl_pg_on_news(feed->notify->sys, TRL_PG_SERVICE, NULL, NULL);
	feed->closing = true;
	trl_cancel(feed->actor); /* it frees feed as it ends */
}
