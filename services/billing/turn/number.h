/* number.h - numbers of invoices and credit notes. Each is a series without a gap: an
 * organisation's own, whose prefix is nobody else's, or one of the installation. A
 * number is taken in the transaction that uses it, so what is rolled back leaves none.
 */
#pragma once

#include "turn/turn.h"

/* The next number, and the second (since 1970) at which what has it is issued: in one
 * series the order of numbers is that of their times. A preview has none. Errors:
 * TRL_DEADLINE, TRL_BUSY, faults. */
enum trl_code number_take(struct turn *turn, enum turn_series series, char **number,
    int64_t *issued_at) TRL_MUST_CHECK;
/* Adds to the batch what was taken of the installation's series, where nobody else took
 * it meanwhile (PRECONDITION). */
void number_put(struct turn *turn);
