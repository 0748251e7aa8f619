/* billing.ChangeSubscription and PreviewSubscription: plan, interval, seats and coupon.
 * A preview is the same change, not committed. */
#include "subscription/subscription.h"

#include <string.h>

/* Of the request for a change, or for its preview, which have the same fields. */
#define WANTED(in, ...)                                                                \
	{                                                                              \
		.plan = (in)->plan, .coupon = (in)->coupon,                            \
		.has_interval = (in)->has_interval, .interval = (in)->interval,        \
		.seats = (in)->seats,                                                  \
		.when = (in)->has_when ? (int)(in)->when : WHEN_USUAL, __VA_ARGS__     \
	}

static const char *
currency_of(const struct account *account)
{
	const struct offer *offer = account->life.offer;

	if (account->profile->currency && !account_is_billed(account))
		return account->profile->currency;
	return offer ? offer->currency : NULL;
}

/* The price that is sold of a plan, at an interval, in the account's currency; where it
 * has none yet, the plan's first. */
static const billing_price *
price_of_plan(const struct account *account, const billing_plan *plan,
    Billing__V1__Price__Interval interval)
{
	const char *currency = currency_of(account);

	for (size_t i = 0; i < plan->n_prices; i++) {
		const billing_price *price = plan->prices[i];

		if (!price->retired && price->interval == interval &&
		    (!currency || strcmp(price->currency, currency) == 0))
			return price;
	}
	return NULL;
}

static Billing__V1__Price__Interval
interval_of(const struct account *account, const struct subscription_wanted *wanted)
{
	return wanted->has_interval ? wanted->interval : account_interval(account);
}

static bool
has_plan(const struct account *account, const char *key)
{
	return account_is_subscribed(account) &&
	       strcmp(account->life.offer->plan, key) == 0;
}

/* Whether the present price is one of the plan, interval and currency that are asked
 * for: then it stays, though it be sold no more. */
static bool
is_present(const struct account *account, const char *plan,
    Billing__V1__Price__Interval interval)
{
	static const struct subscription_wanted as_it_is;
	const struct offer *now = account->life.offer;

	return has_plan(account, plan) && interval == interval_of(account, &as_it_is) &&
	       strcmp(now->currency, currency_of(account)) == 0;
}

/* The offer that is wanted; NULL in *out: the present one. A hidden plan is there for
 * whoever has it. */
static enum trl_code
find_offer(trl_ctx *ctx, struct account *account,
    const struct subscription_wanted *wanted, const struct offer **out)
{
	const struct offer *now = account->life.offer;
	Billing__V1__Price__Interval interval = interval_of(account, wanted);
	const char *key = wanted->plan ? wanted->plan : now ? now->plan : NULL;
	const billing_plan *plan;
	const billing_price *price;

	*out = NULL;
	if (!wanted->plan && !wanted->has_interval)
		return TRL_OK;
	if (!key)
		return trl_fail_field(ctx, TRL_INVALID, "plan", "Say to which plan.");
	plan = catalogue_plan(account->catalogue, key);
	if (!plan || (plan->hidden && !has_plan(account, key)))
		return trl_fail_field(
		    ctx, TRL_INVALID, "plan", "There is no plan %s.", key);
	if (has_plan(account, key) && !wanted->has_interval)
		return TRL_OK;
	if (is_present(account, key, interval)) {
		*out = now;
		return TRL_OK;
	}
	price = price_of_plan(account, plan, interval);
	if (!price && plan->n_prices == 0 &&
	    strcmp(key, account->catalogue->fallback_plan) == 0)
		return trl_fail_field(ctx, TRL_INVALID, "plan",
		    "The plan %s is what everybody has who has no other: cancel the "
		    "subscription to go back to it.",
		    key);
	if (!price)
		return trl_fail_field(ctx, TRL_INVALID, "plan",
		    "The plan %s is not sold for this interval in %s.", key,
		    currency_of(account) ? currency_of(account) : "any currency");
	*out = account_offer(ctx, account, price->key);
	return TRL_OK;
}

/* How many seats may be used of a plan; false: without limit. */
static bool
most_seats(const struct account *account, const char *key, int64_t *most)
{
	const billing_plan *plan = catalogue_plan(account->catalogue, key);
	const Billing__V1__Overrides *own = account->overrides;
	const Billing__V1__FeatureValue *found = NULL;

	for (size_t i = 0; plan && i < plan->n_features; i++)
		if (strcmp(plan->features[i]->feature, "seats") == 0)
			found = plan->features[i];
	for (size_t i = 0; i < own->n_items; i++)
		if (strcmp(own->items[i]->feature, "seats") == 0)
			found = own->items[i];
	*most = found ? found->number : 0;
	return found && found->has_number;
}

/* Nobody pays for seats that the plan does not let them use. What they have stays. */
static enum trl_code
check_seats(
    trl_ctx *ctx, const struct account *account, const struct life_request *request)
{
	const struct life *life = &account->life;
	const struct offer *offer = request->offer ? request->offer : life->offer;
	unsigned seats = request->seats ? request->seats : life->seats;
	int64_t most;

	if (!offer || offer->price.model == PRICE_FIXED ||
	    (offer == life->offer && seats <= life->seats) ||
	    !most_seats(account, offer->plan, &most) || seats <= most)
		return TRL_OK;
	return trl_fail_field(ctx, TRL_INVALID, "seats",
	    "The plan %s has at most %lld seats, and %u would be paid for.",
	    offer->plan, (long long)most, seats);
}

/* Whether it is, or waits to be, as it is asked for: a caller that did not see the
 * answer repeats itself, and its coupon is taken by now. */
