/* billing.GetSubscription, CancelSubscription, ResumeSubscription, DropPendingChange:
 * what life.h decides, asked for and shown; plan_change.c has the change of a
 * plan. */
#include "subscription/subscription.h"

#include <string.h>

ProtobufCMessage *
subscription_show(struct turn *turn, void *arg)
{
	billing_subscription *out = ((struct subscription_wanted *)arg)->out;

	billing__v1__subscription__init(out);
	turn_show(turn, out);
	return &out->base;
}

/* Errors: none but faults. */
enum trl_code
billing_get_subscription(struct billing *self, trl_ctx *ctx,
    const Billing__V1__GetSubscriptionRequest *in, Billing__V1__Subscription *out)
{
	struct account *account = trl_arena_alloc(ctx->arena, sizeof *account);
	enum trl_code rc = account_load(self, ctx, account);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	account_show(ctx, account, out);
	account_fini(account);
	return TRL_OK;
}

static enum trl_code
judge(struct turn *turn, const char *why)
{
	return why ? trl_fail(turn->ctx, TRL_CONFLICT, "%s", why) : TRL_OK;
}

static enum trl_code
decide_cancel(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct subscription_wanted *wanted = arg;

	return judge(turn,
	    life_cancel(&turn->account.life, turn->account.now, wanted->now, out));
}

static enum trl_code
decide_resume(struct turn *turn, void *arg, struct life_outcome *out)
{
	(void)arg;
	return judge(turn, life_resume(&turn->account.life, &turn->account.rules,
			       turn->account.now, out));
}

static enum trl_code
decide_drop(struct turn *turn, void *arg, struct life_outcome *out)
{
	(void)arg;
	return judge(
	    turn, life_drop_change(&turn->account.life, turn->account.now, out));
}

/* Errors: TRL_CONFLICT (its state), TRL_PRECONDITION. */
enum trl_code
billing_cancel_subscription(struct billing *self, trl_ctx *ctx,
    const Billing__V1__CancelSubscriptionRequest *in, Billing__V1__Subscription *out)
{
	static const struct turn_kind kind = { "billing.subscription.cancel",
		decide_cancel, subscription_show };
	struct subscription_wanted wanted = { .now = in->now, .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}

/* Errors: TRL_CONFLICT (its state), TRL_PRECONDITION. */
enum trl_code
billing_resume_subscription(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ResumeSubscriptionRequest *in, Billing__V1__Subscription *out)
{
	static const struct turn_kind kind = { "billing.subscription.resume",
		decide_resume, subscription_show };
	struct subscription_wanted wanted = { .out = out };

	(void)in;
	return turn_run(self, ctx, &kind, &wanted);
}

/* Errors: TRL_CONFLICT (nothing waits), TRL_PRECONDITION. */
enum trl_code
billing_drop_pending_change(struct billing *self, trl_ctx *ctx,
    const Billing__V1__DropPendingChangeRequest *in, Billing__V1__Subscription *out)
{
	static const struct turn_kind kind = { "billing.subscription.drop_change",
		decide_drop, subscription_show };
	struct subscription_wanted wanted = { .out = out };

	(void)in;
	return turn_run(self, ctx, &kind, &wanted);
}
