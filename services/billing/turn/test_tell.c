/* What a turn tells others, and what it writes into the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { DAY = 24 * 3600 };

/* The payload of the newest event of a type. */
static const ProtobufCMessage *
newest(const struct world_caller *who, const struct trl_event_type *type)
{
	const char *hex = world_sql("select encode(payload, 'hex') from billing.outbox "
				    "where tenant_id = '%s' and "
				    "type = '%s' order by id desc limit 1",
	    world_id_text(who->tenant), type->name);
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(world.arena, len + 1);
	ProtobufCMessage *message;

	assert_true(len > 0);
	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	message = protobuf_c_message_unpack(
	    type->message->descriptor, trl_arena_protobuf(world.arena), len, bytes);
	assert_non_null(message);
	return message;
}

static const Billing__V1__InvoiceEvent *
invoice_event(const struct world_caller *who, const struct trl_event_type *type)
{
	return (const Billing__V1__InvoiceEvent *)newest(who, type);
}

/* Its audit entries, without those of the test clock: who did what. */
static const char *
audit(const struct world_caller *who)
{
	return world_sql(
	    "select string_agg(actor_kind || ' ' || substr(action, 9), ', ' order by "
	    "seq) "
	    "from billing.audit where tenant_id = '%s' and action not like '%%clock%%'",
	    world_id_text(who->tenant));
}

static void
what_is_paid_is_told_with_who_paid_and_as_it_is_then(void **state)
{
	struct world_caller who = ground_owner();
	const Billing__V1__InvoiceEvent *told;

	(void)state;
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"interval\":\"month\"}", NULL);
	told = invoice_event(&who, &billing_event_invoice_paid);
	assert_true(told->receipt);
	assert_true(trl_id_eq(trl_value_id(told->by), who.person->account));
	assert_int_equal(told->invoice->amount_paid, told->invoice->total);
	assert_int_equal(told->invoice->n_lines, 0);
	assert_string_equal(world_sql("select version from billing.invoice where "
				      "tenant_id = '%s'",
				world_id_text(who.tenant)),
	    trl_arena_printf(world.arena, "%lld", (long long)told->invoice->version));
	assert_string_equal(
	    audit(&who), "person subscription.change, person subscription.start");
}

/* A coupon of all of it, say, or credit. */
static void
what_costs_nothing_is_no_receipt(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Subscription *sub;

	(void)state;
	ground_card(&who, "4242424242424242");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"big\",\"interval\":\"month\"}", NULL);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"interval\":\"month\"}", &sub);
	assert_int_equal(sub->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
	assert_false(invoice_event(&who, &billing_event_invoice_paid)->receipt);
}

static void
a_refused_renewal_says_when_it_is_tried_again(void **state)
{
	struct world_caller who = ground_owner();
	const Billing__V1__InvoiceEvent *told;

	(void)state;
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 32 * DAY);
	told = invoice_event(&who, &billing_event_invoice_payment_failed);
	assert_false(told->has_by);
	assert_int_equal(told->payment->amount, told->invoice->total);
	assert_true(told->invoice->next_attempt_at != NULL);
	assert_true(told->remedy == NULL);
	assert_string_equal(told->invoice->decline_code, "generic_decline");
	assert_string_equal(
	    world_sql("select next_attempt_at - issued_at from billing.invoice where "
		      "tenant_id = '%s' and status = 'open'",
		world_id_text(who.tenant)),
	    "3 days"); /* the first retry has been */
	assert_string_equal(audit(&who), "person subscription.change, "
					 "person subscription.start, "
					 "operator subscription.update");
}

static void
a_trial_that_ends_is_told_with_its_price(void **state)
{
	struct world_caller who = ground_owner();
	const Billing__V1__SubscriptionEvent *told;

	(void)state;
	ground_trial("\"days\":14,\"end\":\"cancel\"");
	ground_found(&who, ground_now() - 12 * DAY);
	ground_settle();
	told = (const Billing__V1__SubscriptionEvent *)newest(
	    &who, &billing_event_subscription_trial_ending);
	assert_string_equal(told->plan_name, "Team");
	assert_int_equal(told->trial->amount, 900);
	assert_string_equal(told->trial->currency, "EUR");
	assert_true(told->trial->cancels);
	assert_false(told->trial->can_pay);
	assert_string_equal(audit(&who), "service subscription.start");
}

static void
an_audit_entry_says_what_it_is_since(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Ann\",\"country\":\"AT\"}", NULL);
	assert_string_equal(
	    world_sql("select detail::json->>'legal_name' from billing.audit where "
		      "tenant_id = '%s' and action = 'billing.profile.update'",
		world_id_text(who.tenant)),
	    "Ann");
	must(&who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"interval\":\"month\",\"seats\":4}", NULL);
	assert_string_equal(
	    world_sql("select concat_ws(' ', detail::json->>'plan', "
		      "detail::json->>'seats') from billing.audit where tenant_id = "
		      "'%s' and action = 'billing.subscription.change'",
		world_id_text(who.tenant)),
	    "team 4");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(what_is_paid_is_told_with_who_paid_and_as_it_is_then),
		TEST(what_costs_nothing_is_no_receipt),
		TEST(a_refused_renewal_says_when_it_is_tried_again),
		TEST(an_audit_entry_says_what_it_is_since),
		TEST(a_trial_that_ends_is_told_with_its_price),
	};
	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
