/* begin.c - how a subscription starts: from the producer's first event, from now on, or
 * from a snapshot of its present facts, or of its audit entries, read page by page,
 * each a transaction with the place where it goes on. The numbers to read from are
 * noted before the first page, so that nothing falls between; what is told twice the
 * handler knows by its version. */
#include "subscription.h"

#include <string.h>

#include <trl/log.h>
#include <trl/value.h>

#include "framework_sql.h"

enum { PAGE = 200, OVERLAP = 1000, ELSEWHERE_MS = 1000 };

enum trl_code
sub_heads(trl_ctx *ctx, struct subscription *sub, int64_t before_us,
    Events__V1__HeadsReply **out)
{
	Events__V1__HeadsRequest in = EVENTS__V1__HEADS_REQUEST__INIT;
	enum trl_code rc;

	if (before_us)
		in.before = trl_value_time(ctx, before_us);
	rc = sub_ask_heads(ctx, sub, &in, out);
	if (rc != TRL_OK)
		return rc;
	if ((*out)->n_heads != LANES || (*out)->n_firsts != LANES || !(*out)->epoch)
		return trl_fail(ctx, TRL_INTERNAL, "broken heads of %s", sub->producer);
	return TRL_OK;
}

static enum trl_code
make(trl_ctx *ctx, struct subscription *sub)
{
	bool snapshot =
	    sub->spec->start == TRL_FROM_SNAPSHOT || sub->spec->start == TRL_FROM_AUDIT;
	int64_t *lanes = events_ints(ctx, LANES), *seqs = events_ints(ctx, LANES);
	Events__V1__HeadsReply *heads;
	enum trl_code rc = sub_heads(ctx, sub, 0, &heads);
	trl_batch *batch;

	if (rc != TRL_OK)
		return rc;
	for (unsigned i = 0; i < LANES; i++) {
		lanes[i] = i;
		seqs[i] =
		    (int64_t)(sub->spec->start == TRL_FROM_FIRST ? heads->firsts[i] - 1
								 : heads->heads[i]);
	}
	batch = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
	trl_batch_add(batch, &trl_sql_subscription_make, NULL,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_TEXT("producer", sub->producer),
	    TRL_ARG_TEXT("state", snapshot ? "snapshot" : "live"),
	    TRL_ARG_INT("epoch", heads->epoch), TRL_ARG_INTS("lanes", lanes, LANES),
	    TRL_ARG_INTS("seqs", seqs, LANES));
	trl_log(TRL_LOG_INFO, NULL, "subscription begins",
	    TRL_LOG_STR("subscription", sub->name),
	    TRL_LOG_STR("producer", sub->producer));
	return trl_batch_write_unrecorded(batch);
}

static enum trl_code
fetch_page(trl_ctx *ctx, struct subscription *sub,
    const Trellis__Bus__SubscriptionRow *at, Events__V1__SnapshotReply **out)
{
	Events__V1__SnapshotRequest in = EVENTS__V1__SNAPSHOT_REQUEST__INIT;

	trl_set(&in, after_aggregate, at->after_aggregate);
	trl_set(&in, after_part, at->after_part);
	trl_set(&in, limit, PAGE);
	return sub_ask_snapshot(ctx, sub, &in, out);
}

static bool
same(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return trl_id_eq(trl_value_id(a), trl_value_id(b));
}

/* Applies a page, where nobody did meanwhile. */
static enum trl_code
apply_page(trl_ctx *ctx, struct subscription *sub,
    const Trellis__Bus__SubscriptionRow *at, const Events__V1__SnapshotReply *page)
{
	Trellis__Bus__SubscriptionRow row = TRELLIS__BUS__SUBSCRIPTION_ROW__INIT;
	TRL_AUTO(sub_work_end) struct sub_work work = { 0 };
	struct trl_event *events =
	    trl_arena_zalloc(ctx->arena, (page->n_events + 1) * sizeof *events);
	bool over = trl_id_is_nil(trl_value_id(page->next_aggregate)) &&
		    trl_id_is_nil(trl_value_id(page->next_part));
	size_t n = page->n_events;
	enum trl_code rc;

	for (size_t i = 0; i < page->n_events; i++) {
		rc = events_of_row(ctx, page->events[i], &events[i]);
		if (rc != TRL_OK)
			return rc;
	}
	rc = sub_work_begin(ctx, sub, &work);
	if (rc == TRL_OK)
		rc = trl_tx_run(work.tx, &trl_sql_subscription_lock, NULL, &row.base,
		    TRL_ARG_TEXT("subscription", sub->name));
	if (rc != TRL_OK)
		return rc;
	if (!row.state || strcmp(row.state, "snapshot") != 0 ||
	    !same(row.after_aggregate, at->after_aggregate) ||
	    !same(row.after_part, at->after_part)) { /* another process is at it */
		sub->until_us = trl_mono_us() + ELSEWHERE_MS * 1000;
		return TRL_OK;
	}
	rc = sub_leave_out_late(ctx, sub, &work, events, &n);
	if (rc == TRL_OK)
		rc = sub_hand_over(ctx, sub, &work, events, n);
	if (rc != TRL_OK)
		return rc;
	trl_tx_scope(work.tx, (struct trl_scope){ 0 });
	trl_tx_add(work.tx, &trl_sql_subscription_move, NULL,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_TEXT("state", over ? "live" : "snapshot"),
	    TRL_ARG_ID("after_aggregate", trl_value_id(page->next_aggregate)),
	    TRL_ARG_ID("after_part", trl_value_id(page->next_part)));
	rc = trl_tx_commit(&work.tx, NULL);
	if (rc == TRL_OK)
		trl_series_add(sub->m.applied, (double)page->n_events);
	return rc;
}

