/* Money that goes back: by the operator, and by the payer's bank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

#include "turn/charge.h"

/* An organisation that has paid 10000 with a card. */
static struct world_caller
payer(const char *number)
{
	struct world_caller who = ground_owner();

	ground_pay_with(&who, number);
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	assert_int_equal(ground_sum(&who, "revenue"), -10000);
	return who;
}

static const char *
money(const struct world_caller *who, const char *what)
{
	return world_sql("select %s from billing.payment where tenant_id = '%s'", what,
	    world_id_text(who->tenant));
}

static const char *
states(const struct world_caller *who)
{
	return money(who, "string_agg(kind || ':' || status, ' ' order by id)");
}

/* Of the operator, about its first payment; more is further JSON. */
static const char *
about(const struct world_caller *who, const char *kind, const char *more)
{
	const char *id = trl_arena_strdup(world.arena,
	    world_sql("select id from billing.payment where tenant_id = '%s' "
		      "and kind = '%s' order by id limit 1",
		world_id_text(who->tenant), kind));

	return trl_arena_printf(world.arena,
	    "{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"%s}",
	    world_id_text(who->tenant), id, more);
}

static enum trl_code
refund(const struct world_caller *who, const char *more, Billing__V1__Payment **out)
{
	return ask(&ground_operator, &billing_v1_refund_payment,
	    about(who, "payment", more), out);
}

static enum trl_code
contest(const struct world_caller *who, const char *evidence)
{
	enum trl_code rc;

	rc = ask(&ground_operator, &billing_v1_answer_dispute,
	    about(who, "dispute",
		trl_arena_printf(world.arena, ",\"evidence\":\"%s\"", evidence)),
	    NULL);
	ground_settle();
	return rc;
}

static void
a_part_and_then_the_rest_go_back(void **state)
{
	struct world_caller who = payer("4242424242424242");
	Billing__V1__Payment *out;

	(void)state;
	assert_int_equal(refund(&who, ",\"amount\":4000", &out), TRL_OK);
	assert_int_equal(out->kind, BILLING__V1__PAYMENT__KIND__refund);
	assert_int_equal(out->status, BILLING__V1__PAYMENT__STATUS__succeeded);
	assert_int_equal(ground_sum(&who, "cash"), 6000);
	assert_int_equal(refund(&who, ",\"amount\":6001", NULL), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "60.00 EUR"));
	assert_int_equal(refund(&who, "", &out), TRL_OK);
	assert_int_equal(out->amount, 6000);
	assert_int_equal(refund(&who, "", NULL), TRL_CONFLICT);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	assert_int_equal(ground_sum(&who, "refunds"), 10000);
	assert_non_null(strstr(ground_told(&who), "payment.refunded"));
}

/* I17. */
static void
of_five_refunds_at_once_one_succeeds(void **state)
{
	struct world_caller who = payer("4242424242424242"), operator= ground_operator;
	struct world_run runs[5], *waits[5];
	int done = 0;

	(void)state;
	operator.tenant = who.tenant;
	for (size_t i = 0; i < TRL_COUNT(runs); i++) {
		runs[i] = (struct world_run){ .who = operator,
			.method = & billing_v1_refund_payment,
			.in = ground_message(&billing_v1_refund_payment,
			    about(&who, "payment", ",\"amount\":6000")) };
		waits[i] = &runs[i];
	}
	for (size_t i = 0; i < TRL_COUNT(runs); i++)
		world_start(&runs[i]);
	world_wait(waits, TRL_COUNT(waits));
	for (size_t i = 0; i < TRL_COUNT(runs); i++) {
		done += runs[i].rc == TRL_OK;
		if (runs[i].rc != TRL_OK)
			assert_int_equal(runs[i].rc, TRL_CONFLICT);
	}
	assert_int_equal(done, 1);
	assert_int_equal(ground_sum(&who, "cash"), 4000);
	assert_string_equal(
	    world_sql("select sum(amount) from billing.test_provider_request "
		      "where tenant_id = '%s' and kind = 'refund'",
		world_id_text(who.tenant)),
	    "6000");
}

static void
a_retry_gives_nothing_back_twice(void **state)
{
	struct world_caller who = payer("4242424242424242"), operator= ground_operator;

	(void)state;
	operator.idempotency_key = "refund once";
	must(&operator, & billing_v1_refund_payment,
	    about(&who, "payment", ",\"amount\":3000"), NULL);
	must(&operator, & billing_v1_refund_payment,
	    about(&who, "payment", ",\"amount\":3000"), NULL);
	assert_true(world.replayed);
	assert_int_equal(ground_sum(&who, "cash"), 7000);
}

