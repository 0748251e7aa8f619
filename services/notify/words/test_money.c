/* What people are told of money: whom, in whose words, and with which amounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <billing_v1.trl.h>

#include "test_ground.h"

#define SPACE "\u00a0"

static char text[200000];

static Google__Protobuf__Timestamp *at; /* 2026-04-03T10:00:00Z */

/* An organisation with an owner and an admin of a domain, in a language. */
struct house {
	struct trl_id id, owner, admin;
	const char *owners, *admins; /* addresses */
};

static struct house
house_of(const char *domain, const char *locale)
{
	struct house house = { .id = world_tenant("Acme"),
		.owners = trl_arena_printf(world.arena, "owner@%s", domain),
		.admins = trl_arena_printf(world.arena, "admin@%s", domain) };

	house.owner = world_person(house.owners, locale, true);
	house.admin = world_person(house.admins, locale, true);
	world_member(
	    house.id, house.owner, TENANTS__V1__MEMBER__ROLE__owner, trl_id_nil);
	world_member(
	    house.id, house.admin, TENANTS__V1__MEMBER__ROLE__admin, trl_id_nil);
	return house;
}

static Billing__V1__Invoice
invoice_of(const struct trl_id *id)
{
	Billing__V1__Invoice invoice = BILLING__V1__INVOICE__INIT;

	trl_set(&invoice, id, world_bytes(id));
	invoice.number = (char *)(uintptr_t) "INV-K7Q2MX-000001";
	invoice.currency = (char *)(uintptr_t) "EUR";
	trl_set(&invoice, total, 123456);
	trl_set(&invoice, amount_due, 123456);
	trl_set(&invoice, amount_paid, 0);
	return invoice;
}

static void
hear(const struct house *house, const struct trl_event_type *type,
    Billing__V1__InvoiceEvent *told)
{
	world_hear(type, house->id, trl_value_id(told->invoice->id), &told->base, 1);
	world_settle();
}

static void
a_receipt_goes_to_owners_whoever_paid(void **state)
{
	struct house house = house_of("receipt.example", "de-AT");
	struct trl_id id = trl_id_new();
	Billing__V1__Invoice invoice = invoice_of(&id);
	Billing__V1__InvoiceEvent told = BILLING__V1__INVOICE_EVENT__INIT;

	(void)state;
	trl_set(&invoice, amount_paid, 123456);
	trl_set(&invoice, amount_due, 0);
	invoice.paid_at = at;
	told.invoice = &invoice;
	trl_set(&told, by, world_bytes(&house.owner));
	trl_set(&told, receipt, true);
	hear(&house, &billing_event_invoice_paid, &told);
	assert_int_equal(world_mails(house.owners, text, sizeof text), 1);
	assert_non_null(strstr(text, "Bezahlt:   1234,56" SPACE "EUR"));
	assert_non_null(strstr(text, "Wann:      2026-04-03 10:00 UTC"));
	assert_non_null(strstr(text,
	    trl_arena_printf(world.arena, "https://trellis.test/tenants/%s/invoices/%s",
		world_id_text(house.id), world_id_text(id))));
	assert_int_equal(world_mails(house.admins, text, sizeof text), 0);
}

/* One that credit settled, or that was over nothing. */
static void
what_was_not_paid_for_has_no_receipt(void **state)
{
	struct house house = house_of("credit.example", NULL);
	struct trl_id id = trl_id_new();
	Billing__V1__Invoice invoice = invoice_of(&id);
	Billing__V1__InvoiceEvent told = BILLING__V1__INVOICE_EVENT__INIT;

	(void)state;
	told.invoice = &invoice;
	trl_set(&told, receipt, false);
	hear(&house, &billing_event_invoice_paid, &told);
	hear(&house, &billing_event_invoice_finalized, &told);
	assert_int_equal(world_mails(house.owners, text, sizeof text), 0);
}

