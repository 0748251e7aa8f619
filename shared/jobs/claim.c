/* claim.c - taking jobs under a lease. One claim is under way at a time; it takes of
 * one kind, as many as there are free slots, and the kinds take turns. Who gets how
 * many is decided by the statement (job_claim.sql): it goes round the tenants that
 * have work, each by its weight, under its cap. So a tenant's million jobs stand
 * behind another's one, and not before it.
 *
 * A kind is asked about again as long as a claim's answer says that there is more: a
 * tenant gave all it was asked for. Where the last one gave nothing although there
 * was more, tenants are at their caps, and the next outcome asks again.
 *
 * What a claim took whose answer was lost is under a lease that nobody keeps. Its token
 * is known, so it is given back before anything else is claimed; otherwise it would
 * wait until the lease ends, and stand in its tenants' caps as long. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/log.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"

enum { CLAIM_TIMEOUT_MS = 5000, CLAIM_AGAIN_MS = 100 };

static unsigned
room_of(const struct jobs_kind *kind)
{
	unsigned room = kind->running < kind->slots ? kind->slots - kind->running : 0;

	return room < JOBS_CLAIM_MAX ? room : JOBS_CLAIM_MAX;
}

/* The kind whose turn it is, or NULL. */
static struct jobs_kind *
next_kind(const trl_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_kinds; i++) {
		struct jobs_kind *kind =
		    &jobs->kinds[(jobs->next_kind + i) % jobs->n_kinds];

		if (kind->more && room_of(kind) > 0)
			return kind;
	}
	return NULL;
}

static void
hold(trl_jobs *jobs, struct jobs_kind *kind, const Jobs__Claimed *row,
    struct trl_id token, uint64_t lease_until)
{
	struct trl_job_run *run = calloc(1, sizeof *run + row->payload.len);

	trl_assert(run != NULL && row->id.len == 16 && row->tenant_id.len == 16);
	run->jobs = jobs;
	run->kind = kind;
	memcpy(run->id.bytes, row->id.data, 16);
	memcpy(run->tenant.bytes, row->tenant_id.data, 16);
	run->token = token;
	run->attempt = row->attempt;
	run->attempts = row->attempts;
	run->made_at_us = row->made_at;
	run->run_at_us = row->run_at;
	run->has_key = row->has_key;
	run->has_trace = row->trace.len == TRL_TRACE_BYTES;
	if (run->has_trace)
		memcpy(run->trace, row->trace.data, TRL_TRACE_BYTES);
	run->hook_only = row->ending != NULL;
	run->hook_cancelled = row->ending && strcmp(row->ending, "cancelled") == 0;
	run->lease_until = lease_until;
	run->len = row->payload.len;
	if (run->len > 0)
		memcpy(run->payload, row->payload.data, run->len);
	run->next = jobs->held;
	if (run->next)
		run->next->prev = run;
	jobs->held = run;
	jobs->n_held++;
	kind->running++;
	trl_series_set(kind->m.running, kind->running);
	trl_series_observe_us(
	    kind->m.wait, row->wait_us > 0 ? (uint64_t)row->wait_us : 0);
	jobs_run(run);
}

/* Where the next claim goes on, and whether there may be more: some tenant gave all it
 * was asked for. */
static void
move_on(trl_ctx *ctx, struct jobs_kind *kind, const Jobs__Claim *claim, unsigned room)
{
	unsigned *given = trl_arena_zalloc(ctx->arena, (room + 1) * sizeof *given);
	const Jobs__Claimed *last = NULL;

	/* Of lanes it is not seen which have more: until there is nothing. */
	kind->more = claim->n_items >= room || (kind->kind->per_lane && claim->n_items);
	kind->blocked = claim->n_items == 0 && kind->running > 0;
	for (size_t i = 0; i < claim->n_items; i++) {
		const Jobs__Claimed *row = claim->items[i];

		trl_assert(row->place >= 0 && row->place <= (int64_t)room);
		if (!last || row->place > last->place)
			last = row;
		if ((int64_t)++given[row->place] >= row->most)
			kind->more = true;
	}
	if (!last)
		return;
	memcpy(kind->after.bytes, last->tenant_id.data, 16);
	kind->credit = 0;
	/* Cut off within its turn, which goes on then; the platform has no weight. */
	if (!kind->kind->per_lane && claim->n_items >= room &&
	    (int64_t)given[last->place] < last->weight && !trl_id_is_nil(kind->after))
		kind->credit = (unsigned)last->weight - given[last->place];
}

static void
take(trl_jobs *jobs, trl_ctx *ctx, struct jobs_kind *kind, const Jobs__Claim *claim,
    struct trl_id token, unsigned room, uint64_t lease_until)
{
	move_on(ctx, kind, claim, room);
	for (size_t i = 0; i < claim->n_items; i++)
		hold(jobs, kind, claim->items[i], token, lease_until);
	if (claim->n_items > 0) {
		jobs->poll_ms = 0; /* busy: the next poll comes soon */
		jobs_beat_start(jobs);
	}
}

