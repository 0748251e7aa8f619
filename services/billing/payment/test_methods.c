/* Ways to pay: what is kept of a card, what is refused, and which one is charged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { DAY = 86400 };

static const char *
card(const char *number)
{
	return trl_arena_printf(world.arena,
	    "{\"card_number\":\"%s\",\"expiry_month\":12,\"expiry_year\":2099,"
	    "\"cvc\":\"123\"}",
	    number);
}

static Billing__V1__ListPaymentMethodsReply *
methods_of(const struct world_caller *who)
{
	Billing__V1__ListPaymentMethodsReply *out;

	must(who, &billing_v1_list_payment_methods, "{}", &out);
	return out;
}

static void
the_first_usable_one_is_the_default(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *first = ground_set_up(&who, "4242424242424242");
	Billing__V1__PaymentMethod *second = ground_set_up(&who, "5555 5555-5555 4444");
	Billing__V1__ListPaymentMethodsReply *list = methods_of(&who);

	(void)state;
	assert_int_equal(first->status, BILLING__V1__PAYMENT_METHOD__STATUS__usable);
	assert_true(first->is_default);
	assert_false(second->is_default);
	assert_int_equal(list->n_items, 2);
	assert_string_equal(list->items[0]->brand, "mastercard");
	assert_string_equal(list->items[0]->last4, "4444");
	assert_int_equal(list->items[0]->expiry_year, 2099);
	must(&who, &billing_v1_choose_default_method,
	    ground_id("method_id", second->id), &second);
	assert_true(second->is_default);
	assert_int_equal(second->version, 2);
	list = methods_of(&who);
	assert_true(list->items[0]->is_default);
	assert_false(list->items[1]->is_default);
}

/* I12. */
static void
a_card_that_is_refused_is_not_kept(void **state)
{
	static const struct {
		const char *number, *code, *field;
	} wants[] = {
		{ "4000000000000002", "generic_decline", "card_number" },
		{ "4000000000009995", "insufficient_funds", "card_number" },
		{ "4000000000009987", "lost_card", "card_number" },
		{ "4000000000009979", "stolen_card", "card_number" },
		{ "4000000000006975", "card_velocity_exceeded", "card_number" },
		{ "4000000000000069", "expired_card", "expiry_year" },
		{ "4000000000000127", "incorrect_cvc", "cvc" },
		{ "4000000000000119", "processing_error", "card_number" },
		{ "4242424242424241", "incorrect_number", "card_number" },
		{ "4100000000000019", "fraudulent", "card_number" },
		{ "4000008400001280", "processing_error", "card_number" },
		{ "4929000000006", "test_mode_live_card", "card_number" },
		{ "4242x424242424242", "incorrect_number", "card_number" },
		{ "------------42", "incorrect_number", "card_number" },
	};
	struct world_caller who = ground_owner();

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		assert_int_equal(ask(&who, &billing_v1_create_payment_method,
				     card(wants[i].number), NULL),
		    TRL_INVALID);
		if (!strstr(world.err.message, wants[i].code))
			fail_msg("%s: %s", wants[i].number, world.err.message);
		assert_string_equal(world.err.field, wants[i].field);
	}
	assert_int_equal(methods_of(&who)->n_items, 0);
	assert_string_equal(
	    world_sql("select count(*) from billing.test_provider_request "
		      "where tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "0");
}

static void
a_card_whose_month_is_over_is_refused_by_the_test_clock(void **state)
{
	struct world_caller who = ground_owner();
	const char *year, *month, *json;

	(void)state;
	ground_pass(&who, 0);
	year = world_sql("select extract(year from clock_at at time zone 'UTC') "
			 "from billing.subscription where tenant_id = '%s'",
	    world_id_text(who.tenant));
	year = trl_arena_strdup(world.arena, year);
	month = world_sql("select extract(month from clock_at at time zone 'UTC') "
			  "from billing.subscription where tenant_id = '%s'",
	    world_id_text(who.tenant));
	json = trl_arena_printf(world.arena,
	    "{\"card_number\":\"4242424242424242\","
	    "\"expiry_month\":%s,\"expiry_year\":%s}",
	    month, year);
	must(&who, &billing_v1_create_payment_method, json, NULL);
	ground_pass(&who, 32 * DAY);
	assert_int_equal(
	    ask(&who, &billing_v1_create_payment_method, json, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "expiry_year");
}

static void
no_number_is_kept_anywhere(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_set_up(&who, "4242424242424242");
	assert_string_equal(
	    world_sql("select count(*) from (select t::text as r from "
		      "billing.payment_method t union all select t::text from "
		      "billing.test_provider_request t union all select t::text from "
		      "billing.audit t union all select t::text from billing.outbox t "
		      "union all select t::text from billing.idempotency t) kept "
		      "where r ~ '4242424242424242' "
		      "or r ~ encode('4242424242424242', 'hex')"),
	    "0");
	assert_string_equal(world_sql("select reference from billing.payment_method "
				      "where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "test_4242");
}

static void
the_twenty_first_is_one_too_many(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	for (int i = 0; i < 20; i++)
		ground_set_up(&who, "4242424242424242");
	assert_int_equal(ask(&who, &billing_v1_create_payment_method,
			     card("4242424242424242"), NULL),
	    TRL_QUOTA);
	assert_int_equal(methods_of(&who)->n_items, 20);
}

/* I16: the bank asks when the card is set up. */
static void
a_card_that_asks_is_usable_once_its_holder_answered(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__PaymentMethod *made = ground_set_up(&who, "4000002500003155");

	(void)state;
	assert_int_equal(made->status, BILLING__V1__PAYMENT_METHOD__STATUS__pending);
	assert_false(made->is_default);
	assert_string_equal(made->next_action_url,
	    trl_arena_printf(world.arena, "/api/v1/payment-challenges/%s",
		world_id_text(trl_value_id(made->id))));
	assert_int_equal(ask(&who, &billing_v1_choose_default_method,
			     ground_id("method_id", made->id), NULL),
	    TRL_CONFLICT);
	assert_int_equal(ground_answer(&other, made->id, true), TRL_NOT_FOUND);
	assert_int_equal(ground_answer(&who, made->id, true), TRL_OK);
	assert_int_equal(
	    ground_answer(&who, made->id, false), TRL_OK); /* it is too late */
	made = methods_of(&who)->items[0];
	assert_int_equal(made->status, BILLING__V1__PAYMENT_METHOD__STATUS__usable);
	assert_true(made->is_default);
	assert_null(made->next_action_url);
}

/* As where a door is lost and the same is asked at another one. */
static void
two_answers_at_once_are_one(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *made = ground_set_up(&who, "4000002500003155");
	const ProtobufCMessage *in = ground_message(&billing_v1_answer_challenge,
	    trl_arena_printf(world.arena, "{\"challenge_id\":\"%s\",\"pass\":true}",
		world_id_text(trl_value_id(made->id))));
	struct world_run run[2];
	struct world_run *const runs[] = { &run[0], &run[1] };

	(void)state;
	for (int i = 0; i < 2; i++) {
		run[i] = (struct world_run){
			.who = who, .method = &billing_v1_answer_challenge, .in = in
		};
		world_start(&run[i]);
	}
	world_wait(runs, 2);
	assert_int_equal(run[0].rc, TRL_OK);
	assert_int_equal(run[1].rc, TRL_OK);
	made = methods_of(&who)->items[0];
	assert_int_equal(made->status, BILLING__V1__PAYMENT_METHOD__STATUS__usable);
	assert_int_equal(made->version, 2);
}

static void
a_card_whose_holder_fails_is_not_kept(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *made = ground_set_up(&who, "4000002760003184");

	(void)state;
	assert_int_equal(ground_answer(&who, made->id, false), TRL_OK);
	assert_int_equal(methods_of(&who)->n_items, 0);
	assert_int_equal(ground_answer(&who, made->id, true), TRL_NOT_FOUND);
}

static void
with_a_card_what_waits_is_paid_at_once(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	ground_set_up(&who, "4242424242424242");
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(ground_sum(&who, "cash"), 6000);
}

static void
with_another_default_what_waits_is_tried_the_oldest_first(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *good;

	(void)state;
	ground_catalogue(trl_arena_printf(world.arena, "%s",
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
	    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,\"prices\":[{"
	    "\"key\":\"big-month\",\"currency\":\"EUR\",\"interval\":\"month\","
	    "\"model\":\"fixed\",\"unit_amount\":\"5000\"}]}],"
	    "\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\"}},"
	    "\"dunning\":{\"end\":\"past_due\"},\"fallback_plan\":\"free\"}"));
	ground_pass(&who, 0);
	ground_set_up(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	good = methods_of(&who)->items[0];
	must(&who, &billing_v1_choose_default_method,
	    ground_id("method_id", ground_set_up(&who, "4000000000000341")->id), NULL);
	ground_pass(&who, 65 * DAY);
	assert_string_equal(ground_of(&who, "status"), "past_due");
	must(&who, &billing_v1_choose_default_method, ground_id("method_id", good->id),
	    NULL);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_string_equal(
	    world_sql("select string_agg(i.place::text, ' ' order by p.settled_at, "
		      "p.id) from billing.payment p join billing.invoice i "
		      "on i.tenant_id = p.tenant_id and i.id = p.invoice_id "
		      "where p.tenant_id = '%s' and p.status = 'succeeded'",
		world_id_text(who.tenant)),
	    "1 2 3");
}

static void
the_default_of_a_subscription_stays(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__PaymentMethod *made = ground_set_up(&who, "4242424242424242"),
				   *other;

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	assert_int_equal(ask(&who, &billing_v1_remove_payment_method,
			     ground_id("method_id", made->id), NULL),
	    TRL_CONFLICT);
	other = ground_set_up(&who, "5555555555554444");
	must(&who, &billing_v1_choose_default_method, ground_id("method_id", other->id),
	    NULL);
	must(&who, &billing_v1_remove_payment_method, ground_id("method_id", made->id),
	    NULL);
	assert_int_equal(methods_of(&who)->n_items, 1);
	assert_int_equal(ask(&who, &billing_v1_remove_payment_method,
			     ground_id("method_id", made->id), NULL),
	    TRL_NOT_FOUND);
}

static void
nobody_sees_or_takes_another_ones(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__PaymentMethod *made = ground_set_up(&who, "4242424242424242");

	(void)state;
	assert_int_equal(methods_of(&other)->n_items, 0);
	assert_int_equal(ask(&other, &billing_v1_choose_default_method,
			     ground_id("method_id", made->id), NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(ask(&other, &billing_v1_remove_payment_method,
			     ground_id("method_id", made->id), NULL),
	    TRL_NOT_FOUND);
}

static void
a_replay_makes_no_second_one(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	who.idempotency_key = "the same";
	ground_set_up(&who, "4242424242424242");
	ground_set_up(&who, "4242424242424242");
	who.idempotency_key = NULL;
	assert_int_equal(methods_of(&who)->n_items, 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_usable_one_is_the_default),
		TEST(a_card_that_is_refused_is_not_kept),
		TEST(a_card_whose_month_is_over_is_refused_by_the_test_clock),
		TEST(no_number_is_kept_anywhere),
		TEST(the_twenty_first_is_one_too_many),
		TEST(a_card_that_asks_is_usable_once_its_holder_answered),
		TEST(two_answers_at_once_are_one),
		TEST(a_card_whose_holder_fails_is_not_kept),
		TEST(with_a_card_what_waits_is_paid_at_once),
		TEST(the_default_of_a_subscription_stays),
		TEST(nobody_sees_or_takes_another_ones),
		TEST(a_replay_makes_no_second_one),
		TEST(with_another_default_what_waits_is_tried_the_oldest_first),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
