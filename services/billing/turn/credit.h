/* credit.h - credit notes: what is taken back of a final invoice, in the tax treatment
 * that its lines had, and never more than is left of it. It lowers what is due first;
 * what was paid of it becomes credit that the next invoices use. */
#pragma once

#include "turn/turn.h"

/* Takes amount (as the part's price has it, with or without tax) of a part back, or as
 * much as is left of its line: a credit note with lines, an event and entries. What is
 * more than is left of its invoice is credited by an invoice that follows. Errors:
 * faults, TRL_INVALID (it does not fit). */
enum trl_code credit_part(struct turn *turn, struct turn_invoice *at,
    const struct life_part *part, int64_t amount,
    struct life_outcome *next) TRL_MUST_CHECK;
/* Takes an amount with tax back of all lines, 0: all that is left; what the life has of
 * them is lowered, too, so that nothing is credited twice. With refund, what would
 * become credit goes back to the payer, as far as payments of it can. Errors:
 * TRL_CONFLICT (it is no final invoice, or more than is left of it), TRL_INVALID,
 * faults. */
enum trl_code credit_amount(struct turn *turn, struct turn_invoice *at, int64_t gross,
    bool refund, const Billing__V1__CreditNote__Reason *reason,
    struct life_outcome *next, Billing__V1__CreditNote **out) TRL_MUST_CHECK;
/* What credit notes have taken of an invoice, in sum. Errors: faults. */
enum trl_code credit_taken(struct turn *turn, struct turn_invoice *at, int64_t *net,
    int64_t *tax) TRL_MUST_CHECK;
