/* Coupons: what they take off, how long, who may have one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

static const char abroad[] = "\"country\":\"US\"";

static int64_t
total(const struct world_caller *who, unsigned n)
{
	return shop_invoice(who, n)->total;
}

static void
refused(const struct world_caller *who, const char *change, const char *why)
{
	assert_int_equal(
	    ask(who, &billing_v1_change_subscription, change, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "coupon");
	assert_string_equal(world.err.message, why);
	assert_int_equal(shop_count(who), 0);
}

static void
once_is_the_next_invoice(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"big\",\"coupon\":\"HALF\"}");
	assert_int_equal(total(&who, 0), 2500);
	assert_string_equal(shop_invoice(&who, 0)->coupon, "HALF");
	assert_int_equal(shop_invoice(&who, 0)->lines[0]->discount, 2500);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 5000);
	assert_null(shop_invoice(&who, 0)->coupon);
	shop_books_agree(&who);
}

static void
several_are_so_many_periods(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"big\",\"coupon\":\"QUARTER\"}");
	ground_pass(&who, 93 * SHOP_DAY);
	assert_int_equal(total(&who, 3), 3750);
	assert_int_equal(total(&who, 2), 3750);
	assert_int_equal(total(&who, 1), 5000);
	assert_int_equal(total(&who, 0), 5000);
}

/* What is credited was debited after discount, and the new plan has its own. */
static void
an_upgrade_amid_is_discounted_and_no_period(void **state)
{
	struct world_caller who = shop_customer(abroad);
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":4,\"interval\":\"month\","
			     "\"coupon\":\"QUARTER\"}");
	assert_int_equal(total(&who, 0), 2700);
	ground_pass(&who, 10 * SHOP_DAY);
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	invoice = shop_invoice(&who, 0);
	assert_in_range(-invoice->lines[0]->amount, 1700, 1900); /* of 2700 */
	assert_int_equal(invoice->lines[0]->discount, 0);
	assert_in_range(invoice->lines[1]->amount, 3200, 3500); /* of 5000 */
	assert_int_equal(
	    invoice->lines[1]->discount, (invoice->lines[1]->amount + 2) / 4);
	ground_pass(&who, 52 * SHOP_DAY);
	assert_int_equal(total(&who, 1), 3750);
	assert_int_equal(total(&who, 0), 5000);
	shop_books_agree(&who);
}

/* What remains of the year is paid at half its price: 100 of 365 days are over. */
static void
a_seat_more_has_the_discount_of_its_year(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":4,\"interval\":\"year\","
			     "\"coupon\":\"HALF\"}");
	assert_int_equal(total(&who, 0), 18000);
	shop_subscribe(&who, "{\"seats\":7}"); /* in the same second, or the next */
	assert_in_range(total(&who, 0), 13499, 13500);
	assert_string_equal(shop_invoice(&who, 0)->coupon, "HALF");
	ground_pass(&who, 100 * SHOP_DAY);
	shop_subscribe(&who, "{\"seats\":8}");
	assert_in_range(total(&who, 0), 3265, 3269); /* 9000 / 2 * 265 / 365 */
	ground_pass(&who, 266 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 72000);
	assert_null(shop_invoice(&who, 0)->coupon);
	shop_books_agree(&who);
}

static void
a_seat_more_leaves_its_years_amount_off(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":4,\"interval\":\"year\","
			     "\"coupon\":\"FLAT\"}");
	assert_int_equal(total(&who, 0), 31000);
	ground_pass(&who, 100 * SHOP_DAY);
	for (unsigned seats = 5; seats <= 7; seats++) {
		shop_subscribe(
		    &who, trl_arena_printf(world.arena, "{\"seats\":%u}", seats));
		assert_in_range(total(&who, 0), 6532, 6536); /* 9000 * 265 / 365 */
	}
	ground_pass(&who, 266 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 63000);
	shop_books_agree(&who);
}

