/* billing.CreatePaymentMethod, ChooseDefaultMethod, RemovePaymentMethod; the framework
 * lists. The provider keeps the card, we keep what it knows it by. The first one that
 * is usable becomes the default, and with a new default whatever waits for a payment is
 * tried at once, the oldest first. */
#include "payment/payment.h"

#include <string.h>

#include <trl/date.h>

#include "provider/decline.h"

struct wanted {
	const Billing__V1__CreatePaymentMethodRequest *in; /* of Create */
	struct trl_id id;
	bool usable; /* of method_settle */
	billing_method *out;
	Trellis__Empty *nothing;
};

enum trl_code
method_get(
    struct billing *self, trl_ctx *ctx, struct trl_id id, Billing__V1__MethodRow *out)
{
	billing__v1__method_row__init(out);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_method_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	struct wanted *wanted = arg;

	(void)turn;
	return wanted->out ? &wanted->out->base : &wanted->nothing->base;
}

static void
tell(struct turn *turn, const struct trl_event_type *type, billing_method *method)
{
	Billing__V1__PaymentMethodEvent *told =
	    billing_v1_payment_method_event_new(turn->ctx);

	told->payment_method =
	    trl_arena_memdup(turn->ctx->arena, method, sizeof *method);
	if (turn->ctx->principal.kind == TRL_PERSON)
		trl_set(
		    told, by, trl_value_bytes(turn->ctx, turn->ctx->principal.account));
	turn->subject = trl_value_id(method->id);
	turn->subject_kind = "payment_method";
	turn->subject_shown = &method->base;
	trl_batch_event(turn->work, type, turn->subject, &told->base);
}

/* It is the default from now on: what this change collects, too, is paid with it. */
static void
make_default(
    struct turn *turn, billing_method *method, bool told, struct life_outcome *out)
{
	struct account *account = &turn->account;
	int64_t month = trl_days_of(method->expiry_year, method->expiry_month, 1);

	trl_set(method, is_default, true);
	trl_batch_add(turn->work, &billing_sql_method_undefault, NULL,
	    TRL_ARG_ID("tenant_id", account->tenant),
	    TRL_ARG_ID("id", trl_value_id(method->id)),
	    TRL_ARG_TIME("now", account->now * 1000000));
	trl_set(account->row, method_id, method->id);
	account->row->expiring_at =
	    told ? NULL : billing_time(turn->ctx, month * 86400);
	account->life.can_pay = true;
	life_can_pay(&account->life, account->now, out);
}

static void
update(struct turn *turn, billing_method *method)
{
	trl_set(method, version, method->version + 1);
	method->updated_at = billing_time(turn->ctx, turn->account.now);
	trl_batch_add(turn->work, &billing_sql_method_update, &method->base,
	    TRL_ARG_ID("tenant_id", turn->account.tenant));
}

/* A card is good until its month is over. */
static bool
has_expired(const Billing__V1__CreatePaymentMethodRequest *in, int64_t now)
{
	int64_t year;
	unsigned month, day;

	trl_date_of(trl_floor_div(now, 86400), &year, &month, &day);
	return in->expiry_year < year ||
	       (in->expiry_year == year && in->expiry_month < month);
}

static enum trl_code
refuse(trl_ctx *ctx, const char *code)
{
	return trl_fail_field(ctx, TRL_INVALID, decline_field(code),
	    "The card was refused (%s). %s", code, decline_advice(code));
}

/* Only digits: what people write between them is dropped. */
static char *
digits_of(trl_ctx *ctx, const char *number)
{
	char *out = trl_arena_strdup(ctx->arena, number), *to = out;

	for (const char *at = number; *at; at++)
		if (*at != ' ' && *at != '-')
			*to++ = *at;
	*to = '\0';
	return out;
}

static enum trl_code
set_up(struct turn *turn, struct wanted *wanted, struct provider_method *made)
{
	const struct provider *provider = turn->self->provider;
	const Billing__V1__CreatePaymentMethodRequest *in = wanted->in;
	struct provider_card card = { .number = digits_of(turn->ctx, in->card_number),
		.cvc = in->cvc,
		.expiry_month = in->expiry_month,
		.expiry_year = in->expiry_year };
	char key[TRL_ID_TEXT];
	enum trl_code rc;

	if (strspn(card.number, "0123456789") != strlen(card.number) ||
	    strlen(card.number) < 12)
		return refuse(turn->ctx, "incorrect_number");
	if (has_expired(in, turn->account.now))
		return refuse(turn->ctx, "expired_card");
	trl_id_format(wanted->id, key);
	rc = provider->set_up(turn->self, turn->ctx, key, &card, made);
	if (rc == TRL_OK && made->answer.outcome == PROVIDER_REFUSED)
		return refuse(turn->ctx, made->answer.code);
	return rc;
}

static void
fill(struct turn *turn, const struct wanted *wanted, const struct provider_method *made,
    billing_method *out)
{
	trl_ctx *ctx = turn->ctx;
	bool usable = made->answer.outcome == PROVIDER_DONE;

	billing__v1__payment_method__init(out);
	trl_set(out, id, trl_value_bytes(ctx, wanted->id));
	trl_set(out, version, 1);
	out->provider = trl_arena_strdup(ctx->arena, turn->self->provider->name);
	trl_set(out, kind, BILLING__V1__PAYMENT_METHOD__KIND__card);
	trl_set(out, status,
	    usable ? BILLING__V1__PAYMENT_METHOD__STATUS__usable
		   : BILLING__V1__PAYMENT_METHOD__STATUS__pending);
	out->brand = trl_arena_strdup(ctx->arena, made->brand);
	out->last4 = trl_arena_strdup(ctx->arena, made->last4);
	trl_set(out, expiry_month, wanted->in->expiry_month);
	trl_set(out, expiry_year, wanted->in->expiry_year);
	trl_set(out, is_default, false);
	if (!usable)
		out->next_action_url = trl_arena_strdup(ctx->arena, made->answer.url);
	out->created_at = out->updated_at = billing_time(ctx, turn->account.now);
}

