/* Money: the values that other systems got wrong, and the ends of the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>
#include <trl/money.h>

static trl_int128
decimal(const char *text, unsigned places)
{
	trl_int128 value = 0;
	const char *why = trl_decimal_read(text, strlen(text), places, &value);

	if (why)
		fail_msg("%s: %s", text, why);
	return value;
}

static int64_t
muldiv(trl_int128 a, trl_int128 b, trl_int128 divisor)
{
	int64_t out;

	assert_true(trl_muldiv(a, b, divisor, &out));
	return out;
}

static void
decimals_are_read_exactly(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = { { "0", "0" }, { "-0", "0" }, { "0.1", "0.1" },
		{ "-12.50", "-12.5" }, { "1e-9", "0.000000001" },
		{ "1e15", "1000000000000000" }, { "1.5E3", "1500" },
		{ "100.000000000000000", "100" }, { "0.0000000000e-300", "0" },
		{ "9000000000000000000", "9000000000000000000" },
		{ "123456789.987654321", "123456789.987654321" } };
	char text[64];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		trl_decimal_write(decimal(rows[i].text, TRL_QUANTITY_PLACES),
		    TRL_QUANTITY_PLACES, text, sizeof text);
		assert_string_equal(text, rows[i].written);
	}
	trl_decimal_write(
	    decimal("0.01", TRL_PRICE_PLACES), TRL_PRICE_PLACES, text, sizeof text);
	assert_string_equal(text, "0.01");
}

static void
what_is_no_decimal_is_refused(void **state)
{
	static const char *const wrong[] = { "", "-", "+1", "1,5", " 1", "1 ", "1.",
		".5", "1.2.3", "NaN", "inf", "0x10", "1e", "1e+", "1e400", "1e1.5",
		"1e-400", "0.0000000001", "1e-10", "--1", "1-",
		"99999999999999999999999999999999999999999", "1e38" };
	trl_int128 value = 7;
	char longer[100];

	(void)state;
	memset(longer, '1', sizeof longer);
	assert_non_null(trl_decimal_read(longer, sizeof longer, 0, &value));
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		if (!trl_decimal_read(
			wrong[i], strlen(wrong[i]), TRL_QUANTITY_PLACES, &value))
			fail_msg("\"%s\" was taken", wrong[i]);
	assert_non_null(trl_decimal_read("1\0", 2, 0, &value));
	assert_true(value == 7);
}

static void
it_rounds_half_away_from_zero(void **state)
{
	(void)state;
	assert_int_equal(muldiv(14000, 9975, 100000), 1397); /* 1396.5 */
	assert_int_equal(muldiv(-14000, 9975, 100000), -1397);
	assert_int_equal(muldiv(114000, 9975, 100000), 11372); /* 11371.5 */
	assert_int_equal(muldiv(1, 1, 3), 0);
	assert_int_equal(muldiv(1, 1, 2), 1);
	assert_int_equal(muldiv(-1, 1, 2), -1);
	assert_int_equal(muldiv(35390, 100, 119), 29739); /* 19 % included */
	assert_int_equal(muldiv(1000, 100, 120), 833);
	assert_int_equal(muldiv(6666, 23, 100), 1533);
}

static void
what_does_not_fit_is_refused(void **state)
{
	const trl_int128 most = (trl_int128)(~(trl_uint128)0 >> 1);
	struct trl_exact sum = { { 0 } };
	int64_t out = 7;

	(void)state;
	assert_false(trl_muldiv(INT64_MAX, 2, 1, &out));
	assert_false(trl_muldiv(most, most, 1, &out));
	assert_false(trl_muldiv(-most, most, 3, &out));
	assert_false(trl_muldiv(decimal("9e18", TRL_QUANTITY_PLACES),
	    decimal("1000", TRL_PRICE_PLACES),
	    decimal("1", TRL_QUANTITY_PLACES + TRL_PRICE_PLACES), &out));
	assert_int_equal(out, 7);
	assert_false(trl_muldiv(most, most, most, &out));
	assert_true(trl_muldiv(most, INT64_MAX, most, &out));
	assert_true(out == INT64_MAX);
	for (size_t i = 0; i < 2; i++) /* each nearly 2^254 */
		assert_true(trl_exact_add(&sum, most, -most));
	assert_false(trl_exact_add(&sum, most, -most));
	for (size_t i = 0; i < 2; i++)
		assert_true(trl_exact_add(&sum, most, most));
	assert_true(trl_exact_round(&sum, 1, &out));
	assert_int_equal(out, 0);
}

