/* uploads.c - uploads that nobody went on with in time. */
#include <trl/log.h>

#include "sweep/sweep.h"
#include "upload/end.h"

enum { GIVE_UP_DAYS = 30 };

/* All of it has come, and was acknowledged, but nobody could finish it. */
static bool
is_whole(const upload_row *row)
{
	return !row->finished_at && row->has_length && row->received == row->length;
}

/* Whether no file can be made of it: its bytes are not those of the row, or there is no
 * such collection, and nobody has mended that in a month. A store or a database that is
 * away says nothing of an upload. */
static bool
is_given_up(const struct sweep *sweep, const upload_row *row, enum trl_code why)
{
	const int64_t since_us = trl_value_time_us(row->expires_at);

	if (since_us > trl_now(sweep->ctx) - GIVE_UP_DAYS * SWEEP_DAY_US)
		return false;
	return why == TRL_INTERNAL ||
	       (why == TRL_UNAVAILABLE &&
		   !collections_find(sweep->self->collections, row->collection));
}

/* What is whole becomes a file first; what cannot now is left for the next time. */
static enum trl_code
end_one(struct sweep *sweep, const upload_row *row, bool *becomes_file)
{
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc;

	*becomes_file = is_whole(row);
	if (!*becomes_file)
		return upload_expire(sweep->self, ctx, row);
	rc = upload_finish(sweep->self, ctx, trl_value_id(row->id), NULL);
	if (!is_given_up(sweep, row, rc))
		return rc;
	*becomes_file = false;
	trl_log(TRL_LOG_ERROR, ctx,
	    "an upload that cannot become a file is removed after a month",
	    TRL_LOG_ID("upload", trl_value_id(row->id)),
	    TRL_LOG_STR("why", ctx->err.message));
	trl_err_clear(ctx);
	return upload_remove(sweep->self, ctx, row, NULL);
}

/* Not so a row that is left of a file, or of a part that one was made of. */
static bool
holds_room(const upload_row *row)
{
	return !row->finished_at || row->reserved > 0;
}

/* One that cannot be ended stands in nobody's way. */
static enum trl_code
expire(struct sweep *sweep, const upload_row *row)
{
	trl_ctx *ctx = sweep->ctx;
	bool becomes_file = is_whole(row);
	enum trl_code rc = TRL_OK;

	if (!sweep->dry_run) {
		ctx->tenant = trl_value_id(row->tenant_id); /* for this one */
		rc = end_one(sweep, row, &becomes_file);
		if (trl_is_fault(rc) && rc != TRL_DEADLINE)
			trl_log_err(ctx);
		ctx->tenant = trl_id_nil;
	}
	if (rc == TRL_OK && holds_room(row) && !becomes_file)
		sweep_count(
		    sweep, MEDIA__V1__SWEPT__WHAT__upload, (uint64_t)row->received);
	if (rc == TRL_DEADLINE)
		return rc;
	/* Another process was faster, or somebody goes on with it, too. */
	trl_err_clear(ctx);
	return TRL_OK;
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
