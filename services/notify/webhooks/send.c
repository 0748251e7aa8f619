/* send.c - one attempt to deliver, as a job: read, sign, post, write how it
 * went. 2xx is success; all else is a failure, a redirect too, and the job comes again
 * by Standard Webhooks' schedule. 410, or days without success, disable the endpoint,
 * which is told by an event, and so to the organisation's owners. Ten failures in a row
 * give it a rest of five minutes, so that a server that hangs does not keep its
 * organisation's slots; what waits meanwhile loses no attempt. So does the endpoint's
 * own wish: Retry-After of 429 or 503 (RFC 9110, 10.2.3).
 *
 * A process that dies between the answer and its record posts again, under the same
 * webhook-id. What is written can be written twice: an attempt has its number, an end
 * is final. */
#include <string.h>

#include "webhooks/webhooks.h"

enum {
	RESTS_MAX_S =
	    3600, /* for which Retry-After holds an endpoint's other deliveries */
	AGAIN_US = 1000000, /* where this process is too busy to call */
	WRITES = 5,         /* of a success */
	DISABLES = 5,       /* tries, where others' outcomes change the endpoint */
	WRITE_AGAIN_MS = 300
};

static trl_batch *
new_batch(struct notify *self, trl_ctx *ctx, const struct trl_job *job)
{
	return trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(job->tenant));
}

static struct trl_id
due_id(const struct trl_job *job)
{
	const Notify__V1__WebhookDue *due =
	    (const Notify__V1__WebhookDue *)(const void *)job->payload;

	return trl_value_id(due->delivery_id);
}

/* Leaves it without id where it is gone. */
static enum trl_code
read_endpoint(
    trl_ctx *ctx, struct notify_webhook_attempt *attempt, struct trl_id endpoint)
{
	trl_batch *work = new_batch(attempt->self, ctx, attempt->job);

	notify__v1__webhook_endpoint__init(&attempt->endpoint);
	trl_batch_get(work, &notify_sql_webhook_endpoint_find, NULL,
	    &attempt->endpoint.base, TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_ID("endpoint_id", endpoint));
	return trl_batch_read(work);
}

/* Leaves the delivery NULL where there is nothing to do any more. */
static enum trl_code
read_rows(trl_ctx *ctx, struct notify_webhook_attempt *attempt)
{
	Notify__V1__WebhookDeliveries found = NOTIFY__V1__WEBHOOK_DELIVERIES__INIT;
	trl_batch *work = new_batch(attempt->self, ctx, attempt->job);
	enum trl_code rc;

	trl_batch_get(work, &notify_sql_webhook_delivery_find, NULL, &found.base,
	    TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_ID("delivery_id", due_id(attempt->job)));
	rc = trl_batch_read(work);
	if (rc != TRL_OK || found.n_items == 0 ||
	    found.items[0]->status != NOTIFY__V1__WEBHOOK_DELIVERY__STATUS__waiting)
		return rc;
	attempt->delivery = found.items[0];
	return read_endpoint(
	    ctx, attempt, trl_value_id(attempt->delivery->endpoint_id));
}

static void
add_attempt(const struct notify_webhook_attempt *attempt, trl_batch *work)
{
	const struct trl_http_answer *answer = &attempt->answer;

	trl_batch_add(work, &notify_sql_webhook_attempt_insert, NULL,
	    TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_ID("delivery_id", due_id(attempt->job)),
	    TRL_ARG_INT("number", attempt->job->attempt),
	    TRL_ARG_TIME("started_at", attempt->began_us),
	    TRL_ARG_INT("took_ms", attempt->took_ms),
	    answer->status ? TRL_ARG_INT("response_status", answer->status)
			   : TRL_ARG_NULL("response_status"),
	    answer->status ? TRL_ARG_TEXT("response_body", attempt->shown)
			   : TRL_ARG_NULL("response_body"),
	    attempt->error[0] ? TRL_ARG_TEXT("error", attempt->error)
			      : TRL_ARG_NULL("error"));
}

