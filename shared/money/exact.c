/* exact.c - sums of products of 128-bit numbers in 256 bits, and their rounding. The
 * product is schoolbook multiplication of 64-bit limbs; the division takes a bit a
 * step, which is 0.3 us, a line of an invoice at a time. */
#include <trl/money.h>

#include <trl/compiler.h>

enum { LIMBS = 4 };

static trl_uint128
magnitude(trl_int128 value)
{
	return value < 0 ? -(trl_uint128)value : (trl_uint128)value;
}

static struct trl_exact
negated(struct trl_exact value)
{
	trl_uint128 carry = 1;

	for (size_t i = 0; i < LIMBS; i++) {
		carry += (uint64_t)~value.limbs[i];
		value.limbs[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return value;
}

static bool
is_negative(const struct trl_exact *value)
{
	return value->limbs[LIMBS - 1] >> 63;
}

static struct trl_exact
product(trl_uint128 a, trl_uint128 b)
{
	const uint64_t as[] = { (uint64_t)a, (uint64_t)(a >> 64) };
	const uint64_t bs[] = { (uint64_t)b, (uint64_t)(b >> 64) };
	struct trl_exact out = { { 0 } };

	for (size_t i = 0; i < 2; i++) {
		trl_uint128 carry = 0;

		for (size_t j = 0; j < 2; j++) {
			carry += (trl_uint128)as[i] * bs[j] + out.limbs[i + j];
			out.limbs[i + j] = (uint64_t)carry;
			carry >>= 64;
		}
		out.limbs[i + 2] = (uint64_t)carry;
	}
	return out;
}

bool
trl_exact_add(struct trl_exact *sum, trl_int128 a, trl_int128 b)
{
	struct trl_exact more = product(magnitude(a), magnitude(b)), result;
	trl_uint128 carry = 0;

	if ((a < 0) != (b < 0))
		more = negated(more);
	for (size_t i = 0; i < LIMBS; i++) {
		carry += (trl_uint128)sum->limbs[i] + more.limbs[i];
		result.limbs[i] = (uint64_t)carry;
		carry >>= 64;
	}
	if (is_negative(sum) == is_negative(&more) &&
	    is_negative(&result) != is_negative(sum))
		return false;
	*sum = result;
	return true;
}

bool
trl_exact_round(const struct trl_exact *sum, trl_int128 divisor, int64_t *out)
{
	bool negative = is_negative(sum);
	struct trl_exact value = negative ? negated(*sum) : *sum;
	trl_uint128 d = (trl_uint128)divisor, rest = 0, quotient = 0;

	trl_assert(divisor > 0);
	for (int bit = 64 * LIMBS - 1; bit >= 0; bit--) {
		if (quotient >> 64)
			return false;
		rest = rest << 1 | (value.limbs[bit / 64] >> (bit % 64) & 1);
		quotient <<= 1;
		if (rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	if (rest >= d - rest) /* half or more: away from zero */
		quotient++;
	if (quotient > (trl_uint128)INT64_MAX)
		return false;
	*out = negative ? -(int64_t)quotient : (int64_t)quotient;
	return true;
}

bool
trl_muldiv(trl_int128 a, trl_int128 b, trl_int128 divisor, int64_t *out)
{
	struct trl_exact value = { { 0 } };

	return trl_exact_add(&value, a, b) && trl_exact_round(&value, divisor, out);
}
