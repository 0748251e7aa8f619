/* CheckLedger: books that hold have no fault, and each kind of fault is found and
 * named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"

/* An organisation in Austria that paid 6000 (5000 and its tax) and got 1200 of it back,
 * by a credit note; whose next invoice was given up, and whose next is open. */
static struct world_caller
customer(void)
{
	struct world_caller who = shop_customer("\"country\":\"AT\"");

	shop_subscribe(&who, "{\"plan\":\"big\"}");
	must(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(&who, shop_invoice(&who, 0),
		",\"reason\":\"order_change\",\"amount\":1200,\"refund\":true"),
	    NULL);
	ground_settle();
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	must(&ground_operator, &billing_v1_write_off,
	    shop_about(&who, shop_invoice(&who, 0), ""), NULL);
	ground_pass(&who, 31 * SHOP_DAY);
	assert_int_equal(
	    shop_invoice(&who, 0)->status, BILLING__V1__INVOICE__STATUS__open);
	assert_string_equal(ground_faults(&who), "");
	return who;
}

/* Changes rows behind billing's back; %s of the statement stands for the tenant. */
static void
plant(const struct world_caller *who, const char *change)
{
	const char *tenant = world_id_text(who->tenant);
	const char *at = strstr(change, "%s");

	assert_non_null(at);
	world_sql("set search_path to billing; %.*s'%s'%s; reset search_path",
	    (int)(at - change), change, tenant, at + 2);
}

