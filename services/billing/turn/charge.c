/* charge.c - see charge.h. The provider is asked under the payment's id, so a charge
 * that was made and not written down is not made again. Nothing is charged while the
 * outcome of another payment of the invoice is unknown; one that waits for its payer
 * gives way, and is canceled at the provider before the next is asked for. What became
 * paid or void before it was asked for is not charged at all. */
#include "turn/charge.h"

#include <string.h>

#include <trl/change.h>
#include <trl/jobs.h>

#include "provider/decline.h"

/* How long after a payment was begun its job looks at it. */
enum { JOB_AFTER_S = 60 };

static void
add_job(trl_ctx *ctx, trl_batch *work, struct trl_id payment, bool cancel)
{
	Billing__V1__ChargeJob *job = billing_v1_charge_job_new(ctx);
	char key[TRL_ID_TEXT];
	struct trl_job_terms terms = {
		.key = cancel ? NULL : key,
		.run_at_us = cancel ? 0 : trl_now(ctx) + JOB_AFTER_S * INT64_C(1000000),
	};

	trl_id_format(payment, key);

	trl_set(job, payment_id, trl_value_bytes(ctx, payment));
	trl_set(job, cancel, cancel);
	trl_batch_job(work, &payment_job, &terms, &job->base);
}

void
payment_look_at(struct turn *turn, struct trl_id payment)
{
	add_job(turn->ctx, turn->work, payment, false);
}

void
payment_cancel(struct turn *turn, struct trl_id payment)
{
	add_job(turn->ctx, turn->work, payment, true);
	turn->asks = true;
}

/* A row of what is asked for after the commit. */
static Billing__V1__Payment *
new_row(struct turn *turn, Billing__V1__Payment__Kind kind, const char *provider,
    const char *currency, int64_t amount)
{
	Billing__V1__Payment *row = billing_v1_payment_new(turn->ctx);

	trl_set(row, id, trl_value_bytes(turn->ctx, trl_new_id(turn->ctx)));
	trl_set(row, kind, kind);
	trl_set(row, status, BILLING__V1__PAYMENT__STATUS__pending);
	row->provider = trl_arena_strdup(turn->ctx->arena, provider);
	row->currency = trl_arena_strdup(turn->ctx->arena, currency);
	trl_set(row, amount, amount);
	row->created_at = billing_time(turn->ctx, turn->account.now);
	return row;
}

static void
ask_after_commit(struct turn *turn, struct trl_id payment)
{
	trl_assert(turn->n_charges < TURN_CHARGES_MAX);
	turn->charges[turn->n_charges++] = payment;
	turn->fresh = NULL;
	turn->asks = true;
	if (!turn->by_job)
		add_job(turn->ctx, turn->work, payment, false);
}

void
payment_begin(struct turn *turn, struct turn_invoice *at, struct trl_id method)
{
	billing_invoice *invoice = at->invoice;
	Billing__V1__Payment *row = new_row(turn, BILLING__V1__PAYMENT__KIND__payment,
	    turn->self->provider->name, invoice->currency, invoice->amount_due);

	trl_set(row, invoice_id, invoice->id);
	trl_set(row, method_id, trl_value_bytes(turn->ctx, method));
	payment_insert(turn, row, NULL);
	at->payment = trl_value_id(row->id);
	at->payment_waits = false;
	trl_set(invoice, attempts, invoice->attempts + 1);
	at->changed = true;
	ask_after_commit(turn, at->payment);
	if (at->is_new)
		turn->fresh = row;
}

