/* due.c - see due.h. */
#include "turn/due.h"

#include <trl/change.h>
#include <trl/event.h>
#include <trl/jobs.h>

#include <empty.trl.h>

#include "turn/charge.h"

static const char key[] = "due";

/* How long after a job died another one tries. */
enum { ANEW_AFTER_S = 3600 };

void
due_at(trl_batch *work, int64_t when)
{
	const struct trl_job_terms terms = {
		.key = key, .moves = true, .run_at_us = when * 1000000
	};

	trl_batch_job(work, &due_job, &terms, NULL);
}

/* The card that renewals are paid with expires in the month that has begun. */
static enum trl_code
tell_expiring(struct turn *turn)
{
	const struct account *account = &turn->account;
	Billing__V1__MethodRow row = BILLING__V1__METHOD_ROW__INIT;
	Billing__V1__PaymentMethodEvent *told =
	    billing_v1_payment_method_event_new(turn->ctx);
	struct trl_id id = trl_value_id(account->row->method_id);
	enum trl_code rc = trl_batch_get_one(turn->ctx, turn->self->pg,
	    TRL_SCOPE_TENANT(account->tenant), &billing_sql_method_get, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", account->tenant), TRL_ARG_ID("id", id));

	if (rc != TRL_OK)
		return trl_fold(turn->ctx, rc);
	told->payment_method = row.method;
	trl_batch_event(
	    turn->work, &billing_event_payment_method_expiring, id, &told->base);
	trl_batch_add(turn->work, &billing_sql_method_told, NULL,
	    TRL_ARG_ID("tenant_id", account->tenant), TRL_ARG_ID("id", id));
	account->row->expiring_at = NULL;
	return TRL_OK;
}

static enum trl_code
do_next(struct turn *turn)
{
	struct account *account = &turn->account;
	struct life_outcome *out = trl_arena_alloc(turn->ctx->arena, sizeof *out);
	const char *why;

	if (turn->next == account_expiring_at(account))
		return tell_expiring(turn);
	(void)life_step(&account->life, &account->rules, account->now, out, &why);
	if (why)
		return trl_fail(turn->ctx, TRL_INTERNAL,
		    "what is due of a subscription cannot be done: %s", why);
	return turn_do(turn, out);
}

/* The next thing, at its own time. */
static enum trl_code
step(struct turn *turn)
{
	struct account *account = &turn->account;
	int64_t was = account->now;
	enum trl_code rc;

	account->now = turn->next;
	if (account->row->clock_at && account->now > was)
		account->row->clock_at = billing_time(turn->ctx, account->now);
	rc = do_next(turn);
	if (rc != TRL_OK)
		return rc;
	turn->next = INT64_MIN; /* the job that waits is for another time from now on */
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
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	struct trl_id heard = trl_id_nil;
	bool to_hear = steps != NULL;
	unsigned lost = 0;

	for (;;) {
		enum trl_code rc = TRL_OK;
		bool more;

		/* Ten years are many turns. */
		trl_arena_rewind(ctx->arena, mark);
		if (to_hear)
			rc = hear_all(self, ctx, &heard);
		if (rc == TRL_OK)
			rc = turn_load(self, ctx, turn);
		if (rc != TRL_OK)
			return rc;
		more = turn->next <= until && !turn->account.row->deleting;
		rc = more ? step(turn) : set_clock(turn, until);
		to_hear = steps && turn->asks;
		turn_end(turn);
		if (rc == TRL_PRECONDITION && ++lost < TURN_TRIES) {
			trl_err_clear(ctx);
			continue;
		}
		if (rc != TRL_OK || !more)
			return rc;
		lost = 0;
		if (steps)
			++*steps;
	}
}

static void
leave_out(struct turn *turn, struct trl_id payment)
{
	size_t n = 0;

	for (size_t i = 0; i < turn->n_charges; i++)
		if (!trl_id_eq(turn->charges[i], payment))
			turn->charges[n++] = turn->charges[i];
	turn->n_charges = n;
}

/* A payment that has a job of its own is that one's: a request of another process may
 * be asking for it just now, with its payer there. */
static enum trl_code
leave_to_jobs(struct billing *self, trl_ctx *ctx, struct turn *turn)
{
	struct trl_job *jobs =
	    trl_arena_alloc(ctx->arena, TRL_JOBS_WAITING_MAX * sizeof *jobs);
	struct trl_id after = trl_id_nil;
	size_t n = TRL_JOBS_WAITING_MAX;

	while (turn->n_charges > 0 && n == TRL_JOBS_WAITING_MAX) {
		enum trl_code rc =
		    trl_jobs_waiting(ctx, self->sys, &payment_job, after, jobs, &n);

		if (rc != TRL_OK)
			return rc;
		for (size_t i = 0; i < n; i++) {
			const Billing__V1__ChargeJob *in =
			    (const Billing__V1__ChargeJob *)jobs[i].payload;

			leave_out(turn, trl_value_id(in->payment_id));
			after = jobs[i].id;
		}
	}
	return TRL_OK;
}

/* Where a process died between a payment's row and what came of it, that is found here:
 * the job came back. Reads the account, once nothing of it is under way that the
 * provider would tell, and that no job of its own looks after. */
static enum trl_code
load_charged(struct billing *self, trl_ctx *ctx, struct turn *turn)
{
	enum trl_code rc = turn_load(self, ctx, turn);

	if (rc != TRL_OK || turn->account.row->clock_at)
		return rc;
	for (size_t i = 0; i < turn->n_invoices; i++) {
		const struct turn_invoice *at = &turn->invoices[i];

		if (!trl_id_is_nil(at->payment) && !at->payment_waits &&
		    turn->n_charges < TURN_CHARGES_MAX)
			turn->charges[turn->n_charges++] = at->payment;
	}
	rc = leave_to_jobs(self, ctx, turn);
	if (rc != TRL_OK || turn->n_charges == 0)
		return rc;
	turn->by_job = true;
	rc = turn_charge(turn, false);
	turn_end(turn);
	return rc == TRL_OK ? turn_load(self, ctx, turn) : rc;
}

/* Has the job come for what is next, be it due already. Where nothing was due, the
 * clocks of this machine and PostgreSQL's differ, or it is not due any more. A job that
 * lost its key while it ran ends: another one waits, at the time that whoever added it
 * has seen. */
static enum trl_code
come_again(struct turn *turn, const struct trl_job *job, bool was_due)
{
	const struct account *account = &turn->account;
	int64_t soon = trl_now(turn->ctx) + (was_due ? 0 : 1000000);
	int64_t next = turn->is_stale ? 0 : account_next(account);

	if (!job->has_key || next == INT64_MAX || account->row->clock_at ||
	    account->row->deleting)
		return TRL_OK;
	return trl_job_next(turn->ctx, next * 1000000 > soon ? next * 1000000 : soon);
}

/* One thing a run. */
static enum trl_code
run(struct billing *self, trl_ctx *ctx, const struct trl_job *job, struct turn *turn)
{
	enum trl_code rc = load_charged(self, ctx, turn);
	bool due;

	if (rc != TRL_OK)
		return rc;
	turn->by_job = true;
	due = turn->next <= trl_now(ctx) / 1000000 && !turn->account.row->clock_at &&
	      !turn->account.row->deleting;
	if (due)
		rc = step(turn);
	if (rc == TRL_OK)
		rc = come_again(turn, job, due);
	turn_end(turn);
	return rc;
}

static enum trl_code
run_job(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc != TRL_OK)
		return rc;
	do {
		trl_arena_rewind(ctx->arena, mark);
		rc = run(state, ctx, job, turn);
	} while (trl_change_again(&queue, &rc));
	return rc;
}

/* What is due of an organisation does not end with a job that failed too often: another
 * one tries, later. One that the operator has ended stays so. */
static enum trl_code
begin_anew(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const struct trl_job_terms terms = { .key = key,
		.run_at_us = trl_now(ctx) + ANEW_AFTER_S * INT64_C(1000000) };
	struct billing *self = state;
	trl_batch *work;

	if (job->attempt < job->attempts)
		return TRL_OK;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_job(work, &due_job, &terms, NULL);
	return trl_batch_write_unrecorded(work);
}

void
due_look(trl_tx *tx)
{
	const struct trl_job_terms terms = { .key = key, .moves = true };

	trl_tx_job(tx, &due_job, &terms, NULL);
}

const struct trl_job_kind due_job = {
	.name = "due",
	.message = &trellis_empty_rules,
	.run = run_job,
	.dead = begin_anew,
};
