/* cards.c - the built-in provider: no money, and always the same answers. The
 * card numbers and their codes are those of Stripe's documentation ("Test card
 * numbers"), so that what a product's developers know holds here. A way to pay is known
 * by its number. */
#include "provider/provider.h"

#include <ctype.h>
#include <string.h>

enum test_card {
	CARD_GOOD,
	CARD_NOT_TAKEN,  /* refused when it is set up */
	CARD_DECLINES,   /* set up, and then refused */
	CARD_ASKS,       /* each payment needs its holder */
	CARD_ASKS_UNSET, /* a payment needs its holder unless it was set up with them */
	CARD_ASKS_IN_VAIN /* and then there is not enough on it */
};

static const struct test {
	const char *number;
	enum test_card kind;
	const char *code;
	bool hard;
} tests[] = {
	{ "4000000000000002", CARD_NOT_TAKEN, "generic_decline", false },
	{ "4000000000009995", CARD_NOT_TAKEN, "insufficient_funds", false },
	{ "4000000000009987", CARD_NOT_TAKEN, "lost_card", true },
	{ "4000000000009979", CARD_NOT_TAKEN, "stolen_card", true },
	{ "4000000000006975", CARD_NOT_TAKEN, "card_velocity_exceeded", false },
	{ "4000000000000069", CARD_NOT_TAKEN, "expired_card", true },
	{ "4000000000000127", CARD_NOT_TAKEN, "incorrect_cvc", true },
	{ "4000000000000119", CARD_NOT_TAKEN, "processing_error", false },
	{ "4242424242424241", CARD_NOT_TAKEN, "incorrect_number", true },
	{ "4100000000000019", CARD_NOT_TAKEN, "fraudulent", true },
	{ "4000000000000341", CARD_DECLINES, "generic_decline", false },
	{ "4000002500003155", CARD_ASKS_UNSET, NULL, false },
	{ "4000003800000446", CARD_GOOD, NULL, false },
	{ "4000002760003184", CARD_ASKS, NULL, false },
	{ "4000008260003178", CARD_ASKS_IN_VAIN, "insufficient_funds", false },
};

static const struct test good = { NULL, CARD_GOOD, NULL, false };

static const struct test *
find(const char *number)
{
	for (size_t i = 0; i < TRL_COUNT(tests); i++)
		if (strcmp(tests[i].number, number) == 0)
			return &tests[i];
	return &good;
}

static void
refuse(struct provider_answer *out, const char *code, bool hard)
{
	out->outcome = PROVIDER_REFUSED;
	snprintf(out->code, sizeof out->code, "%s", code);
	out->hard = hard;
}

static const char *
brand_of(const char *number)
{
	return number[0] == '4' ? "visa" : number[0] == '5' ? "mastercard" : "card";
}

static enum trl_code
set_up(struct billing *self, trl_ctx *ctx, const char *key,
    const struct provider_card *card, struct provider_method *out)
{
	const struct test *test = find(card->number);
	size_t len = strlen(card->number);

	(void)self, (void)ctx, (void)key;
	*out = (struct provider_method){ .answer = { .outcome = PROVIDER_DONE } };
	if (test->kind == CARD_NOT_TAKEN) {
		refuse(&out->answer, test->code, test->hard);
		return TRL_OK;
	}
	snprintf(
	    out->answer.reference, sizeof out->answer.reference, "%s", card->number);
	snprintf(out->brand, sizeof out->brand, "%s", brand_of(card->number));
	snprintf(out->last4, sizeof out->last4, "%s", card->number + len - 4);
	return TRL_OK;
}

static enum trl_code
charge(struct billing *self, trl_ctx *ctx, const char *key,
    const char *method_reference, const char *currency, int64_t amount,
    bool payer_is_there, struct provider_answer *out)
{
	const struct test *test = find(method_reference);

	(void)self, (void)ctx, (void)currency, (void)amount;
	*out = (struct provider_answer){ .outcome = PROVIDER_DONE };
	snprintf(out->reference, sizeof out->reference, "test_%s", key);
	if (test->kind == CARD_DECLINES) {
		refuse(out, test->code, test->hard);
	} else if (test->kind == CARD_ASKS || test->kind == CARD_ASKS_IN_VAIN) {
		if (!payer_is_there) {
			refuse(out, "authentication_required", false);
			return TRL_OK;
		}
		out->outcome = PROVIDER_ACTION;
		snprintf(out->url, sizeof out->url, "/billing/confirm/%s", key);
	}
	return TRL_OK;
}

static enum trl_code
refund(struct billing *self, trl_ctx *ctx, const char *key,
    const char *payment_reference, const char *currency, int64_t amount,
    struct provider_answer *out)
{
	(void)self, (void)ctx, (void)payment_reference, (void)currency, (void)amount;
	*out = (struct provider_answer){ .outcome = PROVIDER_DONE };
	snprintf(out->reference, sizeof out->reference, "test_%s", key);
	return TRL_OK;
}

const struct provider provider_test = {
	.name = "test", .set_up = set_up, .charge = charge, .refund = refund
};
