/* uploads.c - uploads that nobody went on with in time. */
#include "sweep/sweep.h"
#include "upload/upload.h"

/* Of another process that was faster there is nothing more to do; what is being written
 * just now is found the next time. */
static enum trl_code
expire(struct sweep *sweep, const upload_row *row)
{
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc;

	if (!row->finished_at) /* else it is a file, and nobody asks for it any more */
		sweep_count(
		    sweep, MEDIA__V1__SWEPT__WHAT__upload, (uint64_t)row->received);
	if (sweep->dry_run)
		return TRL_OK;
	ctx->tenant = trl_value_id(row->tenant_id); /* for this one */
	rc = upload_expire(sweep->self, ctx, row);
	ctx->tenant = trl_id_nil;
	if (rc != TRL_OK && !trl_is_fault(rc)) {
		trl_err_clear(ctx);
		return TRL_OK;
	}
	return rc;
}

enum trl_code
sweep_uploads(struct sweep *sweep, bool *over)
{
	Media__V1__UploadRows rows = MEDIA__V1__UPLOAD_ROWS__INIT;
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc = trl_batch_get_one(ctx, sweep->self->sys, TRL_SCOPE_NOBODY,
	    &media_sql_sweep_uploads, NULL, &rows.base,
	    TRL_ARG_TIME("now", trl_now(ctx)),
	    TRL_ARG_ID("tenant_id", trl_value_id(sweep->place.tenant_id)),
	    TRL_ARG_ID("id", trl_value_id(sweep->place.file_id)),
	    TRL_ARG_INT("limit", SWEEP_PAGE));

	for (size_t i = 0; rc == TRL_OK && i < rows.n_items; i++)
		rc = expire(sweep, rows.items[i]);
	*over = rows.n_items < SWEEP_PAGE;
	if (rc == TRL_OK && !*over)
		sweep_behind(sweep,
		    trl_value_id(rows.items[rows.n_items - 1]->tenant_id),
		    trl_value_id(rows.items[rows.n_items - 1]->id), NULL);
	return rc;
}
