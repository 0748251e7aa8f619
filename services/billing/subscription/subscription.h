/* subscription.h - what the methods of a subscription share. */
#pragma once

#include "turn/turn.h"

/* What a request wants; arg of the kinds below. */
struct subscription_wanted {
	const char *plan, *coupon; /* NULL: as they are */
	bool has_interval;
	Billing__V1__Price__Interval interval;
	unsigned seats; /* 0: as they are */
	int when;       /* of struct life_request */
	bool now;       /* of a cancellation */
	billing_subscription *out;
};

/* turn_kind.decide of a change of plan, interval, seats or coupon.
 * Errors: TRL_INVALID (plan, coupon), TRL_CONFLICT (its state). */
enum trl_code subscription_decide_change(
    struct turn *turn, void *arg, struct life_outcome *out) TRL_MUST_CHECK;
/* turn_kind.show: fills out. */
ProtobufCMessage *subscription_show(struct turn *turn, void *arg);

/* coupon.c */

/* Has the turn's account hold a coupon, for a subscription to offer; its cap is held at
 * the commit. again: one that it took before is no error, and changes nothing. Errors:
 * TRL_INVALID (field coupon: there is none, it is over, used up, of another currency or
 * plan, or was taken before), faults. */
enum trl_code subscription_take_coupon(struct turn *turn, const char *code,
    const struct offer *offer, bool again) TRL_MUST_CHECK;
