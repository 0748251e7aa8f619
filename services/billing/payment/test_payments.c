/* Paying: with the payer there and away, twice at once, and with lost answers. (Over
 * 400 lines: each thing that can happen to a payment is a test of its own.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

#include "turn/charge.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static const char *
money(const struct world_caller *who, const char *what)
{
	return world_sql("select %s from billing.payment where tenant_id = '%s'", what,
	    world_id_text(who->tenant));
}

/* What the provider took in the end. */
static int64_t
taken(const struct world_caller *who)
{
	return strtoll(
	    world_sql(
		"select coalesce(sum(amount), 0) from billing.test_provider_request "
		"where tenant_id = '%s' and kind = 'charge' "
		"and status = 'succeeded'",
		world_id_text(who->tenant)),
	    NULL, 10);
}

static Billing__V1__Invoice *
newest(const struct world_caller *who)
{
	Billing__V1__ListInvoicesReply *list;
	Billing__V1__Invoice *out;

	must(who, &billing_v1_list_invoices, "{}", &list);
	must(who, &billing_v1_get_invoice, ground_id("invoice_id", list->items[0]->id),
	    &out);
	return out;
}

static enum trl_code
pay(const struct world_caller *who, Billing__V1__Invoice **out)
{
	return ask(who, &billing_v1_pay_invoice,
	    ground_id("invoice_id", newest(who)->id), out);
}

static void
subscribe(const struct world_caller *who)
{
	must(who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
}

/* The payment that waits for its payer, of its invoice's next_action. */
static ProtobufCBinaryData
challenge_of(const struct world_caller *who)
{
	const Billing__V1__Invoice *invoice = newest(who);
	struct trl_id *id = trl_arena_alloc(world.arena, sizeof *id);
	const char *text;

	assert_non_null(invoice->next_action);
	text = strrchr(invoice->next_action->url, '/') + 1;
	assert_true(trl_id_parse(text, strlen(text), id));
	return world_bytes(id);
}

static void
a_payment_that_asks_is_made_once_its_payer_answered(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_pay_with(&who, "4000002760003184");
	subscribe(&who);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	assert_int_equal(taken(&who), 0);
	assert_int_equal(ground_answer(&who, challenge_of(&who), true), TRL_OK);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_null(newest(&who)->next_action);
	assert_int_equal(taken(&who), 6000);
	assert_int_equal(ground_sum(&who, "cash"), 6000);
}

/* Between two statements of what the settling reads. */
static void
what_another_process_settled_in_between_is_not_booked_again(void **state)
{
	struct world_caller who = ground_owner();
	struct world_run run = { .who = who, .method = &billing_v1_answer_challenge };
	struct world_run *const runs[] = { &run };
	ProtobufCBinaryData asked;
	const char *id;
	FILE *other;

	(void)state;
	ground_pay_with(&who, "4000002760003184");
	subscribe(&who);
	asked = challenge_of(&who);
	id = world_id_text(trl_value_id(asked));
	run.in = ground_message(&billing_v1_answer_challenge,
	    trl_arena_printf(
		world.arena, "{\"challenge_id\":\"%s\",\"pass\":true}", id));
	other = popen(trl_arena_printf(world.arena, "psql -qXd '%s'", world.db.admin),
	    "w"); /* it holds a transaction open */
	assert_non_null(other);
	fputs("begin; lock table billing.subscription in access exclusive mode;\n",
	    other);
	fflush(other);
	world_until_sql("select exists (select from pg_locks where granted and mode = "
			"'AccessExclusiveLock' and relation = "
			"'billing.subscription'::regclass)");
	world_start(&run);
	world_until_sql("select exists (select from pg_locks where not granted and "
			"relation = 'billing.subscription'::regclass)");
	fprintf(other,
	    "update billing.payment set status = 'succeeded', settled_at = now() where "
	    "id = '%s'; update billing.subscription set version = version + 1; "
	    "commit;\n",
	    id);
	assert_int_equal(pclose(other), 0);
	world_wait(runs, 1);
	assert_int_equal(run.rc, TRL_OK);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	world_sql("update billing.payment set status = 'requires_action', settled_at = "
		  "null where id = '%s'",
	    id);
	assert_int_equal(ground_answer(&who, asked, true), TRL_OK);
	assert_int_equal(ground_sum(&who, "cash"), 6000);
}

static void
a_pay_link_works_again_after_a_failed_try(void **state)
{
	struct world_caller who = ground_owner();
	ProtobufCBinaryData first;
	Billing__V1__Invoice *invoice;

	(void)state;
	ground_pay_with(&who, "4000002760003184");
	subscribe(&who);
	first = challenge_of(&who);
	assert_int_equal(ground_answer(&who, first, false), TRL_OK);
	invoice = newest(&who);
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__open);
	assert_string_equal(invoice->decline_code, "authentication_failed");
	assert_null(invoice->next_action);
	assert_int_equal(pay(&who, &invoice), TRL_OK);
	assert_non_null(invoice->next_action);
	/* Another try takes the place of the one before, whose page is of no use. */
	first = challenge_of(&who);
	assert_int_equal(pay(&who, &invoice), TRL_OK);
	assert_int_equal(ground_answer(&who, first, true), TRL_OK);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	assert_int_equal(ground_answer(&who, challenge_of(&who), true), TRL_OK);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_string_equal(money(&who, "string_agg(status, ' ' order by id)"),
	    "failed canceled succeeded");
	assert_int_equal(taken(&who), 6000);
}