static void
the_last_of_several_periods_is_discounted_to_its_end(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":4,\"interval\":\"month\","
			     "\"coupon\":\"QUARTER\"}");
	ground_pass(&who, 41 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 2700);
	shop_subscribe(&who, "{\"seats\":2}");
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	assert_string_equal(shop_invoice(&who, 0)->coupon, "QUARTER");
	/* 20 or 21 of 31 days: (5000 - 3600) * 3 / 4 */
	assert_in_range(total(&who, 0), 650, 740);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 5000);
	shop_books_agree(&who);
}

/* An upgrade that is dropped used nothing: its period's coupon was used before. */
static void
a_change_that_is_dropped_gives_no_use_back(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":4,\"interval\":\"month\","
			     "\"coupon\":\"HALF\"}");
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 5 * SHOP_DAY);
	shop_subscribe(&who, "{\"plan\":\"big\"}"); /* waits for its payment */
	assert_string_equal(shop_invoice(&who, 0)->coupon, "HALF");
	ground_pass(&who, SHOP_DAY);
	assert_int_equal(
	    shop_invoice(&who, 0)->status, BILLING__V1__INVOICE__STATUS__void);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 3600);
	shop_books_agree(&who);
}

/* Whoever did not see the answer. */
static void
the_same_wish_again_is_no_error(void **state)
{
	struct world_caller who = shop_customer(abroad);
	static const char wish[] = "{\"plan\":\"big\",\"coupon\":\"HALF\"}";

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, wish);
	shop_subscribe(&who, wish);
	ground_card(&who, "4242424242424242");
	shop_subscribe(&who, wish);
	shop_subscribe(&who, wish);
	assert_int_equal(shop_count(&who), 1);
	assert_int_equal(total(&who, 0), 2500);
}

static void
a_wish_for_something_else_than_what_waits_takes_no_coupon_twice(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"interval\":\"month\","
			     "\"coupon\":\"HALF\"}");
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, "{\"plan\":\"big\"}"); /* waits for its payment */
	assert_int_equal(ask(&who, &billing_v1_change_subscription,
			     "{\"plan\":\"gross\",\"coupon\":\"HALF\"}", NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.field, "coupon");
}

/* F14: the rest of the coupon is gone. */
static void
an_amount_takes_off_what_there_is(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":3,\"interval\":\"month\","
			     "\"coupon\":\"FLAT\"}");
	assert_int_equal(total(&who, 0), 0);
	assert_int_equal(shop_invoice(&who, 0)->discount, 2700);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 2700);
}

/* F14 */
static void
more_than_all_is_refused_as_a_catalogue(void **state)
{
	(void)state;
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_apply_catalogue,
		"{\"catalogue\":{\"plans\":[{\"key\":\"free\",\"name\":\"free\","
		"\"rank\":0}],\"coupons\":[{\"code\":\"X\",\"percent_off\":\"150\","
		"\"duration\":\"once\"}],\"fallback_plan\":\"free\"}}",
		NULL),
	    TRL_INVALID);
}

/* A19 */
static void
seats_under_a_coupon_for_all_cost_nothing(void **state)
{
	struct world_caller who = shop_customer("\"country\":\"AT\"");
	Billing__V1__Invoice *invoice;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":3,\"interval\":\"year\","
			     "\"coupon\":\"ALL\"}");
	ground_pass(&who, 100 * SHOP_DAY);
	shop_subscribe(&who, "{\"seats\":8}");
	invoice = shop_invoice(&who, 0);
	assert_int_equal(invoice->total, 0);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(shop_count(&who), 2);
	assert_string_equal(world_sql("select count(*) from billing.payment "
				      "where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "0");
	assert_int_equal(shop_number(&who, "balance"), 0);
	shop_books_agree(&who);
}

static void
a_coupon_is_for_its_plans_currency_and_time(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	refused(&who, "{\"plan\":\"big\",\"coupon\":\"NONE\"}",
	    "There is no such coupon, or it is over.");
	refused(&who, "{\"plan\":\"big\",\"coupon\":\"OVER\"}",
	    "There is no such coupon, or it is over.");
	refused(&who, "{\"plan\":\"big\",\"coupon\":\"DOLLAR\"}",
	    "This coupon is in another currency.");
	refused(&who, "{\"plan\":\"big\",\"coupon\":\"TEAMS\"}",
	    "This coupon is not for this plan.");
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":2,\"interval\":\"month\","
			     "\"coupon\":\"TEAMS\"}");
	assert_int_equal(total(&who, 0), 900);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 900);
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(total(&who, 0), 5000);
}