/* A line of several tiers is rounded once. */
static int64_t
line(const char *const (*tiers)[2], size_t n)
{
	struct trl_exact sum = { { 0 } };
	int64_t out;

	for (size_t i = 0; i < n; i++)
		assert_true(
		    trl_exact_add(&sum, decimal(tiers[i][0], TRL_QUANTITY_PLACES),
			decimal(tiers[i][1], TRL_PRICE_PLACES)));
	assert_true(trl_exact_round(
	    &sum, decimal("1", TRL_QUANTITY_PLACES + TRL_PRICE_PLACES), &out));
	return out;
}

static void
a_line_is_rounded_once(void **state)
{
	static const char *const tiny[][2] = { { "12345", "0.01" } };
	static const char *const halves[][2] = { { "1", "0.5" }, { "1", "0.5" },
		{ "1", "0.4" } };
	static const char *const back[][2] = { { "3", "0.5" }, { "-3", "0.5" } };

	(void)state;
	assert_int_equal(line(tiny, 1), 123);
	assert_int_equal(line(halves, 3), 1);
	assert_int_equal(line(back, 2), 0);
}

static void
parts_of_a_period_add_up(void **state)
{
	const int64_t end = 1489449600, start = end - 28 * 86400, day = 86400;
	int64_t part, sum = 0, at[] = { 0, 10 * day, 20 * day, 30 * day };

	(void)state;
	assert_true(trl_part(1000, start, end, 1488568488, end, &part));
	assert_int_equal(part, 364);
	assert_true(trl_part(-1000, start, end, 1488568488, end, &part));
	assert_int_equal(part, -364);
	for (size_t i = 0; i < 3; i++) {
		assert_true(trl_part(1000, 0, 30 * day, at[i], at[i + 1], &part));
		assert_int_equal(part, i == 1 ? 334 : 333);
		sum += part;
	}
	assert_int_equal(sum, 1000);
	/* New York, March 2026, ended at local midnight of the 16th. */
	assert_true(trl_part(1000, 0, 2674800, 1292400, 2674800, &part));
	assert_int_equal(part, 517);
	assert_true(trl_part(INT64_MAX, INT64_MIN, INT64_MAX, 0, INT64_MAX, &part));
	assert_true(trl_part(500, 0, 10, 5, 5, &part));
	assert_int_equal(part, 0);
}

static void
a_split_leaves_no_rest(void **state)
{
	static const struct {
		int64_t total, weights[4], parts[4];
		size_t n;
	} rows[] = {
		{ 250, { 50, 45, 5 }, { 125, 113, 12 }, 3 },
		{ -250, { 50, 45, 5 }, { -125, -113, -12 }, 3 },
		{ 1533, { 5555, 1111 }, { 1278, 255 }, 2 },
		{ 1, { 0, 1, 1 }, { 0, 1, 0 }, 3 },
		{ 100, { 1, 1, 1 }, { 34, 33, 33 }, 3 },
		{ INT64_MAX, { INT64_MAX, INT64_MAX },
		    { INT64_MAX / 2 + 1, INT64_MAX / 2 }, 2 },
		{ 0, { 3, 4 }, { 0, 0 }, 2 },
	};
	int64_t parts[4];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		assert_true(
		    trl_split(rows[i].total, rows[i].weights, rows[i].n, parts));
		for (size_t j = 0; j < rows[i].n; j++)
			assert_true(parts[j] == rows[i].parts[j]);
	}
	assert_false(trl_split(5, (const int64_t[]){ 0, 0 }, 2, parts));
	assert_false(trl_split(5, (const int64_t[]){ 1, -1 }, 2, parts));
	assert_false(trl_split(5, NULL, 0, parts));
	assert_false(trl_split(INT64_MIN, (const int64_t[]){ 1 }, 1, parts));
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Books of many tenants: every amount goes somewhere whole, so that each account of
 * each always adds up to nothing with the others. */
