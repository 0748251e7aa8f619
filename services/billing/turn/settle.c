/* settle.c - see charge.h: what came of a payment or refund. It is written behind the
 * account's version, of the row as it is then; so an answer that was heard twice, or in
 * the wrong order, is written once. What is paid stays paid. */
#include <string.h>

#include <trl/event.h>

#include "provider/decline.h"
#include "turn/charge.h"
#include "turn/returned.h"

typedef Billing__V1__Payment__Status status;

static void
read_row(trl_ctx *ctx, trl_batch *work, struct trl_id id, Billing__V1__PaymentRow *out)
{
	billing__v1__payment_row__init(out);
	trl_batch_get(work, &billing_sql_payment_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));
}

enum trl_code
payment_get(
    struct billing *self, trl_ctx *ctx, struct trl_id id, Billing__V1__PaymentRow *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	read_row(ctx, work, id, out);
	return trl_batch_read(work);
}

void
payment_tell(struct turn *turn, const struct trl_event_type *type,
    const Billing__V1__Payment *payment)
{
	Billing__V1__PaymentEvent *told = billing_v1_payment_event_new(turn->ctx);

	told->payment = trl_arena_memdup(turn->ctx->arena, payment, sizeof *payment);
	trl_batch_event(turn->work, type, trl_value_id(payment->id), &told->base);
}

void
payment_insert(
    struct turn *turn, const Billing__V1__Payment *payment, const char *reference)
{
	trl_batch_add(turn->work, &billing_sql_payment_insert, &payment->base,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    reference ? TRL_ARG_TEXT("reference", reference)
		      : TRL_ARG_NULL("reference"),
	    TRL_ARG_NULL("action_url"));
}

void
payment_put(struct turn *turn, Billing__V1__Payment *payment, status now,
    const char *reference, const char *code, const char *url)
{
	bool settled = now != BILLING__V1__PAYMENT__STATUS__pending &&
		       now != BILLING__V1__PAYMENT__STATUS__requires_action;

	trl_set(payment, status, now);
	payment->decline_code = *code ? trl_arena_strdup(turn->ctx->arena, code) : NULL;
	payment->settled_at =
	    settled ? billing_time(turn->ctx, turn->account.now) : NULL;
	trl_batch_add(turn->work, &billing_sql_payment_settle, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_ID("id", trl_value_id(payment->id)),
	    TRL_ARG_TEXT("status", billing_v1_payment_status_name(now)),
	    TRL_ARG_TEXT("reference", reference), TRL_ARG_TEXT("decline_code", code),
	    TRL_ARG_TEXT("action_url", url), TRL_ARG_BOOL("settled", settled),
	    TRL_ARG_TIME("now", turn->account.now * 1000000));
}

void
payment_return(struct turn *turn, struct trl_id payment, int64_t amount)
{
	trl_batch_add(turn->work, &billing_sql_payment_return, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant), TRL_ARG_ID("id", payment),
	    TRL_ARG_INT("amount", amount));
}

static status
status_of(enum provider_outcome outcome)
{
	static const status of[] = {
		[PROVIDER_DONE] = BILLING__V1__PAYMENT__STATUS__succeeded,
		[PROVIDER_PENDING] = BILLING__V1__PAYMENT__STATUS__pending,
		[PROVIDER_ACTION] = BILLING__V1__PAYMENT__STATUS__requires_action,
		[PROVIDER_REFUSED] = BILLING__V1__PAYMENT__STATUS__failed,
		[PROVIDER_CANCELED] = BILLING__V1__PAYMENT__STATUS__canceled,
	};

	return of[outcome];
}

/* Whether an answer is news. Money that came is; what was paid does not fail, and what
 * is settled does not wait again. A refund may come back after it went out. */
static bool
is_news(const Billing__V1__PaymentRow *row, const struct provider_answer *answer)
{
	const Billing__V1__Payment *payment = row->payment;
	bool settled = payment->settled_at != NULL;

	if (payment->status == status_of(answer->outcome))
		return !settled && !row->reference && answer->reference[0];
	if (payment->kind == BILLING__V1__PAYMENT__KIND__refund)
		return !settled ||
		       (payment->status == BILLING__V1__PAYMENT__STATUS__succeeded &&
			   answer->outcome == PROVIDER_REFUSED);
	if (payment->status == BILLING__V1__PAYMENT__STATUS__succeeded)
		return false;
	if (payment->status == BILLING__V1__PAYMENT__STATUS__requires_action &&
	    answer->outcome == PROVIDER_PENDING)
		return false;
	return !settled || answer->outcome == PROVIDER_DONE;
}

static enum trl_code
note_refund(struct turn *turn, const Billing__V1__PaymentRow *row,
    enum provider_outcome outcome)
{
	const Billing__V1__Payment *refund = row->payment;
	int64_t amount = refund->amount;
	struct turn_invoice *at;
	enum trl_code rc;

