/* credit.h - credit notes: what is taken back of an invoice. */
#pragma once

#include "turn/turn.h"

/* Takes amount (as the part's price has it, with or without tax) of a part back.
 * Errors: TRL_INVALID (it does not fit, or is more than is left of the invoice). */
enum trl_code credit_part(struct turn *turn, struct turn_invoice *at,
    const struct life_part *part, int64_t amount) TRL_MUST_CHECK;