/* The tenant a round ends with: the one it began behind, or, where that is the first
 * itself, the one before. */
static struct trl_id
last_of_round(const struct jobs_kind *kind)
{
	struct trl_id until = kind->after;

	for (size_t i = sizeof until.bytes; kind->credit > 0 && i-- > 0;)
		if (until.bytes[i]-- != 0)
			break;
	return until;
}

enum trl_code
jobs_unclaim(trl_jobs *jobs, trl_ctx *ctx)
{
	trl_batch *batch = jobs_batch(jobs, ctx);
	enum trl_code rc;

	trl_batch_add(
	    batch, &trl_sql_job_unclaim, NULL, TRL_ARG_ID("token", jobs->lost_claim));
	rc = trl_batch_write_unrecorded(batch);
	if (rc != TRL_OK)
		return rc;
	jobs->lost_claim = trl_id_nil;
	for (size_t i = 0; i < jobs->n_kinds; i++)
		jobs->kinds[i].more = true;
	return TRL_OK;
}

static void
ask(trl_jobs *jobs, trl_batch *batch, const struct jobs_kind *kind, struct trl_id token,
    ProtobufCMessage *rows)
{
	const unsigned room = room_of(kind);

	if (kind->kind->per_lane)
		trl_batch_add(batch, &trl_sql_job_claim_turn, NULL,
		    TRL_ARG_TEXT("kind", kind->kind->name));
	if (kind->kind->per_lane)
		trl_batch_get(batch, &trl_sql_job_claim_lanes, NULL, rows,
		    TRL_ARG_TEXT("kind", kind->kind->name),
		    TRL_ARG_ID("after", kind->after), TRL_ARG_INT("room", room),
		    TRL_ARG_INT("free", kind->slots - kind->running),
		    TRL_ARG_INT("per_tenant", kind->per_tenant),
		    TRL_ARG_INT("per_lane", kind->kind->per_lane),
		    TRL_ARG_ID("token", token),
		    TRL_ARG_INT("lease_ms", jobs->lease_ms));
	else
		trl_batch_get(batch, &trl_sql_job_claim, NULL, rows,
		    TRL_ARG_TEXT("kind", kind->kind->name),
		    TRL_ARG_ID("after", kind->after),
		    TRL_ARG_ID("until", last_of_round(kind)),
		    TRL_ARG_INT("credit", kind->credit), TRL_ARG_INT("room", room),
		    TRL_ARG_INT("per_tenant", kind->per_tenant),
		    TRL_ARG_ID("token", token),
		    TRL_ARG_INT("lease_ms", jobs->lease_ms));
}

static void
claim(trl_ctx *ctx, void *arg)
{
	trl_jobs *jobs = arg;
	struct jobs_kind *kind = next_kind(jobs);
	Jobs__Claim rows = JOBS__CLAIM__INIT;
	enum trl_code rc;

	ctx->service = jobs->service;
	if (!kind || jobs->draining) {
		jobs->claiming = false;
		return;
	}
	unsigned room = room_of(kind);
	struct trl_id token = trl_id_random();
	uint64_t lease_until = trl_mono_us() + (uint64_t)jobs->lease_ms * 1000;
	trl_batch *batch = jobs_batch(jobs, ctx);

	jobs->next_kind = (size_t)(kind - jobs->kinds + 1) % jobs->n_kinds;
	kind->more = false; /* who adds one from here on says so again */
	ask(jobs, batch, kind, token, &rows.base);
	rc = trl_batch_write_unrecorded(batch);
	if (rc == TRL_OK && jobs->draining) { /* it was under way: for somebody else */
		jobs->lost_claim = token;
		if (jobs_unclaim(jobs, ctx) != TRL_OK)
			trl_err_clear(ctx); /* their lease ends by itself */
	} else if (rc == TRL_OK) {
		bool told = kind->more;

		take(jobs, ctx, kind, &rows, token, room, lease_until);
		kind->more |= told;
	} else {
		if (rc == TRL_UNCERTAIN || rc == TRL_DEADLINE)
			jobs->lost_claim = token;
		trl_log_err(ctx);
		trl_err_clear(ctx);
		jobs_poll_in(jobs, CLAIM_AGAIN_MS);
	}
	jobs->claiming = false;
	if (rc == TRL_OK)
		jobs_claim(jobs);
}

void
jobs_claim(trl_jobs *jobs)
{
	struct trl_spawn spec = { .name = "jobs claim",
		.run = claim,
		.arg = jobs,
		.timeout_ms = CLAIM_TIMEOUT_MS };

	if (jobs->claiming || jobs->draining || !trl_id_is_nil(jobs->lost_claim) ||
	    !next_kind(jobs))
		return;
	jobs->claiming = trl_spawn(jobs->loop, &spec) == TRL_OK;
	if (!jobs->claiming)
		jobs_poll_in(jobs, CLAIM_AGAIN_MS);
}
