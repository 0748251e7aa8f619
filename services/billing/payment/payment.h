/* payment.h - what billing has of money that moves: ways to pay, payments, refunds and
 * disputes. */
#pragma once

#include "turn/turn.h"

typedef Billing__V1__PaymentMethod billing_method;

/* Reads one of ctx's tenant. Errors: TRL_NOT_FOUND. */
enum trl_code method_get(struct billing *self, trl_ctx *ctx, struct trl_id id,
    Billing__V1__MethodRow *out) TRL_MUST_CHECK;
/* A way to pay became usable, as its holder answered their bank, or will not (out is
 * written by this: TRL_OK where it is neither pending). Errors: TRL_NOT_FOUND, those of
 * a change. */
enum trl_code method_settle(struct billing *self, trl_ctx *ctx, struct trl_id id,
    bool usable, Trellis__Empty *out) TRL_MUST_CHECK;
