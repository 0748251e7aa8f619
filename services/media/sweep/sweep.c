/* sweep.c - see sweep.h: a run from phase to phase, by cron and by the operator. */
#include "sweep/sweep.h"

#include <string.h>

#include <trl/log.h>
#include <trl/metrics.h>

enum {
	KEPT_BACK_MS = 3000, /* of the time, for a page that is slow */
	BUCKET_SLICES = 28
};

static trl_metric *swept, *swept_bytes, *passed, *held;

void
sweep_open(void)
{
	swept = trl_counter_new("trellis_media_swept_total",
	    "What was found that belongs to nothing, and removed; missing: files "
	    "without "
	    "bytes, which nothing removes",
	    "what", NULL);
	swept_bytes = trl_counter_new("trellis_media_swept_bytes_total",
	    "Bytes of what was found that belongs to nothing", "what", NULL);
	passed = trl_counter_new("trellis_media_sweep_passed_total",
	    "What a sweep could not read or remove, and passed over", NULL);
	(void)trl_series_at(passed, NULL);
	held = trl_counter_new("trellis_media_sweep_held_total",
	    "Runs of a sweep that removed nothing, for the database was restored "
	    "(restored), or the store has too many files that are not in it (unknown)",
	    "why", NULL);
	(void)trl_series_at(held, "restored");
	(void)trl_series_at(held, "unknown");
	for (int what = 1; what <= SWEEP_WHATS; what++) {
		const char *name =
		    media_v1_swept_what_name((Media__V1__Swept__What)what);

		(void)trl_series_at(swept, name);
		(void)trl_series_at(swept_bytes, name);
	}
}

void
sweep_count(struct sweep *sweep, Media__V1__Swept__What what, uint64_t bytes)
{
	sweep->sums[what - 1].count++;
	sweep->sums[what - 1].bytes += bytes;
}

void
sweep_held(const char *why)
{
	trl_series_add(trl_series_at(held, why), 1);
}

void
sweep_passed(struct sweep *sweep, size_t n)
{
	sweep->passed += n;
	trl_series_add(trl_series_at(passed, NULL), (double)n);
}

enum trl_code
sweep_pass(struct sweep *sweep, enum trl_code rc, const char *name)
{
	trl_ctx *ctx = sweep->ctx;

	if (rc == TRL_OK) {
		sweep->failures = 0;
		return TRL_OK;
	}
	if (rc == TRL_DEADLINE || ++sweep->failures > SWEEP_FAILURES)
		return rc;
	trl_log(TRL_LOG_ERROR, ctx, "a sweep passes over what it cannot read or remove",
	    TRL_LOG_STR("name", name));
	trl_log_err(ctx);
	trl_err_clear(ctx);
	sweep_passed(sweep, 1);
	return TRL_OK;
}

void
sweep_behind(
    struct sweep *sweep, struct trl_id tenant, struct trl_id file, const char *key)
{
	trl_set(&sweep->place, tenant_id, trl_value_bytes(sweep->ctx, tenant));
	trl_set(&sweep->place, file_id, trl_value_bytes(sweep->ctx, file));
	sweep->place.after = (char *)(uintptr_t)key;
}

/* In their order. */
static const struct phase {
	Media__V1__SweepPlace__Phase phase;
	enum trl_code (*page)(struct sweep *sweep, bool *over);
} phases[] = {
	{ MEDIA__V1__SWEEP_PLACE__PHASE__uploads, sweep_uploads },
	{ MEDIA__V1__SWEEP_PLACE__PHASE__links, sweep_links },
	{ MEDIA__V1__SWEEP_PLACE__PHASE__purges, sweep_purges },
	{ MEDIA__V1__SWEEP_PLACE__PHASE__store, sweep_store },
	{ MEDIA__V1__SWEEP_PLACE__PHASE__renditions, sweep_renditions },
	{ MEDIA__V1__SWEEP_PLACE__PHASE__rows, sweep_rows },
};