static enum trl_code
decide_create(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	struct provider_method *made = trl_arena_alloc(turn->ctx->arena, sizeof *made);
	billing_method *method = wanted->out;
	enum trl_code rc;

	if (!turn->self->provider)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "No payment provider is configured; invoices are paid by bank "
		    "transfer.");
	rc = set_up(turn, wanted, made);
	if (rc != TRL_OK)
		return rc;
	fill(turn, wanted, made, method);
	trl_batch_add(turn->work, &billing_sql_method_room, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant));
	if (!method->next_action_url && !turn->account.row->has_method_id)
		make_default(turn, method, false, out);
	trl_batch_add(turn->work, &billing_sql_method_insert, &method->base,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_TEXT("reference", made->answer.reference));
	tell(turn, &billing_event_payment_method_created, method);
	return TRL_OK;
}

/* Errors: TRL_INVALID (the card is refused), TRL_QUOTA, TRL_CONFLICT (no provider). */
enum trl_code
billing_create_payment_method(struct billing *self, trl_ctx *ctx,
    const Billing__V1__CreatePaymentMethodRequest *in, Billing__V1__PaymentMethod *out)
{
	static const struct turn_kind kind = { "billing.method.create", decide_create,
		show, .reply_stands = true };
	struct wanted wanted = { .in = in, .id = trl_new_id(ctx), .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}

static enum trl_code
decide_choose(struct turn *turn, void *arg, struct life_outcome *out)
{
	struct wanted *wanted = arg;
	Billing__V1__MethodRow row;
	enum trl_code rc = method_get(turn->self, turn->ctx, wanted->id, &row);

	if (rc != TRL_OK)
		return rc;
	*wanted->out = *row.method;
	turn->subject = wanted->id;
	turn->subject_kind = "payment_method";
	if (row.method->status == BILLING__V1__PAYMENT_METHOD__STATUS__pending)
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "The bank's question has to be answered first.");
	make_default(turn, wanted->out, row.expiring_told, out);
	update(turn, wanted->out);
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is not usable yet). */
enum trl_code
billing_choose_default_method(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ChooseDefaultMethodRequest *in, Billing__V1__PaymentMethod *out)
{
	static const struct turn_kind kind = { "billing.method.default", decide_choose,
		show, .reply_stands = true };
	struct wanted wanted = { .id = trl_value_id(in->method_id), .out = out };

	return turn_run(self, ctx, &kind, &wanted);
}

static void
remove_it(struct turn *turn, billing_method *method)
{
	trl_batch_add(turn->work, &billing_sql_method_delete, NULL,
	    TRL_ARG_ID("tenant_id", turn->account.tenant),
	    TRL_ARG_ID("id", trl_value_id(method->id)));
	tell(turn, &billing_event_payment_method_removed, method);
}

static enum trl_code
decide_remove(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct wanted *wanted = arg;
	Billing__V1__MethodRow row;
	enum trl_code rc = method_get(turn->self, turn->ctx, wanted->id, &row);

	(void)out;
	if (rc != TRL_OK)
		return rc;
	if (row.method->is_default && account_is_subscribed(&turn->account))
		return trl_fail(turn->ctx, TRL_CONFLICT,
		    "The subscription is paid with it; choose another default first.");
	if (row.method->is_default) {
		turn->account.life.can_pay = false;
		turn->account.row->has_method_id = 0;
		turn->account.row->expiring_at = NULL;
	}
	remove_it(turn, row.method);
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (the default of a subscription that goes on). */
enum trl_code
billing_remove_payment_method(struct billing *self, trl_ctx *ctx,
    const Billing__V1__RemovePaymentMethodRequest *in, Trellis__Empty *out)
{
	static const struct turn_kind kind = { "billing.method.remove", decide_remove,
		show };
	struct wanted wanted = { .id = trl_value_id(in->method_id), .nothing = out };

	return turn_run(self, ctx, &kind, &wanted);
}

static enum trl_code
decide_settle(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct wanted *wanted = arg;
	Billing__V1__MethodRow row;
	billing_method *method;
	enum trl_code rc = method_get(turn->self, turn->ctx, wanted->id, &row);

	if (rc != TRL_OK)
		return rc;
	method = row.method;
	turn->subject = wanted->id;
	turn->subject_kind = "payment_method";
	if (method->status != BILLING__V1__PAYMENT_METHOD__STATUS__pending)
		return TRL_OK;
	if (!wanted->usable) {
		remove_it(turn, method);
		return TRL_OK;
	}
	trl_set(method, status, BILLING__V1__PAYMENT_METHOD__STATUS__usable);
	method->next_action_url = NULL;
	if (!turn->account.row->has_method_id)
		make_default(turn, method, row.expiring_told, out);
	update(turn, method);
	return TRL_OK;
}

enum trl_code
method_settle(struct billing *self, trl_ctx *ctx, struct trl_id id, bool usable,
    Trellis__Empty *out)
{
	static const struct turn_kind kind = { "billing.method.confirm", decide_settle,
		show, .reply_stands = true };
	struct wanted wanted = { .id = id, .usable = usable, .nothing = out };

	return turn_run(self, ctx, &kind, &wanted);
}
