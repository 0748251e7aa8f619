/* restore.c - whether the database went back in time. Restored to yesterday it has no
 * rows of what came since, whose bytes would be taken for nobody's; and rows of uploads
 * that are files since, which look past their time. So each sweep that begins, three an
 * hour, raises a number in the database, and then in the store's own mark. Where the
 * store's is higher, the database is older than the store: nothing is removed, neither
 * bytes nor uploads nor anything else, until the operator has brought back what can be,
 * and says that the rest may go (`trellis media sweep --accept-restore`).
 *
 * A process that dies between the two leaves the store's one lower, which the next one
 * makes good. More than one is a store that went back, and lacks what came since: each
 * file is looked for at once. */
#include <trl/log.h>
#include <trl/value.h>

#include "store/store.h"
#include "sweep/sweep.h"

struct numbers {
	int64_t rows, store;
};

static enum trl_code
read_numbers(struct sweep *sweep, struct numbers *out)
{
	Media__V1__StoreRow *row = media_v1_store_row_new(sweep->ctx);
	uint64_t sweeps = 0;
	enum trl_code rc = store_sweeps(sweep->ctx, sweep->self->store, &sweeps);

	if (rc == TRL_OK)
		rc = trl_batch_get_one(sweep->ctx, sweep->self->pg, TRL_SCOPE_NOBODY,
		    &media_sql_store_owner, NULL, &row->base);
	out->store = (int64_t)sweeps;
	out->rows = row->sweeps;
	return rc;
}

/* *moved false: another has. */
static enum trl_code
set_rows(struct sweep *sweep, const struct numbers *is, int64_t to, bool *moved)
{
	trl_ctx *ctx = sweep->ctx;
	trl_batch *work = trl_batch_new(ctx, sweep->self->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_add(work, &media_sql_store_sweeps, NULL, TRL_ARG_INT("sweeps", to),
	    TRL_ARG_INT("before", is->rows));
	rc = trl_batch_write_unrecorded(work);
	*moved = rc == TRL_OK;
	if (rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
hold(struct sweep *sweep, const struct numbers *is)
{
	sweep->held = sweep->restored = true;
	sweep_held("restored");
	trl_log(TRL_LOG_ERROR, sweep->ctx,
	    "the database is older than the store: no sweep removes "
	    "anything until trellis media sweep --accept-restore; see Backups in "
	    "k8s/README.md",
	    TRL_LOG_INT("sweeps", is->rows), TRL_LOG_INT("of_store", is->store));
	return TRL_OK;
}

static enum trl_code
accept(struct sweep *sweep, const struct numbers *is)
{
	bool moved;
	enum trl_code rc = set_rows(sweep, is, is->store, &moved);

	if (rc == TRL_OK && moved)
		trl_log(TRL_LOG_WARN, sweep->ctx,
		    "the operator accepts that the database was restored",
		    TRL_LOG_INT("sweeps", is->rows),
		    TRL_LOG_INT("of_store", is->store));
	return rc;
}

/* By a job of its own, which looks at all of them, also in a bucket. */
static enum trl_code
look_for_all(struct sweep *sweep, const struct numbers *is)
{
	trl_ctx *ctx = sweep->ctx;
	trl_batch *work = trl_batch_new(ctx, sweep->self->pg, TRL_SCOPE_NOBODY);
	Media__V1__SweepPlace *place = media_v1_sweep_place_new(ctx);

	trl_log(TRL_LOG_ERROR, ctx,
	    "the store is older than the database: files that came since are looked "
	    "for, and missing",
	    TRL_LOG_INT("sweeps", is->rows), TRL_LOG_INT("of_store", is->store));
	trl_set(place, phase, MEDIA__V1__SWEEP_PLACE__PHASE__rows);
	trl_batch_job(work, &sweep_job, NULL, &place->base);
	return trl_batch_write_unrecorded(work);
}

/* First the database: a store that is ahead says that it went back. */
static enum trl_code
raise(struct sweep *sweep, const struct numbers *is)
{
	int64_t to = is->rows;
	bool mine = true;
	enum trl_code rc = TRL_OK;

	if (is->store + 1 < is->rows)
		rc = look_for_all(sweep, is);
	else if (is->store == is->rows)
		rc = set_rows(sweep, is, ++to, &mine);
	return rc == TRL_OK && mine
		   ? store_sweeps_set(sweep->ctx, sweep->self->store, (uint64_t)to)
		   : rc;
}

enum trl_code
sweep_compare(struct sweep *sweep, bool begins)
{
	struct numbers is;
	enum trl_code rc = read_numbers(sweep, &is);

	if (rc != TRL_OK)
		return rc;
	if (is.store > is.rows)
		return sweep->accept_restore && !sweep->dry_run ? accept(sweep, &is)
								: hold(sweep, &is);
	return begins ? raise(sweep, &is) : TRL_OK;
}
