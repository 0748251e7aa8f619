/* decline.c - see decline.h. Soft is what a bank may see otherwise tomorrow; hard is
 * what it said about the card. */
#include "provider/decline.h"

#include <string.h>

#include <trl/compiler.h>

static const char another[] = "Use another card.";
static const char ask_bank[] = "Ask the bank, or use another card.";
static const char later[] = "Try again in a while, or use another card.";

static const struct decline {
	const char *code;
	bool hard, starts; /* starts: every code that begins so */
	const char *field, *advice;
} declines[] = {
	{ "incorrect_number", true, false, "card_number", "The number is mistyped." },
	{ "incorrect_cvc", true, false, "cvc", "The card's security code is wrong." },
	{ "expired_card", true, false, "expiry_year", "The card has expired." },
	{ "insufficient_funds", false, false, NULL,
	    "There is not enough money on it; use another card." },
	{ "authentication_required", false, false, NULL,
	    "The bank wants its holder to confirm the payment: pay the invoice by "
	    "hand." },
	{ "authentication_failed", false, false, NULL,
	    "The confirmation failed; try again." },
	{ "lost_card", true, false, NULL, another },
	{ "stolen_card", true, false, NULL, another },
	{ "pickup_card", true, false, NULL, another },
	{ "fraudulent", true, false, NULL, another },
	{ "restricted_card", true, false, NULL, another },
	{ "card_not_supported", true, false, NULL, another },
	{ "currency_not_supported", true, false, NULL, another },
	{ "transaction_not_allowed", true, false, NULL, another },
	{ "test_mode_live_card", true, false, "card_number",
	    "This is no test card, and nothing of it was kept." },
	{ "do_not_honor", true, false, NULL, ask_bank },
	{ "stop_payment_order", true, false, NULL, ask_bank },
	{ "invalid_", true, true, NULL, another },
	{ "revocation_of_", true, true, NULL, ask_bank },
	{ "card_velocity_exceeded", false, false, NULL, later },
	{ "processing_error", false, false, NULL, later },
	{ "try_again_later", false, false, NULL, later },
};

static const struct decline *
find(const char *code)
{
	static const struct decline unknown = { .advice = ask_bank };

	for (size_t i = 0; i < TRL_COUNT(declines); i++) {
		const struct decline *at = &declines[i];

		if (at->starts ? strncmp(at->code, code, strlen(at->code)) == 0
			       : strcmp(at->code, code) == 0)
			return at;
	}
	return &unknown;
}

bool
decline_is_hard(const char *code)
{
	return find(code)->hard;
}

const char *
decline_advice(const char *code)
{
	return find(code)->advice;
}

const char *
decline_field(const char *code)
{
	const char *field = find(code)->field;

	return field ? field : "card_number";
}
