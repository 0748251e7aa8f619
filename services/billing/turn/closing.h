/* closing.h - how an invoice comes to its end: paid, void, or given up. */
#pragma once

#include "turn/turn.h"

/* The ledger's account of what is due of it: receivable, or bad_debt once it was given
 * up. */
const char *closing_account_of(const billing_invoice *invoice);
/* What is due became less. Where nothing is, it is paid; where it is too little to be
 * collected, too, and the next invoice has it. */
void closing_rest(
    struct turn *turn, struct turn_invoice *at, struct life_outcome *next);
/* Declares an open or uncollectible invoice void, and deletes a draft; any other stays
 * as it is. What it took from the balance, what was paid of it and is here still, the
 * debt it carried and its coupon's use come back. Errors: TRL_CONFLICT (there is a
 * balance in another currency), faults. */
enum trl_code closing_void(struct turn *turn, struct turn_invoice *at) TRL_MUST_CHECK;
/* Gives an open invoice up: what is due is a loss, until it is paid after all. */
void closing_give_up(struct turn *turn, struct turn_invoice *at);