/* I18. */
static void
a_refund_may_be_known_later(void **state)
{
	struct world_caller who = payer("4000000000007726");
	Billing__V1__Payment *out;

	(void)state;
	assert_int_equal(refund(&who, "", &out), TRL_OK);
	ground_settle();
	assert_string_equal(states(&who), "payment:succeeded refund:succeeded");
	assert_int_equal(ground_sum(&who, "cash"), 0);
}

/* I18. */
static void
a_refund_that_fails_is_turned_back_and_may_be_tried_again(void **state)
{
	struct world_caller who = payer("4000000000005126");
	Billing__V1__ListPaymentsReply *list;

	(void)state;
	assert_int_equal(refund(&who, "", NULL), TRL_OK);
	ground_settle();
	assert_string_equal(states(&who), "payment:succeeded refund:failed");
	assert_int_equal(ground_sum(&who, "cash"), 10000);
	assert_int_equal(ground_sum(&who, "refunds"), 0);
	assert_non_null(strstr(ground_told(&who), "payment.refund_failed"));
	must(&who, &billing_v1_list_payments, "{}", &list);
	assert_int_equal(list->items[1]->refunded, 0);
	assert_string_equal(list->items[0]->decline_code, "account_closed");
	assert_int_equal(refund(&who, "", NULL), TRL_OK);
	ground_settle();
	assert_int_equal(ground_sum(&who, "cash"), 10000);
}

static void
a_refund_of_what_the_provider_cannot_know_is_refused(void **state)
{
	struct world_caller who = payer("4242424242424242");

	(void)state;
	world_sql("update billing.payment set reference = null where tenant_id = '%s'",
	    world_id_text(who.tenant));
	assert_int_equal(refund(&who, "", NULL), TRL_OK);
	assert_string_equal(states(&who), "payment:succeeded refund:failed");
	assert_int_equal(ground_sum(&who, "cash"), 10000);
}

static void
only_what_was_paid_goes_back(void **state)
{
	struct world_caller who = ground_owner(), other = payer("4242424242424242");

	(void)state;
	ground_pay_with(&who, "4000000000000341");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	assert_int_equal(refund(&who, "", NULL), TRL_CONFLICT);
	/* Another organisation's. */
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_refund_payment,
		trl_arena_printf(world.arena,
		    "{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"}",
		    world_id_text(who.tenant),
		    world_sql("select id from billing.payment where tenant_id = '%s'",
			world_id_text(other.tenant))),
		NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(
	    ask(&other, &billing_v1_refund_payment, about(&other, "payment", ""), NULL),
	    TRL_DENIED);
	assert_int_equal(refund(&other, ",\"amount\":-1", NULL), TRL_INVALID);
	assert_int_equal(ground_sum(&other, "cash"), 10000);
}

/* I20. */
static void
a_dispute_takes_the_money_until_it_is_won(void **state)
{
	struct world_caller who = payer("4000000000000259");

	(void)state;
	ground_settle();
	assert_string_equal(states(&who), "payment:succeeded dispute:pending");
	assert_int_equal(ground_sum(&who, "cash"), 0);
	assert_int_equal(ground_sum(&who, "disputed"), 10000);
	assert_int_equal(refund(&who, "", NULL), TRL_CONFLICT);
	assert_int_equal(contest(&who, "a letter"), TRL_OK); /* still looked at */
	assert_int_equal(ground_sum(&who, "disputed"), 10000);
	assert_int_equal(contest(&who, "winning_evidence"), TRL_OK);
	assert_string_equal(states(&who), "payment:succeeded dispute:won");
	assert_int_equal(ground_sum(&who, "cash"), 10000);
	assert_int_equal(ground_sum(&who, "disputed"), 0);
	assert_int_equal(contest(&who, "losing_evidence"), TRL_CONFLICT);
	assert_int_equal(refund(&who, "", NULL), TRL_OK);
	assert_string_equal(ground_of(&who, "status"), "active");
}

struct late {
	const struct world_caller *who;
	Billing__V1__ProviderNews__What what;
	struct trl_id payment;
	char *reference;
	enum trl_code rc;
};

static void
hear_late(trl_ctx *ctx, void *arg)
{
	struct late *late = arg;
	Billing__V1__ProviderNews news = BILLING__V1__PROVIDER_NEWS__INIT;
	struct trl_job job = { .tenant = late->who->tenant, .payload = &news.base };

	ctx->tenant = late->who->tenant;
	trl_set(&news, what, late->what);
	trl_set(&news, payment_id, trl_value_bytes(ctx, late->payment));
	news.reference = late->reference;
	news.code = late->reference;
	late->rc = provider_news_job.run(world.self, ctx, &job);
}

