/* renditions.c - what was made of pictures at somebody's wish, a month ago. It is made
 * again when it is asked for, and whoever tries a thousand sizes fills no store. The
 * sizes that a collection has stay as long as their file. */
#include <string.h>

#include "store/store.h"
#include "sweep/sweep.h"
#include "variant/variant.h"

enum { KEPT_DAYS = 30 };

static enum trl_code
drop(struct sweep *sweep, const Media__V1__SweepRow *row, int64_t before_us)
{
	const struct trl_id tenant = trl_value_id(row->tenant_id);
	const struct store_object made = {
		.tenant = tenant, .file = trl_value_id(row->file_id), .part = row->key
	};
	trl_ctx *ctx = sweep->ctx;
	trl_batch *work;
	enum trl_code rc;

	if (!sweep->dry_run) {
		work = trl_batch_new(ctx, sweep->self->pg, TRL_SCOPE_TENANT(tenant));
		trl_batch_add(work, &media_sql_sweep_rendition_delete, &row->base,
		    TRL_ARG_TIME("before", before_us));
		rc = trl_batch_write_unrecorded(work);
		if (rc ==
		    TRL_NOT_FOUND) { /* it was made anew, or another sweep is faster */
			trl_err_clear(ctx);
			return TRL_OK;
		}
		if (rc == TRL_OK)
			rc = store_remove(ctx, sweep->self->store, &made);
		if (rc != TRL_OK)
			return rc;
	}
	sweep_count(sweep, MEDIA__V1__SWEPT__WHAT__old_rendition, (uint64_t)row->size);
	return TRL_OK;
}

enum trl_code
sweep_renditions(struct sweep *sweep, bool *over)
{
	const int64_t before_us = trl_now(sweep->ctx) - KEPT_DAYS * SWEEP_DAY_US;
	Media__V1__SweepRows rows = MEDIA__V1__SWEEP_ROWS__INIT;
	trl_ctx *ctx = sweep->ctx;
	enum trl_code rc = trl_batch_get_one(ctx, sweep->self->sys, TRL_SCOPE_NOBODY,
	    &media_sql_sweep_renditions, NULL, &rows.base,
	    TRL_ARG_TIME("before", before_us),
	    TRL_ARG_ID("tenant_id", trl_value_id(sweep->place.tenant_id)),
	    TRL_ARG_ID("file_id", trl_value_id(sweep->place.file_id)),
	    TRL_ARG_TEXT("key", sweep->place.after ? sweep->place.after : ""),
	    TRL_ARG_INT("limit", SWEEP_PAGE));

	for (size_t i = 0; rc == TRL_OK && i < rows.n_items; i++)
		if (!variant_is_named(sweep->self, rows.items[i]->collection,
			rows.items[i]->type, rows.items[i]->key))
			rc = sweep_pass(sweep, drop(sweep, rows.items[i], before_us),
			    rows.items[i]->key);
	*over = rows.n_items < SWEEP_PAGE;
	if (rc == TRL_OK && !*over) {
		const Media__V1__SweepRow *last = rows.items[rows.n_items - 1];

		sweep_behind(sweep, trl_value_id(last->tenant_id),
		    trl_value_id(last->file_id), last->key);
	}
	return rc;
}