enum trl_code
sub_load(trl_ctx *ctx, struct subscription *sub)
{
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
	Trellis__Bus__CursorRows all = TRELLIS__BUS__CURSOR_ROWS__INIT;
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_cursor_list, NULL, &all.base,
	    TRL_ARG_TEXT("subscription", sub->name));
	rc = trl_batch_read(batch);
	for (size_t i = 0; rc == TRL_OK && i < all.n_rows; i++) {
		const Trellis__Bus__CursorRow *row = all.rows[i];
		struct sub_lane *lane = &sub->lanes[row->lane % LANES];

		if (row->epoch != sub->epoch) {
			sub->epoch = row->epoch;
			sub->hint = 0;
		}
		if (row->seq == lane->saved && lane->seq >= lane->saved)
			continue; /* we know more: what was passed over */
		lane->seq = lane->saved = row->seq;
		lane->fails = lane->put_off = 0;
	}
	sub->loaded = rc == TRL_OK && all.n_rows == LANES;
	return rc;
}

enum trl_code
sub_begin(trl_ctx *ctx, struct subscription *sub, bool *ready)
{
	Trellis__Bus__SubscriptionRow row = TRELLIS__BUS__SUBSCRIPTION_ROW__INIT;
	Events__V1__SnapshotReply *page;
	trl_batch *batch;
	enum trl_code rc = TRL_OK;

	*ready = false;
	if (!sub->live) {
		batch = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
		trl_batch_get(batch, &trl_sql_subscription_get, NULL, &row.base,
		    TRL_ARG_TEXT("subscription", sub->name));
		rc = trl_batch_read(batch);
		if (rc != TRL_OK)
			return rc;
		if (!row.state)
			return make(ctx, sub);
		/* What comes first may have killed the process before this one. */
		sub->live = strcmp(row.state, "live") == 0;
		for (size_t i = 0; i < LANES; i++)
			sub->lanes[i].careful = 1;
	}
	if (!sub->live) {
		rc = fetch_page(ctx, sub, &row, &page);
		return rc == TRL_OK ? apply_page(ctx, sub, &row, page) : rc;
	}
	if (!sub->loaded)
		rc = sub_load(ctx, sub);
	*ready = rc == TRL_OK && sub->loaded;
	return rc;
}

enum trl_code
sub_new_epoch(trl_ctx *ctx, struct subscription *sub, uint32_t epoch)
{
	int64_t *lanes = events_ints(ctx, LANES), *heads = events_ints(ctx, LANES),
		*firsts = events_ints(ctx, LANES);
	Events__V1__HeadsReply *reply;
	enum trl_code rc = sub_heads(ctx, sub, 0, &reply);
	trl_batch *batch;

	if (rc != TRL_OK)
		return rc;
	trl_log(TRL_LOG_WARN, NULL, "the producer's numbers may have begun anew",
	    TRL_LOG_STR("producer", sub->producer), TRL_LOG_INT("epoch", epoch));
	for (unsigned i = 0; i < LANES; i++) {
		lanes[i] = i;
		heads[i] = (int64_t)reply->heads[i];
		firsts[i] = (int64_t)reply->firsts[i];
	}
	batch = trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
	trl_batch_add(batch, &trl_sql_cursor_epoch, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INT("epoch", reply->epoch),
	    TRL_ARG_INT("overlap", OVERLAP), TRL_ARG_INTS("lanes", lanes, LANES),
	    TRL_ARG_INTS("heads", heads, LANES), TRL_ARG_INTS("firsts", firsts, LANES));
	rc = trl_batch_write_unrecorded(batch);
	if (rc != TRL_OK)
		return rc;
	for (size_t i = 0; i < LANES; i++)
		sub->lanes[i].saved = UINT64_MAX; /* whatever stands there is news */
	return sub_load(ctx, sub);
}