static enum trl_code
hear(const struct world_caller *who, Billing__V1__ProviderNews__What what,
    const char *reference)
{
	struct late late = { .who = who,
		.what = what,
		.reference = trl_arena_strdup(world.arena, reference) };
	const char *id =
	    money(who, "(array_agg(id::text order by id) filter (where kind = "
		       "'payment'))[1]");

	assert_true(trl_id_parse(id, strlen(id), &late.payment));
	world_act(hear_late, &late);
	return late.rc;
}

/* I20, I6, I7. */
static void
a_dispute_that_is_lost_is_written_off_and_never_opens_again(void **state)
{
	struct world_caller who = payer("4000000000002685");
	const char *reference;

	(void)state;
	ground_settle();
	assert_int_equal(contest(&who, "losing_evidence"), TRL_OK);
	assert_string_equal(states(&who), "payment:succeeded dispute:lost");
	assert_int_equal(ground_sum(&who, "bad_debt"), 10000);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	reference = trl_arena_strdup(
	    world.arena, money(&who, "max(reference) filter (where kind = 'dispute')"));
	assert_int_equal(
	    hear(&who, BILLING__V1__PROVIDER_NEWS__WHAT__disputed, reference), TRL_OK);
	assert_int_equal(
	    hear(&who, BILLING__V1__PROVIDER_NEWS__WHAT__won, reference), TRL_OK);
	assert_string_equal(states(&who), "payment:succeeded dispute:lost");
	assert_int_equal(ground_sum(&who, "bad_debt"), 10000);
	assert_int_equal(ground_sum(&who, "disputed"), 0);
	assert_int_equal(refund(&who, "", NULL), TRL_CONFLICT);
}

/* I8: what comes before what it is about is kept, and applied later. */
static void
an_end_that_is_heard_before_its_beginning_waits(void **state)
{
	struct world_caller who = payer("4242424242424242");

	(void)state;
	assert_int_equal(
	    hear(&who, BILLING__V1__PROVIDER_NEWS__WHAT__lost, "d1"), TRL_UNAVAILABLE);
	assert_int_equal(
	    hear(&who, BILLING__V1__PROVIDER_NEWS__WHAT__disputed, "d1"), TRL_OK);
	assert_int_equal(
	    hear(&who, BILLING__V1__PROVIDER_NEWS__WHAT__lost, "d1"), TRL_OK);
	assert_string_equal(states(&who), "payment:succeeded dispute:lost");
}

static void
an_inquiry_and_a_warning_move_no_money(void **state)
{
	static const char *const numbers[] = { "4000000000001976", "4000000000005423" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(numbers); i++) {
		struct world_caller who = payer(numbers[i]);

		ground_settle();
		assert_string_equal(states(&who), "payment:succeeded inquiry:pending");
		assert_int_equal(ground_sum(&who, "cash"), 10000);
		must(&ground_operator, &billing_v1_answer_dispute,
		    about(&who, "inquiry", ",\"evidence\":\"winning_evidence\""), NULL);
		ground_settle();
		assert_string_equal(states(&who), "payment:succeeded inquiry:won");
		assert_int_equal(ground_sum(&who, "cash"), 10000);
	}
}

static int
open_ground(void **state)
{
	if (ground_open(state) != 0)
		return -1;
	ground_catalogue(
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
	    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,\"prices\":[{"
	    "\"key\":\"big-10000\",\"currency\":\"EUR\","
	    "\"interval\":\"month\",\"model\":\"fixed\","
	    "\"unit_amount\":\"10000\"}]}],"
	    "\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\"}},"
	    "\"fallback_plan\":\"free\"}");
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_and_then_the_rest_go_back),
		TEST(of_five_refunds_at_once_one_succeeds),
		TEST(a_retry_gives_nothing_back_twice),
		TEST(a_refund_may_be_known_later),
		TEST(a_refund_that_fails_is_turned_back_and_may_be_tried_again),
		TEST(a_refund_of_what_the_provider_cannot_know_is_refused),
		TEST(only_what_was_paid_goes_back),
		TEST(a_dispute_takes_the_money_until_it_is_won),
		TEST(a_dispute_that_is_lost_is_written_off_and_never_opens_again),
		TEST(an_end_that_is_heard_before_its_beginning_waits),
		TEST(an_inquiry_and_a_warning_move_no_money),
	};

	return cmocka_run_group_tests(tests, open_ground, ground_close);
}
