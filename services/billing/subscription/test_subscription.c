/* A subscription from its first payment to its end, in rows, invoices and the ledger.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "test_ground.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static Billing__V1__Subscription *
subscription_of(const struct world_caller *who)
{
	Billing__V1__Subscription *out;

	must(who, &billing_v1_get_subscription, "{}", &out);
	return out;
}

static void
nobody_is_on_the_fallback_plan(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub = subscription_of(&who);

	(void)state;
	assert_int_equal(sub->version, 0);
	assert_false(sub->has_status);
	assert_string_equal(sub->plan, "free");
}

static void
refused(const struct world_caller *who, const char *change, const char *field,
    const char *why)
{
	assert_int_equal(
	    ask(who, &billing_v1_change_subscription, change, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, field);
	assert_non_null(strstr(world.err.message, why));
}

static void
who_asks_for_the_fallback_plan_is_told_to_cancel(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	refused(&who, "{\"plan\":\"free\"}", "plan", "cancel the subscription");
	refused(&who, "{\"plan\":\"none\"}", "plan", "no plan none");
}

/* Team has 20 seats. */
static void
nobody_buys_seats_that_the_plan_does_not_have(void **state)
{
	struct world_caller who = ground_owner();
	static const char wish[] = "{\"plan\":\"team\",\"seats\":21,"
				   "\"interval\":\"month\"}";

	(void)state;
	ground_card(&who, "4242424242424242");
	refused(&who, wish, "seats", "at most 20 seats");
	assert_int_equal(
	    ask(&who, &billing_v1_preview_subscription, wish, NULL), TRL_INVALID);
	must(&ground_operator, &billing_v1_override_entitlement,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"value\":{\"feature\":\"seats\"}}",
		world_id_text(who.tenant)),
	    NULL);
	must(&who, &billing_v1_change_subscription, wish, NULL);
	/* What it has it keeps, and may have less of. */
	must(&ground_operator, &billing_v1_override_entitlement,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"value\":{\"feature\":\"seats\"},"
		"\"remove\":true}",
		world_id_text(who.tenant)),
	    NULL);
	refused(&who, "{\"seats\":22}", "seats", "at most 20 seats");
	must(&who, &billing_v1_change_subscription, "{\"seats\":21}", NULL);
	must(&who, &billing_v1_change_subscription, "{\"interval\":\"month\"}", NULL);
	assert_int_equal(subscription_of(&who)->seats, 21);
}

static void
what_is_paid_is_active_and_booked(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;
	Billing__V1__ListInvoicesReply *list;
	Billing__V1__Invoice *invoice;

	(void)state;
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\"}", NULL);
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"seats\":5,\"interval\":\"month\"}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
	assert_string_equal(sub->plan, "team");
	assert_int_equal(sub->seats, 5);
	must(&who, &billing_v1_list_invoices, "{}", &list);
	assert_int_equal(list->n_items, 1);
	assert_int_equal(list->items[0]->total, 5400);
	must(&who, &billing_v1_get_invoice,
	    trl_arena_printf(world.arena, "{\"invoice_id\":\"%s\"}",
		world_id_text(trl_value_id(list->items[0]->id))),
	    &invoice);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(invoice->n_lines, 1);
	assert_int_equal(invoice->tax, 900);
	assert_int_equal(invoice->amount_paid, 5400);
	assert_int_equal(ground_sum(&who, "cash"), 5400);
	assert_int_equal(ground_sum(&who, "revenue"), -4500);
	assert_int_equal(ground_sum(&who, "tax"), -900);
	assert_int_equal(ground_sum(&who, "receivable"), 0);
}

