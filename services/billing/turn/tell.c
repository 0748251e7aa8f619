/* tell.c - what others are told of a turn, and its audit entries; see turn.h. All is
 * told as it is once the turn is over, whatever it was in between. */
#include "turn/turn.h"
#include "provider/decline.h"

#include <string.h>

#include <trl/event.h>

void
turn_tell_invoice(struct turn *turn, const struct trl_event_type *type,
    const billing_invoice *invoice)
{
	trl_assert(turn->n_tells < TURN_TELLS_MAX);
	turn->tells[turn->n_tells++] =
	    (struct turn_tell){ .type = type, .invoice = invoice };
}

/* Stripe's words, which the providers of ours speak. */
static Billing__V1__Remedy *
remedy_of(trl_ctx *ctx, const char *code)
{
	static const char *const money[] = { "insufficient_funds",
		"card_velocity_exceeded", "withdrawal_count_limit_exceeded" };
	Billing__V1__Remedy *remedy = billing_v1_remedy_new(ctx);

	if (decline_is_hard(code) || strcmp(code, "expired_card") == 0) {
		trl_set(remedy, another_card, true);
		return remedy;
	}
	if (strcmp(code, "authentication_required") == 0) {
		trl_set(remedy, confirmation, true);
		return remedy;
	}
	for (size_t i = 0; i < TRL_COUNT(money); i++)
		if (strcmp(code, money[i]) == 0) {
			trl_set(remedy, money, true);
			return remedy;
		}
	return NULL;
}

void
turn_tell_refusal(struct turn *turn, const billing_invoice *invoice,
    const Billing__V1__Payment *payment, const char *code)
{
	struct turn_tell *tell = &turn->tells[turn->n_tells];

	turn_tell_invoice(turn, &billing_event_invoice_payment_failed, invoice);
	tell->remedy = remedy_of(turn->ctx, code);
	tell->payment = payment;
}

static void
name_doer(trl_ctx *ctx, protobuf_c_boolean *has, ProtobufCBinaryData *by)
{
	*has = ctx->principal.kind == TRL_PERSON;
	if (*has)
		*by = trl_value_bytes(ctx, ctx->principal.account);
}

static void
tell_invoice(struct turn *turn, const struct turn_tell *tell)
{
	Billing__V1__InvoiceEvent *told = billing_v1_invoice_event_new(turn->ctx);
	billing_invoice *shown =
	    trl_arena_memdup(turn->ctx->arena, tell->invoice, sizeof *tell->invoice);

	shown->n_lines = 0;
	shown->lines = NULL;
	told->invoice = shown;
	told->remedy = tell->remedy;
	told->payment = (Billing__V1__Payment *)(uintptr_t)tell->payment;
	if (tell->type == &billing_event_invoice_paid)
		trl_set(told, receipt, tell->invoice->amount_paid > 0);
	name_doer(turn->ctx, &told->has_by, &told->by);
	trl_batch_event(turn->work, tell->type, trl_value_id(shown->id), &told->base);
}

/* What the next period costs. */
static Billing__V1__TrialEnd *
trial_end_of(const struct turn *turn)
{
	const struct life *life = &turn->account.life;
	Billing__V1__TrialEnd *end = billing_v1_trial_end_new(turn->ctx);
	int64_t amount;

	trl_set(end, can_pay, life->can_pay);
	trl_set(end, cancels,
	    turn->account.rules.trial_cancels || life->cancel_at_period_end);
	if (!price_of(
		&life->offer->price, (trl_int128)life->seats * 1000000000, &amount))
		return end;
	trl_set(end, amount, amount);
	end->currency = (char *)(uintptr_t)life->offer->currency;
	return end;
}

static Billing__V1__SubscriptionEvent *
subscription_event(struct turn *turn, const struct trl_event_type *type)
{
	Billing__V1__SubscriptionEvent *told =
	    billing_v1_subscription_event_new(turn->ctx);
	const billing_plan *plan;

	told->subscription = billing_v1_subscription_new(turn->ctx);
	turn_show(turn, told->subscription);
	plan = catalogue_plan(turn->account.catalogue, told->subscription->plan);
	told->plan_name = plan ? plan->name : NULL;
	if (type == &billing_event_subscription_trial_ending)
		told->trial = trial_end_of(turn);
	name_doer(turn->ctx, &told->has_by, &told->by);
	return told;
}

void
turn_tell(struct turn *turn)
{
	static const struct {
		const struct trl_event_type *type;
		const char *action; /* NULL: it changes nothing */
	} acts[] = {
		{ &billing_event_subscription_started, "billing.subscription.start" },
		{ &billing_event_subscription_updated, "billing.subscription.update" },
		{ &billing_event_subscription_trial_ending, NULL },
		{ &billing_event_subscription_paused, "billing.subscription.pause" },
		{ &billing_event_subscription_ended, "billing.subscription.end" },
	};
	struct trl_id id = turn->account.tenant;

	for (size_t i = 0; i < turn->n_tells; i++)
		tell_invoice(turn, &turn->tells[i]);
	for (size_t i = 0; i < TRL_COUNT(acts); i++) {
		Billing__V1__SubscriptionEvent *told;

		if (!turn->told[i])
			continue;
		told = subscription_event(turn, acts[i].type);
		trl_batch_event(turn->work, acts[i].type, id, &told->base);
		if (acts[i].action && !turn->asked)
			trl_batch_audit(turn->work, acts[i].action, id, "subscription",
			    &told->subscription->base);
	}
}