struct trl_id
payment_refund(struct turn *turn, const Billing__V1__Payment *payment, int64_t amount,
    Billing__V1__Payment *out)
{
	const struct provider *provider = turn->self->provider;
	Billing__V1__Payment *row = new_row(turn, BILLING__V1__PAYMENT__KIND__refund,
	    payment->provider, payment->currency, amount);
	struct trl_id id = trl_value_id(row->id);
	bool by_hand = !provider || strcmp(provider->name, payment->provider) != 0;

	trl_set(row, invoice_id, payment->invoice_id);
	trl_set(row, payment_id, payment->id);
	if (by_hand) {
		trl_set(row, status, BILLING__V1__PAYMENT__STATUS__succeeded);
		row->settled_at = row->created_at;
	}
	*out = *row;
	payment_insert(turn, row, NULL);
	payment_return(turn, trl_value_id(payment->id), amount);
	ledger_add(turn->ctx, turn->work, payment->currency, turn->account.now,
	    "refund", id,
	    (const struct ledger_entry[]){ { "refunds", amount }, { "cash", -amount } },
	    2);
	if (by_hand)
		payment_tell(turn, &billing_event_payment_refunded, row);
	else
		ask_after_commit(turn, id);
	return id;
}

/* What waits for its payer gives way to this one, unless the payer was faster. */
static enum trl_code
cancel(struct billing *self, trl_ctx *ctx, struct trl_id id,
    struct provider_answer *answer)
{
	char key[TRL_ID_TEXT];
	enum trl_code rc;

	trl_id_format(id, key);
	rc = self->provider->cancel(self, ctx, key, answer);
	return rc == TRL_OK ? payment_settle(self, ctx, id, answer) : rc;
}

/* Nobody shall pay what is paid or void. */
static bool
is_owed(const Billing__V1__PaymentRow *row)
{
	return row->invoice_status == BILLING__V1__INVOICE__STATUS__open ||
	       row->invoice_status == BILLING__V1__INVOICE__STATUS__uncollectible;
}

static void
refuse(struct provider_answer *answer, const char *code)
{
	*answer = (struct provider_answer){ PROVIDER_REFUSED };
	snprintf(answer->code, sizeof answer->code, "%s", code);
}

static enum trl_code
give_back(struct billing *self, trl_ctx *ctx, const char *key,
    const Billing__V1__PaymentRow *row, struct provider_answer *answer)
{
	if (!row->payment_reference) { /* nobody could say of which payment */
		refuse(answer, "invalid_account");
		return TRL_OK;
	}
	return self->provider->refund(self, ctx, key, row->payment_reference,
	    row->payment->currency, row->payment->amount, answer);
}

/* No charge is made any more; one that was made before, and whose answer was lost, is
 * found. */
static enum trl_code
give_up(struct billing *self, trl_ctx *ctx, const char *key,
    const Billing__V1__PaymentRow *row, struct provider_answer *answer)
{
	enum trl_code rc = self->provider->cancel(self, ctx, key, answer);

	if (rc == TRL_OK && answer->outcome == PROVIDER_CANCELED && is_owed(row))
		refuse(answer, "invalid_account");
	return rc;
}

static enum trl_code
charge(struct billing *self, trl_ctx *ctx, const Billing__V1__PaymentRow *row,
    bool payer_is_there, struct provider_answer *answer)
{
	const Billing__V1__Payment *payment = row->payment;
	char key[TRL_ID_TEXT];
	enum trl_code rc;

	trl_id_format(trl_value_id(payment->id), key);
	if (payment->kind == BILLING__V1__PAYMENT__KIND__refund)
		return give_back(self, ctx, key, row, answer);
	if (row->has_former_id) {
		rc = cancel(self, ctx, trl_value_id(row->former_id), answer);
		if (rc != TRL_OK)
			return rc;
		if (answer->outcome == PROVIDER_DONE) {
			*answer = (struct provider_answer){ PROVIDER_CANCELED };
			return TRL_OK;
		}
	}
	if (!row->method_reference || !is_owed(row))
		return give_up(self, ctx, key, row, answer);
	return self->provider->charge(self, ctx, key, row->method_reference,
	    payment->currency, payment->amount, payer_is_there, answer);
}

