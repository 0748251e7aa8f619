/* coupon.c - a subscription takes a coupon; see invoice/coupon.h for what that does. */
#include "subscription/subscription.h"

#include <string.h>

#include "invoice/coupon.h"

static const char *
why_not(const struct account *account, const Billing__V1__Coupon *wanted,
    const struct offer *offer)
{
	if (!wanted || (wanted->until &&
			   trl_value_time_us(wanted->until) / 1000000 <= account->now))
		return "There is no such coupon, or it is over.";
	if (!offer)
		return "Say to which plan.";
	if (!coupon_holds_for(wanted, offer->plan))
		return "This coupon is not for this plan.";
	if (wanted->currency && strcmp(wanted->currency, offer->currency) != 0)
		return "This coupon is in another currency.";
	return NULL;
}

static enum trl_code
refuse(struct turn *turn, const char *why)
{
	return trl_fail_field(turn->ctx, TRL_INVALID, "coupon", "%s", why);
}

/* Who has taken it before this turn. */
static enum trl_code
check_taken(
    struct turn *turn, const Billing__V1__Coupon *wanted, bool again, bool *by_it)
{
	Billing__V1__CouponTaken taken = BILLING__V1__COUPON_TAKEN__INIT;
	enum trl_code rc = trl_batch_get_one(turn->ctx, turn->self->pg,
	    TRL_SCOPE_TENANT(turn->ctx->tenant), &billing_sql_coupon_taken, NULL,
	    &taken.base, TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_TEXT("code", wanted->code));

	if (rc != TRL_OK)
		return rc;
	*by_it = taken.by_it;
	if (taken.by_it && again)
		return TRL_OK;
	if (taken.by_it)
		return refuse(turn, "This organisation has taken this coupon already.");
	if (wanted->has_most && taken.times >= wanted->most)
		return refuse(turn, "This coupon is used up.");
	return TRL_OK;
}

enum trl_code
subscription_take_coupon(
    struct turn *turn, const char *code, const struct offer *offer, bool again)
{
	struct account *account = &turn->account;
	Billing__V1__SubscriptionRow *row = account->row;
	const Billing__V1__Coupon *wanted = coupon_find(account, code);
	const char *why = why_not(account, wanted, offer);
	bool by_it = false;
	enum trl_code rc;

	if (why)
		return refuse(turn, why);
	if (row->coupon && strcmp(row->coupon, code) == 0)
		return TRL_OK;
	rc = check_taken(turn, wanted, again, &by_it);
	if (rc != TRL_OK || by_it)
		return rc;
	row->coupon = wanted->code;
	row->has_coupon_left =
	    wanted->duration != BILLING__V1__COUPON__DURATION__for_ever;
	row->coupon_left = wanted->has_periods ? (int)wanted->periods : 1;
	/* Whoever counts waits for those before, and then sees them. */
	trl_batch_add(turn->work, &billing_sql_coupon_lock, NULL,
	    TRL_ARG_TEXT("code", wanted->code));
	trl_batch_add(turn->work, &billing_sql_coupon_take, NULL,
	    TRL_ARG_ID("tenant_id", account->tenant),
	    TRL_ARG_TEXT("code", wanted->code),
	    wanted->has_most ? TRL_ARG_INT("most", wanted->most) : TRL_ARG_NULL("most"),
	    TRL_ARG_TIME("now", account->now * 1000000));
	return TRL_OK;
}
