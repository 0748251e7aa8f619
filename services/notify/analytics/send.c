/* send.c - posts what waits of one organisation, as a job: read, post, drop what was
 * taken, and again while there is more. A process that dies between PostHog's answer
 * and the drop posts the same events again, whose uuids PostHog knows.
 *
 * Too much at once (413) is posted by halves. So is what holds something unfit (400),
 * until that stands by itself, is said in the log, counted and dropped. Where PostHog
 * is away or refuses the key, events wait for days, and this process posts nobody's
 * until a rest is over; no job loses an attempt by that. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/clock.h>
#include <trl/log.h>
#include <empty.trl.h>

#include "analytics/analytics.h"

enum {
	AGAIN_US = 1000000, /* where this process is too busy to call */
	REST_S = 2,         /* after a failure; twice as long after the next */
	REST_MAX_S = 300,   /* also where the key is refused */
	SPREAD_US = 2000000
};

static trl_batch *
new_batch(struct notify *self, trl_ctx *ctx, const struct trl_job *job)
{
	return trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(job->tenant));
}

/* Nobody consents any more, or there is no PostHog. */
static enum trl_code
clear(struct notify *self, trl_ctx *ctx, const struct trl_job *job)
{
	trl_batch *work = new_batch(self, ctx, job);

	trl_batch_add(work, &notify_sql_product_events_clear, NULL,
	    TRL_ARG_ID("tenant_id", job->tenant));
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
drop(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    Notify__V1__ProductEvent *const *events, size_t n)
{
	trl_batch *work = new_batch(self, ctx, job);
	struct trl_id *ids = trl_arena_alloc(ctx->arena, n * sizeof *ids);

	for (size_t i = 0; i < n; i++)
		ids[i] = trl_value_id(events[i]->id);
	trl_batch_add(work, &notify_sql_product_events_drop, NULL,
	    TRL_ARG_ID("tenant_id", job->tenant), TRL_ARG_IDS("ids", ids, n));
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
read(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    Notify__V1__ProductState *state, Notify__V1__ProductEvents *events)
{
	trl_batch *work = new_batch(self, ctx, job);

	trl_batch_get(work, &notify_sql_product_state, NULL, &state->base,
	    TRL_ARG_ID("tenant_id", job->tenant),
	    TRL_ARG_INT("most", NOTIFY_ANALYTICS_WAITING_MAX));
	trl_batch_get(work, &notify_sql_product_events_list, NULL, &events->base,
	    TRL_ARG_ID("tenant_id", job->tenant),
	    TRL_ARG_INT("limit", NOTIFY_ANALYTICS_EVENTS));
	return trl_batch_read(work);
}

/* Posts nobody's events for a while, and fails. */
static enum trl_code
rest(struct notify_analytics *to, trl_ctx *ctx, const struct trl_http_answer *answer,
    enum notify_analytics_outcome outcome)
{
	uint32_t s = to->failures < 8 ? REST_S << to->failures : REST_MAX_S;
	const uint64_t now_us = trl_mono_us();
	char why[160];

	if (outcome == NOTIFY_ANALYTICS_REFUSED)
		s = REST_MAX_S;
	s = s > answer->retry_after_s ? s : answer->retry_after_s;
	if (answer->status)
		snprintf(why, sizeof why, "PostHog answers %u%s", answer->status,
		    answer->status == 200 ? ", and not as PostHog does" : "");
	else
		snprintf(why, sizeof why, "PostHog: %.120s", ctx->err.message);
	trl_err_clear(ctx);
	if (to->failures == 0)
		trl_log(TRL_LOG_WARN, ctx, "product events wait",
		    TRL_LOG_STR("why", why), TRL_LOG_INT("rests_s", s));
	if (to->rests_until_us <= now_us) { /* others may have been on their way */
		to->failures++;
		to->rests_until_us = now_us + s * UINT64_C(1000000);
	}
	trl_job_not_before(ctx, trl_now(ctx) + s * INT64_C(1000000));
	return trl_fail(ctx, TRL_UNAVAILABLE, "%s", why);
}

static void
note_taken(struct notify_analytics *to, trl_ctx *ctx)
{
	if (to->failures > 0)
		trl_log(TRL_LOG_INFO, ctx, "product events are taken again",
		    TRL_LOG_INT("failures", to->failures));
	to->failures = 0;
	to->rests_until_us = 0;
}

/* Of one post: what it says of the events; *most, how many the next may have. */
static void
note(struct notify_analytics *to, trl_ctx *ctx, enum notify_analytics_outcome outcome,
    const Notify__V1__ProductEvent *first, size_t n)
{
	char id[TRL_ID_TEXT];

	if (outcome == NOTIFY_ANALYTICS_TAKEN || outcome == NOTIFY_ANALYTICS_OVER_QUOTA)
		note_taken(to, ctx);
	trl_series_add(to->events[outcome], (double)n);
	if (outcome != NOTIFY_ANALYTICS_UNFIT && outcome != NOTIFY_ANALYTICS_TOO_LARGE)
		return;
	trl_id_format(trl_value_id(first->id), id);
	trl_log(TRL_LOG_WARN, ctx, "a product event was refused and is dropped",
	    TRL_LOG_STR("event", id),
	    TRL_LOG_STR(
		"why", outcome == NOTIFY_ANALYTICS_UNFIT ? "unfit" : "too large"));
}

static enum trl_code
send(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    Notify__V1__ProductEvent *const *events, size_t n)
{
	struct notify_analytics *to = self->analytics;
	enum notify_analytics_outcome outcome;
	struct trl_http_answer answer;
	size_t most = to->most, at = 0;
	enum trl_code rc;

	while (at < n) {
		const size_t fit = notify_analytics_fit(to, events + at, n - at, most);

		rc =
		    notify_analytics_post(ctx, to, events + at, fit, &answer, &outcome);
		if (rc == TRL_BUSY)
			return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
		if (rc != TRL_OK)
			return rc;
		if (outcome >= NOTIFY_ANALYTICS_REFUSED)
			return rest(to, ctx, &answer, outcome);
		if (outcome >= NOTIFY_ANALYTICS_TOO_LARGE && fit > 1) {
			most = fit / 2;
			if (outcome == NOTIFY_ANALYTICS_TOO_LARGE)
				to->most = most;
			continue;
		}
		rc = drop(self, ctx, job, events + at, fit);
		if (rc != TRL_OK)
			return rc;
		note(to, ctx, outcome, events[at], fit);
		if (outcome == NOTIFY_ANALYTICS_UNFIT)
			most = to->most;
		at += fit;
	}
	return TRL_OK;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	Notify__V1__ProductState now = NOTIFY__V1__PRODUCT_STATE__INIT;
	Notify__V1__ProductEvents events = NOTIFY__V1__PRODUCT_EVENTS__INIT;
	const uint64_t mono_us = trl_mono_us();
	enum trl_code rc;

	if (self->analytics && self->analytics->rests_until_us > mono_us)
		return trl_job_again(
		    ctx, trl_now(ctx) +
			     (int64_t)(self->analytics->rests_until_us - mono_us) +
			     randombytes_uniform(SPREAD_US));
	rc = read(self, ctx, job, &now, &events);
	if (rc != TRL_OK || events.n_items == 0)
		return rc;
	if (!self->analytics || !now.consents)
		return clear(self, ctx, job);
	rc = send(self, ctx, job, events.items, events.n_items);
	if (rc == TRL_OK && events.n_items == NOTIFY_ANALYTICS_EVENTS)
		return trl_job_again(ctx, trl_now(ctx));
	return rc;
}

/* How long it waits is how long the process rests. It goes on for as long as events are
 * kept. Two of an organisation's would post the same. */
static const uint32_t delays_s[] = { REST_S };

const struct trl_job_kind notify_analytics_job = {
	.name = "product_events",
	.message = &trellis_empty_rules,
	.run = run,
	.attempts = NOTIFY_ANALYTICS_KEPT_DAYS * 24 * 3600 / REST_MAX_S,
	.slots = 16,
	.per_tenant = 1,
	.timeout_ms = 60000,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
