/* inside.h - what the files of a subscription's life share: its parts, invoices
 * and pending change. Private to life/. */
#pragma once

#include "life/life.h"

#define ACT(out, ...) life_act((out), (struct life_act){ __VA_ARGS__ })
void life_act(struct life_outcome *out, struct life_act what);

/* Why a request is refused. */
extern const char life_too_many[], life_too_late[], life_too_open[];

bool life_is_over(const struct life *life); /* or there never was one */
bool life_runs(const struct life *life);    /* it has periods that are billed */
bool life_has_same_periods(const struct offer *a, const struct offer *b);
/* What an offer costs for a whole period. False: too much. */
bool life_price(const struct offer *offer, unsigned seats, int64_t *out);

void life_forget_invoice(struct life *life, uint64_t id);
/* False: too many are open. One place is kept for what is left at the end. */
bool life_add_invoice(struct life *life, int64_t now, int purpose, int state);

/* Parts. */

/* Drops the parts that keep says no to. */
void life_keep_parts(struct life *life,
    bool (*keep)(const struct life_part *part, int64_t arg), int64_t arg);
bool life_is_of_another(const struct life_part *part, int64_t invoice);
bool life_still_counts(const struct life_part *part, int64_t now);

/* A part that counts, and is not over at now; and what of it is left then. */
bool life_is_live(const struct life *life, const struct life_part *part, int64_t now);
int64_t life_rest_of(const struct life_part *part, int64_t now);
/* Ends every live part at now: what was left of them is credited elsewhere. */
void life_shorten(struct life *life, int64_t now);
/* Credits what is left of every live part that was billed, on an invoice, 0: the next
 * one. */
bool life_add_credits(struct life *life, int64_t now, uint64_t invoice);
/* Copies what waits for the next invoice, as far as it was used until now, to one that
 * may still be dropped. */
bool life_copy_waiting(struct life *life, int64_t now, uint64_t invoice);
/* Charges [from, end) of a period [start, end). NULL, or why not. */
const char *life_add_charge(struct life *life, const struct offer *offer,
    unsigned seats, int64_t start, int64_t end, int64_t from, uint64_t invoice);

/* Periods of the account's offer begin at an instant. */
bool life_begin_periods(struct life *life, int64_t at);
/* The next one, where the former ended: in another zone its own start may lie
 * elsewhere. */
bool life_next_period(struct life *life);

/* Forgets the pending change; its invoice is void. */
void life_drop_pending(struct life *life, struct life_outcome *out);
/* The invoice of the pending change is paid: it holds since that was made. */
void life_apply_pending(struct life *life, int64_t made, struct life_outcome *out);
/* The end at now, with credit for what was debited beyond it. */
void life_end(struct life *life, int64_t now, struct life_outcome *out);
