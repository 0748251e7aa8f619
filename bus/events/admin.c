/* admin.c - what the operator sees of events: lag, the log; and replay,
 * which is setting a number. */
#include <string.h>

#include <trl/events_admin.h>
#include <trl/value.h>

#include "framework_sql.h"
#include "subscription.h"

static trl_batch *
look_up(trl_ctx *ctx, const struct events *events)
{
	return trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
}

const char *const *
trl_events_names(trl_ctx *ctx, const struct events *events)
{
	const char **names;
	size_t n = 0;

	for (const struct subscription *s = events->subscriptions; s; s = s->next)
		n++;
	names = trl_arena_zalloc(ctx->arena, (n + 1) * sizeof *names);
	for (const struct subscription *s = events->subscriptions; s; s = s->next)
		names[--n] = s->name;
	return names;
}

static enum trl_code
lag_of(trl_ctx *ctx, struct subscription *sub, struct trl_events_lag *out, size_t *n)
{
	Trellis__Bus__CursorRows rows = TRELLIS__BUS__CURSOR_ROWS__INIT;
	trl_batch *batch = look_up(ctx, sub->events);
	Events__V1__HeadsReply *heads;
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_cursor_lag, NULL, &rows.base,
	    TRL_ARG_TEXT("subscription", sub->name));
	rc = trl_batch_read(batch);
	if (rc == TRL_OK)
		rc = sub_heads(ctx, sub, 0, &heads);
	for (size_t i = 0; rc == TRL_OK && i < rows.n_rows && i < LANES; i++) {
		const Trellis__Bus__CursorRow *row = rows.rows[i];
		const struct sub_lane *lane = &sub->lanes[row->lane % LANES];
		uint64_t at = row->seq;

		if (row->seq == lane->saved && lane->seq > at)
			at = lane->seq; /* past what is not wanted */
		out[(*n)++] = (struct trl_events_lag){
			.subscription = sub->name,
			.producer = sub->producer,
			.lane = row->lane,
			.live = sub->live,
			.epoch = row->epoch,
			.cursor = at,
			.head = heads->heads[row->lane % LANES],
			.parked = row->parked,
			.oldest_at_us = trl_value_time_us(row->oldest_at),
		};
	}
	return rc;
}

enum trl_code
trl_events_lag(trl_ctx *ctx, trl_events *events, struct trl_events_lag **out, size_t *n)
{
	size_t subs = 0, found = 0;
	struct trl_events_lag *all;

	for (struct subscription *s = events->subscriptions; s; s = s->next)
		subs++;
	all = trl_arena_zalloc(ctx->arena, (subs * LANES + 1) * sizeof *all);
	for (struct subscription *s = events->subscriptions; s; s = s->next) {
		enum trl_code rc = lag_of(ctx, s, all, &found);

		if (rc != TRL_OK)
			return rc;
	}
	*out = all;
	*n = found;
	return TRL_OK;
}

enum trl_code
trl_events_subscribers(
    trl_ctx *ctx, trl_events *events, struct trl_events_subscriber **out, size_t *n)
{
	Trellis__Bus__ProgressRows rows = TRELLIS__BUS__PROGRESS_ROWS__INIT;
	trl_batch *batch = look_up(ctx, events);
	enum trl_code rc = events_progress_write(ctx, events);

	if (rc != TRL_OK)
		return rc;
	trl_batch_get(batch, &trl_sql_event_progress_list, NULL, &rows.base);
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	*out = trl_arena_zalloc(ctx->arena, (rows.n_rows + 1) * sizeof **out);
	*n = rows.n_rows;
	for (size_t i = 0; i < rows.n_rows; i++)
		(*out)[i] = (struct trl_events_subscriber){
			.service = rows.rows[i]->service,
			.subscription = rows.rows[i]->subscription,
			.lane = rows.rows[i]->lane,
			.acknowledged = rows.rows[i]->seq,
			.head = events->lanes[rows.rows[i]->lane % LANES].head,
		};
	return TRL_OK;
}

enum trl_code
trl_events_forget(
    trl_ctx *ctx, trl_events *events, const char *service, const char *subscription)
{
	trl_batch *batch = look_up(ctx, events);

	events_progress_forget(events, service, subscription);
	trl_batch_add(batch, &trl_sql_event_progress_drop, NULL,
	    TRL_ARG_TEXT("service", service),
	    TRL_ARG_TEXT("subscription", subscription));
	return trl_batch_write_unrecorded(batch);
}

