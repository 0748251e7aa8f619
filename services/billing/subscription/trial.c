/* trial.c - see trial.h. The trial is a job and not part of applying the event, for the
 * account is read, decided on and written as in every other change. */
#include "subscription/trial.h"

#include <trl/change.h>
#include <trl/jobs.h>

/* Errors: TRL_QUOTA (the founder's are used up), faults. */
static enum trl_code
begin(struct turn *turn, const Billing__V1__TrialJob *in)
{
	struct account *account = &turn->account;
	const Billing__V1__Trial *trial = account->catalogue->trial;
	struct life_outcome *out = trl_arena_alloc(turn->ctx->arena, sizeof *out);
	const struct offer *offer;
	const char *why;
	enum trl_code rc;

	if (!trial || account->life.status != LIFE_NONE)
		return TRL_OK;
	offer = account_offer(turn->ctx, account, trial->price);
	if (!offer)
		return trl_fail(turn->ctx, TRL_INTERNAL,
		    "the trial is of the price %s, which there is not", trial->price);
	if (!account->row->clock_at)
		account->now = trl_value_time_us(in->founded_at) / 1000000;
	why = life_trial(&account->life, account->now, offer, trial->days, out);
	if (why)
		return trl_fail(turn->ctx, TRL_INTERNAL, "no trial: %s", why);
	trl_batch_add(turn->work, &billing_sql_trial_take, NULL,
	    TRL_ARG_ID("account_id", trl_value_id(in->founder)),
	    TRL_ARG_INT("most", trial->has_per_owner ? trial->per_owner : 1));
	rc = turn_do(turn, out);
	if (rc != TRL_OK)
		return rc;
	turn_finish(turn);
	return turn_commit(turn, false);
}

static enum trl_code
run(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc != TRL_OK)
		return rc;
	do {
		trl_arena_rewind(ctx->arena, mark);
		rc = turn_load(self, ctx, turn);
		if (rc != TRL_OK)
			return rc;
		rc = begin(turn, (const Billing__V1__TrialJob *)job->payload);
		turn_end(turn);
	} while (trl_change_again(&queue, &rc));
	if (rc == TRL_QUOTA) {
		trl_err_clear(ctx);
		rc = TRL_OK;
	}
	return rc;
}

const struct trl_job_kind trial_job = {
	.name = "trial",
	.message = &billing_v1_trial_job_rules,
	.run = run,
};