static void
a_refused_payment_says_what_helps(void **state)
{
	static const char *const words[] = { "Ask your bank, or pay with another card.",
		"Another card is needed", "not enough money", "wants you to confirm" };

	(void)state;
	for (unsigned i = 0; i < TRL_COUNT(words); i++) {
		struct house house = house_of(
		    trl_arena_printf(world.arena, "refused%u.example", i), "en");
		struct trl_id id = trl_id_new();
		Billing__V1__Invoice invoice = invoice_of(&id);
		Billing__V1__InvoiceEvent told = BILLING__V1__INVOICE_EVENT__INIT;
		Billing__V1__Remedy remedy = BILLING__V1__REMEDY__INIT;
		Billing__V1__Payment payment = BILLING__V1__PAYMENT__INIT;

		remedy.has_another_card = remedy.has_money = remedy.has_confirmation =
		    true;
		remedy.another_card = i == 1;
		remedy.money = i == 2;
		remedy.confirmation = i == 3;
		told.invoice = &invoice;
		told.remedy = i > 0 ? &remedy : NULL;
		trl_set(&payment, amount, 500000);
		payment.currency = invoice.currency;
		told.payment = i == 3 ? &payment : NULL; /* part was credited since */
		if (i == 2)
			invoice.next_attempt_at = at;
		hear(&house, &billing_event_invoice_payment_failed, &told);
		assert_int_equal(world_mails(house.owners, text, sizeof text), 1);
		for (unsigned k = 0; k < TRL_COUNT(words); k++)
			assert_int_equal(strstr(text, words[k]) != NULL, k == i);
		assert_non_null(
		    strstr(text, i == 3 ? "A payment of 5000.00" SPACE "EUR for"
					: "A payment of 1234.56" SPACE "EUR for"));
		assert_non_null(strstr(text, "To be paid: 1234.56" SPACE "EUR."));
		assert_non_null(
		    strstr(text, i == 2 ? "We try again at 2026-04-03 10:00 UTC."
					: "We do not try again by ourselves."));
		assert_null(strstr(text, "List-Unsubscribe"));
	}
}

static void
whoever_is_at_it_needs_no_mail_to_confirm(void **state)
{
	struct house house = house_of("confirm.example", NULL);
	struct trl_id id = trl_id_new();
	Billing__V1__Invoice invoice = invoice_of(&id);
	Billing__V1__InvoiceEvent told = BILLING__V1__INVOICE_EVENT__INIT;

	(void)state;
	told.invoice = &invoice;
	trl_set(&told, by, world_bytes(&house.owner));
	hear(&house, &billing_event_invoice_action_needed, &told);
	assert_int_equal(world_mails(house.owners, text, sizeof text), 0);
	told.has_by = false; /* a renewal */
	hear(&house, &billing_event_invoice_action_needed, &told);
	assert_int_equal(world_mails(house.owners, text, sizeof text), 1);
	assert_non_null(strstr(text, "do not confirm it."));
}

static void
a_trial_that_ends_says_what_comes(void **state)
{
	struct house house = house_of("trial.example", NULL);
	Billing__V1__SubscriptionEvent told = BILLING__V1__SUBSCRIPTION_EVENT__INIT;
	Billing__V1__Subscription subscription = BILLING__V1__SUBSCRIPTION__INIT;
	Billing__V1__TrialEnd end = BILLING__V1__TRIAL_END__INIT;

	(void)state;
	subscription.trial_end = at;
	end.has_can_pay = end.has_cancels = end.has_amount = true;
	end.amount = 4500;
	end.currency = (char *)(uintptr_t) "EUR";
	told.subscription = &subscription;
	told.trial = &end;
	told.plan_name = (char *)(uintptr_t) "Team";
	for (int i = 0; i < 3; i++) {
		end.can_pay = i == 2;
		end.cancels = i == 1;
		world_hear(&billing_event_subscription_trial_ending, house.id, house.id,
		    &told.base, 1);
		world_settle();
		assert_int_equal(
		    world_mails(house.owners, text, sizeof text), (unsigned)i + 1);
		assert_non_null(strstr(text, "ends at 2026-04-03 10:00 UTC"));
		assert_non_null(strstr(text, "45.00" SPACE "EUR a period"));
		assert_non_null(strstr(text, i == 0   ? "it pauses"
					     : i == 1 ? "it ends"
						      : "cancel before"));
	}
}

static int
open_with_a_time(void **state)
{
	static Google__Protobuf__Timestamp moment;

	google__protobuf__timestamp__init(&moment);
	moment.seconds = 1775210400;
	at = &moment;
	return ground_open(state);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, ground_settle)
	const struct CMUnitTest tests[] = {
		TEST(a_receipt_goes_to_owners_whoever_paid),
		TEST(what_was_not_paid_for_has_no_receipt),
		TEST(a_refused_payment_says_what_helps),
		TEST(whoever_is_at_it_needs_no_mail_to_confirm),
		TEST(a_trial_that_ends_says_what_comes),
	};
	return cmocka_run_group_tests(tests, open_with_a_time, ground_close);
}
