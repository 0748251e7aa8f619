/* apply.c - a batch of events is one transaction: the lanes' rows are locked, ids go
 * into the inbox, the handler sees what is new, the cursors move. Two round trips where
 * the handler only adds, and not much. Who does not get a lane's row leaves the lane to
 * its owner for a while. */
#include <string.h>

#include <trl/value.h>

#include "batch.h"
#include "framework_sql.h"

enum { ELSEWHERE_MS = 1000 };

static enum trl_code
take(trl_ctx *ctx, struct subscription *sub, trl_tx *tx, const struct batch *batch,
    Trellis__Bus__TakenRows *out)
{
	int64_t *own = events_ints(ctx, batch->n_parts),
		*lanes = events_ints(ctx, batch->n), *seqs = events_ints(ctx, batch->n);
	struct trl_id *ids = trl_arena_alloc(ctx->arena, batch->n * sizeof *ids),
		      *subjects =
			  trl_arena_alloc(ctx->arena, batch->n * sizeof *subjects),
		      *tenants =
			  trl_arena_alloc(ctx->arena, batch->n * sizeof *tenants);
	size_t n = 0;

	for (size_t i = 0; i < batch->n_parts; i++) {
		const struct part *part = &batch->parts[i];

		own[i] = part->lane;
		for (size_t j = 0; j < part->n; j++, n++) {
			const struct trl_event *event =
			    &sub->lanes[part->lane].events[part->from + j];

			lanes[n] = part->lane;
			seqs[n] = (int64_t)event->seq;
			ids[n] = event->id;
			subjects[n] = event->subject;
			tenants[n] = event->tenant;
		}
	}
	return trl_tx_run(tx, &trl_sql_inbox_take, NULL, &out->base,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_INTS("lanes", own, batch->n_parts),
	    TRL_ARG_INTS("event_lanes", lanes, n), TRL_ARG_INTS("event_seqs", seqs, n),
	    TRL_ARG_IDS("event_ids", ids, n), TRL_ARG_IDS("subject_ids", subjects, n),
	    TRL_ARG_IDS("tenant_ids", tenants, n));
}

/* Which lanes are owned. False: somebody has set one back (a replay). */
static bool
see_owned(
    struct subscription *sub, struct batch *batch, const Trellis__Bus__TakenRows *taken)
{
	for (size_t i = 0; i < batch->n_parts; i++) /* it may be its second time */
		batch->parts[i].owned = batch->parts[i].ahead = false;
	for (size_t r = 0; r < taken->n_rows; r++) {
		const Trellis__Bus__TakenRow *row = taken->rows[r];

		for (size_t i = 0; i < batch->n_parts; i++) {
			struct part *part = &batch->parts[i];

			if (row->has_event_id || part->lane != row->lane)
				continue;
			part->owned = true;
			part->owned_seq = row->seq;
			part->ahead = row->seq > sub->lanes[row->lane].saved;
			if (row->seq < sub->lanes[row->lane].saved ||
			    row->epoch != sub->epoch)
				return false;
		}
	}
	return true;
}

/* What the take says of each event of the batch, in its order. */
struct verdict {
	bool is_new, waits, late;
};

static struct verdict *
read_taken(trl_ctx *ctx, const struct subscription *sub, const struct batch *batch,
    const Trellis__Bus__TakenRows *taken)
{
	struct verdict *all = trl_arena_zalloc(ctx->arena, batch->n * sizeof *all);

	for (size_t r = 0; r < taken->n_rows; r++) {
		const Trellis__Bus__TakenRow *row = taken->rows[r];
		size_t place = 0, i = 0, low = 0, high;

		while (i < batch->n_parts && batch->parts[i].lane != row->lane)
			place += batch->parts[i++].n;
		if (!row->has_event_id || i == batch->n_parts)
			continue;
		const struct part *part = &batch->parts[i];
		const struct trl_event *events =
		    sub->lanes[part->lane].events + part->from;

		for (high = part->n; low < high;) { /* rising by number */
			size_t mid = (low + high) / 2;

			if (events[mid].seq < row->seq)
				low = mid + 1;
			else
				high = mid;
		}
		if (low == part->n || events[low].seq != row->seq)
			continue;
		all[place + low].waits |= row->waits;
		all[place + low].late |= row->late;
		all[place + low].is_new |= !row->waits && !row->late;
	}
	return all;
}

static void
move_cursors(trl_ctx *ctx, struct subscription *sub, trl_tx *tx, struct batch *batch)
{
	int64_t *lanes = events_ints(ctx, LANES), *seqs = events_ints(ctx, LANES);
	size_t n = 0;

	for (size_t i = 0; i < batch->n_parts; i++) {
		struct part *part = &batch->parts[i];
		const struct sub_lane *lane = &sub->lanes[part->lane];
		uint64_t to = part->from + part->n == lane->n
				  ? lane->through
				  : lane->events[part->from + part->n - 1].seq;

		if (!part->owned)
			continue;
		if (part->owned_seq < to)
			part->owned_seq = to;
		lanes[n] = part->lane;
		seqs[n++] = (int64_t)part->owned_seq;
	}
	trl_tx_add(tx, &trl_sql_cursor_move, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INTS("lanes", lanes, n),
	    TRL_ARG_INTS("seqs", seqs, n));
}

