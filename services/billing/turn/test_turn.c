/* What becomes of an account's life in rows and in the ledger, where others billed
 * wrong: answers that were lost, discounts, ways to pay that are gone, drafts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { DAY = 86400 };

/* A catalogue with coupons, and dunning that ends in unpaid. */
#define WITH(more)                                                                     \
	"{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"                 \
	"{\"key\":\"team\",\"name\":\"Team\",\"rank\":10,"                             \
	"\"prices\":[{\"key\":\"team-month\",\"currency\":\"EUR\",\"interval\":"       \
	"\"month\",\"model\":\"per_seat\",\"unit_amount\":\"900\"},"                   \
	"{\"key\":\"team-year\",\"currency\":\"EUR\",\"interval\":\"year\","           \
	"\"model\":\"per_seat\",\"unit_amount\":\"9000\"}]},"                          \
	"{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,"                               \
	"\"prices\":[{\"key\":\"big-month\",\"currency\":\"EUR\",\"interval\":"        \
	"\"month\",\"model\":\"fixed\",\"unit_amount\":\"5000\"}]},"                   \
	"{\"key\":\"dear\",\"name\":\"Dear\",\"rank\":30,"                             \
	"\"prices\":[{\"key\":\"dear-month\",\"currency\":\"EUR\",\"interval\":"       \
	"\"month\",\"model\":\"per_seat\",\"unit_amount\":\"100000000000\"}]}],"       \
	"\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\"},\"prefix\":"     \
	"\"INV-\"},"                                                                   \
	"\"fallback_plan\":\"free\"" more "}"

static struct world_caller
owner_with(const char *card)
{
	struct world_caller who = ground_owner();

	ground_card(&who, card);
	ground_pass(&who, 0);
	return who;
}

static Billing__V1__Subscription *
change(const struct world_caller *who, const char *json)
{
	Billing__V1__Subscription *out;

	must(who, &billing_v1_change_subscription, json, &out);
	return out;
}

static Billing__V1__Subscription__Status
status_of(const struct world_caller *who)
{
	Billing__V1__Subscription *out;

	must(who, &billing_v1_get_subscription, "{}", &out);
	return out->status;
}

/* A column of its invoices, the first one first. */
static void
invoices_are(const struct world_caller *who, const char *what, const char *expected)
{
	assert_string_equal(
	    world_sql(
		"select string_agg(coalesce((%s)::text, '-'), ' ' order by place) "
		"from billing.invoice where tenant_id = '%s'",
		what, world_id_text(who->tenant)),
	    expected);
}

static int64_t
period_s(const struct world_caller *who)
{
	Billing__V1__Subscription *sub;

	must(who, &billing_v1_get_subscription, "{}", &sub);
	return (trl_value_time_us(sub->current_period_end) -
		   trl_value_time_us(sub->current_period_start)) /
	       1000000;
}

static void
a_change_asked_for_again_makes_no_second_invoice(void **state)
{
	struct world_caller who = owner_with("4000000000000341");
	static const char wish[] = "{\"plan\":\"big\",\"interval\":\"month\"}";

	(void)state;
	assert_int_equal(
	    change(&who, wish)->status, BILLING__V1__SUBSCRIPTION__STATUS__incomplete);
	assert_int_equal(
	    change(&who, wish)->status, BILLING__V1__SUBSCRIPTION__STATUS__incomplete);
	invoices_are(&who, "status || attempts", "open2");
	ground_card(&who, "4242424242424242");
	assert_int_equal(
	    change(&who, wish)->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
	assert_int_equal(
	    change(&who, wish)->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
	invoices_are(&who, "status || attempts", "paid3");
}

static void
without_a_way_to_pay_it_is_past_due_and_then_over(void **state)
{
	struct world_caller who = owner_with("4242424242424242");
	int64_t period;

	(void)state;
	change(&who, "{\"plan\":\"big\",\"interval\":\"month\"}");
	period = period_s(&who);
	world_sql("update billing.payment_method set is_default = false "
		  "where tenant_id = '%s'",
	    world_id_text(who.tenant));
	ground_pass(&who, period);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__past_due);
	ground_pass(&who, 7 * DAY - 1);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__past_due);
	ground_pass(&who, 1);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__canceled);
	invoices_are(&who, "attempts", "1 0");
}