static void
what_is_refused_waits_and_expires(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__incomplete);
	ground_pass(&who, 23 * HOUR - 1);
	assert_int_equal(subscription_of(&who)->status,
	    BILLING__V1__SUBSCRIPTION__STATUS__incomplete);
	ground_pass(&who, 1);
	assert_int_equal(subscription_of(&who)->status,
	    BILLING__V1__SUBSCRIPTION__STATUS__incomplete_expired);
	assert_int_equal(ground_sum(&who, "receivable"), 0);
	assert_string_equal(
	    world_sql("select string_agg(status, ',') from billing.invoice "
		      "where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "void");
}

static void
renewals_come_by_the_clock(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	ground_pass(&who, 366 * DAY);
	assert_string_equal(
	    world_sql("select count(*) || ' ' || sum(amount_paid) || ' ' || "
		      "count(distinct number) from billing.invoice "
		      "where tenant_id = '%s' and status = 'paid'",
		world_id_text(who.tenant)),
	    "13 78000 13");
	assert_int_equal(ground_sum(&who, "cash"), 78000);
}

static void
a_preview_is_the_invoice_that_follows(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Preview *preview;
	Billing__V1__ListInvoicesReply *list;
	static const char change[] = "{\"plan\":\"big\"}";

	(void)state;
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"seats\":2,\"interval\":\"month\"}", NULL);
	ground_pass(&who, 10 * DAY);
	must(&who, &billing_v1_preview_subscription, change, &preview);
	must(&who, &billing_v1_change_subscription, change, NULL);
	must(&who, &billing_v1_list_invoices, "{}", &list);
	assert_int_equal(list->n_items, 2);
	assert_true(preview->invoice != NULL);
	assert_int_equal(preview->invoice->n_lines, 2);
	assert_int_equal(preview->invoice->total, list->items[0]->total);
	assert_int_equal(preview->renewal->total, 6000);
}

/* Of an upgrade whose payment waits for its payer everything is said that leads on. */
static void
what_waits_names_its_invoice_and_what_to_do(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"interval\":\"month\"}", &sub);
	assert_true(sub->has_latest_invoice_id);
	assert_null(sub->next_action);
	ground_card(&who, "4000003800000446"); /* its bank asks the payer */
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_non_null(sub->pending_change);
	assert_true(trl_id_eq(trl_value_id(sub->latest_invoice_id),
	    trl_value_id(sub->pending_change->invoice_id)));
	assert_non_null(sub->next_action);
	assert_non_null(strstr(sub->next_action->url, "/api/v1/payment-challenges/"));
}

static void
a_zone_or_a_country_that_is_none_is_refused_with_its_field(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	assert_int_equal(ask(&who, &billing_v1_put_profile,
			     "{\"legal_name\":\"Ann\",\"country\":\"AT\","
			     "\"time_zone\":\"nobody-knows-this\"}",
			     NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.field, "time_zone");
	assert_int_equal(ask(&who, &billing_v1_put_profile,
			     "{\"legal_name\":\"Ann\",\"country\":\"XX\"}", NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.field, "country");
}

/* The plan big at prices (JSON), in a catalogue with a seller (JSON). */
static void
sells(const char *seller, const char *prices)
{
	ground_catalogue(trl_arena_printf(world.arena,
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
	    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,\"prices\":[%s]}],"
	    "\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\"}%s},"
	    "\"fallback_plan\":\"free\"}",
	    prices, seller));
}

#define PRICE(key, amount)                                                             \
	"{\"key\":\"" key "\",\"currency\":\"EUR\",\"interval\":\"month\","            \
	"\"model\":\"fixed\",\"unit_amount\":\"" amount "\"}"

/* Each turn of the clock reads the catalogue anew: what it takes goes with it. */
static void
ten_years_of_months_pass_at_once_with_a_logo_of_64_kib(void **state)
{
	static uint8_t logo[64 << 10] =
	    "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1";
	static char text[sodium_base64_ENCODED_LEN(
	    sizeof logo, sodium_base64_VARIANT_ORIGINAL)];
	struct world_caller who = ground_owner();

	(void)state;
	sodium_bin2base64(
	    text, sizeof text, logo, sizeof logo, sodium_base64_VARIANT_ORIGINAL);
	sells(trl_arena_printf(world.arena, ",\"logo\":\"%s\"", text),
	    PRICE("big-month", "5000"));
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_pass(&who, 3655 * DAY);
	assert_string_equal(
	    world_sql("select count(*) || ' ' || sum(amount_paid) from billing.invoice "
		      "where tenant_id = '%s' and status = 'paid'",
		world_id_text(who.tenant)),
	    "121 605000");
}

static void
who_asks_for_the_present_plan_and_interval_keeps_the_price(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;
	Billing__V1__ListInvoicesReply *list;

	(void)state;
	sells("", PRICE("big-1", "5000"));
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"big\",\"interval\":\"month\"}", NULL);
	sells("", PRICE("big-2", "9000")); /* big-1 is sold no more */
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"big\",\"interval\":\"month\"}", &sub);
	assert_string_equal(sub->price, "big-1");
	assert_null(sub->pending_change);
	must(&who, &billing_v1_list_invoices, "{}", &list);
	assert_int_equal(list->n_items, 1);
}

