/* run.c - a change from its decision to its reply.
 *
 * Where the reply says what came of a payment, the decision leaves a mark (mark.h); a
 * retry that finds it has the provider asked for what is not known, and answers. */
#include "turn/charge.h"
#include "turn/due.h"
#include "turn/mark.h"

#include <trl/change.h>

enum trl_code
turn_charge(struct turn *turn, bool payer_is_there)
{
	enum trl_code rc = TRL_OK;
	enum payment_how how = turn->by_job     ? PAYMENT_BY_DUE
			       : payer_is_there ? PAYMENT_WITH_PAYER
						: PAYMENT_ALONE;

	if (turn->by_job && turn->n_charges == 1 && turn->fresh)
		return payment_try_fresh(turn);
	turn->is_stale |= turn->n_charges > 0;
	for (size_t i = 0; rc == TRL_OK && i < turn->n_charges; i++)
		rc = payment_try(turn->self, turn->ctx, turn->charges[i], how);
	return rc;
}

enum trl_code
turn_commit(struct turn *turn, bool payer_is_there)
{
	enum trl_code rc = trl_batch_write_unrecorded(turn->work);

	trl_change_end(&turn->series_queue);
	return rc == TRL_OK ? turn_charge(turn, payer_is_there) : rc;
}

static enum trl_code
reply(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	ProtobufCMessage *out = kind->show(turn, arg);

	return out ? trl_batch_write(turn->work, out) : turn->ctx->err.code;
}

/* Has the provider asked for what was decided, and answers with the account as it is
 * since. */
static enum trl_code
charge_and_reply(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	struct billing *self = turn->self;
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc = turn_charge(turn, true);

	turn_end(turn);
	if (rc == TRL_OK)
		rc = turn_load(self, ctx, turn);
	return rc == TRL_OK ? reply(turn, kind, arg) : rc;
}

/* What an earlier run decided stands: the rest of it. */
static enum trl_code
go_on(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	for (size_t i = 0; i < turn->n_invoices; i++) {
		const struct turn_invoice *at = &turn->invoices[i];

		if (!trl_id_is_nil(at->payment) && !at->payment_waits &&
		    turn->n_charges < TURN_CHARGES_MAX)
			turn->charges[turn->n_charges++] = at->payment;
	}
	return charge_and_reply(turn, kind, arg);
}

/* What was decided is committed, with its mark, and each payment tried; then the reply
 * is written. Where another run of the request was faster, what is here was not. */
static enum trl_code
commit_and_charge(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	struct billing *self = turn->self;
	trl_ctx *ctx = turn->ctx;
	bool was_there = false;
	enum trl_code rc = mark_write(ctx, turn->work, &was_there);

	trl_change_end(&turn->series_queue);
	if (rc != TRL_OK)
		return rc;
	if (!was_there)
		return charge_and_reply(turn, kind, arg);
	turn_end(turn);
	rc = turn_load(self, ctx, turn);
	return rc == TRL_OK ? go_on(turn, kind, arg) : rc;
}

static enum trl_code
reply_and_charge(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	enum trl_code rc = reply(turn, kind, arg);

	trl_change_end(&turn->series_queue);
	if (rc != TRL_OK || turn->ctx->idempotency.replayed)
		return rc;
	return turn_charge(turn, true);
}

static void
note_in_audit(struct turn *turn, const char *action)
{
	billing_subscription *shown = billing_v1_subscription_new(turn->ctx);

	if (turn->subject_kind) {
		trl_batch_audit(turn->work, action, turn->subject, turn->subject_kind,
		    turn->subject_shown);
		return;
	}
	turn_show(turn, shown);
	trl_batch_audit(
	    turn->work, action, turn->account.tenant, "subscription", &shown->base);
}

static enum trl_code
attempt(struct turn *turn, const struct turn_kind *kind, void *arg)
{
	struct life_outcome *out = trl_arena_alloc(turn->ctx->arena, sizeof *out);
	enum trl_code rc;

	out->n = 0;
	rc = kind->decide(turn, arg, out);
	if (rc == TRL_OK)
		rc = turn_do(turn, out);
	if (rc != TRL_OK)
		return rc;
	turn->asked = true;
	turn_finish(turn);
	note_in_audit(turn, kind->action);
	if (turn->n_charges > 0 && !kind->reply_stands)
		return commit_and_charge(turn, kind, arg);
	return reply_and_charge(turn, kind, arg);
}

/* Reads the account once nothing is overdue. */
static enum trl_code
load_caught_up(struct billing *self, trl_ctx *ctx, struct turn *turn)
{
	enum trl_code rc = turn_load(self, ctx, turn);
	int64_t now = turn->account.now;

	if (rc != TRL_OK || turn->next > now)
		return rc;
	turn_end(turn);
	rc = due_run(self, ctx, now, NULL);
	return rc == TRL_OK ? turn_load(self, ctx, turn) : rc;
}

/* A number of the installation's series that another process took is nothing of what
 * If-Match asks for, which is looked at anew. */
static bool
again(struct trl_change *queue, const struct turn *turn, enum trl_code *rc)
{
	bool numbered = turn->series_taken[SERIES_INVOICE] > 0 ||
			turn->series_taken[SERIES_CREDIT_NOTE] > 0;

	if (*rc != TRL_PRECONDITION || !turn->ctx->has_if_version || !numbered ||
	    ++queue->tries == TURN_TRIES)
		return trl_change_again(queue, rc);
	trl_err_clear(turn->ctx);
	return true;
}

static enum trl_code
run_once(struct billing *self, trl_ctx *ctx, const struct turn_kind *kind, void *arg,
    struct turn *turn)
{
	bool decided = false;
	enum trl_code rc = load_caught_up(self, ctx, turn);

	if (rc != TRL_OK)
		return rc;
	if (!kind->reply_stands)
		rc = mark_find(self, ctx, &decided);
	if (rc == TRL_OK && decided) {
		rc = go_on(turn, kind, arg);
	} else if (rc == TRL_OK) {
		rc = trl_if_match(ctx, turn->account.row->version);
		if (rc == TRL_OK)
			rc = attempt(turn, kind, arg);
	}
	turn_end(turn);
	return rc;
}

enum trl_code
turn_run(struct billing *self, trl_ctx *ctx, const struct turn_kind *kind, void *arg)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc != TRL_OK)
		return rc;
	do {
		trl_arena_rewind(ctx->arena, mark);
		rc = run_once(self, ctx, kind, arg, turn);
	} while (again(&queue, turn, &rc));
	return rc;
}
