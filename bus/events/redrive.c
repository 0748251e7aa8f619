/* redrive.c - what the operator does about dead letters: sees them, has them applied
 * again (in order), or leaves them out. The lane's row is locked meanwhile, so
 * that a new event of the subject is either seen here or sees what stands aside. */
#include <string.h>

#include <trl/events_admin.h>
#include <trl/log.h>
#include <trl/value.h>

#include "framework_sql.h"
#include "subscription.h"

static enum trl_code
find(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct subscription **out)
{
	*out = sub_find(events, subscription);
	if (!*out)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such subscription.");
	return TRL_OK;
}

/* A dead letter as a row of the log. */
static events_row *
row_of(trl_ctx *ctx, const Trellis__Bus__DeadLetterRow *letter)
{
	events_row *row = trl_arena_alloc(ctx->arena, sizeof *row);

	events__v1__event__init(row);
	row->id = letter->event_id;
	row->lane = letter->lane;
	row->seq = letter->seq;
	row->type = letter->type;
	row->tenant_id = letter->tenant_id;
	row->subject_id = letter->subject_id;
	row->at = letter->at;
	row->trace = letter->trace;
	row->payload = letter->payload;
	return row;
}

enum trl_code
trl_events_dead_letters(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct trl_id after, size_t limit, struct trl_dead_letter **out, size_t *n)
{
	Trellis__Bus__DeadLetterRows rows = TRELLIS__BUS__DEAD_LETTER_ROWS__INIT;
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_dead_letter_list, NULL, &rows.base,
	    TRL_ARG_TEXT("subscription", subscription ? subscription : ""),
	    TRL_ARG_ID("after", after),
	    TRL_ARG_INT("most", (int64_t)(limit < FETCH_MAX ? limit : FETCH_MAX)));
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	*out = trl_arena_zalloc(ctx->arena, (rows.n_rows + 1) * sizeof **out);
	*n = rows.n_rows;
	for (size_t i = 0; i < rows.n_rows; i++) {
		struct trl_dead_letter *letter = &(*out)[i];

		letter->subscription = rows.rows[i]->subscription;
		letter->error = rows.rows[i]->error;
		letter->parked_at_us = trl_value_time_us(rows.rows[i]->parked_at);
		if (events_of_row(ctx, row_of(ctx, rows.rows[i]), &letter->event) !=
		    TRL_OK)
			trl_err_clear(ctx); /* shown without its payload */
	}
	return TRL_OK;
}

/* Owns the event's lane; the event must be the first dead letter of its subject. */
static enum trl_code
lock(trl_tx *tx, struct subscription *sub, const Trellis__Bus__DeadLetterRow *letter,
    trl_ctx *ctx)
{
	Trellis__Bus__DeadLetterRow first = TRELLIS__BUS__DEAD_LETTER_ROW__INIT;
	enum trl_code rc;

	rc = trl_tx_run(tx, &trl_sql_cursor_lock, NULL, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INT("lane", letter->lane));
	if (rc == TRL_OK)
		rc = trl_tx_run(tx, &trl_sql_dead_letter_first, NULL, &first.base,
		    TRL_ARG_TEXT("subscription", sub->name),
		    TRL_ARG_ID("subject_id", trl_value_id(letter->subject_id)));
	if (rc == TRL_OK &&
	    !trl_id_eq(trl_value_id(first.event_id), trl_value_id(letter->event_id)))
		return trl_fail(ctx, TRL_CONFLICT,
		    "An earlier event of its subject is parked; begin with that.");
	return rc;
}

/* One transaction: applies the event unless it is skipped, and takes it out. */
static enum trl_code
settle(trl_ctx *ctx, struct subscription *sub,
    const Trellis__Bus__DeadLetterRow *letter, bool skip)
{
	TRL_AUTO(sub_work_end) struct sub_work work = { 0 };
	struct trl_event event;
	size_t n = 1;
	enum trl_code rc;

	rc = sub_work_begin(ctx, sub, &work);
	if (rc == TRL_OK)
		rc = lock(work.tx, sub, letter, ctx);
	if (rc == TRL_OK && !skip)
		rc = events_of_row(ctx, row_of(ctx, letter), &event);
	if (rc == TRL_OK && !skip)
		rc = sub_leave_out_late(ctx, sub, &work, &event, &n);
	if (rc == TRL_OK && !skip)
		rc = sub_hand_over(ctx, sub, &work, &event, n);
	if (rc != TRL_OK)
		return rc;
	trl_tx_scope(work.tx, (struct trl_scope){ 0 });
	trl_tx_add(work.tx, &trl_sql_dead_letter_delete, NULL,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_ID("event_id", trl_value_id(letter->event_id)));
	rc = trl_tx_commit(&work.tx, NULL);
	if (rc == TRL_OK)
		trl_log(TRL_LOG_INFO, ctx,
		    skip ? "a parked event was left out" : "a parked event was applied",
		    TRL_LOG_STR("subscription", sub->name),
		    TRL_LOG_ID("event", trl_value_id(letter->event_id)));
	return rc;
}

