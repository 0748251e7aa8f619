/* charge.h - payments and refunds: what a turn begins, the provider is asked for after
 * its commit, and a turn of its own writes what came of it. */
#pragma once

#include "turn/turn.h"

/* charge.c */

/* Begins a payment of all that is due of an invoice: its row, and the job that charges
 * it where this process does not live to; in the job "due" none, for that comes back
 * itself. turn_commit charges it. */
void payment_begin(struct turn *turn, struct turn_invoice *at, struct trl_id method);
/* Begins to give amount of a payment back, and books it: refunds against cash. Who
 * moved no money by a provider of ours gives it back by hand: then it is done. More
 * than is left of the payment fails the commit (TRL_CONFLICT). out is filled with the
 * refund; returns its id. */
struct trl_id payment_refund(struct turn *turn, const Billing__V1__Payment *payment,
    int64_t amount, Billing__V1__Payment *out);
/* Has the job of a payment that is under way look at it, be it one of "due": that
 * looks only at what is owed still. */
void payment_look_at(struct turn *turn, struct trl_id payment);
/* Has a payment that waits for its payer canceled after the commit. */
void payment_cancel(struct turn *turn, struct trl_id payment);
/* Asks the provider for a payment or refund that stands as pending, and writes what
 * came of it. One that is settled already is left alone. payer_is_there: somebody waits
 * who can confirm it. Errors: TRL_UNAVAILABLE, TRL_UNCERTAIN (its job tries again),
 * faults.
 */
enum trl_code payment_charge(struct billing *self, trl_ctx *ctx, struct trl_id payment,
    bool payer_is_there) TRL_MUST_CHECK;

/* The same, or has one that waits for its payer canceled; what cannot be known now is
 * left to its job. PAYMENT_BY_DUE has none yet, as the job "due" would have come back
 * had this process died. Errors: faults. */
enum payment_how { PAYMENT_ALONE, PAYMENT_WITH_PAYER, PAYMENT_CANCEL, PAYMENT_BY_DUE };
enum trl_code payment_try(struct billing *self, trl_ctx *ctx, struct trl_id payment,
    enum payment_how how) TRL_MUST_CHECK;
/* The same by the job "due", of turn->fresh: without looking at it again, and with the
 * turn's own account, as it was just committed. */
enum trl_code payment_try_fresh(struct turn *turn) TRL_MUST_CHECK;

/* Charges what nobody waited for; its payload is a ChargeJob. */
extern const struct trl_job_kind payment_job;

/* settle.c */

/* Errors: TRL_NOT_FOUND. */
enum trl_code payment_get(struct billing *self, trl_ctx *ctx, struct trl_id id,
    Billing__V1__PaymentRow *out) TRL_MUST_CHECK;
/* Writes what came of a payment or refund, as a turn. What is known already, or comes
 * too late (a failure of what succeeded), changes nothing. Errors: TRL_NOT_FOUND,
 * TRL_PRECONDITION (others change the account all the time), faults. */
enum trl_code payment_settle(struct billing *self, trl_ctx *ctx, struct trl_id id,
    const struct provider_answer *answer) TRL_MUST_CHECK;
/* The same as the next turn of an account that was just committed. Errors:
 * TRL_PRECONDITION (somebody changed it since), faults. */
enum trl_code payment_settle_next(struct turn *turn, const Billing__V1__PaymentRow *row,
    const struct provider_answer *answer) TRL_MUST_CHECK;
/* Says of a payment, refund or dispute what happened to it. */
void payment_tell(struct turn *turn, const struct trl_event_type *type,
    const Billing__V1__Payment *payment);
/* The statement that sets a row's status; reference and code "": as they are, none. */
void payment_put(struct turn *turn, Billing__V1__Payment *payment,
    Billing__V1__Payment__Status status, const char *reference, const char *code,
    const char *url);
/* Adds a row of a payment, refund or dispute. */
void payment_insert(
    struct turn *turn, const Billing__V1__Payment *payment, const char *reference);
/* More of a payment is back, or less (below 0). */
void payment_return(struct turn *turn, struct trl_id payment, int64_t amount);

/* news.c */

/* Applies what a provider said by itself. What is known already changes nothing.
 * Errors: TRL_UNAVAILABLE (not yet: of a dispute, what comes before it is not known),
 * TRL_NOT_FOUND, TRL_PRECONDITION (others change the account all the time), faults. */
enum trl_code news_apply(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ProviderNews *news) TRL_MUST_CHECK;