static const struct phase *
phase_of(Media__V1__SweepPlace__Phase phase)
{
	for (size_t i = 0; i < TRL_COUNT(phases); i++)
		if (phases[i].phase == phase)
			return &phases[i];
	return &phases[0];
}

static void
begin(struct sweep *sweep, const struct phase *phase)
{
	const Media__V1__SweepPlace before = sweep->place;

	media__v1__sweep_place__init(&sweep->place);
	trl_set(&sweep->place, phase, phase->phase);
	if (before.has_slices) {
		trl_set(&sweep->place, slice, before.slice);
		trl_set(&sweep->place, slices, before.slices);
	}
}

/* Not of a dry run: what was found is still there, and is found again. */
static void
count_all(const struct sweep *sweep)
{
	for (int what = 1; what <= SWEEP_WHATS && !sweep->dry_run; what++) {
		const struct sweep_sum *sum = &sweep->sums[what - 1];
		const char *name =
		    media_v1_swept_what_name((Media__V1__Swept__What)what);

		trl_series_add(trl_series_at(swept, name), (double)sum->count);
		trl_series_add(trl_series_at(swept_bytes, name), (double)sum->bytes);
	}
}

static enum trl_code
do_page(struct sweep *sweep, Media__V1__SweepPlace__Phase last)
{
	const struct phase *phase = phase_of(sweep->place.phase);
	bool over = false;
	enum trl_code rc = phase->page(sweep, &over);

	if (rc != TRL_OK || !over)
		return rc;
	if (phase->phase == last)
		sweep->place.has_phase = false;
	else
		begin(sweep, phase + 1);
	return TRL_OK;
}

enum trl_code
sweep_run(struct sweep *sweep, const Media__V1__SweepPlace *from,
    Media__V1__SweepPlace__Phase last)
{
	enum trl_code rc = TRL_OK;

	if (from && from->has_phase)
		sweep->place = *from;
	else
		begin(sweep, &phases[0]);
	for (unsigned i = 0; rc == TRL_OK && sweep->place.has_phase; i++) {
		if (i == SWEEP_PAGES_A_RUN ||
		    (i > 0 && trl_time_left_ms(sweep->ctx) < KEPT_BACK_MS))
			break;
		rc = do_page(sweep, last);
	}
	count_all(sweep);
	return rc;
}

/* Errors: faults. */
enum trl_code
media_sweep(struct media *self, trl_ctx *ctx, const Media__V1__SweepRequest *in,
    Media__V1__SweepReply *out)
{
	struct sweep sweep = { .self = self,
		.ctx = ctx,
		.dry_run = in->dry_run,
		.force = in->force,
		.accept_restore = in->accept_restore };
	enum trl_code rc = sweep_compare(&sweep, false);

	sweep.dry_run |= sweep.restored;
	if (rc == TRL_OK)
		rc = sweep_run(&sweep, in->place, MEDIA__V1__SWEEP_PLACE__PHASE__rows);
	if (rc != TRL_OK)
		return rc;
	out->items = trl_arena_alloc(ctx->arena, SWEEP_WHATS * sizeof out->items[0]);
	for (int what = 1; what <= SWEEP_WHATS; what++) {
		Media__V1__Swept *item = media_v1_swept_new(ctx);

		trl_set(item, what, (Media__V1__Swept__What)what);
		trl_set(item, count, sweep.sums[what - 1].count);
		trl_set(item, bytes, sweep.sums[what - 1].bytes);
		out->items[out->n_items++] = item;
	}
	trl_set(out, held, sweep.held);
	trl_set(out, restored, sweep.restored);
	trl_set(out, passed, sweep.passed);
	if (sweep.place.has_phase)
		out->next =
		    trl_arena_memdup(ctx->arena, &sweep.place, sizeof sweep.place);
	trl_unchanged(ctx); /* asked again it goes on, whatever it found before */
	return TRL_OK;
}

