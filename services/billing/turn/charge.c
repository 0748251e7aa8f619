/* charge.c - see charge.h. The provider is asked under the payment's id, so a charge
 * that was made and not written down is not made again; its answer is written behind
 * the account's version, as any other change. */
#include "turn/charge.h"

#include <string.h>

#include <trl/change.h>
#include <trl/event.h>
#include <trl/jobs.h>

#include "provider/decline.h"

/* How long after a payment was begun its job looks at it. */
enum { JOB_AFTER_S = 60 };

static void
leave_job(struct turn *turn, struct trl_id payment)
{
	Billing__V1__ChargeJob *job = billing_v1_charge_job_new(turn->ctx);
	struct trl_job_terms terms = {
		.run_at_us = trl_now(turn->ctx) + JOB_AFTER_S * INT64_C(1000000),
	};

	trl_set(job, payment_id, trl_value_bytes(turn->ctx, payment));
	trl_batch_job(turn->work, &payment_job, &terms, &job->base);
}

void
payment_begin(struct turn *turn, struct turn_invoice *at, struct trl_id method)
{
	struct trl_id payment = trl_new_id(turn->ctx);
	billing_invoice *invoice = at->invoice;

	trl_assert(turn->n_charges < TURN_CHARGES_MAX);
	turn->charges[turn->n_charges++] = payment;
	at->payment = payment;
	trl_set(invoice, attempts, invoice->attempts + 1);
	at->changed = true;
	trl_batch_add(turn->work, &billing_sql_payment_insert, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant), TRL_ARG_ID("id", payment),
	    TRL_ARG_ID("invoice_id", trl_value_id(invoice->id)),
	    TRL_ARG_ID("method_id", method), TRL_ARG_NULL("payment_id"),
	    TRL_ARG_TEXT("kind", "payment"), TRL_ARG_TEXT("status", "pending"),
	    TRL_ARG_TEXT("provider", turn->self->provider->name),
	    TRL_ARG_NULL("reference"), TRL_ARG_TEXT("currency", invoice->currency),
	    TRL_ARG_INT("amount", invoice->amount_due), TRL_ARG_NULL("decline_code"),
	    TRL_ARG_NULL("action_url"),
	    TRL_ARG_TIME("created_at", turn->account.now * 1000000),
	    TRL_ARG_NULL("settled_at"));
	leave_job(turn, payment);
}

static void
note_answer(struct turn *turn, const Billing__V1__PaymentRow *payment,
    const struct provider_answer *answer, struct life_outcome *next)
{
	static const char *const words[] = { [PROVIDER_DONE] = "succeeded",
		[PROVIDER_PENDING] = "pending",
		[PROVIDER_ACTION] = "requires_action",
		[PROVIDER_REFUSED] = "failed",
		[PROVIDER_CANCELED] = "canceled" };
	struct turn_invoice *at =
	    turn_invoice_of(turn, trl_value_id(payment->invoice_id));

	trl_batch_add(turn->work, &billing_sql_payment_settle, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_ID("id", trl_value_id(payment->id)),
	    TRL_ARG_TEXT("status", words[answer->outcome]),
	    TRL_ARG_TEXT("reference", answer->reference),
	    TRL_ARG_TEXT("decline_code", answer->code),
	    TRL_ARG_TEXT("action_url", answer->url),
	    TRL_ARG_BOOL("settled", answer->outcome != PROVIDER_PENDING &&
					answer->outcome != PROVIDER_ACTION),
	    TRL_ARG_TIME("now", turn->account.now * 1000000));
	if (answer->outcome == PROVIDER_DONE)
		turn_take_money(turn, at, payment->currency, payment->amount,
		    trl_value_id(payment->id), next);
	if (answer->outcome != PROVIDER_REFUSED && answer->outcome != PROVIDER_ACTION)
		return;
	if (!at || at->invoice->status != BILLING__V1__INVOICE__STATUS__open)
		return;
	at->changed = true;
	if (answer->outcome == PROVIDER_ACTION) {
		turn_tell_invoice(
		    turn, &billing_event_invoice_action_needed, at->invoice);
		return;
	}
	at->invoice->decline_code = trl_arena_strdup(turn->ctx->arena, answer->code);
	turn_tell_refusal(turn, at->invoice, answer->code);
	life_failed(&turn->account.life, &turn->account.rules, turn->account.now,
	    at->place, decline_is_hard(answer->code), next);
}

static enum trl_code
write_answer(struct billing *self, trl_ctx *ctx, const Billing__V1__PaymentRow *payment,
    const struct provider_answer *answer)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	struct life_outcome *next = trl_arena_alloc(ctx->arena, sizeof *next);
	enum trl_code rc = turn_load(self, ctx, turn);

	if (rc != TRL_OK)
		return rc;
	next->n = 0;
	note_answer(turn, payment, answer, next);
	rc = turn_do(turn, next);
	if (rc == TRL_OK) {
		turn_finish(turn);
		rc = turn_commit(turn, false);
	}
	account_fini(&turn->account);
	return rc;
}

enum trl_code
payment_charge(
    struct billing *self, trl_ctx *ctx, struct trl_id id, bool payer_is_there)
{
	Billing__V1__PaymentRow payment = BILLING__V1__PAYMENT_ROW__INIT;
	struct provider_answer answer;
	char key[TRL_ID_TEXT];
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &billing_sql_payment_get, NULL,
	    &payment.base, TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));

	if (rc != TRL_OK || strcmp(payment.status, "pending") != 0)
		return rc;
	if (!self->provider)
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "a payment waits for a provider, and TRELLIS_BILLING_PROVIDER "
		    "names none");
	trl_id_format(id, key);
	rc = self->provider->charge(self, ctx, key, payment.method_reference,
	    payment.currency, payment.amount, payer_is_there, &answer);
	for (int i = 0; rc == TRL_OK && i < TURN_TRIES; i++) {
		trl_err_clear(ctx);
		rc = write_answer(self, ctx, &payment, &answer);
		if (rc != TRL_PRECONDITION)
			return rc;
		rc = TRL_OK;
	}
	return rc == TRL_OK ? TRL_PRECONDITION : rc;
}

static enum trl_code
run_job(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Billing__V1__ChargeJob *in = (const Billing__V1__ChargeJob *)job->payload;

	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc != TRL_OK)
		return rc;
	return payment_charge(state, ctx, trl_value_id(in->payment_id), false);
}

const struct trl_job_kind payment_job = {
	.name = "charge",
	.message = &billing_v1_charge_job_rules,
	.run = run_job,
};
