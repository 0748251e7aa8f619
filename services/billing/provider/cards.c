/* cards.c - see cards.h. The numbers and their codes are those of Stripe's
 * documentation ("Test card numbers"), so that what a product's developers know holds
 * here; what Stripe has no card for (a payment whose outcome comes later, a lost
 * answer) has a number of ours, from 4000000000001000 on. Every other number is
 * refused, so that nobody's real card is ever kept. */
#include "provider/cards.h"

#include <string.h>

#include <trl/compiler.h>

#define REFUSED(number, code)                                                          \
	{                                                                              \
		number, SET_UP_REFUSED, ASKS_NEVER, code, LATER_NOTHING, NULL          \
	}
#define GOOD(number)                                                                   \
	{                                                                              \
		number, SET_UP_DONE, ASKS_NEVER, NULL, LATER_NOTHING, NULL             \
	}
#define LATER(number, later, reason)                                                   \
	{                                                                              \
		number, SET_UP_DONE, ASKS_NEVER, NULL, later, reason                   \
	}

static const struct test_card cards[] = {
	GOOD("4242424242424242"),
	GOOD("4000056655665556"),
	GOOD("5555555555554444"),
	GOOD("2223003122003222"),
	GOOD("5200828282828210"),
	GOOD("5105105105105100"),
	GOOD("378282246310005"),
	GOOD("371449635398431"),
	GOOD("6011111111111117"),
	GOOD("3056930009020004"),
	GOOD("3566002020360505"),
	REFUSED("4000000000000002", "generic_decline"),
	REFUSED("4000000000009995", "insufficient_funds"),
	REFUSED("4000000000009987", "lost_card"),
	REFUSED("4000000000009979", "stolen_card"),
	REFUSED("4000000000006975", "card_velocity_exceeded"),
	REFUSED("4000000000000069", "expired_card"),
	REFUSED("4000000000000127", "incorrect_cvc"),
	REFUSED("4000000000000119", "processing_error"),
	REFUSED("4242424242424241", "incorrect_number"),
	REFUSED("4100000000000019", "fraudulent"),
	REFUSED("4000008400001280", "processing_error"), /* the look-up fails */
	{ "4000000000000341", SET_UP_DONE, ASKS_NEVER, "generic_decline" },
	{ "4000002500003155", SET_UP_ASKS, ASKS_NEVER, NULL },
	{ "4000002760003184", SET_UP_ASKS, ASKS_ALWAYS, NULL },
	{ "4000003800000446", SET_UP_DONE, ASKS_PAYER, NULL },
	{ "4000008260003178", SET_UP_ASKS, ASKS_PAYER, "insufficient_funds" },
	{ "4000000000003220", SET_UP_ASKS, ASKS_PAYER, NULL },
	{ "4000008400001629", SET_UP_ASKS, ASKS_PAYER, "generic_decline" },
	LATER("4000000000000259", LATER_DISPUTE, "fraudulent"),
	LATER("4000000000002685", LATER_DISPUTE, "product_not_received"),
	LATER("4000000000001976", LATER_INQUIRY, "inquiry"),
	LATER("4000000000005423", LATER_INQUIRY, "early_fraud_warning"),
	LATER("4000000000007726", LATER_REFUND_SUCCEEDS, NULL),
	LATER("4000000000005126", LATER_REFUND_FAILS, "account_closed"),
	/* Ours. */
	LATER("4000000000001000", LATER_SUCCEEDS, NULL),
	LATER("4000000000001018", LATER_FAILS, "insufficient_funds"),
	LATER("4000000000001026", LATER_REPLY, NULL),
	{ "4000000000001034", SET_UP_DONE, ASKS_NEVER, "stolen_card" },
};

const struct test_card *
test_card_of(const char *number)
{
	for (size_t i = 0; i < TRL_COUNT(cards); i++)
		if (strcmp(cards[i].number, number) == 0)
			return &cards[i];
	return NULL;
}

const struct test_card *
test_card_kept(const char *reference)
{
	for (size_t i = 0; i < TRL_COUNT(cards); i++) {
		const char *number = cards[i].number;

		if (strncmp(reference, "test_", 5) == 0 &&
		    strcmp(number + strlen(number) - 4, reference + 5) == 0)
			return &cards[i];
	}
	return NULL;
}

const char *
test_card_brand(const char *number)
{
	static const struct {
		const char *starts, *brand;
	} brands[] = {
		{ "4", "visa" },
		{ "5", "mastercard" },
		{ "22", "mastercard" },
		{ "34", "amex" },
		{ "37", "amex" },
		{ "35", "jcb" },
		{ "30", "diners" },
		{ "60", "discover" },
	};

	for (size_t i = 0; i < TRL_COUNT(brands); i++)
		if (strncmp(number, brands[i].starts, strlen(brands[i].starts)) == 0)
			return brands[i].brand;
	return "card";
}