/* What is new goes to the handler, or to the dead letters. */
static enum trl_code
apply_new(trl_ctx *ctx, struct subscription *sub, struct sub_work *work,
    struct batch *batch, const Trellis__Bus__TakenRows *taken, const char *give_up,
    struct trl_event *fresh, size_t *applied)
{
	const struct verdict *verdicts = read_taken(ctx, sub, batch, taken);
	size_t n = 0, known = 0, late = 0;

	for (size_t i = 0; i < batch->n_parts; i++) {
		const struct part *part = &batch->parts[i];
		struct sub_lane *lane = &sub->lanes[part->lane];

		for (size_t j = part->from; j < part->from + part->n; j++, verdicts++) {
			if (!part->owned)
				continue;
			if (!verdicts->is_new)
				known += lane->events[j].seq > part->owned_seq;
			else if (sub_is_late(&lane->events[j], verdicts->late))
				late++;
			else if (give_up || verdicts->waits)
				sub_dead_letter(ctx, sub, work->tx, lane->rows[j],
				    verdicts->waits ? "an earlier event of its subject "
						      "is parked"
						    : give_up);
			else
				fresh[n++] = lane->events[j];
		}
	}
	trl_series_add(sub->m.repeated, (double)known);
	trl_series_add(sub->m.late, (double)late);
	*applied = n;
	return n > 0 ? sub_hand_over(ctx, sub, work, fresh, n) : TRL_OK;
}

static bool
is_first_of_tenant(const struct trl_event *events, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (trl_id_eq(events[i].tenant, events[at].tenant))
			return false;
	return true;
}

static void
follow(trl_ctx *ctx, struct subscription *sub, const struct trl_event *events, size_t n)
{
	const struct trl_err err = ctx->err;

	if (!sub->spec->applied)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!is_first_of_tenant(events, i))
			continue;
		trl_err_clear(ctx);
		sub->spec->applied(sub->events->self, ctx, events[i].tenant);
	}
	ctx->err = err;
}

static void
succeeded(struct subscription *sub, const struct batch *batch)
{
	for (size_t i = 0; i < batch->n_parts; i++) {
		const struct part *part = &batch->parts[i];
		struct sub_lane *lane = &sub->lanes[part->lane];

		if (!part->owned || part->ahead) { /* left to the other process */
			lane->until_us = trl_mono_us() + ELSEWHERE_MS * 1000;
			lane->at = lane->n;
			sub->loaded = false;
		}
		if (!part->owned)
			continue;
		lane->seq = lane->saved = part->owned_seq;
		if (!part->ahead)
			lane->at = part->from + part->n;
		lane->careful -=
		    lane->careful < part->n ? lane->careful : (unsigned)part->n;
		lane->fails = lane->put_off = 0;
		lane->counted = false; /* moving the cursor said so */
		if (lane->singly > 0)
			lane->singly--;
	}
}

enum trl_code
sub_apply_batch(
    trl_ctx *ctx, struct subscription *sub, struct batch *batch, const char *give_up)
{
	TRL_AUTO(sub_work_end) struct sub_work work = { 0 };
	Trellis__Bus__TakenRows taken = TRELLIS__BUS__TAKEN_ROWS__INIT;
	const struct part *last = &batch->parts[batch->n_parts - 1];
	int64_t at_us = sub->lanes[last->lane].events[last->from + last->n - 1].at_us;
	struct trl_event *fresh =
	    trl_arena_alloc(ctx->arena, (batch->n + 1) * sizeof *fresh);
	size_t applied = 0;
	enum trl_code rc;

	rc = sub_work_begin(ctx, sub, &work);
	if (rc == TRL_OK)
		rc = take(ctx, sub, work.tx, batch, &taken);
	if (rc != TRL_OK)
		return rc;
	if (!see_owned(sub, batch, &taken)) {
		sub->loaded = false;
		for (size_t i = 0; i < LANES; i++) {
			sub->lanes[i].saved = UINT64_MAX;
			sub->lanes[i].at = sub->lanes[i].n;
		}
		return TRL_OK;
	}
	rc = apply_new(ctx, sub, &work, batch, &taken, give_up, fresh, &applied);
	if (rc != TRL_OK)
		return rc;
	move_cursors(ctx, sub, work.tx, batch);
	rc = trl_tx_commit(&work.tx, NULL);
	if (rc == TRL_OK || rc == TRL_UNCERTAIN)
		follow(ctx, sub, fresh, applied);
	if (rc != TRL_OK)
		return rc;
	succeeded(sub, batch);
	trl_series_add(sub->m.applied, (double)applied);
	trl_series_set(sub->m.lag, (double)(trl_wall_us() - at_us) / 1e6);
	return TRL_OK;
}
