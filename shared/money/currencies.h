/* currencies.h - the table made from iso4217.csv, in the order of the codes. Private to
 * shared/money. */
#pragma once

#include <trl/money.h>

extern const struct trl_currency trl_currencies[];
extern const size_t trl_n_currencies;
