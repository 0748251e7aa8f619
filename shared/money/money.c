/* money.c - parts of periods, splits, currencies. */
#include <trl/money.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

#include "currencies.h"

bool
trl_part(int64_t price, int64_t start_s, int64_t end_s, int64_t from_s, int64_t to_s,
    int64_t *out)
{
	trl_int128 length = (trl_int128)end_s - start_s;
	int64_t before, until;

	trl_assert(
	    start_s < end_s && start_s <= from_s && from_s <= to_s && to_s <= end_s);
	return trl_muldiv(price, (trl_int128)from_s - start_s, length, &before) &&
	       trl_muldiv(price, (trl_int128)to_s - start_s, length, &until) &&
	       !__builtin_sub_overflow(until, before, out);
}

/* Where the largest remainder is, of those that have not been given one more. */
static size_t
largest(const trl_uint128 *rests, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (rests[i] > rests[best])
			best = i;
	return best;
}

bool
trl_split(int64_t total, const int64_t *weights, size_t n, int64_t *parts)
{
	uint64_t size = total < 0 ? -(uint64_t)total : (uint64_t)total, left = size;
	trl_uint128 sum = 0;
	trl_uint128 *rests;

	for (size_t i = 0; i < n; i++) {
		if (weights[i] < 0)
			return false;
		sum += (trl_uint128)weights[i];
	}
	if (sum == 0 || sum >> 64 || total == INT64_MIN)
		return false;
	rests = calloc(n, sizeof *rests);
	trl_assert(rests != NULL);
	for (size_t i = 0; i < n; i++) {
		trl_uint128 share = (trl_uint128)size * (trl_uint128)weights[i];
		uint64_t part = (uint64_t)(share / sum);

		rests[i] = share % sum;
		parts[i] = total < 0 ? -(int64_t)part : (int64_t)part;
		left -= part;
	}
	for (; left > 0; left--) { /* fewer than n */
		size_t i = largest(rests, n);

		parts[i] += total < 0 ? -1 : 1;
		rests[i] = 0;
	}
	free(rests);
	return true;
}

static int
by_code(const void *code, const void *currency)
{
	return strcmp(code, ((const struct trl_currency *)currency)->code);
}

const struct trl_currency *
trl_currency_of(const char *code)
{
	return bsearch(
	    code, trl_currencies, trl_n_currencies, sizeof *trl_currencies, by_code);
}

void
trl_money_write(
    int64_t amount, const struct trl_currency *currency, char *out, size_t size)
{
	uint64_t value = amount < 0 ? -(uint64_t)amount : (uint64_t)amount, unit = 1;
	const char *sign = amount < 0 ? "-" : "";
	int n;

	for (unsigned i = 0; i < currency->exponent; i++)
		unit *= 10;
	n = currency->exponent == 0
		? snprintf(out, size, "%s%llu", sign, (unsigned long long)value)
		: snprintf(out, size, "%s%llu.%0*llu", sign,
		      (unsigned long long)(value / unit), (int)currency->exponent,
		      (unsigned long long)(value % unit));
	trl_assert(n > 0 && (size_t)n < size);
}
