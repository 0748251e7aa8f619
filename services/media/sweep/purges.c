/* purges.c - deleted files that should be gone. A job of its own sees to each (file/
 * purge.c); where that is dead, or an operator has cancelled it, nothing else would:
 * the file counted for ever, and its owner could neither have it back nor be rid of it.
 */
#include <trl/log.h>

#include "file/file.h"
#include "sweep/sweep.h"

/* The job has this long. */
#define LATE_US (INT64_C(3600) * 1000000)

static enum trl_code
purge(struct sweep *sweep, const Media__V1__SweepRow *row)
{
	const struct trl_id tenant = trl_value_id(row->tenant_id);
	trl_ctx *ctx = sweep->ctx;
	trl_batch *work;
	enum trl_code rc;

	ctx->tenant = tenant; /* for this one */
	work = trl_batch_new(ctx, sweep->self->pg, TRL_SCOPE_TENANT(tenant));
	file_purge_at(ctx, work, trl_value_id(row->file_id), 0);
	rc = trl_batch_write_unrecorded(work);
	ctx->tenant = trl_id_nil;
	return rc;
}

static enum trl_code
take(struct sweep *sweep, const Media__V1__SweepRow *row)
{
	enum trl_code rc = sweep->dry_run ? TRL_OK : purge(sweep, row);

	if (rc == TRL_OK)
		sweep_count(
		    sweep, MEDIA__V1__SWEPT__WHAT__overdue, (uint64_t)row->size);
	return rc;
}

static void
say(trl_ctx *ctx, size_t n)
{
	trl_log(TRL_LOG_WARN, ctx, "deleted files are overdue: they are purged now",
	    TRL_LOG_INT("count", (int64_t)n));
}

enum trl_code
sweep_purges(struct sweep *sweep, bool *over)
{
	Media__V1__SweepRows rows = MEDIA__V1__SWEEP_ROWS__INIT;
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc = trl_batch_get_one(ctx, sweep->self->sys, TRL_SCOPE_NOBODY,
	    &media_sql_sweep_purges, NULL, &rows.base,
	    TRL_ARG_TIME("before", trl_now(ctx) - LATE_US),
	    TRL_ARG_ID("tenant_id", trl_value_id(sweep->place.tenant_id)),
	    TRL_ARG_ID("id", trl_value_id(sweep->place.file_id)),
	    TRL_ARG_INT("limit", SWEEP_PAGE));

	if (rc == TRL_OK && rows.n_items > 0 && !sweep->dry_run)
		say(ctx, rows.n_items);
	for (size_t i = 0; rc == TRL_OK && i < rows.n_items; i++)
		rc = take(sweep, rows.items[i]);
	*over = rows.n_items < SWEEP_PAGE;
	if (rc == TRL_OK && !*over) {
		const Media__V1__SweepRow *last = rows.items[rows.n_items - 1];

		sweep_behind(sweep, trl_value_id(last->tenant_id),
		    trl_value_id(last->file_id), NULL);
	}
	return rc;
}
