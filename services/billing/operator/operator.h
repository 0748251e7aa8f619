/* operator.h - what only the operator does with invoices: void one, give one up, credit
 * one, and note money that came another way. */
#pragma once

#include "turn/turn.h"

/* The invoice that a method is about, with its lines, which its reply shows; the audit
 * entry is about it. Errors: TRL_NOT_FOUND, TRL_CONFLICT (too many are open), faults.
 */
enum trl_code operator_find(
    struct turn *turn, struct trl_id invoice, struct turn_invoice **out) TRL_MUST_CHECK;