/* I14. */
static void
cards_that_ask_do_as_documented(void **state)
{
	static const struct {
		const char *number, *there, *answered, *away;
	} wants[] = {
		{ "4000002500003155", "succeeded", NULL, "succeeded" },
		{ "4000003800000446", "requires_action", "succeeded", "succeeded" },
		{ "4000002760003184", "requires_action", "succeeded",
		    "authentication_required" },
		{ "4000008260003178", "requires_action", "insufficient_funds",
		    "insufficient_funds" },
		{ "4000000000003220", "requires_action", "succeeded", "succeeded" },
		{ "4000008400001629", "requires_action", "generic_decline",
		    "generic_decline" },
		{ "4000000000000341", "generic_decline", NULL, "generic_decline" },
	};
	static const char newest_one[] =
	    "(array_agg(coalesce(decline_code, status) order by id desc))[1]";

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		struct world_caller who = ground_owner(), away = ground_owner();

		ground_pay_with(&who, wants[i].number);
		subscribe(&who);
		assert_string_equal(money(&who, newest_one), wants[i].there);
		if (wants[i].answered) {
			assert_int_equal(
			    ground_answer(&who, challenge_of(&who), true), TRL_OK);
			assert_string_equal(money(&who, newest_one), wants[i].answered);
		}
		ground_pass(&away, 0);
		ground_pay_with(&away, "4242424242424242");
		subscribe(&away);
		ground_pay_with(&away, wants[i].number);
		ground_pass(&away, 32 * DAY);
		assert_string_equal(
		    world_sql("select coalesce(decline_code, status) from "
			      "billing.payment where tenant_id = '%s' "
			      "order by id offset 1 limit 1",
			world_id_text(away.tenant)),
		    wants[i].away);
	}
}

/* I16. */
static void
what_needs_the_payer_is_not_forced_but_asked_for(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Invoice *invoice;

	(void)state;
	ground_pass(&who, 0);
	ground_pay_with(&who, "4242424242424242");
	subscribe(&who);
	ground_pay_with(&who, "4000002760003184");
	ground_pass(&who, 32 * DAY);
	assert_string_equal(ground_of(&who, "status"), "past_due");
	assert_non_null(strstr(ground_told(&who), "invoice.action_needed"));
	assert_null(strstr(ground_told(&who), "invoice.payment_failed"));
	assert_int_equal(pay(&who, &invoice), TRL_OK);
	assert_int_equal(ground_answer(&who, challenge_of(&who), true), TRL_OK);
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(taken(&who), 12000);
}

/* C5. */
static void
what_is_not_answered_in_time_is_void_and_cannot_be_paid_any_more(void **state)
{
	struct world_caller who = ground_owner();
	ProtobufCBinaryData first;

	(void)state;
	ground_pass(&who, 0);
	ground_pay_with(&who, "4000002760003184");
	subscribe(&who);
	first = challenge_of(&who);
	ground_pass(&who, 23 * HOUR);
	assert_string_equal(ground_of(&who, "status"), "incomplete_expired");
	assert_int_equal(newest(&who)->status, BILLING__V1__INVOICE__STATUS__void);
	assert_non_null(newest(&who)->number);
	ground_settle();
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "canceled");
	assert_int_equal(ground_answer(&who, first, true), TRL_OK);
	assert_int_equal(taken(&who), 0);
	assert_int_equal(pay(&who, NULL), TRL_CONFLICT);
}

static void
an_outcome_that_comes_later_is_heard(void **state)
{
	struct world_caller good = ground_owner(), bad = ground_owner();

	(void)state;
	ground_pay_with(&good, "4000000000001000");
	subscribe(&good);
	ground_pay_with(&bad, "4000000000001018");
	subscribe(&bad);
	ground_settle();
	assert_string_equal(ground_of(&good, "status"), "active");
	assert_string_equal(money(&good, "string_agg(status, ' ')"), "succeeded");
	assert_string_equal(ground_of(&bad, "status"), "incomplete");
	assert_string_equal(newest(&bad)->decline_code, "insufficient_funds");
}