static void
a_coupon_alone_leaves_what_waits(void **state)
{
	struct world_caller who = shop_customer(abroad);
	Billing__V1__Subscription *sub;

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	shop_subscribe(&who, "{\"plan\":\"team\",\"seats\":2,\"interval\":\"month\"}");
	must(&who, &billing_v1_change_subscription, "{\"coupon\":\"FLAT\"}", &sub);
	assert_string_equal(sub->coupon, "FLAT");
	assert_string_equal(sub->pending_change->plan, "team");
}

static void
nobody_takes_a_coupon_twice(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"big\",\"coupon\":\"HALF\"}");
	assert_int_equal(
	    ask(&who, &billing_v1_change_subscription, "{\"coupon\":\"HALF\"}", NULL),
	    TRL_INVALID);
	assert_string_equal(
	    world.err.message, "This organisation has taken this coupon already.");
}

static void
a_first_payment_that_is_never_made_gives_the_coupon_back(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, "{\"plan\":\"big\",\"coupon\":\"HALF\"}");
	assert_string_equal(
	    world_sql("select coalesce(coupon, '-') from billing.subscription "
		      "where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "-");
	ground_pass(&who, SHOP_DAY);
	ground_card(&who, "4242424242424242");
	shop_subscribe(&who, "{\"plan\":\"big\"}");
	assert_int_equal(total(&who, 0), 2500);
	assert_int_equal(
	    shop_invoice(&who, 1)->status, BILLING__V1__INVOICE__STATUS__void);
	shop_books_agree(&who);
}

/* Twenty organisations want what three may have. On a slow machine the last ones wait
 * too long for the row that counts them, and come again, as they are told. */
static void
a_cap_holds_when_many_come_at_once(void **state)
{
	enum { MANY = 20 };
	static struct world_run runs[MANY];
	struct world_run *all[MANY];
	unsigned given = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .who = shop_customer(abroad),
			.method = &billing_v1_change_subscription,
			.in = ground_message(&billing_v1_change_subscription,
			    "{\"plan\":\"big\",\"coupon\":\"CAPPED\"}") };
		all[i] = &runs[i];
	}
	for (size_t n = MANY; n > 0;) {
		size_t busy = 0;

		for (size_t i = 0; i < n; i++)
			world_start(all[i]);
		world_wait(all, n);
		for (size_t i = 0; i < n; i++) {
			given += all[i]->rc == TRL_OK;
			if (all[i]->rc == TRL_BUSY)
				all[busy++] = all[i];
			else if (all[i]->rc != TRL_OK)
				assert_int_equal(all[i]->rc, TRL_INVALID);
		}
		n = busy;
	}
	assert_int_equal(given, 3);
	assert_string_equal(world_sql("select count(*) from billing.coupon_directory "
				      "where code = 'CAPPED'"),
	    "3");
	assert_string_equal(world_sql("select count(*) from billing.invoice "
				      "where total = 4500"),
	    "3");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(once_is_the_next_invoice),
		TEST(several_are_so_many_periods),
		TEST(an_upgrade_amid_is_discounted_and_no_period),
		TEST(a_seat_more_has_the_discount_of_its_year),
		TEST(a_seat_more_leaves_its_years_amount_off),
		TEST(the_last_of_several_periods_is_discounted_to_its_end),
		TEST(a_change_that_is_dropped_gives_no_use_back),
		TEST(the_same_wish_again_is_no_error),
		TEST(a_wish_for_something_else_than_what_waits_takes_no_coupon_twice),
		TEST(an_amount_takes_off_what_there_is),
		TEST(more_than_all_is_refused_as_a_catalogue),
		TEST(seats_under_a_coupon_for_all_cost_nothing),
		TEST(a_coupon_is_for_its_plans_currency_and_time),
		TEST(a_coupon_alone_leaves_what_waits),
		TEST(nobody_takes_a_coupon_twice),
		TEST(a_first_payment_that_is_never_made_gives_the_coupon_back),
		TEST(a_cap_holds_when_many_come_at_once),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
