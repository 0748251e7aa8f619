/* rows.c - files whose bytes are not where they should be. Nothing is done about them:
 * an operator may have them in a backup. */
#include "file/file.h"
#include "store/store.h"
#include "sweep/sweep.h"

#include <trl/log.h>

/* It may have been purged since its row was read. */
static enum trl_code
is_there_still(
    struct sweep *sweep, struct trl_id tenant, struct trl_id file, bool *there)
{
	media_file row = MEDIA__V1__FILE__INIT;
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc;

	ctx->tenant = tenant; /* for this one */
	rc = file_find(sweep->self, ctx, file, &row);
	ctx->tenant = trl_id_nil;
	*there = rc == TRL_OK;
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
look(struct sweep *sweep, const Media__V1__SweepRow *row)
{
	const struct store_object bytes = { .tenant = trl_value_id(row->tenant_id),
		.file = trl_value_id(row->file_id),
		.part = "" };
	trl_ctx *ctx = sweep->ctx;
	uint64_t size = 0;
	bool there;
	enum trl_code rc = store_size(ctx, sweep->self->store, &bytes, &size);

	if (rc == TRL_OK && size == (uint64_t)row->size)
		return TRL_OK;
	if (rc != TRL_OK && rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	rc = is_there_still(sweep, bytes.tenant, bytes.file, &there);
	if (rc != TRL_OK || !there)
		return rc;
	trl_log(TRL_LOG_ERROR, ctx, "a file's bytes are missing",
	    TRL_LOG_ID("of", bytes.tenant), TRL_LOG_ID("file", bytes.file),
	    TRL_LOG_INT("size", row->size), TRL_LOG_INT("found", (int64_t)size));
	sweep_count(sweep, MEDIA__V1__SWEPT__WHAT__missing, (uint64_t)row->size);
	return TRL_OK;
}

static const char *
name_of(trl_ctx *ctx, const Media__V1__SweepRow *row)
{
	char *text = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);

	trl_id_format(trl_value_id(row->file_id), text);
	return text;
}

enum trl_code
sweep_rows(struct sweep *sweep, bool *over)
{
	Media__V1__SweepRows rows = MEDIA__V1__SWEEP_ROWS__INIT;
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc = trl_batch_get_one(ctx, sweep->self->sys, TRL_SCOPE_NOBODY,
	    &media_sql_sweep_files, NULL, &rows.base,
	    TRL_ARG_ID("tenant_id", trl_value_id(sweep->place.tenant_id)),
	    TRL_ARG_ID("id", trl_value_id(sweep->place.file_id)),
	    TRL_ARG_INT("slices", sweep->place.slices ? sweep->place.slices : 1),
	    TRL_ARG_INT("slice", sweep->place.slice), TRL_ARG_INT("limit", SWEEP_PAGE));

	for (size_t i = 0; rc == TRL_OK && i < rows.n_items; i++)
		rc = sweep_pass(
		    sweep, look(sweep, rows.items[i]), name_of(ctx, rows.items[i]));
	*over = rows.n_items < SWEEP_PAGE;
	if (rc == TRL_OK && !*over) {
		const Media__V1__SweepRow *last = rows.items[rows.n_items - 1];

		sweep_behind(sweep, trl_value_id(last->tenant_id),
		    trl_value_id(last->file_id), NULL);
	}
	return rc;
}
