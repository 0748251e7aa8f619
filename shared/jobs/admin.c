/* admin.c - see trl/jobs_admin.h. */
#include <trl/jobs_admin.h>

#include <string.h>

#include <trl/batch.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"
#include "worker.h"

enum { LIST_MAX = 200 };

static struct trl_id
id_of(ProtobufCBinaryData bytes)
{
	struct trl_id id = trl_id_nil;

	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.data, sizeof id.bytes);
	return id;
}

static struct trl_job_row
row_of(trl_jobs *jobs, const Jobs__Row *in)
{
	const struct jobs_kind *kind = jobs_kind_of(jobs, in->kind);
	struct trl_job_row row = {
		.id = id_of(in->id),
		.tenant = id_of(in->tenant_id),
		.kind = in->kind,
		.state = in->state,
		.priority = in->priority,
		.attempt = in->attempt,
		.attempts = in->attempts,
		.key = in->key ? in->key : "",
		.error = in->error ? in->error : "",
		.made_at_us = in->made_at,
		.run_at_us = in->run_at,
		.lease_until_us = in->has_lease_until ? in->lease_until : 0,
		.ended_at_us = in->has_ended_at ? in->ended_at : 0,
		.payload = in->payload.data,
		.payload_len = in->payload.len,
		.message = kind ? kind->kind->message : NULL,
		.has_trace = in->trace.len == TRL_TRACE_BYTES,
	};

	if (row.has_trace)
		trl_trace_unpack(in->trace.data, &row.trace);
	return row;
}

static struct trl_arg
text_or_null(const char *name, const char *text)
{
	return text ? TRL_ARG_TEXT(name, text) : TRL_ARG_NULL(name);
}

enum trl_code
trl_jobs_list(trl_jobs *jobs, trl_ctx *ctx, const struct trl_job_filter *filter,
    struct trl_job_row **rows, size_t *n)
{
	bool ended = filter->state && (strcmp(filter->state, "dead") == 0 ||
					  strcmp(filter->state, "cancelled") == 0);
	trl_batch *batch = jobs_batch(jobs, ctx);
	Jobs__Rows found = JOBS__ROWS__INIT;
	enum trl_code rc;

	trl_assert(filter->limit > 0 && filter->limit <= LIST_MAX);
	trl_batch_get(batch, ended ? &trl_sql_job_list_ended : &trl_sql_job_list, NULL,
	    &found.base, TRL_ARG_ID("after", filter->after),
	    text_or_null("state", filter->state), text_or_null("kind", filter->kind),
	    filter->tenant ? TRL_ARG_ID("tenant", *filter->tenant)
			   : TRL_ARG_NULL("tenant"),
	    TRL_ARG_INT("limit", filter->limit));
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	*n = found.n_items;
	*rows = trl_arena_alloc(ctx->arena, *n * sizeof **rows);
	for (size_t i = 0; i < *n; i++)
		(*rows)[i] = row_of(jobs, found.items[i]);
	return TRL_OK;
}

enum trl_code
trl_jobs_show(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id, struct trl_job_row *out)
{
	trl_batch *batch = jobs_batch(jobs, ctx);
	Jobs__Row *found = trl_arena_alloc(ctx->arena, sizeof *found);
	enum trl_code rc;

	jobs__row__init(found);
	trl_batch_get(
	    batch, &trl_sql_job_show, NULL, &found->base, TRL_ARG_ID("id", id));
	rc = trl_batch_read(batch);
	if (rc == TRL_OK)
		*out = row_of(jobs, found);
	return rc;
}

/* A batch that ends with NOT_FOUND where there is no such job. */
static trl_batch *
about(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id)
{
	trl_batch *batch = jobs_batch(jobs, ctx);

	trl_batch_add(batch, &trl_sql_job_show, NULL, TRL_ARG_ID("id", id));
	/* Whatever its kind: the worker of this process looks. */
	trl_batch_news(batch, TRL_PG_JOBS, UINT32_MAX);
	return batch;
}

enum trl_code
trl_jobs_retry(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id, ProtobufCMessage *reply)
{
	trl_batch *batch = about(jobs, ctx, id);

	trl_batch_add(batch, &trl_sql_job_retry, NULL, TRL_ARG_ID("id", id));
	return trl_batch_write(batch, reply);
}

enum trl_code
trl_jobs_cancel(trl_jobs *jobs, trl_ctx *ctx, struct trl_id id, ProtobufCMessage *reply)
{
	trl_batch *batch = about(jobs, ctx, id);
	const char **told =
	    trl_arena_alloc(ctx->arena, (jobs->n_kinds + 1) * sizeof *told);
	size_t n = 0;

	for (size_t i = 0; i < jobs->n_kinds; i++)
		if (jobs->kinds[i].kind->dead)
			told[n++] = jobs->names[i];
	trl_batch_add(batch, &trl_sql_job_cancel, NULL, TRL_ARG_ID("id", id),
	    TRL_ARG_TEXTS("told", told, n));
	return trl_batch_write(batch, reply);
}
