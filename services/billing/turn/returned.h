/* returned.h - money that was paid and is not here any more: refunded, disputed. What
 * of an invoice became balance is taken from there first; the rest is remembered with
 * the invoice, so that neither a credit note nor a void one makes balance of it. */
#pragma once

#include "turn/turn.h"

/* The row is a refund's or dispute's of at's. */
void returned_goes(
    struct turn *turn, struct turn_invoice *at, struct trl_id row, int64_t amount);
/* The refund failed, or the dispute was won: off_refunds is what its row has so far.
 * What was taken from the balance is there again, and with it what was not given as
 * such since it was not here. */
void returned_comes_back(struct turn *turn, struct turn_invoice *at,
    const Billing__V1__Payment *row, int64_t off_refunds);
/* What of amount, which the payer is to have, is gone already: then it is not. */
int64_t returned_covers(struct turn_invoice *at, int64_t amount);
/* More was paid of at than it asks for: it becomes balance, or, where that is in
 * another currency, waits with the invoice to be refunded. Returns what became balance.
 */
int64_t returned_surplus(struct turn *turn, struct turn_invoice *at,
    struct trl_id payment, const char *currency, int64_t amount);
