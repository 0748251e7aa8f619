/* park.c - events that could not be applied stand aside, with later ones of their
 * subject behind them, until the operator has them applied again (in order) or leaves
 * them out. The lane's row is locked meanwhile, so that a new event of the subject is
 * either seen here or sees what is parked. */
#include <string.h>

#include <trl/events_admin.h>
#include <trl/log.h>
#include <trl/value.h>

#include "framework_sql.h"
#include "subscription.h"

static int64_t
time_of(const Google__Protobuf__Timestamp *at)
{
	return trl_value_time_us(at);
}

void
sub_park(trl_ctx *ctx, struct subscription *sub, trl_tx *tx, const events_row *row,
    const char *error)
{
	trl_tx_add(tx, &trl_sql_parked_add, NULL,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_ID("event_id", trl_value_id(row->id)),
	    TRL_ARG_INT("lane", row->lane), TRL_ARG_INT("seq", (int64_t)row->seq),
	    TRL_ARG_ID("tenant_id", trl_value_id(row->tenant_id)),
	    TRL_ARG_ID("subject_id", trl_value_id(row->subject_id)),
	    TRL_ARG_TEXT("type", row->type ? row->type : ""),
	    TRL_ARG_TIME("at", time_of(row->at)),
	    TRL_ARG_BYTES("trace", row->trace.data, row->trace.len),
	    TRL_ARG_BYTES("payload", row->payload.data, row->payload.len),
	    TRL_ARG_TEXT("error", error), TRL_ARG_TIME("parked_at", trl_now(ctx)));
	trl_series_add(sub->m.parked, 1);
}

/* ---- the operator's hand */

static enum trl_code
find(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct subscription **out)
{
	*out = sub_find(events, subscription);
	if (!*out)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such subscription.");
	return TRL_OK;
}

/* A parked event as a row of the log. */
static events_row *
row_of(trl_ctx *ctx, const Trellis__Bus__ParkedRow *parked)
{
	events_row *row = trl_arena_alloc(ctx->arena, sizeof *row);

	events__v1__event__init(row);
	row->id = parked->event_id;
	row->lane = parked->lane;
	row->seq = parked->seq;
	row->type = parked->type;
	row->tenant_id = parked->tenant_id;
	row->subject_id = parked->subject_id;
	row->at = parked->at;
	row->trace = parked->trace;
	row->payload = parked->payload;
	return row;
}

enum trl_code
trl_events_parked(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct trl_id after, size_t limit, struct trl_events_parked **out, size_t *n)
{
	Trellis__Bus__ParkedRows rows = TRELLIS__BUS__PARKED_ROWS__INIT;
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_parked_list, NULL, &rows.base,
	    TRL_ARG_TEXT("subscription", subscription ? subscription : ""),
	    TRL_ARG_ID("after", after),
	    TRL_ARG_INT("most", (int64_t)(limit < FETCH_MAX ? limit : FETCH_MAX)));
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	*out = trl_arena_zalloc(ctx->arena, (rows.n_rows + 1) * sizeof **out);
	*n = rows.n_rows;
	for (size_t i = 0; i < rows.n_rows; i++) {
		struct trl_events_parked *parked = &(*out)[i];

		parked->subscription = rows.rows[i]->subscription;
		parked->error = rows.rows[i]->error;
		parked->parked_at_us = time_of(rows.rows[i]->parked_at);
		if (events_of_row(ctx, row_of(ctx, rows.rows[i]), &parked->event) !=
		    TRL_OK)
			trl_err_clear(ctx); /* shown without its payload */
	}
	return TRL_OK;
}

/* Owns the event's lane; the event must be the first parked one of its subject. */
static enum trl_code
lock(trl_tx *tx, struct subscription *sub, const Trellis__Bus__ParkedRow *parked,
    trl_ctx *ctx)
{
	Trellis__Bus__ParkedRow first = TRELLIS__BUS__PARKED_ROW__INIT;
	enum trl_code rc;

	rc = trl_tx_run(tx, &trl_sql_cursor_lock, NULL, NULL,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_INT("lane", parked->lane));
	if (rc == TRL_OK)
		rc = trl_tx_run(tx, &trl_sql_parked_first, NULL, &first.base,
		    TRL_ARG_TEXT("subscription", sub->spec->name),
		    TRL_ARG_ID("subject_id", trl_value_id(parked->subject_id)));
	if (rc == TRL_OK &&
	    !trl_id_eq(trl_value_id(first.event_id), trl_value_id(parked->event_id)))
		return trl_fail(ctx, TRL_CONFLICT,
		    "An earlier event of its subject is parked; begin with that.");
	return rc;
}

/* One transaction: applies the event unless it is skipped, and takes it out. */
static enum trl_code
settle(trl_ctx *ctx, struct subscription *sub, const Trellis__Bus__ParkedRow *parked,
    bool skip)
{
	TRL_AUTO(sub_work_end) struct sub_work work = { 0 };
	struct trl_event event;
	enum trl_code rc;

	rc = sub_work_begin(ctx, sub, &work);
	if (rc == TRL_OK)
		rc = lock(work.tx, sub, parked, ctx);
	if (rc == TRL_OK && !skip)
		rc = events_of_row(ctx, row_of(ctx, parked), &event);
	if (rc == TRL_OK && !skip)
		rc = sub_hand_over(ctx, sub, &work, &event, 1);
	if (rc != TRL_OK)
		return rc;
	trl_tx_scope(work.tx, (struct trl_scope){ 0 });
	trl_tx_add(work.tx, &trl_sql_parked_delete, NULL,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_ID("event_id", trl_value_id(parked->event_id)));
	rc = trl_tx_commit(&work.tx, NULL);
	if (rc == TRL_OK)
		trl_log(TRL_LOG_INFO, ctx,
		    skip ? "a parked event was left out" : "a parked event was applied",
		    TRL_LOG_STR("subscription", sub->spec->name),
		    TRL_LOG_ID("event", trl_value_id(parked->event_id)));
	return rc;
}

