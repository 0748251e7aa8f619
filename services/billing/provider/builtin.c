/* builtin.c - the built-in provider: no money, and always the same answers, which
 * cards.c lists. It remembers what it was asked for under each key, as a provider
 * does, in transactions of its own: so what it did stands where the asking process died
 * before it heard, and a test can count what it did. */
#include "provider/provider.h"

#include <string.h>

#include <trl/wire.h>

#include "provider/cards.h"

/* What its references begin with, before the key. */
#define REFERENCE "test_"
#define DISPUTE "test_dispute_"

static const struct {
	const char *word;
	enum provider_outcome outcome;
} outcomes[] = {
	{ "succeeded", PROVIDER_DONE },
	{ "pending", PROVIDER_PENDING },
	{ "requires_action", PROVIDER_ACTION },
	{ "failed", PROVIDER_REFUSED },
	{ "canceled", PROVIDER_CANCELED },
};

static const char *
word_of(enum provider_outcome outcome)
{
	return outcomes[outcome].word;
}

/* What is asked for, and what comes of it where it is asked for the first time. */
struct asked {
	const char *key, *kind, *card, *currency, *code;
	int64_t amount;
	enum provider_outcome outcome;
};

static void
answer(const char *key, const Billing__V1__TestProviderRow *row,
    struct provider_answer *out)
{
	*out = (struct provider_answer){ .outcome = PROVIDER_REFUSED };
	for (size_t i = 0; i < TRL_COUNT(outcomes); i++)
		if (strcmp(outcomes[i].word, row->status) == 0)
			out->outcome = outcomes[i].outcome;
	if (out->outcome == PROVIDER_ACTION)
		snprintf(
		    out->url, sizeof out->url, "/api/v1/payment-challenges/%s", key);
	snprintf(out->code, sizeof out->code, "%s", row->code ? row->code : "");
	if (strcmp(row->kind, "set_up") == 0)
		snprintf(out->reference, sizeof out->reference, "%s", row->card);
	else
		snprintf(out->reference, sizeof out->reference, "%s%s", REFERENCE, key);
}

/* News comes once it can be known: with the commit. It has a key, by which a test clock
 * finds it. */
static void
send(trl_ctx *ctx, trl_batch *work, const Billing__V1__ProviderNews *news)
{
	char payment[TRL_ID_TEXT];

	trl_id_format(trl_value_id(news->payment_id), payment);
	trl_batch_job(work, &provider_news_job,
	    &(struct trl_job_terms){
		.key = trl_arena_printf(ctx->arena, "%s %s %s",
		    billing_v1_provider_news_what_name(news->what), payment,
		    news->has_status ? billing_v1_payment_status_name(news->status)
				     : "") },
	    &news->base);
}

static Billing__V1__ProviderNews *
news_of(trl_ctx *ctx, Billing__V1__ProviderNews__What what, const char *key)
{
	Billing__V1__ProviderNews *news = billing_v1_provider_news_new(ctx);
	struct trl_id id = trl_id_nil;

	(void)trl_id_parse(key, strlen(key), &id);
	trl_set(news, what, what);
	trl_set(news, payment_id, trl_value_bytes(ctx, id));
	return news;
}

static Billing__V1__ProviderNews *
settled(trl_ctx *ctx, const char *key, const char *code)
{
	Billing__V1__ProviderNews *news =
	    news_of(ctx, BILLING__V1__PROVIDER_NEWS__WHAT__settled, key);

	trl_set(news, status,
	    code ? BILLING__V1__PAYMENT__STATUS__failed
		 : BILLING__V1__PAYMENT__STATUS__succeeded);
	news->code = code ? trl_arena_strdup(ctx->arena, code) : NULL;
	news->reference = trl_arena_printf(ctx->arena, "%s%s", REFERENCE, key);
	return news;
}

/* What is heard of a payment later; NULL: nothing. */
static Billing__V1__ProviderNews *
later(trl_ctx *ctx, const struct test_card *test, const char *key)
{
	bool disputes = test->later == LATER_DISPUTE;
	Billing__V1__ProviderNews *news;

	if (test->later == LATER_SUCCEEDS || test->later == LATER_FAILS)
		return settled(ctx, key, test->reason);
	if (!disputes && test->later != LATER_INQUIRY)
		return NULL;
	news = news_of(ctx,
	    disputes ? BILLING__V1__PROVIDER_NEWS__WHAT__disputed
		     : BILLING__V1__PROVIDER_NEWS__WHAT__inquired,
	    key);
	news->reference = trl_arena_printf(ctx->arena, "%s%s", DISPUTE, key);
	news->code = trl_arena_strdup(ctx->arena, test->reason);
	return news;
}