/* The lane may be at work: its batch is over in a moment. */
static enum trl_code
settle_soon(trl_ctx *ctx, struct subscription *sub,
    const Trellis__Bus__DeadLetterRow *letter, bool skip)
{
	enum trl_code rc = settle(ctx, sub, letter, skip);

	for (int i = 0; rc == TRL_BUSY && i < 40; i++) {
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, 25);
		if (rc == TRL_OK)
			rc = settle(ctx, sub, letter, skip);
	}
	return rc;
}

/* Notes why it failed again. */
static void
note_error(
    trl_ctx *ctx, struct subscription *sub, const Trellis__Bus__DeadLetterRow *letter)
{
	struct trl_err err = ctx->err;
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_err_clear(ctx);
	trl_batch_add(batch, &trl_sql_dead_letter_error, NULL,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_ID("event_id", trl_value_id(letter->event_id)),
	    TRL_ARG_TEXT("error", trl_arena_printf(ctx->arena, "%s: %s",
				      trl_code_name(err.code), err.message)));
	if (trl_batch_write_unrecorded(batch) != TRL_OK)
		trl_err_clear(ctx);
	ctx->err = err;
}

/* Applies the first dead letter of a subject; false: there is none, or it failed. */
static bool
release_first(trl_ctx *ctx, struct subscription *sub, struct trl_id subject)
{
	Trellis__Bus__DeadLetterRow next = TRELLIS__BUS__DEAD_LETTER_ROW__INIT;
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_batch_get(batch, &trl_sql_dead_letter_first, NULL, &next.base,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_ID("subject_id", subject));
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
	trl_err_clear(ctx); /* the one that failed stays one, with its error */
}

static enum trl_code
get(trl_ctx *ctx, struct subscription *sub, struct trl_id event,
    Trellis__Bus__DeadLetterRow *out)
{
	trl_batch *batch =
	    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });

	trl_batch_get(batch, &trl_sql_dead_letter_get, NULL, &out->base,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_ID("event_id", event));
	return trl_batch_read(batch);
}

/* Every subject's, as far as time goes. */
static enum trl_code
redrive_all(trl_ctx *ctx, struct subscription *sub, size_t *applied)
{
	struct trl_id after = trl_id_nil;

	for (;;) {
		Trellis__Bus__DeadLetterRows rows =
		    TRELLIS__BUS__DEAD_LETTER_ROWS__INIT;
		trl_batch *batch =
		    trl_batch_new(ctx, sub->events->sys, (struct trl_scope){ 0 });
		enum trl_code rc;

		trl_batch_get(batch, &trl_sql_dead_letter_subjects, NULL, &rows.base,
		    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_ID("after", after),
		    TRL_ARG_INT("most", 50));
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
	Trellis__Bus__DeadLetterRow letter = TRELLIS__BUS__DEAD_LETTER_ROW__INIT;
	struct subscription *sub;
	enum trl_code rc = find(ctx, events, subscription, &sub);

	*applied = 0;
	if (rc == TRL_OK && trl_id_is_nil(event))
		return redrive_all(ctx, sub, applied);
	if (rc == TRL_OK)
		rc = get(ctx, sub, event, &letter);
	if (rc != TRL_OK)
		return rc;
	rc = settle_soon(ctx, sub, &letter, false);
	if (rc != TRL_OK) {
		note_error(ctx, sub, &letter);
		return rc;
	}
	*applied = 1;
	release(ctx, sub, trl_value_id(letter.subject_id), applied);
	return TRL_OK;
}

enum trl_code
trl_events_skip(trl_ctx *ctx, trl_events *events, const char *subscription,
    struct trl_id event, size_t *applied)
{
	Trellis__Bus__DeadLetterRow letter = TRELLIS__BUS__DEAD_LETTER_ROW__INIT;
	struct subscription *sub;
	enum trl_code rc = find(ctx, events, subscription, &sub);

	*applied = 0;
	if (rc == TRL_OK)
		rc = get(ctx, sub, event, &letter);
	if (rc == TRL_OK)
		rc = settle_soon(ctx, sub, &letter, true);
	if (rc == TRL_OK)
		release(ctx, sub, trl_value_id(letter.subject_id), applied);
	return rc;
}
