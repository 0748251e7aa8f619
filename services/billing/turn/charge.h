/* charge.h - payments: what was begun with an invoice, charged, and what came of it.
 */
#pragma once

#include "turn/turn.h"

/* Begins a payment of all that is due of an invoice: its row, and the job that charges
 * it where this process does not live to. turn_commit charges it. */
void payment_begin(struct turn *turn, struct turn_invoice *at, struct trl_id method);
/* Charges a payment that stands as pending, and writes what came of it. One that is
 * settled already is left alone. payer_is_there: somebody waits who can confirm it.
 * Errors: TRL_UNAVAILABLE, TRL_UNCERTAIN (its job tries again), faults. */
enum trl_code payment_charge(struct billing *self, trl_ctx *ctx, struct trl_id payment,
    bool payer_is_there) TRL_MUST_CHECK;

/* Charges what nobody waited for; its payload is a ChargeJob. */
extern const struct trl_job_kind payment_job;
