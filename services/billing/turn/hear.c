/* hear.c - what a test clock waits for before it moves: what a provider has to say of
 * payments, refunds and disputes, and what it has not been asked for yet. Without a
 * test clock jobs do this, each in its own time; they find it done. So under a clock it
 * all has the time at which it was caused, and goes before whatever falls due later. */
#include "turn/due.h"

#include <string.h>

#include <trl/change.h>
#include <trl/jobs.h>

#include "turn/charge.h"

enum { UNSETTLED_MAX = 32 };

/* What was not known, and asked for, the last time: where it is the same again, there
 * is nothing to be had now. */
struct asked {
	size_t n;
	struct trl_id payments[UNSETTLED_MAX];
};

static bool
note(struct asked *asked, const Billing__V1__ChargeJobs *unsettled)
{
	bool same = asked->n == unsettled->n_items;

	asked->n = unsettled->n_items;
	for (size_t i = 0; i < asked->n; i++) {
		struct trl_id id = trl_value_id(unsettled->items[i]->payment_id);

		same = same && trl_id_eq(asked->payments[i], id);
		asked->payments[i] = id;
	}
	return !same;
}

static enum trl_code
ask(struct billing *self, trl_ctx *ctx, struct asked *asked, bool *more)
{
	Billing__V1__ChargeJobs unsettled = BILLING__V1__CHARGE_JOBS__INIT;
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_payment_unsettled, NULL,
	    &unsettled.base, TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("limit", UNSETTLED_MAX));

	if (rc != TRL_OK || !note(asked, &unsettled))
		return rc;
	for (size_t i = 0; rc == TRL_OK && i < unsettled.n_items; i++)
		rc = payment_try(self, ctx, asked->payments[i],
		    unsettled.items[i]->cancel ? PAYMENT_CANCEL : PAYMENT_ALONE);
	*more = true;
	return rc;
}

/* News that cannot be applied, or not yet, is its job's. */
static bool
is_the_jobs(enum trl_code rc)
{
	return rc == TRL_UNAVAILABLE || rc == TRL_PRECONDITION || rc == TRL_NOT_FOUND;
}

static enum trl_code
apply(struct billing *self, trl_ctx *ctx, struct trl_id *heard, bool *more)
{
	struct trl_job *news =
	    trl_arena_alloc(ctx->arena, TRL_JOBS_WAITING_MAX * sizeof *news);
	size_t n = 0;
	enum trl_code rc =
	    trl_jobs_waiting(ctx, self->sys, &provider_news_job, *heard, news, &n);

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		rc = news_apply(
		    self, ctx, (const Billing__V1__ProviderNews *)news[i].payload);
		if (is_the_jobs(rc)) {
			trl_err_clear(ctx);
			rc = TRL_OK;
		}
		*heard = news[i].id;
		*more = true;
	}
	return rc;
}

enum trl_code
hear_all(struct billing *self, trl_ctx *ctx, struct trl_id *heard)
{
	struct asked *asked = trl_arena_zalloc(ctx->arena, sizeof *asked);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	bool more = self->provider != NULL;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && more) {
		more = false;
		trl_arena_rewind(ctx->arena, mark);
		rc = ask(self, ctx, asked, &more);
		if (rc == TRL_OK)
			rc = apply(self, ctx, heard, &more);
	}
	return trl_fold(ctx, rc);
}
