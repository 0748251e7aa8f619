/* test_shares.c - however much one holds, another gets some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>
#include <trl/shares.h>

enum { SIZE = 1024 };

static const struct trl_id ann = { { 1 } }, bob = { { 2 } };

static unsigned
take_all(struct trl_shares *shares, struct trl_id holder, trl_share **taken)
{
	unsigned n = 0;

	while ((taken[n] = trl_share_take(shares, holder, 1)) != NULL)
		n++;
	return n;
}

static void
one_gets_half_and_the_next_half_of_the_rest(void **state)
{
	struct trl_shares shares = { .size = SIZE };
	trl_share *taken[2 * SIZE];
	unsigned n = take_all(&shares, ann, taken);

	(void)state;
	assert_int_equal(n, SIZE / 2);
	assert_int_equal(trl_shares_left(&shares, ann), 0);
	assert_int_equal(trl_shares_left(&shares, bob), SIZE / 4);
	n += take_all(&shares, bob, taken + n);
	assert_int_equal(n, SIZE / 2 + SIZE / 4);
	assert_int_equal(shares.used, n);
	while (n > 0)
		trl_share_give(&taken[--n], 1);
	assert_int_equal(shares.used, 0);
	for (size_t i = 0; i < TRL_SHARES_BUCKETS; i++)
		assert_null(shares.holders[i]);
}

static void
with_a_factor_of_three_one_gets_three_quarters(void **state)
{
	struct trl_shares shares = { .size = SIZE, .factor = 3 };
	trl_share *taken[SIZE];
	unsigned n = take_all(&shares, ann, taken);

	(void)state;
	assert_int_equal(n, SIZE / 4 * 3);
	assert_int_equal(trl_shares_left(&shares, bob), SIZE / 16 * 3);
	while (n > 0)
		trl_share_give(&taken[--n], 1);
}

static void
there_is_some_for_the_ninth_after_eight_took_all_they_may(void **state)
{
	struct trl_shares shares = { .size = SIZE };
	trl_share *taken[SIZE];
	unsigned n = 0;

	(void)state;
	for (uint8_t i = 0; i < 8; i++)
		n += take_all(&shares, (struct trl_id){ { i } }, taken + n);
	assert_true(trl_shares_left(&shares, (struct trl_id){ { 8 } }) > 0);
	while (n > 0)
		trl_share_give(&taken[--n], 1);
}

/* What is given back is there for whoever holds less than it leaves. */
static void
what_one_gives_back_it_may_take_again(void **state)
{
	struct trl_shares shares = { .size = SIZE };
	trl_share *big = trl_share_take(&shares, ann, SIZE / 2), *other, *small;

	(void)state;
	assert_non_null(big);
	assert_null(trl_share_take(&shares, ann, 1));
	other = trl_share_take(&shares, bob, 1);
	assert_non_null(other);
	trl_share_give(&big, SIZE / 2);
	assert_null(big);
	assert_null(trl_share_take(&shares, ann, SIZE / 2)); /* it leaves less */
	small = trl_share_take(&shares, ann, SIZE / 2 - 1);
	assert_non_null(small);
	trl_share_give(&small, SIZE / 2 - 1);
	trl_share_give(&other, 1);
}

static void
what_grows_counts_as_it_is_now(void **state)
{
	struct trl_shares shares = { .size = SIZE };
	trl_share *one = trl_share_join(&shares, ann);
	trl_share *two = trl_share_join(&shares, ann);

	(void)state;
	trl_share_change(one, 0, 100);
	trl_share_change(two, 0, 200);
	trl_share_change(one, 100, 50);
	assert_int_equal(shares.used, 250);
	assert_int_equal(trl_share_left(two), (SIZE - 250 - 250) / 2);
	trl_share_change(one, 50, 0);
	trl_share_leave(&one);
	assert_int_equal(trl_share_left(two), (SIZE - 200 - 200) / 2);
	trl_share_change(two, 200, 0);
	trl_share_leave(&two);
	assert_null(two);
}

static struct trl_id
of_address(const char *address)
{
	return trl_holder(trl_id_nil, trl_id_nil, address, strlen(address));
}

static void
the_organisation_holds_else_the_account_else_the_address(void **state)
{
	(void)state;
	assert_true(trl_id_eq(trl_holder(ann, bob, "10.0.0.1", 8), ann));
	assert_true(trl_id_eq(trl_holder(trl_id_nil, bob, "10.0.0.1", 8), bob));
	assert_true(trl_id_eq(of_address("10.0.0.1"), of_address("10.0.0.1")));
	assert_false(trl_id_eq(of_address("10.0.0.1"), of_address("10.0.0.2")));
	assert_true(
	    trl_id_eq(of_address("2001:db8::1"), of_address("2001:db8:0:0:ffff::2")));
	assert_false(
	    trl_id_eq(of_address("2001:db8::1"), of_address("2001:db8:0:1::1")));
	assert_true(trl_id_is_nil(trl_holder(trl_id_nil, trl_id_nil, NULL, 0)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_gets_half_and_the_next_half_of_the_rest),
		cmocka_unit_test(with_a_factor_of_three_one_gets_three_quarters),
		cmocka_unit_test(
		    there_is_some_for_the_ninth_after_eight_took_all_they_may),
		cmocka_unit_test(what_one_gives_back_it_may_take_again),
		cmocka_unit_test(what_grows_counts_as_it_is_now),
		cmocka_unit_test(
		    the_organisation_holds_else_the_account_else_the_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