/* Of the account, with both its sums. */
static void
names(const char *faults, const struct world_caller *who, const char *account,
    int64_t booked, int64_t stands)
{
	const char *wanted = trl_arena_printf(world.arena,
	    "account %s of organisation %s in EUR is %lld in the ledger and %lld by "
	    "the rows\n",
	    account, world_id_text(who->tenant), (long long)booked, (long long)stands);

	if (!strstr(faults, wanted))
		fail_msg("no \"%s\" in \"%s\"", wanted, faults);
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void
what_billing_books_holds(void **state)
{
	struct world_caller who = customer();

	(void)state;
	assert_int_equal(ground_sum(&who, "cash"), 4800);
	assert_int_equal(ground_sum(&who, "revenue"), -14000);
	assert_int_equal(ground_sum(&who, "tax"), -2800);
	assert_int_equal(ground_sum(&who, "bad_debt"), 6000);
	assert_int_equal(ground_sum(&who, "receivable"), 6000);
	assert_int_equal(ground_sum(&who, "refunds"), 0);
}

static void
an_account_that_says_something_else_is_named_with_both_sums(void **state)
{
	static const struct {
		const char *change, *account;
		int64_t booked, stands;
	} rows[] = {
		{ "update invoice set net = net + 1 where place = 1 and tenant_id = %s",
		    "revenue", -14000, -14001 },
		{ "update invoice set tax = tax - 7 where place = 1 and tenant_id = %s",
		    "tax", -2800, -2793 },
		{ "update credit_note set net = net - 1 where tenant_id = %s",
		    "revenue", -14000, -14001 },
		{ "update credit_note set tax = 0 where tenant_id = %s", "tax", -2800,
		    -3000 },
		{ "update credit_note set refunded = 0 where tenant_id = %s", "refunds",
		    0, 1200 },
		{ "update invoice set amount_due = 1 where status = 'open' and "
		  "tenant_id = %s",
		    "receivable", 6000, 1 },
		{ "update invoice set amount_due = 5 where status = 'uncollectible' "
		  "and tenant_id = %s",
		    "bad_debt", 6000, 5 },
		{ "update subscription set balance = 9 where tenant_id = %s", "credit",
		    0, -9 },
		{ "update subscription set carried = 9 where tenant_id = %s", "carried",
		    0, 9 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct world_caller who = customer();
		const char *faults;

		plant(&who, rows[i].change);
		faults = ground_faults(&who);
		names(faults, &who, rows[i].account, rows[i].booked, rows[i].stands);
		assert_int_equal(lines(faults), 1);
		world_forget(NULL);
	}
}

/* The accounts, and the payment itself, with its id. */
static void
payment_is_named(const struct world_caller *who, const char *id, int64_t booked,
    int64_t stands, int64_t account_booked, int64_t account_stands)
{
	const char *faults = ground_faults(who);
	const char *wanted = trl_arena_printf(world.arena,
	    "payment %s of organisation %s in EUR moved %lld of account cash in the "
	    "ledger and %lld by its row\n",
	    id, world_id_text(who->tenant), (long long)booked, (long long)stands);

	if (!strstr(faults, wanted))
		fail_msg("no \"%s\" in \"%s\"", wanted, faults);
	names(faults, who, "cash", account_booked, account_stands);
}

static const char *
payment_of(const struct world_caller *who, const char *kind)
{
	return trl_arena_strdup(world.arena,
	    world_sql(
		"select id from billing.payment where tenant_id = '%s' and kind = "
		"'%s' and status = 'succeeded'",
		world_id_text(who->tenant), kind));
}

static void
a_payment_without_its_transaction_is_named(void **state)
{
	struct world_caller who = customer();

	(void)state;
	plant(&who, "delete from ledger_transaction where cause = 'payment' and "
		    "tenant_id = %s");
	payment_is_named(&who, payment_of(&who, "payment"), 0, 6000, -1200, 4800);
	names(ground_faults(&who), &who, "receivable", 12000, 6000);
}

static void
a_transaction_without_its_payment_is_named(void **state)
{
	struct world_caller who = customer();
	const char *id = payment_of(&who, "payment");

	(void)state;
	plant(&who, "delete from payment where kind = 'payment' and status = "
		    "'succeeded' and tenant_id = %s");
	payment_is_named(&who, id, 6000, 0, 4800, -1200);
}

static void
a_payment_that_was_booked_twice_or_not_as_it_is_is_named(void **state)
{
	struct world_caller who = customer(), other = customer();

	(void)state;
	plant(&who,
	    "insert into ledger_transaction select tenant_id, gen_random_uuid(), "
	    "at, currency, cause, cause_id, accounts, amounts from "
	    "ledger_transaction where cause = 'payment' and tenant_id = %s");
	payment_is_named(&who, payment_of(&who, "payment"), 12000, 6000, 10800, 4800);
	plant(&other, "update payment set amount = 6001 where kind = 'payment' and "
		      "status = 'succeeded' and tenant_id = %s");
	payment_is_named(&other, payment_of(&other, "payment"), 6000, 6001, 4800, 4801);
}

static void
a_refund_that_failed_and_was_not_booked_back_is_named(void **state)
{
	struct world_caller who = customer();
	const char *id = payment_of(&who, "refund");

	(void)state;
	plant(&who, "update payment set status = 'failed' where kind = 'refund' and "
		    "tenant_id = %s");
	payment_is_named(&who, id, -1200, 0, 4800, 6000);
	names(ground_faults(&who), &who, "refunds", 0, -1200);
}

static void
a_dispute_that_was_not_booked_is_named(void **state)
{
	struct world_caller who = customer();

	(void)state;
	plant(&who, "insert into payment select tenant_id, gen_random_uuid(), "
		    "invoice_id, null, id, 'dispute', 'pending', provider, 'd', "
		    "currency, 3, 0, null, null, now(), null from payment where kind = "
		    "'payment' and status = 'succeeded' and tenant_id = %s");
	names(ground_faults(&who), &who, "disputed", 0, 3);
	names(ground_faults(&who), &who, "cash", 4800, 4797);
	plant(&who, "update payment set status = 'lost' where kind = 'dispute' and "
		    "tenant_id = %s");
	names(ground_faults(&who), &who, "bad_debt", 6000, 6003);
	plant(&who, "update payment set status = 'won' where kind = 'dispute' and "
		    "tenant_id = %s");
	assert_string_equal(ground_faults(&who), "");
}

static void
what_is_in_another_currency_is_named_in_both(void **state)
{
	struct world_caller who = customer();
	const char *faults;

	(void)state;
	plant(&who, "update invoice set currency = 'USD' where status = 'open' and "
		    "tenant_id = %s");
	faults = ground_faults(&who);
	names(faults, &who, "receivable", 6000, 0);
	assert_non_null(
	    strstr(faults, "in USD is 0 in the ledger and 6000 by the rows"));
	assert_int_equal(lines(faults), 6); /* revenue and tax, too */
}

static void
a_transaction_that_does_not_add_up_is_named(void **state)
{
	struct world_caller who = customer();
	const char *faults;

	(void)state;
	plant(&who,
	    "alter table ledger_transaction drop constraint "
	    "ledger_transaction_balances_check; update ledger_transaction set "
	    "amounts[1] = amounts[1] + 2 where cause = 'write_off' and tenant_id "
	    "= %s");
	faults = ground_faults(&who);
	assert_non_null(strstr(faults, "does not add up: 2 is left"));
	names(faults, &who, "bad_debt", 6002, 6000);
}

/* Its parts are null, and what was booked is believed. */
static void
a_credit_note_of_an_older_release_is_no_fault(void **state)
{
	struct world_caller who = customer();

	(void)state;
	plant(&who, "update credit_note set net = null, tax = null, refunded = null "
		    "where tenant_id = %s");
	assert_string_equal(ground_faults(&who), "");
	plant(&who, "update invoice set net = net + 1 where place = 1 and tenant_id = "
		    "%s");
	names(ground_faults(&who), &who, "revenue", -14000, -14001);
}

/* All organisations are looked at where none is named, and no other where one is. */
static void
one_organisation_or_all(void **state)
{
	struct world_caller who = customer(), other = customer();
	Billing__V1__CheckLedgerReply *reply;
	bool found = false;

	(void)state;
	plant(&who, "update subscription set balance = 1 where tenant_id = %s");
	assert_string_equal(ground_faults(&other), "");
	must(&ground_operator, &billing_v1_check_ledger, "{}", &reply);
	for (size_t i = 0; i < reply->n_faults; i++)
		found |= strstr(reply->faults[i], world_id_text(who.tenant)) != NULL;
	assert_true(found);
	assert_int_equal(ask(&who, &billing_v1_check_ledger, "{}", NULL), TRL_DENIED);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(what_billing_books_holds),
		TEST(an_account_that_says_something_else_is_named_with_both_sums),
		TEST(a_payment_without_its_transaction_is_named),
		TEST(a_transaction_without_its_payment_is_named),
		TEST(a_payment_that_was_booked_twice_or_not_as_it_is_is_named),
		TEST(a_refund_that_failed_and_was_not_booked_back_is_named),
		TEST(a_dispute_that_was_not_booked_is_named),
		TEST(what_is_in_another_currency_is_named_in_both),
		TEST(a_credit_note_of_an_older_release_is_no_fault),
		TEST(one_organisation_or_all),
		TEST(a_transaction_that_does_not_add_up_is_named),
	};

	return cmocka_run_group_tests(tests, shop_open, world_close);
}