/* The lane may be at work: its batch is over in a moment. */
static enum trl_code
settle_soon(trl_ctx *ctx, struct subscription *sub,
    const Trellis__Bus__ParkedRow *parked, bool skip)
{
	enum trl_code rc = settle(ctx, sub, parked, skip);

	for (int i = 0; rc == TRL_BUSY && i < 40; i++) {
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, 25);
		if (rc == TRL_OK)
			rc = settle(ctx, sub, parked, skip);
	}
	return rc;
}

/* Notes why it failed again. */
static void
note_error(
    trl_ctx *ctx, struct subscription *sub, const Trellis__Bus__ParkedRow *parked)
{
	struct trl_err err = ctx->err;
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_err_clear(ctx);
	trl_batch_add(batch, &trl_sql_parked_error, NULL,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_ID("event_id", trl_value_id(parked->event_id)),
	    TRL_ARG_TEXT("error", trl_arena_printf(ctx->arena, "%s: %s",
				      trl_code_name(err.code), err.message)));
	if (trl_batch_write_unrecorded(batch) != TRL_OK)
		trl_err_clear(ctx);
	ctx->err = err;
}

/* Applies the first parked event of a subject; false: there is none, or it failed. */
static bool
release_first(trl_ctx *ctx, struct subscription *sub, struct trl_id subject)
{
	Trellis__Bus__ParkedRow next = TRELLIS__BUS__PARKED_ROW__INIT;
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_batch_get(batch, &trl_sql_parked_first, NULL, &next.base,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_ID("subject_id", subject));
	if (trl_batch_read(batch) != TRL_OK || !next.has_event_id)
		return false;
	if (settle_soon(ctx, sub, &next, false) == TRL_OK)
		return true;
	note_error(ctx, sub, &next);
	return false;
}

/* What waits behind an event of the subject, in order, until one fails. There may be
 * thousands: each one's memory is given back. */
static void
release(trl_ctx *ctx, struct subscription *sub, struct trl_id subject, size_t *applied)
{
	TRL_AUTO(trl_arena_free) trl_arena *each = trl_arena_new(0);
	trl_arena *own = ctx->arena;

	ctx->arena = each;
	while (release_first(ctx, sub, subject)) {
		++*applied;
		trl_arena_reset(each);
	}
	ctx->arena = own;
	trl_err_clear(ctx); /* the one that failed stays parked, with its error */
}

static enum trl_code
get(trl_ctx *ctx, struct subscription *sub, struct trl_id event,
    Trellis__Bus__ParkedRow *out)
{
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_batch_get(batch, &trl_sql_parked_get, NULL, &out->base,
	    TRL_ARG_TEXT("subscription", sub->spec->name),
	    TRL_ARG_ID("event_id", event));
	return trl_batch_read(batch);
}

/* Every subject's, as far as time goes. */
static enum trl_code
redrive_all(trl_ctx *ctx, struct subscription *sub, size_t *applied)
{
	struct trl_id after = trl_id_nil;

	for (;;) {
		Trellis__Bus__ParkedRows rows = TRELLIS__BUS__PARKED_ROWS__INIT;
		trl_batch *batch =
		    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
		enum trl_code rc;

		trl_batch_get(batch, &trl_sql_parked_subjects, NULL, &rows.base,
		    TRL_ARG_TEXT("subscription", sub->spec->name),
		    TRL_ARG_ID("after", after), TRL_ARG_INT("most", 50));
		rc = trl_batch_read(batch);
		if (rc != TRL_OK || rows.n_rows == 0)
			return rc;
		for (size_t i = 0; i < rows.n_rows; i++) {
			after = trl_value_id(rows.rows[i]->subject_id);
			release(ctx, sub, after, applied);
		}
	}
}

enum trl_code
trl_events_redrive(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct trl_id event, size_t *applied)
{
	Trellis__Bus__ParkedRow parked = TRELLIS__BUS__PARKED_ROW__INIT;
	struct subscription *sub;
	enum trl_code rc = find(ctx, events, subscription, &sub);

	*applied = 0;
	if (rc == TRL_OK && trl_id_is_nil(event))
		return redrive_all(ctx, sub, applied);
	if (rc == TRL_OK)
		rc = get(ctx, sub, event, &parked);
	if (rc != TRL_OK)
		return rc;
	rc = settle_soon(ctx, sub, &parked, false);
	if (rc != TRL_OK) {
		note_error(ctx, sub, &parked);
		return rc;
	}
	*applied = 1;
	release(ctx, sub, trl_value_id(parked.subject_id), applied);
	return TRL_OK;
}

enum trl_code
trl_events_skip(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct trl_id event, size_t *applied)
{
	Trellis__Bus__ParkedRow parked = TRELLIS__BUS__PARKED_ROW__INIT;
	struct subscription *sub;
	enum trl_code rc = find(ctx, events, subscription, &sub);

	*applied = 0;
	if (rc == TRL_OK)
		rc = get(ctx, sub, event, &parked);
	if (rc == TRL_OK)
		rc = settle_soon(ctx, sub, &parked, true);
	if (rc == TRL_OK)
		release(ctx, sub, trl_value_id(parked.subject_id), applied);
	return rc;
}