/* Remembers it, or finds what it was before under the same key; and what is heard of it
 * later is on its way. */
static enum trl_code
ask(struct billing *self, trl_ctx *ctx, const struct asked *asked,
    const Billing__V1__ProviderNews *news, Billing__V1__TestProviderRow *row,
    struct provider_answer *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	enum trl_code rc;

	billing__v1__test_provider_row__init(row);
	trl_batch_get(work, &billing_sql_test_provider_ask, NULL, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("key", asked->key),
	    TRL_ARG_TEXT("kind", asked->kind), TRL_ARG_TEXT("card", asked->card),
	    TRL_ARG_TEXT("currency", asked->currency),
	    TRL_ARG_INT("amount", asked->amount),
	    TRL_ARG_TEXT("status", word_of(asked->outcome)),
	    TRL_ARG_TEXT("code", asked->code ? asked->code : ""));
	if (news)
		send(ctx, work, news);
	rc = trl_batch_write_unrecorded(work);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	if (strcmp(row->status, word_of(PROVIDER_CANCELED)) != 0 &&
	    (strcmp(row->kind, asked->kind) != 0 ||
		strcmp(row->currency, asked->currency) != 0 ||
		row->amount != asked->amount))
		return trl_fail(ctx, TRL_INTERNAL,
		    "the provider was asked for %lld %s under a key that stands for "
		    "%lld %s",
		    (long long)asked->amount, asked->currency, (long long)row->amount,
		    row->currency);
	answer(asked->key, row, out);
	return TRL_OK;
}

static enum trl_code
set_up(struct billing *self, trl_ctx *ctx, const char *key,
    const struct provider_card *card, struct provider_method *out)
{
	const struct test_card *test = test_card_of(card->number);
	const char *last4 = card->number + strlen(card->number) - 4;
	Billing__V1__TestProviderRow row;
	struct asked asked = { .key = key, .kind = "set_up", .currency = "" };

	*out = (struct provider_method){ .answer = { .outcome = PROVIDER_REFUSED } };
	if (!test || test->set_up == SET_UP_REFUSED) {
		snprintf(out->answer.code, sizeof out->answer.code, "%s",
		    test ? test->code : "test_mode_live_card");
		return TRL_OK;
	}
	asked.card = trl_arena_printf(ctx->arena, "test_%s", last4);
	asked.outcome = test->set_up == SET_UP_ASKS ? PROVIDER_ACTION : PROVIDER_DONE;
	snprintf(out->brand, sizeof out->brand, "%s", test_card_brand(card->number));
	snprintf(out->last4, sizeof out->last4, "%s", last4);
	return ask(self, ctx, &asked, NULL, &row, &out->answer);
}

static void
judge(const struct test_card *test, bool payer_is_there, struct asked *asked)
{
	if (test->asks != ASKS_NEVER && payer_is_there) {
		asked->outcome = PROVIDER_ACTION;
	} else if (test->asks == ASKS_ALWAYS) {
		asked->outcome = PROVIDER_REFUSED;
		asked->code = "authentication_required";
	} else if (test->code) {
		asked->outcome = PROVIDER_REFUSED;
		asked->code = test->code;
	} else if (test->later == LATER_SUCCEEDS || test->later == LATER_FAILS) {
		asked->outcome = PROVIDER_PENDING;
	}
}

static enum trl_code
charge(struct billing *self, trl_ctx *ctx, const char *key,
    const char *method_reference, const char *currency, int64_t amount,
    bool payer_is_there, struct provider_answer *out)
{
	const struct test_card *test = test_card_kept(method_reference);
	struct asked asked = { .key = key,
		.kind = "charge",
		.card = method_reference,
		.currency = currency,
		.amount = amount };
	Billing__V1__TestProviderRow row;
	enum trl_code rc;

	if (!test)
		return trl_fail(
		    ctx, TRL_INTERNAL, "there is no test card %s", method_reference);
	judge(test, payer_is_there, &asked);
	rc = ask(self, ctx, &asked, later(ctx, test, key), &row, out);
	if (rc == TRL_OK && test->later == LATER_REPLY && row.asked == 1)
		return trl_fail(
		    ctx, TRL_UNCERTAIN, "the provider's answer was lost on its way");
	return rc;
}

/* What waits for its payer is canceled, and so is what it was never asked for: a charge
 * under that key comes to nothing. */