static bool
waits(const Billing__V1__Payment *payment)
{
	return payment->status == BILLING__V1__PAYMENT__STATUS__pending &&
	       (payment->kind == BILLING__V1__PAYMENT__KIND__payment ||
		   payment->kind == BILLING__V1__PAYMENT__KIND__refund);
}

enum trl_code
payment_charge(
    struct billing *self, trl_ctx *ctx, struct trl_id id, bool payer_is_there)
{
	Billing__V1__PaymentRow row;
	struct provider_answer answer;
	enum trl_code rc = payment_get(self, ctx, id, &row);

	if (rc != TRL_OK || !waits(row.payment))
		return trl_fold(ctx, rc);
	if (!self->provider)
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "a payment waits for a provider, and TRELLIS_BILLING_PROVIDER "
		    "names none");
	rc = charge(self, ctx, &row, payer_is_there, &answer);
	return rc == TRL_OK ? payment_settle(self, ctx, id, &answer) : rc;
}

static bool
is_the_jobs(enum trl_code rc)
{
	return rc == TRL_UNAVAILABLE || rc == TRL_UNCERTAIN || rc == TRL_PRECONDITION;
}

static enum trl_code
leave(struct billing *self, trl_ctx *ctx, struct trl_id payment)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_err_clear(ctx);
	add_job(ctx, work, payment, false);
	return trl_batch_write_unrecorded(work);
}

enum trl_code
payment_try(struct billing *self, trl_ctx *ctx, struct trl_id id, enum payment_how how)
{
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	struct provider_answer answer;
	enum trl_code rc = how == PAYMENT_CANCEL ? cancel(self, ctx, id, &answer)
						 : payment_charge(self, ctx, id,
						       how == PAYMENT_WITH_PAYER);

	if (rc != TRL_OK && !is_the_jobs(rc))
		return rc;
	if (rc != TRL_OK && how == PAYMENT_BY_DUE)
		return leave(self, ctx, id);
	trl_err_clear(ctx);
	trl_arena_rewind(ctx->arena, mark);
	return TRL_OK;
}

static enum trl_code
charge_fresh(struct turn *turn)
{
	Billing__V1__PaymentRow row = BILLING__V1__PAYMENT_ROW__INIT;
	struct billing *self = turn->self;
	struct trl_id id = trl_value_id(turn->fresh->id);
	struct provider_answer answer;
	enum trl_code rc;

	row.payment =
	    trl_arena_memdup(turn->ctx->arena, turn->fresh, sizeof *turn->fresh);
	row.method_reference = turn->account.row->method_reference;
	trl_set(&row, invoice_status, BILLING__V1__INVOICE__STATUS__open);
	rc = charge(self, turn->ctx, &row, false, &answer);
	if (rc != TRL_OK)
		return rc;
	rc = payment_settle_next(turn, &row, &answer);
	if (rc != TRL_PRECONDITION)
		return rc;
	trl_err_clear(turn->ctx);
	turn->is_stale = true;
	return payment_settle(self, turn->ctx, id, &answer);
}

enum trl_code
payment_try_fresh(struct turn *turn)
{
	const struct trl_id id = trl_value_id(turn->fresh->id);
	enum trl_code rc = charge_fresh(turn);

	if (!is_the_jobs(rc))
		return rc;
	turn->is_stale = true; /* what came of it may not have been written */
	return leave(turn->self, turn->ctx, id);
}

static enum trl_code
run_job(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Billing__V1__ChargeJob *in = (const Billing__V1__ChargeJob *)job->payload;

	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	struct billing *self = state;
	struct trl_id id = trl_value_id(in->payment_id);
	struct provider_answer answer;
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc != TRL_OK)
		return rc;
	if (in->cancel && self->provider)
		return cancel(self, ctx, id, &answer);
	return payment_charge(self, ctx, id, false);
}

const struct trl_job_kind payment_job = {
	.name = "charge",
	.message = &billing_v1_charge_job_rules,
	.run = run_job,
};