static void
add_end(trl_ctx *ctx, trl_batch *work, const struct trl_job *job, const char *status)
{
	trl_batch_add(work, &notify_sql_webhook_delivery_end, NULL,
	    TRL_ARG_ID("tenant_id", job->tenant),
	    TRL_ARG_ID("delivery_id", due_id(job)), TRL_ARG_TEXT("status", status),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

static enum trl_code
end_delivery(
    struct notify *self, trl_ctx *ctx, const struct trl_job *job, const char *status)
{
	trl_batch *work = new_batch(self, ctx, job);

	add_end(ctx, work, job, status);
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
try_success(trl_ctx *ctx, const struct notify_webhook_attempt *attempt)
{
	trl_batch *work = new_batch(attempt->self, ctx, attempt->job);

	add_attempt(attempt, work);
	add_end(ctx, work, attempt->job, "succeeded");
	trl_batch_add(work, &notify_sql_webhook_endpoint_succeeded, NULL,
	    TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_ID("endpoint_id", trl_value_id(attempt->endpoint.id)));
	return trl_batch_write_unrecorded(work);
}

/* Tried again for a moment: what is not written is posted once more. */
static enum trl_code
write_success(trl_ctx *ctx, const struct notify_webhook_attempt *attempt)
{
	enum trl_code rc = try_success(ctx, attempt);

	for (int i = 1; i < WRITES && rc != TRL_OK && rc != TRL_DEADLINE; i++) {
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, WRITE_AGAIN_MS * i);
		if (rc == TRL_OK)
			rc = try_success(ctx, attempt);
	}
	return rc;
}

/* For how long the endpoint wants to be left alone; 0: it does not say. */
static uint32_t
asked_s(const struct notify_webhook_attempt *attempt)
{
	const struct trl_http_answer *answer = &attempt->answer;

	return answer->status == 429 || answer->status == 503 ? answer->retry_after_s
							      : 0;
}

static int64_t
from_now(trl_ctx *ctx, uint32_t s)
{
	return trl_now(ctx) + s * INT64_C(1000000);
}

/* And fails as the attempt did, so that the job comes again. */
static enum trl_code
write_failure(trl_ctx *ctx, const struct notify_webhook_attempt *attempt)
{
	trl_batch *work = new_batch(attempt->self, ctx, attempt->job);
	const uint32_t asked = asked_s(attempt);
	enum trl_code rc;

	add_attempt(attempt, work);
	trl_batch_add(work, &notify_sql_webhook_endpoint_failed, NULL,
	    TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_ID("endpoint_id", trl_value_id(attempt->endpoint.id)),
	    TRL_ARG_TIME("now", attempt->began_us),
	    asked ? TRL_ARG_TIME("asked_until",
			from_now(ctx, asked < RESTS_MAX_S ? asked : RESTS_MAX_S))
		  : TRL_ARG_NULL("asked_until"));
	rc = trl_batch_write_unrecorded(work);
	trl_job_not_before(ctx, from_now(ctx, asked));
	return rc != TRL_OK ? rc : trl_fail(ctx, TRL_UNAVAILABLE, "%s", attempt->error);
}

static const char *
reason_to_disable(const struct notify_webhook_attempt *attempt)
{
	const int64_t since = trl_value_time_us(attempt->endpoint.failing_since);
	const int64_t most =
	    attempt->self->config->webhook_disable_hours * INT64_C(3600000000);

	if (attempt->answer.status == 410)
		return "answered 410";
	return since > 0 && attempt->began_us - since >= most ? "failed for days"
							      : NULL;
}

/* Errors: TRL_PRECONDITION (the endpoint has changed meanwhile, or recovered from what
 * it would be disabled for). */
static enum trl_code
write_disabled(
    trl_ctx *ctx, const struct notify_webhook_attempt *attempt, const char *reason)
{
	Notify__V1__WebhookEndpointEvent told =
	    NOTIFY__V1__WEBHOOK_ENDPOINT_EVENT__INIT;
	Notify__V1__WebhookEndpoint endpoint = attempt->endpoint;
	const int64_t former = endpoint.version;
	const struct trl_id id = trl_value_id(endpoint.id);
	const bool gone = attempt->answer.status == 410;
	trl_batch *work = new_batch(attempt->self, ctx, attempt->job);
	enum trl_code rc;

	notify_endpoint_show(&endpoint);
	endpoint.version = former + 1;
	endpoint.status = NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__disabled;
	endpoint.disabled_reason = trl_arena_strdup(ctx->arena, reason);
	endpoint.disabled_at = endpoint.updated_at = trl_value_time(ctx, trl_now(ctx));
	told.endpoint = &endpoint;
	trl_batch_add(work, &notify_sql_webhook_endpoint_disable, &endpoint.base,
	    TRL_ARG_ID("tenant_id", attempt->job->tenant),
	    TRL_ARG_INT("former_version", former),
	    gone ? TRL_ARG_NULL("since")
		 : TRL_ARG_TIME("since", trl_value_time_us(endpoint.failing_since)));
	rc = notify_tell_own(attempt->self, ctx, work,
	    &(const struct trl_event){ .type = &notify_event_webhook_endpoint_disabled,
		.tenant = attempt->job->tenant,
		.subject = id,
		.payload = &told.base });
	if (rc != TRL_OK)
		return rc;
	add_attempt(attempt, work);
	add_end(ctx, work, attempt->job, "failed");
	trl_batch_audit(work, "notify.webhook_endpoint.disable", id, "webhook_endpoint",
	    &endpoint.base);
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK)
		trl_series_add(gone ? attempt->self->webhooks.gone
				    : attempt->self->webhooks.failing,
		    1);
	return rc;
}

/* Reads the endpoint as it is now. *same: it still is the one that was posted to. */
static enum trl_code
look_again(trl_ctx *ctx, struct notify_webhook_attempt *attempt, bool *same)
{
	const struct trl_id id = trl_value_id(attempt->endpoint.id);
	const char *url = attempt->endpoint.url;
	enum trl_code rc = read_endpoint(ctx, attempt, id);

	*same =
	    rc == TRL_OK && attempt->endpoint.has_id &&
	    attempt->endpoint.status == NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled &&
	    !strcmp(attempt->endpoint.url, url);
	attempt->endpoint.id = trl_value_bytes(ctx, id);
	return rc;
}

/* The endpoint was read before the post, up to ten seconds ago. Where it has changed
 * since, what it is now decides: one that has just recovered stays enabled. */
static enum trl_code
write_outcome(trl_ctx *ctx, struct notify_webhook_attempt *attempt)
{
	bool same = true;

	if (attempt->error[0] == '\0')
		return write_success(ctx, attempt);
	for (int i = 0; same && i < DISABLES; i++) {
		const char *reason = reason_to_disable(attempt);
		enum trl_code rc;

		if (!reason)
			break;
		rc = write_disabled(ctx, attempt, reason);
		if (rc != TRL_PRECONDITION)
			return rc;
		trl_err_clear(ctx);
		rc = look_again(ctx, attempt, &same);
		if (rc != TRL_OK)
			return rc;
	}
	return write_failure(ctx, attempt);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify_webhook_attempt attempt = { .self = state,
		.job = job,
		.endpoint = NOTIFY__V1__WEBHOOK_ENDPOINT__INIT };
	enum trl_code rc = read_rows(ctx, &attempt);

	if (rc != TRL_OK || !attempt.delivery)
		return rc;
	if (!attempt.endpoint.has_id ||
	    attempt.endpoint.status != NOTIFY__V1__WEBHOOK_ENDPOINT__STATUS__enabled)
		return end_delivery(state, ctx, job, "cancelled");
	attempt.began_us = trl_now(ctx);
	if (trl_value_time_us(attempt.endpoint.rests_until) > attempt.began_us)
		return trl_job_again(
		    ctx, trl_value_time_us(attempt.endpoint.rests_until));
	rc = notify_webhook_post(ctx, &attempt);
	if (rc == TRL_BUSY)
		return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
	if (rc != TRL_OK)
		return rc;
	return write_outcome(ctx, &attempt);
}

/* The last attempt has failed, or somebody cancelled the job. */
static enum trl_code
dead(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	return end_delivery(state, ctx, job, "failed");
}

/* Standard Webhooks 1.0.0, "Deliverability and reliability": ten attempts in all. */
static const uint32_t delays_s[] = { 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600,
	14 * 3600, 20 * 3600, 24 * 3600 };

const struct trl_job_kind notify_webhook_job = {
	.name = "webhook",
	.message = &notify_v1_webhook_due_rules,
	.run = run,
	.dead = dead,
	.attempts = TRL_COUNT(delays_s) + 1,
	/* A post that waits for its answer costs little; what it holds is shared out.
	 */
	.slots = NOTIFY_WEBHOOK_SLOTS,
	.per_tenant = 64,
	.per_lane = 16,
	.timeout_ms = 20000,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