/* Where a bucket is asked for each file, a night looks for a part of them. */
static void
slice(struct sweep *sweep)
{
	const bool bucket = strcmp(sweep->self->config->store, "s3") == 0;
	const uint32_t slices = bucket ? BUCKET_SLICES : 1;

	trl_set(&sweep->place, slices, slices);
	trl_set(&sweep->place, slice,
	    (uint32_t)(trl_now(sweep->ctx) / SWEEP_DAY_US) % slices);
}

/* Whether another chain of jobs is on its way: yesterday's. */
static enum trl_code
is_going_on(struct sweep *sweep, const struct trl_job_kind *kind, bool *other)
{
	struct trl_job jobs[TRL_JOBS_WAITING_MAX];
	size_t n = 0;
	enum trl_code rc =
	    trl_jobs_waiting(sweep->ctx, sweep->self->sys, kind, trl_id_nil, jobs, &n);

	*other = false;
	for (size_t i = 0; i < n; i++)
		*other |= !trl_id_eq(jobs[i].id, sweep->ctx->job);
	return rc;
}

/* What removes nothing goes on, where the database was restored. */
static const Media__V1__SweepPlace *
place_of(struct sweep *sweep, const Media__V1__SweepPlace *from)
{
	if (!sweep->restored || from->phase == MEDIA__V1__SWEEP_PLACE__PHASE__rows)
		return from;
	if (from->has_slices) {
		trl_set(&sweep->place, slice, from->slice);
		trl_set(&sweep->place, slices, from->slices);
	}
	begin(sweep, phase_of(MEDIA__V1__SWEEP_PLACE__PHASE__rows));
	return &sweep->place;
}

/* A job that has not come to the end leaves one that goes on behind its place. */
static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job,
    Media__V1__SweepPlace__Phase last, const struct trl_job_kind *kind)
{
	const Media__V1__SweepPlace *from = (const Media__V1__SweepPlace *)job->payload;
	struct sweep sweep = { .self = state, .ctx = ctx };
	trl_batch *work;
	bool other = false;
	enum trl_code rc = TRL_OK;

	if (!from->has_phase) {
		slice(&sweep);
		rc = is_going_on(&sweep, kind, &other);
	}
	if (rc == TRL_OK && !other)
		rc = sweep_compare(&sweep, !from->has_phase);
	if (rc != TRL_OK || other)
		return rc;
	from = place_of(&sweep, from);
	if (sweep.restored && last != MEDIA__V1__SWEEP_PLACE__PHASE__rows)
		return TRL_OK;
	rc = sweep_run(&sweep, from, last);
	if (rc != TRL_OK || !sweep.place.has_phase)
		return rc;
	work = trl_batch_new(ctx, sweep.self->pg, TRL_SCOPE_NOBODY);
	trl_batch_job(work, kind, NULL, &sweep.place.base);
	return trl_batch_write(work, NULL);
}

static enum trl_code
run_all(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	return run(state, ctx, job, MEDIA__V1__SWEEP_PLACE__PHASE__rows, &sweep_job);
}

static enum trl_code
run_uploads(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	return run(state, ctx, job, MEDIA__V1__SWEEP_PLACE__PHASE__uploads,
	    &sweep_uploads_job);
}

const struct trl_job_kind sweep_job = {
	.name = "sweep",
	.message = &media_v1_sweep_place_rules,
	.run = run_all,
	.slots = 1,
	.timeout_ms = 120000,
};
const struct trl_cron sweep_cron = {
	.name = "sweep", .when = "17 3 * * *", .kind = &sweep_job
};
const struct trl_job_kind sweep_uploads_job = {
	.name = "sweep_uploads",
	.message = &media_v1_sweep_place_rules,
	.run = run_uploads,
	.slots = 1,
	.timeout_ms = 120000,
};
/* So that room which nobody goes on with is soon free again. */
const struct trl_cron sweep_uploads_cron = {
	.name = "sweep_uploads", .when = "*/20 * * * *", .kind = &sweep_uploads_job
};
