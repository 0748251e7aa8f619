/* entitled.h - what an organisation may use: the features of its plan, and what the
 * operator gave it. Billing only says so; tenants keeps a copy of it, puts it into the
 * grant and tells whoever asks. Two events carry it: billing.plan.changed, the
 * platform's, has a plan's features, so that a catalogue with other values is one event
 * a plan and not one an organisation; billing.entitlements.changed has an
 * organisation's plan, the seats that it pays for, and what the operator gave it, and
 * belongs to the transaction of the change.
 *
 * A plan holds while the subscription is trialing, active or past_due. In any other
 * state (none, incomplete, incomplete_expired, paused, unpaid, canceled) the fallback
 * plan does: whoever has not paid for the first period, or not at all, has what
 * everybody has. A change that waits for its payment, or for the end of the period,
 * changes nothing before. */
#pragma once

#include "account/account.h"

/* Of what is told of an organisation. */
struct entitled {
	char plan[LIFE_KEY_MAX]; /* "": the fallback plan */
	unsigned seats; /* that are paid for; 0: the plan alone says how many */
};

void entitled_read(const struct account *account, struct entitled *out);
bool entitled_is_same(const struct entitled *a, const struct entitled *b);
Billing__V1__EntitlementsEvent *entitled_event(
    trl_ctx *ctx, const struct account *account);
/* Adds the event, behind what raised the account's version. */
void entitled_tell(trl_ctx *ctx, trl_batch *work, const struct account *account);
