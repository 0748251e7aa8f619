/* cards.h - the cards of the provider "test": what each does, and when. */
#pragma once

#include <stdbool.h>

enum card_set_up {
	SET_UP_DONE,
	SET_UP_ASKS, /* the holder has to answer their bank */
	SET_UP_REFUSED
};

enum card_asks { /* at a payment with a card that is set up */
	ASKS_NEVER,
	ASKS_PAYER, /* where they are there; else it goes without */
	ASKS_ALWAYS /* and where they are not there, it is refused */
};

enum card_later { /* what is heard of a payment that was made, or of its refund */
	LATER_NOTHING,
	LATER_SUCCEEDS,
	LATER_FAILS,
	LATER_DISPUTE,
	LATER_INQUIRY, /* money stays where it is */
	LATER_REFUND_SUCCEEDS,
	LATER_REFUND_FAILS,
	LATER_REPLY /* the first answer is lost on its way, though money moved */
};

struct test_card {
	const char *number;
	enum card_set_up set_up;
	enum card_asks asks;
	const char *code; /* of SET_UP_REFUSED: why; else why every payment is refused,
			     the payer's answer or not; NULL: none is */
	enum card_later later;
	const char *reason; /* of what is heard */
};

/* NULL: there is no such card. By its number, or by what it is kept as: "test_" and its
 * last four digits, which no two of them share. */
const struct test_card *test_card_of(const char *number);
const struct test_card *test_card_kept(const char *reference);
const char *test_card_brand(const char *number);