static enum trl_code
places(trl_ctx *ctx, struct subscription *sub, const struct trl_events_replay *terms,
    int64_t *lanes, int64_t *seqs, size_t *n)
{
	Events__V1__HeadsReply *now, *then = NULL;
	enum trl_code rc = sub_heads(ctx, sub, 0, &now);

	if (rc == TRL_OK && terms->since_us)
		rc = sub_heads(ctx, sub, terms->since_us, &then);
	if (rc != TRL_OK)
		return rc;
	for (unsigned i = 0; i < LANES; i++) {
		uint64_t first = now->firsts[i], from = terms->seq ? terms->seq : first;

		if (terms->lane >= 0 && (unsigned)terms->lane != i)
			continue;
		if (then)
			from = then->heads[i] + 1;
		if (from < first || from > now->heads[i] + 1)
			return trl_fail_field(ctx, TRL_INVALID, "seq",
			    "Lane %u has the numbers %llu to %llu.", i,
			    (unsigned long long)first,
			    (unsigned long long)now->heads[i]);
		lanes[*n] = i;
		seqs[(*n)++] = (int64_t)from - 1;
	}
	return TRL_OK;
}

enum trl_code
trl_events_replay(
    trl_ctx *ctx, trl_events *events, const struct trl_events_replay *terms)
{
	struct subscription *sub = sub_find(events, terms->subscription);
	int64_t *lanes = events_ints(ctx, LANES), *seqs = events_ints(ctx, LANES);
	trl_batch *batch = look_up(ctx, events);
	size_t n = 0;
	enum trl_code rc;

	if (!sub)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such subscription.");
	if (terms->lane >= LANES)
		return trl_fail_field(ctx, TRL_INVALID, "lane",
		    "A lane is from 0 to %d, or none for all.", LANES - 1);
	rc = places(ctx, sub, terms, lanes, seqs, &n);
	if (rc != TRL_OK)
		return rc;
	trl_batch_add(batch, &trl_sql_cursor_replay, NULL,
	    TRL_ARG_TEXT("subscription", sub->name), TRL_ARG_INTS("lanes", lanes, n),
	    TRL_ARG_INTS("seqs", seqs, n), TRL_ARG_BOOL("again", terms->again));
	rc = trl_batch_write_unrecorded(batch);
	if (rc != TRL_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct sub_lane *lane = &sub->lanes[lanes[i]];

		lane->saved = UINT64_MAX; /* other replicas see it by the row */
		lane->gap = lane->missed = false;
		lane->until_us = 0;
	}
	sub->loaded = false;
	sub_pull(sub);
	return TRL_OK;
}

enum trl_code
trl_events_tail(trl_ctx *ctx, trl_events *events, unsigned lane, uint64_t after,
    size_t limit, struct trl_event **out, size_t *n)
{
	Events__V1__FetchReply rows = EVENTS__V1__FETCH_REPLY__INIT;
	trl_batch *batch = look_up(ctx, events);
	enum trl_code rc;

	trl_batch_get(batch, &trl_sql_event_tail, NULL, &rows.base,
	    TRL_ARG_INT("lane", lane), TRL_ARG_INT("after", (int64_t)after),
	    TRL_ARG_INT("most", (int64_t)(limit < FETCH_MAX ? limit : FETCH_MAX)));
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	*out = trl_arena_zalloc(ctx->arena, (rows.n_events + 1) * sizeof **out);
	*n = rows.n_events;
	for (size_t i = 0; i < rows.n_events; i++)
		if (events_of_row(ctx, rows.events[i], &(*out)[i]) != TRL_OK)
			trl_err_clear(ctx); /* shown without its payload */
	return TRL_OK;
}

enum trl_code
trl_events_heads(trl_ctx *ctx, trl_events *events, uint64_t *heads, uint32_t *epoch)
{
	enum trl_code rc = events_heads_read(ctx, events);

	for (size_t i = 0; rc == TRL_OK && i < LANES; i++)
		heads[i] = events->lanes[i].head;
	if (rc == TRL_OK)
		*epoch = events->epoch;
	return rc;
}

enum trl_code
trl_events_new_epoch(trl_ctx *ctx, trl_events *events)
{
	trl_batch *batch = look_up(ctx, events);
	enum trl_code rc;

	trl_batch_add(batch, &trl_sql_event_epoch, NULL);
	rc = trl_batch_write_unrecorded(batch);
	return rc == TRL_OK ? events_heads_read(ctx, events) : rc;
}