/* What was not paid is lowered, and is no credit. */
static void
an_end_before_the_payment_lowers_the_invoice(void **state)
{
	struct world_caller who = owner_with("4242424242424242");
	int64_t days, used, due;

	(void)state;
	change(&who, "{\"plan\":\"big\",\"interval\":\"month\"}");
	ground_card(&who, "4000000000000341");
	ground_pass(&who, period_s(&who));
	ground_pass(&who, 2 * DAY);
	days = period_s(&who) / DAY;
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	used = (5000 * 2 * 2 + days) / (2 * days); /* rounded, of two days */
	due = used + 1000 - ((5000 - used) * 2 + 5) / 10;
	invoices_are(&who, "status || ' ' || total || ' ' || amount_due",
	    trl_arena_printf(
		world.arena, "paid 6000 0 open 6000 %lld", (long long)due));
	assert_int_equal(ground_sum(&who, "receivable"), due);
	assert_int_equal(ground_sum(&who, "credit"), 0);
}

static void
a_discount_is_not_credited(void **state)
{
	struct world_caller who = owner_with("4242424242424242");

	(void)state;
	ground_catalogue(WITH(",\"coupons\":[{\"code\":\"HALF\",\"percent_off\":\"50\","
			      "\"duration\":\"for_ever\"}]"));
	change(&who, "{\"plan\":\"team\",\"seats\":10,\"interval\":\"month\","
		     "\"coupon\":\"HALF\"}");
	ground_pass(&who, period_s(&who) / 2);
	change(&who, "{\"plan\":\"big\"}");
	/* -2250, what is left of 4500; 2500 of the new price, half of it off. */
	invoices_are(&who, "total", "4500 -1000");
	assert_int_equal(ground_sum(&who, "credit"), -1000);
}

static void
what_is_free_by_a_coupon_changes_and_asks_no_provider(void **state)
{
	struct world_caller who = owner_with("4242424242424242");
	Billing__V1__Subscription *sub;

	(void)state;
	ground_catalogue(WITH(",\"coupons\":[{\"code\":\"ALL\",\"percent_off\":\"100\","
			      "\"duration\":\"for_ever\"}]"));
	change(&who, "{\"plan\":\"team\",\"seats\":10,\"interval\":\"year\","
		     "\"coupon\":\"ALL\"}");
	ground_pass(&who, 100 * DAY);
	sub = change(&who, "{\"seats\":12}");
	assert_int_equal(sub->seats, 12);
	invoices_are(&who, "status || total", "paid0 paid0");
	assert_string_equal(
	    world_sql("select count(*) from billing.payment where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "0");
}

static void
drafts_of_what_is_unpaid_have_no_number_and_go_at_the_end(void **state)
{
	struct world_caller who = owner_with("4242424242424242");

	(void)state;
	ground_catalogue(WITH(",\"dunning\":{\"days\":[1,3],\"end\":\"unpaid\"}"));
	change(&who, "{\"plan\":\"big\",\"interval\":\"month\"}");
	ground_card(&who, "4000000000000341");
	ground_pass(&who, period_s(&who));
	ground_pass(&who, 3 * DAY);
	assert_int_equal(status_of(&who), BILLING__V1__SUBSCRIPTION__STATUS__unpaid);
	ground_pass(&who, period_s(&who));
	invoices_are(
	    &who, "status || (number is null)", "paidfalse openfalse drafttrue");
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	invoices_are(&who, "status", "paid open");
	assert_int_equal(ground_sum(&who, "receivable"), 5000);
	change(&who, "{\"plan\":\"big\",\"interval\":\"month\"}");
	invoices_are(&who, "right(number, 1)", "1 2 3");
}

static void
an_amount_that_no_invoice_can_have_is_refused_and_nothing_is_stored(void **state)
{
	struct world_caller who = owner_with("4242424242424242");

	(void)state;
	ground_catalogue(WITH(""));
	assert_int_equal(ask(&who, &billing_v1_change_subscription,
			     "{\"plan\":\"dear\",\"interval\":\"month\","
			     "\"seats\":100000}",
			     NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.field, "seats");
	assert_string_equal(
	    world_sql("select count(*) from billing.invoice where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_change_asked_for_again_makes_no_second_invoice, world_forget),
		cmocka_unit_test_teardown(
		    without_a_way_to_pay_it_is_past_due_and_then_over, world_forget),
		cmocka_unit_test_teardown(
		    an_end_before_the_payment_lowers_the_invoice, world_forget),
		cmocka_unit_test_teardown(a_discount_is_not_credited, world_forget),
		cmocka_unit_test_teardown(
		    what_is_free_by_a_coupon_changes_and_asks_no_provider,
		    world_forget),
		cmocka_unit_test_teardown(
		    drafts_of_what_is_unpaid_have_no_number_and_go_at_the_end,
		    world_forget),
		cmocka_unit_test_teardown(
		    an_amount_that_no_invoice_can_have_is_refused_and_nothing_is_stored,
		    world_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
