/* operator_jobs.c - the operator's view of a service's jobs, and what the operator may
 * do to one. A service without jobs answers as one whose list is empty. */
#include "operator.h"

#include <stdio.h>
#include <string.h>

#include <trl/jobs_admin.h>
#include <trl/json.h>
#include <trl/value.h>
#include <trl/wire.h>

enum { LIMIT = 100, PAYLOAD_MAX = 200000 };

static const char *const states[] = {
	[OPERATOR__V1__JOB__STATE__scheduled] = "scheduled",
	[OPERATOR__V1__JOB__STATE__ready] = "ready",
	[OPERATOR__V1__JOB__STATE__running] = "running",
	[OPERATOR__V1__JOB__STATE__dead] = "dead",
	[OPERATOR__V1__JOB__STATE__cancelled] = "cancelled",
};

static Google__Protobuf__Timestamp *
time_of(trl_ctx *ctx, int64_t at_us)
{
	return at_us != 0 ? trl_value_time(ctx, at_us) : NULL;
}

static char *
text_of(const char *text)
{
	return text != NULL && *text != '\0' ? (char *)(uintptr_t)text : NULL;
}

/* The payload by its contract, secrets hidden; nothing of a kind not known here. */
static char *
payload_of(trl_ctx *ctx, const struct trl_job_row *row)
{
	struct trl_buf json = { 0 };
	ProtobufCMessage *message;
	char *text = NULL;

	if (row->message == NULL)
		return NULL;
	if (trl_wire_decode(ctx, row->message->descriptor, row->payload,
		row->payload_len, &message) != TRL_OK) {
		trl_err_clear(ctx);
		return NULL;
	}
	trl_json_encode(&json, row->message, message, true);
	if (json.len <= PAYLOAD_MAX)
		text = trl_arena_strndup(ctx->arena, (const char *)json.data, json.len);
	trl_buf_fini(&json);
	return text;
}

static void
fill_job(trl_ctx *ctx, const struct trl_job_row *row, Operator__V1__Job *out)
{
	trl_set(out, id, trl_value_bytes(ctx, row->id));
	out->has_tenant_id = !trl_id_is_nil(row->tenant);
	out->tenant_id = trl_value_bytes(ctx, row->tenant);
	out->kind = (char *)(uintptr_t)row->kind;
	for (size_t i = 1; i < TRL_COUNT(states); i++)
		if (strcmp(states[i], row->state) == 0) {
			trl_set(out, state, (Operator__V1__Job__State)i);
		}
	trl_set(out, priority, row->priority);
	trl_set(out, attempt, row->attempt);
	trl_set(out, attempts, row->attempts);
	out->key = text_of(row->key);
	out->error = text_of(row->error);
	out->made_at = time_of(ctx, row->made_at_us);
	out->run_at = time_of(ctx, row->run_at_us);
	out->lease_until = time_of(ctx, row->lease_until_us);
	out->ended_at = time_of(ctx, row->ended_at_us);
}

enum trl_code
operator_list_jobs(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ListJobsRequest *in, Operator__V1__ListJobsReply *out)
{
	struct trl_id tenant = trl_value_id(in->tenant_id);
	struct trl_job_filter filter = {
		.state = in->has_state ? states[in->state] : NULL,
		.kind = in->kind,
		.tenant = in->has_tenant_id ? &tenant : NULL,
		.after = trl_value_id(in->after_id),
		.limit = in->has_limit ? in->limit : LIMIT,
	};
	struct trl_job_row *rows;
	size_t n;
	enum trl_code rc;

	if (self->host->jobs == NULL)
		return TRL_OK;
	rc = trl_jobs_list(self->host->jobs, ctx, &filter, &rows, &n);
	if (rc != TRL_OK)
		return rc;
	out->jobs = trl_arena_alloc(ctx->arena, (n + 1) * sizeof out->jobs[0]);
	for (; out->n_jobs < n; out->n_jobs++) {
		Operator__V1__Job *job = trl_arena_alloc(ctx->arena, sizeof *job);
		operator__v1__job__init(job);
		fill_job(ctx, &rows[out->n_jobs], job);
		out->jobs[out->n_jobs] = job;
	}
	return TRL_OK;
}

static enum trl_code
has_none(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_NOT_FOUND, "There is no such job here.");
}

enum trl_code
operator_get_job(operator_self *self, trl_ctx *ctx,
    const Operator__V1__GetJobRequest *in, Operator__V1__Job *out)
{
	struct trl_job_row row;
	enum trl_code rc;

	if (self->host->jobs == NULL)
		return has_none(ctx);
	rc = trl_jobs_show(self->host->jobs, ctx, trl_value_id(in->job_id), &row);
	if (rc != TRL_OK)
		return rc;
	fill_job(ctx, &row, out);
	out->payload = payload_of(ctx, &row);
	if (row.has_trace) {
		char *text = trl_arena_alloc(ctx->arena, 33);
		for (size_t i = 0; i < sizeof row.trace.trace_id; i++)
			snprintf(text + 2 * i, 3, "%02x", row.trace.trace_id[i]);
		out->trace_id = text;
	}
	return TRL_OK;
}

enum trl_code
operator_retry_job(operator_self *self, trl_ctx *ctx,
    const Operator__V1__RetryJobRequest *in, Trellis__Empty *out)
{
	if (self->host->jobs == NULL)
		return has_none(ctx);
	return trl_jobs_retry(
	    self->host->jobs, ctx, trl_value_id(in->job_id), &out->base);
}

enum trl_code
operator_cancel_job(operator_self *self, trl_ctx *ctx,
    const Operator__V1__CancelJobRequest *in, Trellis__Empty *out)
{
	if (self->host->jobs == NULL)
		return has_none(ctx);
	return trl_jobs_cancel(
	    self->host->jobs, ctx, trl_value_id(in->job_id), &out->base);
}
