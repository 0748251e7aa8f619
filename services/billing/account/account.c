/* account.c - see account.h. */
#include "account/account.h"
#include "catalogue/kept.h"

#include <string.h>

#include <trl/wire.h>

void
account_get(trl_ctx *ctx, trl_batch *work, struct account_rows *rows)
{
	*rows =
	    (struct account_rows){ .subscription = BILLING__V1__SUBSCRIPTION_ROW__INIT,
		    .profile = BILLING__V1__PROFILE__INIT,
		    .open = BILLING__V1__OPEN_INVOICES__INIT,
		    .overrides = BILLING__V1__OVERRIDES__INIT };
	trl_batch_get(work, &billing_sql_subscription_get, NULL,
	    &rows->subscription.base, TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_get(work, &billing_sql_profile_get, NULL, &rows->profile.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_get(work, &billing_sql_entitlement_list, NULL, &rows->overrides.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	trl_batch_get(work, &billing_sql_invoice_open, NULL, &rows->open.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TIME("now", trl_now(ctx)));
}

/* Where nobody can be charged, whoever has to pay first has as long as the invoice
 * says. */
static void
read_rules(const billing_catalogue *catalogue, bool charges, struct life_rules *rules)
{
	static const unsigned usual[] = { 1, 3, 5, 7 };
	const Billing__V1__Dunning *dunning = catalogue->dunning;
	size_t n = dunning ? dunning->n_days : 0;

	*rules = (struct life_rules){ .first_payment_s = 23 * 3600,
		.due_s = catalogue->seller
			     ? catalogue->seller->due_days * INT64_C(86400)
			     : 0,
		.trial_cancels =
		    catalogue->trial &&
		    catalogue->trial->end == BILLING__V1__TRIAL__END__cancel };
	for (size_t i = 0; i < (n ? n : TRL_COUNT(usual)) && i < LIFE_RETRIES_MAX; i++)
		rules->retry_days[rules->n_retries++] = n ? dunning->days[i] : usual[i];
	if (!charges && rules->due_s > rules->first_payment_s)
		rules->first_payment_s = rules->due_s;
	if (dunning && dunning->end == BILLING__V1__DUNNING__END__unpaid)
		rules->spent = SPENT_UNPAID;
	else if (dunning && dunning->end == BILLING__V1__DUNNING__END__past_due)
		rules->spent = SPENT_STAYS;
}

const struct offer *
account_offer(trl_ctx *ctx, struct account *account, const char *key)
{
	const billing_price *price;
	const billing_plan *plan;
	struct price_place place;
	struct offer *offer;

	if (!key)
		return NULL;
	for (size_t i = 0; i < account->n_offers; i++)
		if (strcmp(account->offers[i]->key, key) == 0)
			return account->offers[i];
	price = catalogue_price(account->catalogue, key, &plan);
	offer = trl_arena_alloc(ctx->arena, sizeof *offer);
	if (!price || catalogue_offer(plan, price, offer, &place))
		return NULL;
	if (account->n_offers % 8 == 0) {
		const struct offer **more =
		    trl_arena_alloc(ctx->arena, (account->n_offers + 8) * sizeof *more);

		if (account->n_offers > 0)
			memcpy(more, account->offers, account->n_offers * sizeof *more);
		account->offers = more;
	}
	account->offers[account->n_offers++] = offer;
	return offer;
}

static bool
read_parts(trl_ctx *ctx, struct account *account, const Billing__V1__LifeState *state)
{
	struct life *life = &account->life;

	if (state->n_parts > LIFE_PARTS_MAX || state->n_invoices > LIFE_INVOICES_MAX)
		return false;
	for (size_t i = 0; i < state->n_parts; i++) {
		const Billing__V1__LifePart *from = state->parts[i];
		const struct offer *offer = account_offer(ctx, account, from->price);

		if (!offer)
			return false;
		life->parts[life->n_parts++] = (struct life_part){ .offer = offer,
			.seats = from->seats,
			.from = from->from,
			.to = from->to,
			.amount = from->amount,
			.invoice = from->invoice,
			.proration = from->proration,
			.of = from->of };
	}
	for (size_t i = 0; i < state->n_invoices; i++) {
		const Billing__V1__LifeInvoice *from = state->invoices[i];

		life->invoices[life->n_invoices++] = (struct life_invoice){
			.id = from->id,
			.purpose = from->purpose,
			.state = from->state,
			.tries = from->tries,
			.made = from->made,
			.failed_first = from->failed_first,
			.next_try = from->next_try,
			.hard = from->hard,
		};
	}
	return true;
}

static bool
read_life(trl_ctx *ctx, struct account *account, const Billing__V1__LifeState *state)
{
	const Billing__V1__LifeChange *pending = state->pending;
	struct life *life = &account->life;

	life->status = state->status;
	life->offer = account_offer(ctx, account, state->price);
	life->seats = state->seats;
	life->anchor = state->anchor;
	life->k = state->k;
	life->period_start = state->period_start;
	life->period_end = state->period_end;
	life->trial_end = state->trial_end;
	life->canceled_at = state->canceled_at;
	life->ended_at = state->ended_at;
	life->trial_end_told = state->trial_end_told;
	life->cancel_at_period_end = state->cancel_at_period_end;
	life->last_invoice = state->last_invoice;
	account->cover = state->cover;
	if (state->price && !life->offer)
		return false;
	if (pending)
		life->pending =
		    (struct life_change){ account_offer(ctx, account, pending->price),
			    pending->seats, pending->at, pending->invoice };
	return (!pending || life->pending.offer) && read_parts(ctx, account, state);
}

/* A change at once credits what is left of a period: that much must be here still. */
static bool
is_paid_back(
    const struct life_part *part, const Billing__V1__OpenInvoice *open, int64_t now)
{
	int64_t total = open->invoice->total,
		from = now > part->from ? now : part->from;

	return part->invoice == (uint64_t)open->place && part->to > from &&
	       open->returned > 0 &&
	       (trl_int128)(part->to - from) * total >
		   (trl_int128)(total - open->returned) * (part->to - part->from);
}

static void
look_for_paid_back(struct account *account)
{
	struct life *life = &account->life;

	for (size_t i = 0; i < account->open->n_items; i++)
		for (size_t j = 0; j < life->n_parts; j++)
			life->paid_back |= is_paid_back(
			    &life->parts[j], account->open->items[i], account->now);
}

enum trl_code
account_read(
    struct billing *self, trl_ctx *ctx, struct account_rows *rows, struct account *out)
{
	Billing__V1__SubscriptionRow *row = &rows->subscription;
	const Google__Protobuf__Timestamp *clock = row->clock_at;
	ProtobufCMessage *state;
	enum trl_code rc;

	memset(out, 0, sizeof *out); /* too large for a copy on an actor's stack */
	out->tenant = ctx->tenant;
	out->now = (clock ? trl_value_time_us(clock) : trl_now(ctx)) / 1000000;
	out->profile = &rows->profile;
	out->open = &rows->open;
	out->overrides = &rows->overrides;
	out->row = row;
	out->catalogue_version = row->catalogue_version;
	rc = catalogue_of(self, ctx, out->catalogue_version, &out->catalogue);
	if (rc != TRL_OK)
		return rc;
	read_rules(out->catalogue, self->provider != NULL, &out->rules);
	if (rows->profile.time_zone && strcmp(rows->profile.time_zone, "UTC") != 0 &&
	    trl_zone_open(rows->profile.time_zone, &out->zone))
		return trl_fail(ctx, TRL_INTERNAL, "the zone %s cannot be read",
		    rows->profile.time_zone);
	out->life.zone = out->zone;
	out->life.can_pay = row->has_method_id;
	if (!row->has_state)
		return TRL_OK;
	rc = trl_wire_decode(ctx, &billing__v1__life_state__descriptor, row->state.data,
	    row->state.len, &state);
	if (rc == TRL_OK && !read_life(ctx, out, (const Billing__V1__LifeState *)state))
		rc = trl_fail(ctx, TRL_INTERNAL,
		    "the subscription names a price that the catalogue does not have");
	if (rc != TRL_OK)
		account_fini(out);
	else
		look_for_paid_back(out);
	return trl_fold(ctx, rc);
}

enum trl_code
account_load(struct billing *self, trl_ctx *ctx, struct account *out)
{
	struct account_rows *rows = trl_arena_alloc(ctx->arena, sizeof *rows);
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	enum trl_code rc;

	account_get(ctx, work, rows);
	rc = trl_batch_read(work);
	return rc == TRL_OK ? account_read(self, ctx, rows, out) : rc;
}

bool
account_is_subscribed(const struct account *account)
{
	enum life_status status = account->life.status;

	return status != LIFE_NONE && status != LIFE_CANCELED &&
	       status != LIFE_INCOMPLETE_EXPIRED;
}

bool
account_is_billed(const struct account *account)
{
	enum life_status status = account->life.status;

	return account_is_subscribed(account) && status != LIFE_TRIALING &&
	       status != LIFE_PAUSED;
}

int64_t
account_expiring_at(const struct account *account)
{
	int64_t at = trl_value_time_us(account->row->expiring_at) / 1000000;

	if (!account->row->expiring_at || !account_is_subscribed(account))
		return INT64_MAX;
	return at > account->now ? at : account->now;
}

int64_t
account_next(const struct account *account)
{
	int64_t next = life_next(&account->life), at = account_expiring_at(account);

	return next < at ? next : at;
}

void
account_fini(struct account *account)
{
	trl_zone_close(&account->zone);
}

Google__Protobuf__Timestamp *
billing_time(trl_ctx *ctx, int64_t seconds)
{
	return seconds ? trl_value_time(ctx, seconds * 1000000) : NULL;
}