static void
a_hidden_plan_is_there_for_whoever_has_it_and_nobody_else(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__Subscription *sub;
	Billing__V1__Preview *preview;

	(void)state;
	sells("", PRICE("big-1", "5000"));
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_catalogue("{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0}],"
			 "\"fallback_plan\":\"free\"}");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_string_equal(sub->price, "big-1");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"big\",\"interval\":\"month\",\"seats\":3}", &sub);
	assert_string_equal(sub->price, "big-1");
	assert_int_equal(sub->seats, 3);
	must(&who, &billing_v1_preview_subscription, "{\"plan\":\"big\"}", &preview);
	assert_int_equal(preview->renewal->net, 5000);
	assert_int_equal(ask(&who, &billing_v1_change_subscription,
			     "{\"plan\":\"big\",\"interval\":\"year\"}", NULL),
	    TRL_INVALID);
	assert_non_null(strstr(world.err.message, "not sold for this interval"));
	assert_int_equal(
	    ask(&other, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.message, "There is no plan big.");
	assert_string_equal(world.err.field, "plan");
}

static void
what_is_changed_under_a_test_clock_has_its_time(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;
	Billing__V1__Profile *profile;

	(void)state;
	sells("", PRICE("big-1", "5000"));
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 40 * DAY);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", &sub);
	assert_true(
	    trl_value_time_us(sub->updated_at) / 1000000 > ground_now() + 39 * DAY);
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\"}", &profile);
	assert_true(
	    trl_value_time_us(profile->updated_at) / 1000000 > ground_now() + 39 * DAY);
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nobody_is_on_the_fallback_plan, world_forget),
		cmocka_unit_test_teardown(
		    what_is_paid_is_active_and_booked, world_forget),
		cmocka_unit_test_teardown(
		    what_is_refused_waits_and_expires, world_forget),
		cmocka_unit_test_teardown(renewals_come_by_the_clock, world_forget),
		cmocka_unit_test_teardown(
		    a_preview_is_the_invoice_that_follows, world_forget),
		cmocka_unit_test_teardown(
		    what_waits_names_its_invoice_and_what_to_do, world_forget),
		cmocka_unit_test_teardown(
		    a_zone_or_a_country_that_is_none_is_refused_with_its_field,
		    world_forget),
		TEST(who_asks_for_the_fallback_plan_is_told_to_cancel),
		TEST(nobody_buys_seats_that_the_plan_does_not_have),
		TEST(ten_years_of_months_pass_at_once_with_a_logo_of_64_kib),
		TEST(who_asks_for_the_present_plan_and_interval_keeps_the_price),
		TEST(a_hidden_plan_is_there_for_whoever_has_it_and_nobody_else),
		TEST(what_is_changed_under_a_test_clock_has_its_time),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
