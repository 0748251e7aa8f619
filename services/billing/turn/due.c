/* due.c - see due.h. */
#include "turn/due.h"

#include <trl/change.h>
#include <trl/jobs.h>

#include <empty.trl.h>

static const char key[] = "due";

void
due_at(trl_batch *work, int64_t when)
{
	const struct trl_job_terms terms = { .key = key, .run_at_us = when * 1000000 };

	trl_batch_job(work, &due_job, &terms, NULL);
	/* One that waits already, for another time. */
	trl_batch_job_move(work, &due_job, key, terms.run_at_us);
}

/* The next thing, at its own time. */
static enum trl_code
step(struct turn *turn)
{
	struct account *account = &turn->account;
	struct life_outcome *out = trl_arena_alloc(turn->ctx->arena, sizeof *out);
	int64_t was = account->now;
	const char *why;
	enum trl_code rc;

	account->now = turn->next;
	if (account->row->clock_at && account->now > was)
		account->row->clock_at = billing_time(turn->ctx, account->now);
	(void)life_step(&account->life, &account->rules, account->now, out, &why);
	if (why)
		return trl_fail(turn->ctx, TRL_INTERNAL,
		    "what is due of a subscription cannot be done: %s", why);
	rc = turn_do(turn, out);
	if (rc != TRL_OK)
		return rc;
	turn_finish(turn);
	return turn_commit(turn, false);
}

/* All is done: the clock shows so. */
static enum trl_code
set_clock(struct turn *turn, int64_t until)
{
	struct account *account = &turn->account;

	if (!account->row->clock_at || account->now >= until)
		return TRL_OK;
	account->row->clock_at = billing_time(turn->ctx, until);
	turn_finish(turn);
	return turn_commit(turn, false);
}

enum trl_code
due_run(struct billing *self, trl_ctx *ctx, int64_t until, uint32_t *steps)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	unsigned lost = 0;

	for (;;) {
		enum trl_code rc = turn_load(self, ctx, turn);
		bool more;

		if (rc != TRL_OK)
			return rc;
		more = turn->next <= until && !turn->account.row->deleting;
		rc = more ? step(turn) : set_clock(turn, until);
		account_fini(&turn->account);
		if (rc == TRL_PRECONDITION && ++lost < TURN_TRIES)
			trl_err_clear(ctx);
		else if (rc != TRL_OK || !more)
			return rc;
		else if (steps)
			++*steps;
	}
}

/* Nothing was due: the clocks of this machine and PostgreSQL's differ, or it is not due
 * any more. Whoever moves what is due has the job come then, too. */
static enum trl_code
look_later(struct billing *self, trl_ctx *ctx)
{
	struct account *account = trl_arena_alloc(ctx->arena, sizeof *account);
	enum trl_code rc = account_load(self, ctx, account);
	int64_t soon = trl_now(ctx) + 1000000, next;

	if (rc != TRL_OK)
		return rc;
	next = life_next(&account->life);
	if (next == INT64_MAX || account->row->clock_at || account->row->deleting)
		rc = TRL_OK;
	else
		rc = trl_job_again(ctx, next * 1000000 > soon ? next * 1000000 : soon);
	account_fini(account);
	return rc;
}

static enum trl_code
run_job(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);
	uint32_t steps = 0;

	(void)job;
	if (rc == TRL_OK)
		rc = due_run(state, ctx, trl_now(ctx) / 1000000, &steps);
	return rc == TRL_OK && steps == 0 ? look_later(state, ctx) : rc;
}

void
due_look(trl_tx *tx)
{
	const struct trl_job_terms terms = { .key = key };

	trl_tx_job(tx, &due_job, &terms, NULL);
	trl_tx_job_move(tx, &due_job, key, 0);
}

const struct trl_job_kind due_job = {
	.name = "due",
	.message = &trellis_empty_rules,
	.run = run_job,
};