static void
a_million_movements_add_up_to_nothing(void **state)
{
	enum { TENANTS = 7, ACCOUNTS = 5 };
	int64_t books[TENANTS][ACCOUNTS] = { { 0 } };
	uint64_t seed = 20261129;

	(void)state;
	for (size_t i = 0; i < 1000000; i++) {
		int64_t *book = books[next_random(&seed) % TENANTS];
		int64_t total = (int64_t)(next_random(&seed) % 2000001) - 1000000;
		int64_t weights[ACCOUNTS], parts[ACCOUNTS];
		size_t from = next_random(&seed) % ACCOUNTS;

		for (size_t j = 0; j < ACCOUNTS; j++)
			weights[j] = (int64_t)(next_random(&seed) % 1000);
		weights[next_random(&seed) % ACCOUNTS] = 1;
		assert_true(trl_split(total, weights, ACCOUNTS, parts));
		book[from] -= total;
		for (size_t j = 0; j < ACCOUNTS; j++)
			book[j] += parts[j];
	}
	for (size_t i = 0; i < TENANTS; i++) {
		int64_t sum = 0;

		for (size_t j = 0; j < ACCOUNTS; j++)
			sum += books[i][j];
		assert_int_equal(sum, 0);
	}
}

static void
exponents_are_those_of_iso(void **state)
{
	static const struct {
		const char *code;
		int exponent;
		enum trl_currency_kind kind;
	} rows[] = { { "EUR", 2, TRL_CURRENCY_MONEY }, { "JPY", 0, TRL_CURRENCY_MONEY },
		{ "UGX", 0, TRL_CURRENCY_MONEY }, { "ISK", 0, TRL_CURRENCY_MONEY },
		{ "LBP", 2, TRL_CURRENCY_MONEY }, { "IRR", 2, TRL_CURRENCY_MONEY },
		{ "MGA", 2, TRL_CURRENCY_MONEY }, { "IQD", 3, TRL_CURRENCY_MONEY },
		{ "XCG", 2, TRL_CURRENCY_MONEY }, { "CLF", 4, TRL_CURRENCY_FUND },
		{ "XAU", 0, TRL_CURRENCY_NONE }, { "BGN", 2, TRL_CURRENCY_FORMER } };
	const struct trl_currency *currency;
	char text[32];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		currency = trl_currency_of(rows[i].code);
		assert_non_null(currency);
		assert_int_equal(currency->exponent, rows[i].exponent);
		assert_int_equal(currency->kind, rows[i].kind);
	}
	assert_null(trl_currency_of("XYZ"));
	assert_null(trl_currency_of("eur"));
	assert_null(trl_currency_of(""));
	assert_null(trl_currency_of("EURO"));
	trl_money_write(-5, trl_currency_of("EUR"), text, sizeof text);
	assert_string_equal(text, "-0.05");
	trl_money_write(123450, trl_currency_of("KWD"), text, sizeof text);
	assert_string_equal(text, "123.450");
	trl_money_write(500, trl_currency_of("JPY"), text, sizeof text);
	assert_string_equal(text, "500");
	trl_money_write(INT64_MIN, trl_currency_of("UYW"), text, sizeof text);
	assert_string_equal(text, "-922337203685477.5808");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_are_read_exactly),
		cmocka_unit_test(what_is_no_decimal_is_refused),
		cmocka_unit_test(it_rounds_half_away_from_zero),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_line_is_rounded_once),
		cmocka_unit_test(parts_of_a_period_add_up),
		cmocka_unit_test(a_split_leaves_no_rest),
		cmocka_unit_test(a_million_movements_add_up_to_nothing),
		cmocka_unit_test(exponents_are_those_of_iso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