static bool
asks_again(const struct account *account, const struct subscription_wanted *wanted,
    const struct life_request *request)
{
	const struct life *life = &account->life;
	const struct offer *offer = request->offer ? request->offer : life->offer;
	unsigned seats = request->seats ? request->seats : life->seats;

	if (!account_is_subscribed(account) || !wanted->plan)
		return false;
	return life->pending.invoice
		   ? offer == life->pending.offer && seats == life->pending.seats
		   : offer == life->offer && seats == life->seats;
}

/* What is to be paid for is in the currency of what there is. */
static enum trl_code
check_currency(
    trl_ctx *ctx, const struct account *account, const struct life_request *request)
{
	const struct offer *offer =
	    request->offer ? request->offer : account->life.offer;
	const char *why = offer ? account_why_not(account, offer->currency) : NULL;

	return why ? trl_fail_field(ctx, TRL_CONFLICT, "plan",
			 "This plan is paid in %s. %s", offer->currency, why)
		   : TRL_OK;
}

enum trl_code
subscription_decide_change(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct subscription_wanted *wanted = arg;
	struct account *account = &turn->account;
	struct life_request request = { .seats = wanted->seats, .when = wanted->when };
	const char *why;
	enum trl_code rc = find_offer(turn->ctx, account, wanted, &request.offer);

	if (rc == TRL_OK)
		rc = check_seats(turn->ctx, account, &request);
	if (rc == TRL_OK)
		rc = check_currency(turn->ctx, account, &request);
	if (rc == TRL_OK && wanted->coupon)
		rc = subscription_take_coupon(turn, wanted->coupon,
		    request.offer ? request.offer : account->life.offer,
		    asks_again(account, wanted, &request));
	if (rc != TRL_OK)
		return rc;
	if (wanted->coupon && !request.offer && !request.seats &&
	    account_is_subscribed(account)) { /* what waits goes on waiting */
		turn->told[ACT_CHANGED - ACT_STARTED] = true;
		return TRL_OK;
	}
	why = life_change(&account->life, &account->rules, account->now, &request, out);
	if (why == life_too_large)
		return trl_fail_field(turn->ctx, TRL_INVALID, "seats", "%s", why);
	return why ? trl_fail(turn->ctx, TRL_CONFLICT, "%s", why) : TRL_OK;
}

/* Errors: TRL_INVALID (plan, coupon, seats), TRL_CONFLICT (its state),
 * TRL_PRECONDITION. */
enum trl_code
billing_change_subscription(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ChangeSubscriptionRequest *in, Billing__V1__Subscription *out)
{
	static const struct turn_kind kind = { "billing.subscription.change",
		subscription_decide_change, subscription_show };
	struct subscription_wanted wanted = WANTED(in, .out = out);

	return turn_run(self, ctx, &kind, &wanted);
}

/* The invoice that a change has made, of those that were not there before. */
static billing_invoice *
newest_of(const struct turn *turn, size_t since)
{
	for (size_t i = turn->n_invoices; i > since; i--)
		if (turn->invoices[i - 1].is_new)
			return turn->invoices[i - 1].invoice;
	return NULL;
}

/* Goes on, all being paid, until the next period is billed: whoever tries a plan asks
 * what it will cost before they set up a way to pay. */
static enum trl_code
renew(struct turn *turn, Billing__V1__Preview *out)
{
	struct life *life = &turn->account.life;
	struct life_outcome *next = trl_arena_alloc(turn->ctx->arena, sizeof *next);
	size_t since = turn->n_invoices;

	next->n = 0;
	life_paid(life, turn->account.now, life->pending.invoice, next);
	life->can_pay = true;
	while (life_next(life) != INT64_MAX && !newest_of(turn, since)) {
		const char *why;
		enum trl_code rc;

		turn->account.now = life_next(life);
		(void)life_step(
		    life, &turn->account.rules, turn->account.now, next, &why);
		if (why)
			return trl_fail(turn->ctx, TRL_INVALID, "%s", why);
		rc = turn_do(turn, next);
		if (rc != TRL_OK)
			return rc;
	}
	out->renewal = newest_of(turn, since);
	if (out->renewal)
		out->renews_at = billing_time(turn->ctx, turn->account.now);
	return TRL_OK;
}

/* When what was decided holds. */
static int64_t
holds_at(const struct turn *turn)
{
	const struct life_change *pending = &turn->account.life.pending;

	return pending->offer && !pending->invoice ? pending->at : turn->account.now;
}

static enum trl_code
preview(
    struct turn *turn, struct subscription_wanted *wanted, Billing__V1__Preview *out)
{
	struct life_outcome *acts = trl_arena_alloc(turn->ctx->arena, sizeof *acts);
	size_t since = turn->n_invoices;
	enum trl_code rc;

	acts->n = 0;
	rc = subscription_decide_change(turn, wanted, acts);
	if (rc == TRL_OK)
		rc = turn_do(turn, acts);
	if (rc != TRL_OK)
		return rc;
	out->invoice = newest_of(turn, since);
	out->holds_at = billing_time(turn->ctx, holds_at(turn));
	return renew(turn, out);
}

/* Errors: TRL_INVALID (plan, coupon), TRL_CONFLICT (its state). */
enum trl_code
billing_preview_subscription(struct billing *self, trl_ctx *ctx,
    const Billing__V1__PreviewSubscriptionRequest *in, Billing__V1__Preview *out)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	struct subscription_wanted wanted = WANTED(in, .out = NULL);
	enum trl_code rc = turn_load(self, ctx, turn);

	if (rc != TRL_OK)
		return rc;
	turn->is_preview = true;
	rc = preview(turn, &wanted, out);
	turn_end(turn);
	return rc;
}