	if (outcome == PROVIDER_DONE)
		payment_tell(turn, &billing_event_payment_refunded, refund);
	if (outcome != PROVIDER_REFUSED)
		return TRL_OK;
	rc = turn_find_invoice(turn, trl_value_id(refund->invoice_id), &at);
	if (rc != TRL_OK)
		return trl_fold(turn->ctx, rc);
	payment_return(turn, trl_value_id(refund->payment_id), -amount);
	ledger_add(turn->ctx, turn->work, refund->currency, turn->account.now,
	    "refund_failed", trl_value_id(refund->id),
	    (const struct ledger_entry[]){ { "cash", amount }, { "refunds", -amount } },
	    2);
	returned_comes_back(turn, at, refund, row->off_refunds);
	payment_tell(turn, &billing_event_payment_refund_failed, refund);
	return TRL_OK;
}

/* Whether the default way to pay was refused for good before. */
static bool
was_hard(const struct life *life, uint64_t place)
{
	for (size_t i = 0; i < life->n_invoices; i++)
		if (life->invoices[i].id == place)
			return life->invoices[i].hard;
	return false;
}

static void
note_refusal(struct turn *turn, struct turn_invoice *at,
    const Billing__V1__Payment *payment, const char *code, struct life_outcome *next)
{
	const Billing__V1__SubscriptionRow *row = turn->account.row;
	bool is_default =
	    row->has_method_id && payment->has_method_id &&
	    trl_id_eq(trl_value_id(row->method_id), trl_value_id(payment->method_id));

	at->invoice->decline_code = trl_arena_strdup(turn->ctx->arena, code);
	if (strcmp(code, "authentication_required") == 0)
		turn_tell_invoice(
		    turn, &billing_event_invoice_action_needed, at->invoice);
	else
		turn_tell_refusal(turn, at->invoice, payment, code);
	/* What another card's bank says neither stops the tries with the default one
	 * nor begins them again. */
	life_failed(&turn->account.life, &turn->account.rules, turn->account.now,
	    at->place,
	    is_default ? decline_is_hard(code)
		       : was_hard(&turn->account.life, at->place),
	    next);
}

static enum trl_code
note_payment(struct turn *turn, const Billing__V1__Payment *payment,
    const struct provider_answer *answer, struct life_outcome *next)
{
	struct turn_invoice *at;
	enum trl_code rc =
	    turn_find_invoice(turn, trl_value_id(payment->invoice_id), &at);

	if (rc != TRL_OK)
		return trl_fold(turn->ctx, rc);
	if (trl_id_eq(at->payment, trl_value_id(payment->id)))
		at->payment = trl_id_nil;
	if (answer->outcome == PROVIDER_DONE) {
		payment_tell(turn, &billing_event_payment_succeeded, payment);
		at->invoice->decline_code = NULL;
		turn_take_money(turn, at, payment->currency, payment->amount,
		    trl_value_id(payment->id), next);
	}
	if (answer->outcome == PROVIDER_REFUSED)
		payment_tell(turn, &billing_event_payment_failed, payment);
	if (at->invoice->status != BILLING__V1__INVOICE__STATUS__open)
		return TRL_OK;
	at->changed = true;
	if (answer->outcome == PROVIDER_ACTION)
		turn_tell_invoice(
		    turn, &billing_event_invoice_action_needed, at->invoice);
	if (answer->outcome == PROVIDER_REFUSED)
		note_refusal(turn, at, payment, answer->code, next);
	return TRL_OK;
}

static enum trl_code
write_answer(struct turn *turn, const Billing__V1__PaymentRow *row,
    const struct provider_answer *answer)
{
	struct life_outcome *next = trl_arena_alloc(turn->ctx->arena, sizeof *next);
	enum trl_code rc;

	if (!is_news(row, answer))
		return TRL_OK;
	next->n = 0;
	payment_put(turn, row->payment, status_of(answer->outcome), answer->reference,
	    answer->code, answer->url);
	rc = row->payment->kind == BILLING__V1__PAYMENT__KIND__refund
		 ? note_refund(turn, row, answer->outcome)
		 : note_payment(turn, row->payment, answer, next);
	if (rc == TRL_OK)
		rc = turn_do(turn, next);
	if (rc != TRL_OK)
		return rc;
	turn_finish(turn);
	return turn_commit(turn, false);
}

enum trl_code
payment_settle_next(struct turn *turn, const Billing__V1__PaymentRow *row,
    const struct provider_answer *answer)
{
	turn_begin_next(turn);
	return write_answer(turn, row, answer);
}

enum trl_code
payment_settle(struct billing *self, trl_ctx *ctx, struct trl_id id,
    const struct provider_answer *answer)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	enum trl_code rc = TRL_PRECONDITION;

	for (int i = 0; rc == TRL_PRECONDITION && i < TURN_TRIES; i++) {
		Billing__V1__PaymentRow *row;
		struct account_rows *rows;
		trl_batch *work;

		trl_err_clear(ctx);
		trl_arena_rewind(ctx->arena, mark);
		row = trl_arena_alloc(ctx->arena, sizeof *row);
		rows = trl_arena_alloc(ctx->arena, sizeof *rows);
		work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
		account_get(ctx, work, rows);
		read_row(ctx, work, id, row);
		rc = trl_batch_read(work);
		if (rc == TRL_OK)
			rc = account_read(self, ctx, rows, &turn->account);
		if (rc != TRL_OK)
			return rc;
		turn_begin(self, ctx, turn);
		rc = write_answer(turn, row, answer);
		turn_end(turn);
	}
	return rc;
}
