/* waiting.c - see trl/jobs.h: what waits, for a service that does it before its time.
 */
#include <trl/jobs.h>

#include <string.h>

#include <trl/wire.h>

#include "framework_sql.h"
#include "job_rows.pb-c.h"

static enum trl_code
read_row(trl_ctx *ctx, const struct trl_job_kind *kind, const Jobs__Claimed *row,
    struct trl_job *out)
{
	ProtobufCMessage *payload;
	enum trl_code rc = trl_wire_decode(ctx, kind->message->descriptor,
	    row->payload.data, row->payload.len, &payload);

	trl_assert(row->id.len == 16 && row->tenant_id.len == 16);
	*out = (struct trl_job){
		.attempt = row->attempt,
		.attempts = row->attempts,
		.payload = payload,
		.made_at_us = row->made_at,
		.run_at_us = row->run_at,
	};
	memcpy(out->id.bytes, row->id.data, 16);
	memcpy(out->tenant.bytes, row->tenant_id.data, 16);
	return rc;
}

enum trl_code
trl_jobs_waiting(trl_ctx *ctx, trl_pg *sys, const struct trl_job_kind *kind,
    struct trl_id after, struct trl_job out[TRL_JOBS_WAITING_MAX], size_t *n)
{
	trl_batch *batch = trl_batch_new(ctx, sys, TRL_SCOPE_TENANT(ctx->tenant));
	Jobs__Claim rows = JOBS__CLAIM__INIT;
	enum trl_code rc;

	trl_batch_add(batch, &trl_sql_plan_by_index, NULL);
	trl_batch_get(batch, &trl_sql_job_waiting, NULL, &rows.base,
	    TRL_ARG_TEXT("kind", kind->name), TRL_ARG_ID("tenant", ctx->tenant),
	    TRL_ARG_ID("after", after), TRL_ARG_INT("limit", TRL_JOBS_WAITING_MAX));
	rc = trl_batch_read(batch);
	for (size_t i = 0; rc == TRL_OK && i < rows.n_items; i++)
		rc = read_row(ctx, kind, rows.items[i], &out[i]);
	if (rc == TRL_OK)
		*n = rows.n_items;
	return rc;
}
