/* links.c - links past their time: what they open is 410 with their row or without. */
#include "sweep/sweep.h"

enum { LINKS_A_PAGE = 1000 };

enum trl_code
sweep_links(struct sweep *sweep, bool *over)
{
	trl_ctx *ctx = sweep->ctx;
	trl_batch *work = trl_batch_new(ctx, sweep->self->sys, TRL_SCOPE_NOBODY);
	Media__V1__SweepCount found = MEDIA__V1__SWEEP_COUNT__INIT;
	const struct trl_arg before =
	    TRL_ARG_TIME("before", trl_now(ctx) - SWEEP_DAY_US);
	enum trl_code rc;

	if (sweep->dry_run) {
		trl_batch_get(work, &media_sql_sweep_links, NULL, &found.base, before);
		rc = trl_batch_read(work);
	} else {
		trl_batch_get(work, &media_sql_sweep_links_delete, NULL, &found.base,
		    before, TRL_ARG_INT("limit", LINKS_A_PAGE));
		rc = trl_batch_write_unrecorded(work);
	}
	for (int64_t i = 0; rc == TRL_OK && i < found.count; i++)
		sweep_count(sweep, MEDIA__V1__SWEPT__WHAT__link, 0);
	*over = sweep->dry_run || found.count < LINKS_A_PAGE;
	return rc;
}