/* I1, I22: the answer was lost on its way. */
static void
what_nobody_knows_is_not_charged_twice(void **state)
{
	struct world_caller who = ground_owner();
	Billing__V1__Invoice *invoice;

	(void)state;
	ground_pay_with(&who, "4000000000001026");
	subscribe(&who);
	assert_string_equal(ground_of(&who, "status"), "incomplete");
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "pending");
	ground_pay_with(&who, "4242424242424242"); /* would try what waits */
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "pending");
	assert_int_equal(pay(&who, &invoice), TRL_OK); /* asks again */
	assert_int_equal(invoice->status, BILLING__V1__INVOICE__STATUS__paid);
	assert_int_equal(taken(&who), 6000);
	assert_string_equal(money(&who, "count(*)"), "1");
	assert_int_equal(ground_sum(&who, "cash"), 6000);
}

/* I4. */
static void
the_same_key_for_another_amount_is_an_error_and_moves_nothing(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_pay_with(&who, "4000000000001026");
	subscribe(&who);
	world_sql("update billing.test_provider_request set amount = 1 "
		  "where tenant_id = '%s' and kind = 'charge'",
	    world_id_text(who.tenant));
	assert_int_equal(pay(&who, NULL), TRL_INTERNAL);
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "pending");
	assert_string_equal(
	    world_sql("select count(*) from billing.test_provider_request "
		      "where tenant_id = '%s' and kind = 'charge'",
		world_id_text(who.tenant)),
	    "1");
	assert_int_equal(ground_sum(&who, "cash"), 0);
}

static void
whoever_pays_twice_at_once_pays_once(void **state)
{
	struct world_caller who = ground_owner();
	struct world_run runs[5], *waits[5];
	const char *json;

	(void)state;
	ground_pay_with(&who, "4000000000000341");
	subscribe(&who);
	json = trl_arena_printf(world.arena,
	    "{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
	    world_id_text(trl_value_id(newest(&who)->id)),
	    world_id_text(trl_value_id(ground_set_up(&who, "4242424242424242")->id)));
	for (size_t i = 0; i < TRL_COUNT(runs); i++) {
		runs[i] = (struct world_run){ .who = who,
			.method = &billing_v1_pay_invoice,
			.in = ground_message(&billing_v1_pay_invoice, json) };
		waits[i] = &runs[i];
		world_start(&runs[i]);
	}
	world_wait(waits, TRL_COUNT(waits));
	for (size_t i = 0; i < TRL_COUNT(runs); i++)
		assert_int_equal(runs[i].rc, TRL_OK);
	assert_int_equal(taken(&who), 6000);
	assert_int_equal(ground_sum(&who, "cash"), 6000);
	assert_string_equal(ground_of(&who, "status"), "active");
}

static void
what_cannot_be_paid_says_why(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__PaymentMethod *asks;

	(void)state;
	subscribe(&who);
	assert_int_equal(pay(&who, NULL), TRL_CONFLICT); /* no way to pay */
	assert_int_equal(ask(&other, &billing_v1_pay_invoice,
			     ground_id("invoice_id", newest(&who)->id), NULL),
	    TRL_NOT_FOUND);
	asks = ground_set_up(&who, "4000002760003184");
	assert_int_equal(ask(&who, &billing_v1_pay_invoice,
			     trl_arena_printf(world.arena,
				 "{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
				 world_id_text(trl_value_id(newest(&who)->id)),
				 world_id_text(trl_value_id(asks->id))),
			     NULL),
	    TRL_CONFLICT);
	must(&who, &billing_v1_cancel_subscription, "{}", NULL);
	assert_int_equal(pay(&who, NULL), TRL_CONFLICT); /* void */
	assert_non_null(strstr(world.err.message, "void"));
}