static enum trl_code
cancel(struct billing *self, trl_ctx *ctx, const char *key, struct provider_answer *out)
{
	Billing__V1__TestProviderRow row = BILLING__V1__TEST_PROVIDER_ROW__INIT;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	enum trl_code rc;

	trl_batch_get(work, &billing_sql_test_provider_cancel, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("key", key));
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK)
		answer(key, &row, out);
	return trl_fold(ctx, rc);
}

static enum trl_code
get(struct billing *self, trl_ctx *ctx, const char *key,
    Billing__V1__TestProviderRow *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_test_provider_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("key", key));
}

/* The answer is remembered with the news of it, for whoever asked may die before it is
 * written down. */
static enum trl_code
settle(struct billing *self, trl_ctx *ctx, const char *key,
    Billing__V1__TestProviderRow *row, const char *code)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const char *status = word_of(code ? PROVIDER_REFUSED : PROVIDER_DONE);

	trl_batch_add(work, &billing_sql_test_provider_settle, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("key", key),
	    TRL_ARG_TEXT("status", status), TRL_ARG_TEXT("code", code ? code : ""));
	if (strcmp(row->kind, "charge") == 0)
		send(ctx, work, settled(ctx, key, code));
	row->status = trl_arena_strdup(ctx->arena, status);
	row->code = code ? trl_arena_strdup(ctx->arena, code) : NULL;
	return trl_batch_write_unrecorded(work);
}

enum trl_code
provider_test_answer(struct billing *self, trl_ctx *ctx, const char *key, bool pass,
    struct provider_answer *out)
{
	Billing__V1__TestProviderRow row = BILLING__V1__TEST_PROVIDER_ROW__INIT;
	const struct test_card *test;
	const char *code = NULL;
	enum trl_code rc = get(self, ctx, key, &row);

	if (rc != TRL_OK)
		return rc;
	test = test_card_kept(row.card);
	if (!pass)
		code = "authentication_failed";
	else if (test && strcmp(row.kind, "charge") == 0)
		code = test->code;
	/* What does not wait stays as it is, also where another answer came between. */
	if (strcmp(row.status, word_of(PROVIDER_ACTION)) == 0)
		rc = settle(self, ctx, key, &row, code);
	if (rc == TRL_CONFLICT) {
		trl_err_clear(ctx);
		billing__v1__test_provider_row__init(&row);
		rc = get(self, ctx, key, &row);
	}
	if (rc == TRL_OK)
		answer(key, &row, out);
	return rc;
}

/* The card that a payment was made with says what becomes of a refund. */
static enum trl_code
refund(struct billing *self, trl_ctx *ctx, const char *key,
    const char *payment_reference, const char *currency, int64_t amount,
    struct provider_answer *out)
{
	Billing__V1__TestProviderRow row = BILLING__V1__TEST_PROVIDER_ROW__INIT;
	const struct test_card *test;
	struct asked asked = {
		.key = key, .kind = "refund", .currency = currency, .amount = amount
	};
	const Billing__V1__ProviderNews *news = NULL;
	enum trl_code rc =
	    strncmp(payment_reference, REFERENCE, strlen(REFERENCE)) == 0
		? get(self, ctx, payment_reference + strlen(REFERENCE), &row)
		: TRL_NOT_FOUND;

	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	test = test_card_kept(row.card);
	asked.card = row.card;
	if (test && test->later == LATER_REFUND_SUCCEEDS) {
		asked.outcome = PROVIDER_PENDING;
		news = settled(ctx, key, NULL);
	} else if (test && test->later == LATER_REFUND_FAILS) {
		news = settled(ctx, key, test->reason);
	}
	return ask(self, ctx, &asked, news, &row, out);
}

/* Stripe's two words; what else is said is looked at for ever. */
static enum trl_code
contest(struct billing *self, trl_ctx *ctx, const char *reference, const char *evidence)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	bool wins = strcmp(evidence, "winning_evidence") == 0;
	Billing__V1__ProviderNews *news;

	if ((!wins && strcmp(evidence, "losing_evidence") != 0) ||
	    strncmp(reference, DISPUTE, strlen(DISPUTE)) != 0)
		return TRL_OK;
	news = news_of(ctx,
	    wins ? BILLING__V1__PROVIDER_NEWS__WHAT__won
		 : BILLING__V1__PROVIDER_NEWS__WHAT__lost,
	    reference + strlen(DISPUTE));
	news->reference = trl_arena_strdup(ctx->arena, reference);
	send(ctx, work, news);
	return trl_batch_write_unrecorded(work);
}

const struct provider provider_test = {
	.name = "test",
	.set_up = set_up,
	.charge = charge,
	.cancel = cancel,
	.refund = refund,
	.contest = contest,
};
