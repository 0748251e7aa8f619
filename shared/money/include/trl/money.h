/* money.h - exact arithmetic with amounts of money. Nothing here is floating point, and
 * nothing wraps: each function is false (or says what is wrong) where a result would
 * not fit, and stores nothing then.
 *
 * Amounts are int64_t minor units. Prices are decimals of minor units to 12 places,
 * quantities decimals to 9, both as integers of that scale. Rounding is half away from
 * zero, so that a credit is exactly minus its charge. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 trl_int128;
__extension__ typedef unsigned __int128 trl_uint128;

enum { TRL_PRICE_PLACES = 12, TRL_QUANTITY_PLACES = 9 };

/* Reads a decimal such as "-12.5" or "1e-9", len bytes, as an integer of 10^-places. No
 * sign "+", no blank, no comma. NULL, or what is wrong: no number, more places than
 * that, too large. */
const char *trl_decimal_read(
    const char *text, size_t len, unsigned places, trl_int128 *out);
/* Writes it, without zeros at the end of its fraction; at least 48 bytes. */
void trl_decimal_write(trl_int128 value, unsigned places, char *out, size_t size);

/* A sum of products that is rounded once, at its end: the 256 bits of a line with
 * several tiers, its prices and quantities still exact. { 0 } is zero. */
struct trl_exact {
	uint64_t limbs[4]; /* two's complement, the lowest first */
};
bool trl_exact_add(struct trl_exact *sum, trl_int128 a, trl_int128 b);
/* sum / divisor, rounded; divisor above 0. */
bool trl_exact_round(const struct trl_exact *sum, trl_int128 divisor, int64_t *out);

/* a * b / divisor, rounded once; divisor above 0. A tax of 9.975 % of an amount is
 * trl_muldiv(amount, 9975, 100000, &tax), the net in a gross amount with 20 % of tax in
 * it trl_muldiv(gross, 100, 120, &net). */
bool trl_muldiv(trl_int128 a, trl_int128 b, trl_int128 divisor, int64_t *out);

/* What [from, to) costs of a period [start, end) of this price, in seconds:
 * R(P(to-s)/(e-s)) - R(P(from-s)/(e-s)), so that the parts of a period add up to its
 * price. start <= from <= to <= end, start < end. */
bool trl_part(int64_t price, int64_t start_s, int64_t end_s, int64_t from_s,
    int64_t to_s, int64_t *out);

/* Splits total by weights (none negative, not all 0) without a rest: by the largest
 * remainder, of equal ones the first. */
bool trl_split(int64_t total, const int64_t *weights, size_t n, int64_t *parts);

enum trl_currency_kind {
	TRL_CURRENCY_MONEY,
	TRL_CURRENCY_FUND,  /* an index or unit of account: nobody pays in it */
	TRL_CURRENCY_NONE,  /* metals, testing: without a minor unit */
	TRL_CURRENCY_FORMER /* still in old records */
};
struct trl_currency {
	char code[4];
	uint8_t exponent; /* places of the minor unit */
	enum trl_currency_kind kind;
};
/* NULL: ISO 4217 has no such code. Codes are three capitals. */
const struct trl_currency *trl_currency_of(const char *code);
/* "-1234.50" of -123450 in a currency of exponent 2; at least 32 bytes. */
void trl_money_write(
    int64_t amount, const struct trl_currency *currency, char *out, size_t size);