static void
another_ones_method_pays_nothing(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__PaymentMethod *theirs = ground_set_up(&other, "4242424242424242");

	(void)state;
	subscribe(&who);
	assert_int_equal(ask(&who, &billing_v1_pay_invoice,
			     trl_arena_printf(world.arena,
				 "{\"invoice_id\":\"%s\",\"method_id\":\"%s\"}",
				 world_id_text(trl_value_id(newest(&who)->id)),
				 world_id_text(trl_value_id(theirs->id))),
			     NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(taken(&other), 0);
}

struct late {
	const struct world_caller *who;
	struct trl_id payment;
	const char *code; /* NULL: it succeeded */
	enum trl_code rc;
};

static void
hear_late(trl_ctx *ctx, void *arg)
{
	struct late *late = arg;
	Billing__V1__ProviderNews news = BILLING__V1__PROVIDER_NEWS__INIT;
	struct trl_job job = { .tenant = late->who->tenant, .payload = &news.base };

	ctx->tenant = late->who->tenant;
	trl_set(&news, what, BILLING__V1__PROVIDER_NEWS__WHAT__settled);
	trl_set(&news, payment_id, trl_value_bytes(ctx, late->payment));
	trl_set(&news, status,
	    late->code ? BILLING__V1__PAYMENT__STATUS__failed
		       : BILLING__V1__PAYMENT__STATUS__succeeded);
	news.code = (char *)(uintptr_t)late->code;
	news.reference = (char *)(uintptr_t) "test_heard";
	late->rc = provider_news_job.run(world.self, ctx, &job);
}

static void
hear(const struct world_caller *who, const char *code)
{
	struct late late = { .who = who, .code = code };
	const char *id = money(who, "(array_agg(id::text order by id))[1]");

	assert_true(trl_id_parse(id, strlen(id), &late.payment));
	world_act(hear_late, &late);
	assert_int_equal(late.rc, TRL_OK);
}

/* I6, I7. */
static void
what_is_paid_stays_paid_and_money_that_came_late_counts_once(void **state)
{
	struct world_caller who = ground_owner(), late = ground_owner();

	(void)state;
	ground_pay_with(&who, "4242424242424242");
	subscribe(&who);
	hear(&who, "insufficient_funds");
	hear(&who, NULL);
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "succeeded");
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_int_equal(ground_sum(&who, "cash"), 6000);
	ground_pay_with(&late, "4000000000000341");
	subscribe(&late);
	assert_string_equal(ground_of(&late, "status"), "incomplete");
	hear(&late, NULL);
	hear(&late, NULL);
	assert_string_equal(ground_of(&late, "status"), "active");
	assert_int_equal(ground_sum(&late, "cash"), 6000);
}

/* What it is refunded under: the answer itself, which comes after, is no news. */
static void
news_that_comes_before_the_answer_says_the_reference(void **state)
{
	struct world_caller who = ground_owner();

	(void)state;
	ground_pay_with(&who, "4000000000001026");
	subscribe(&who);
	hear(&who, NULL);
	assert_string_equal(money(&who, "string_agg(reference, ' ')"), "test_heard");
}

struct alone {
	const struct world_caller *who;
	struct trl_id payment;
	enum trl_code rc;
};

static struct trl_id
payment_of(const struct world_caller *who)
{
	const char *text = money(who, "max(id::text)");
	struct trl_id id;

	assert_true(trl_id_parse(text, strlen(text), &id));
	return id;
}

static void
answer_and_die(trl_ctx *ctx, void *arg)
{
	struct alone *alone = arg;
	struct provider_answer out;
	char key[TRL_ID_TEXT];

	ctx->tenant = alone->who->tenant;
	trl_id_format(alone->payment, key);
	alone->rc = provider_test_answer(world.self, ctx, key, true, &out);
}

static void
what_the_bank_answered_is_heard_where_its_asker_died(void **state)
{
	struct world_caller who = ground_owner();
	struct alone alone = { .who = &who };

	(void)state;
	ground_pay_with(&who, "4000002760003184");
	subscribe(&who);
	alone.payment = payment_of(&who);
	world_act(answer_and_die, &alone);
	assert_int_equal(alone.rc, TRL_OK);
	ground_settle();
	assert_string_equal(ground_of(&who, "status"), "active");
	assert_string_equal(
	    money(&who, "string_agg((reference = 'test_' || id)::text, ' ')"), "true");
	assert_int_equal(
	    ground_answer(&who, world_bytes(&alone.payment), false), TRL_OK);
	ground_settle();
	assert_string_equal(money(&who, "string_agg(status, ' ')"), "succeeded");
	assert_int_equal(ground_sum(&who, "cash"), 6000);
}

static void
run_job(trl_ctx *ctx, void *arg)
{
	struct alone *alone = arg;
	Billing__V1__ChargeJob in = BILLING__V1__CHARGE_JOB__INIT;
	struct trl_job job = { .tenant = alone->who->tenant, .payload = &in.base };

	ctx->tenant = alone->who->tenant;
	trl_set(&in, payment_id, trl_value_bytes(ctx, alone->payment));
	alone->rc = payment_job.run(world.self, ctx, &job);
}

/* Its money would still come in the currency that it was asked for in. */
static void
let_go(const struct world_caller *who)
{
	must(who, &billing_v1_cancel_subscription, "{}", NULL);
	assert_int_equal(newest(who)->status, BILLING__V1__INVOICE__STATUS__void);
	assert_int_equal(
	    ask(who, &billing_v1_put_profile,
		"{\"legal_name\":\"Ann\",\"country\":\"AT\",\"currency\":\"USD\"}",
		NULL),
	    TRL_CONFLICT);
}

/* A payment whose process died, before it asked the provider or after, and what its job
 * makes of it. */
static void
die_and_charge(bool asked, bool is_void, const char *wants, int64_t cash)
{
	struct world_caller who = ground_owner();
	struct alone alone = { .who = &who };

	ground_pay_with(&who, "4000000000001026");
	subscribe(&who);
	alone.payment = payment_of(&who);
	if (!asked)
		world_sql("delete from billing.test_provider_request "
			  "where tenant_id = '%s' and kind = 'charge'",
		    world_id_text(who.tenant));
	if (is_void)
		let_go(&who);
	else
		world_sql("update billing.payment set method_id = null where tenant_id "
			  "= '%s'",
		    world_id_text(who.tenant));
	world_act(run_job, &alone);
	assert_int_equal(alone.rc, TRL_OK);
	assert_string_equal(money(&who, "string_agg(status, ' ')"), wants);
	assert_int_equal(taken(&who), cash);
	assert_int_equal(ground_sum(&who, "cash"), cash);
}

static void
what_became_void_is_not_charged_but_what_was_charged_is_found(void **state)
{
	(void)state;
	die_and_charge(false, true, "canceled", 0);
	die_and_charge(true, true, "succeeded", 6000);
}

static void
what_was_charged_is_found_where_the_card_is_gone(void **state)
{
	(void)state;
	die_and_charge(false, false, "failed", 0);
	die_and_charge(true, false, "succeeded", 6000);
}

static void
payments_are_listed_the_newest_first_and_by_invoice(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	Billing__V1__ListPaymentsReply *list;
	Billing__V1__Invoice *invoice;

	(void)state;
	ground_pass(&who, 0);
	ground_pay_with(&who, "4000000000000341");
	subscribe(&who);
	ground_pay_with(&who, "4242424242424242");
	ground_pass(&who, 32 * DAY);
	must(&who, &billing_v1_list_payments, "{\"page_size\":2}", &list);
	assert_int_equal(list->n_items, 2);
	assert_non_null(list->next_page_token);
	invoice = newest(&who);
	assert_memory_equal(list->items[0]->invoice_id.data, invoice->id.data, 16);
	assert_int_equal(
	    list->items[0]->status, BILLING__V1__PAYMENT__STATUS__succeeded);
	must(&who, &billing_v1_list_payments,
	    trl_arena_printf(
		world.arena, "{\"page_token\":\"%s\"}", list->next_page_token),
	    &list);
	assert_int_equal(list->n_items, 1);
	assert_string_equal(list->items[0]->decline_code, "generic_decline");
	must(&who, &billing_v1_list_payments, ground_id("invoice_id", invoice->id),
	    &list);
	assert_int_equal(list->n_items, 1);
	must(&other, &billing_v1_list_payments, ground_id("invoice_id", invoice->id),
	    &list);
	assert_int_equal(list->n_items, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_payment_that_asks_is_made_once_its_payer_answered),
		TEST(what_another_process_settled_in_between_is_not_booked_again),
		TEST(a_pay_link_works_again_after_a_failed_try),
		TEST(cards_that_ask_do_as_documented),
		TEST(what_needs_the_payer_is_not_forced_but_asked_for),
		TEST(what_is_not_answered_in_time_is_void_and_cannot_be_paid_any_more),
		TEST(an_outcome_that_comes_later_is_heard),
		TEST(what_nobody_knows_is_not_charged_twice),
		TEST(the_same_key_for_another_amount_is_an_error_and_moves_nothing),
		TEST(whoever_pays_twice_at_once_pays_once),
		TEST(what_cannot_be_paid_says_why),
		TEST(another_ones_method_pays_nothing),
		TEST(what_is_paid_stays_paid_and_money_that_came_late_counts_once),
		TEST(news_that_comes_before_the_answer_says_the_reference),
		TEST(what_the_bank_answered_is_heard_where_its_asker_died),
		TEST(what_became_void_is_not_charged_but_what_was_charged_is_found),
		TEST(what_was_charged_is_found_where_the_card_is_gone),
		TEST(payments_are_listed_the_newest_first_and_by_invoice),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
