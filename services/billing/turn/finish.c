/* finish.c - what a change comes to: rows of invoices, the account's own, the
 * time at which it is looked at next, and what others are told. */
#include "turn/turn.h"
#include "turn/credited.h"
#include "turn/due.h"
#include "turn/number.h"

#include <string.h>

#include <trl/wire.h>

static int64_t
covers_until(const struct turn *turn, uint64_t place)
{
	const struct life *life = &turn->account.life;
	int64_t until = 0;

	for (size_t i = 0; i < life->n_parts; i++)
		if (life->parts[i].invoice == place && life->parts[i].to > until)
			until = life->parts[i].to;
	return until;
}

/* When an invoice is tried next, by the life. */
static void
note_next_try(struct turn *turn, struct turn_invoice *at)
{
	const struct life *life = &turn->account.life;
	billing_invoice *invoice = at->invoice;
	int64_t next = 0;

	for (size_t i = 0; i < life->n_invoices; i++)
		if (life->invoices[i].id == at->place && !life->invoices[i].hard &&
		    invoice->status == BILLING__V1__INVOICE__STATUS__open)
			next = life->invoices[i].next_try;
	if (next == (invoice->next_attempt_at
			    ? trl_value_time_us(invoice->next_attempt_at) / 1000000
			    : 0))
		return;
	invoice->next_attempt_at = billing_time(turn->ctx, next);
	at->changed = true;
}

static void
put_invoice(struct turn *turn, struct turn_invoice *at)
{
	int64_t until = covers_until(turn, at->place);
	struct trl_id tenant = turn->account.tenant;
	billing_invoice *invoice = at->invoice;
	const uint8_t *data = NULL;
	size_t len = 0;

	if (at->is_gone) {
		trl_batch_add(turn->work, &billing_sql_invoice_delete, NULL,
		    TRL_ARG_ID("tenant_id", tenant),
		    TRL_ARG_ID("id", trl_value_id(invoice->id)));
		return;
	}
	if (!at->is_new)
		trl_set(invoice, version, invoice->version + 1);
	invoice->updated_at = billing_time(turn->ctx, turn->account.now);
	if (!at->is_new && !at->is_final_now) {
		trl_batch_add(turn->work, &billing_sql_invoice_update, &invoice->base,
		    TRL_ARG_ID("tenant_id", tenant),
		    TRL_ARG_INT("returned", at->returned),
		    TRL_ARG_INT("in_balance", at->in_balance));
		return;
	}
	trl_wire_encode(turn->ctx->arena, &invoice->base, &data, &len);
	trl_batch_add(turn->work,
	    at->is_new ? &billing_sql_invoice_insert : &billing_sql_invoice_finalise,
	    &invoice->base, TRL_ARG_ID("tenant_id", tenant),
	    TRL_ARG_INT("place", (int64_t)at->place),
	    TRL_ARG_INT("returned", at->returned),
	    TRL_ARG_INT("in_balance", at->in_balance),
	    TRL_ARG_BYTES("document", data, len), credited_ids(turn->ctx, invoice),
	    until ? TRL_ARG_TIME("covers_until", until * 1000000)
		  : TRL_ARG_NULL("covers_until"));
}

static void
tell_entitlements(struct turn *turn)
{
	struct entitled now;

	entitled_read(&turn->account, &now);
	if (turn->entitles || !entitled_is_same(&turn->before, &now))
		entitled_tell(turn->ctx, turn->work, &turn->account);
}

/* What happens by itself happens when it is due, by a job, which says itself when it
 * comes again; under a test clock, when that is moved on. */
static void
set_alarm(struct turn *turn)
{
	int64_t next = account_next(&turn->account);

	if (turn->by_job || next == turn->next || next == INT64_MAX ||
	    turn->account.row->clock_at)
		return;
	due_at(turn->work, next);
}

void
turn_finish(struct turn *turn)
{
	for (size_t i = 0; i < turn->n_invoices; i++) {
		note_next_try(turn, &turn->invoices[i]);
		if (turn->invoices[i].changed)
			put_invoice(turn, &turn->invoices[i]);
	}
	number_put(turn);
	account_put(turn->ctx, turn->work, &turn->account);
	set_alarm(turn);
	turn_tell(turn);
	tell_entitlements(turn);
}
