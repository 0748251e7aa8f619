/* Money of two currencies meets nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"
#include "turn/charge.h"

static const char abroad[] = "\"country\":\"US\"";
static const char dollars[] = "\"country\":\"US\",\"currency\":\"USD\"";
static const char big[] = "{\"plan\":\"big\"}";

static enum trl_code
put(const struct world_caller *who, const char *profile)
{
	return ask(who, &billing_v1_put_profile,
	    trl_arena_printf(world.arena, "{\"legal_name\":\"Ann & Co\",%s}", profile),
	    NULL);
}

static enum trl_code
credit(const struct world_caller *who, const char *rest)
{
	return ask(&ground_operator, &billing_v1_credit_invoice,
	    shop_about(who, shop_invoice(who, shop_count(who) - 1),
		trl_arena_printf(world.arena, ",\"reason\":\"order_change\"%s", rest)),
	    NULL);
}

/* It has paid 5000 EUR, has ended, and pays in USD from now on. */
static struct world_caller
mover(void)
{
	struct world_caller who = shop_customer(abroad);

	shop_subscribe(&who, big);
	must(&who, &billing_v1_cancel_subscription, "{}", NULL);
	assert_int_equal(put(&who, dollars), TRL_CONFLICT);
	assert_string_equal(world.err.field, "currency");
	ground_pass(&who, 31 * SHOP_DAY);
	assert_string_equal(ground_of(&who, "status"), "canceled");
	assert_int_equal(put(&who, dollars), TRL_OK);
	return who;
}

/* The books of both agree, which ground_faults says. */
static void
a_former_currencys_invoice_becomes_no_balance(void **state)
{
	struct world_caller who = mover(), other = mover();

	(void)state;
	assert_int_equal(credit(&who, ",\"amount\":1000"), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "EUR"));
	assert_int_equal(credit(&who, ",\"amount\":1000,\"refund\":true"), TRL_OK);
	assert_int_equal(shop_number(&who, "balance"), 0);
	shop_subscribe(&other, "{\"plan\":\"tiny\"}");
	assert_string_equal(shop_invoice(&other, 0)->currency, "USD");
	assert_int_equal(credit(&other, ""), TRL_CONFLICT);
	assert_int_equal(credit(&other, ",\"refund\":true"), TRL_OK);
	assert_string_equal(ground_faults(&other), "");
	assert_string_equal(ground_faults(&who), "");
}

/* A balance of euros; what is asked for is in dollars: by the profile, and by a
 * catalogue that sells nothing in euros any more. */
static void
a_balance_is_used_in_its_currency_only(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, big);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_int_equal(shop_number(&who, "balance"), 5000);
	assert_int_equal(put(&who, dollars), TRL_CONFLICT);
	assert_string_equal(world.err.field, "currency");
	assert_non_null(strstr(world.err.message, "balance"));
	ground_catalogue(
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"
	    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,\"prices\":[{"
	    "\"key\":\"big-usd\",\"currency\":\"USD\",\"interval\":\"month\",\"model\":"
	    "\"fixed\",\"unit_amount\":\"6000\"}]}],\"fallback_plan\":\"free\"}");
	assert_int_equal(
	    ask(&who, &billing_v1_change_subscription, big, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "plan");
	assert_non_null(strstr(world.err.message, "EUR"));
	assert_int_equal(shop_number(&who, "balance"), 5000);
	shop_sells("");
}

/* G8's other half. */
static void
an_open_invoice_keeps_the_currency(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, big);
	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_true(shop_invoice(&who, 0)->amount_due > 0);
	assert_int_equal(shop_number(&who, "balance"), 0);
	assert_int_equal(put(&who, dollars), TRL_CONFLICT);
	assert_string_equal(world.err.field, "currency");
	assert_non_null(strstr(world.err.message, "not settled"));
}

/* However it came to be: rows of a release before, say. */
static void
what_is_paid_in_another_currency_than_the_balance_is_refused(void **state)
{
	struct world_caller who = shop_customer(dollars);
	static const char tiny[] = "{\"plan\":\"tiny\"}";
	static const char *const kept[] = { "balance", "carried" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(kept); i++) {
		world_sql("update billing.subscription set currency = 'EUR', %s = 700 "
			  "where tenant_id = '%s'",
		    kept[i], world_id_text(who.tenant));
		assert_int_equal(ask(&who, &billing_v1_change_subscription, tiny, NULL),
		    TRL_CONFLICT);
		assert_string_equal(world.err.field, "plan");
		assert_non_null(strstr(world.err.message, "USD"));
		assert_int_equal(
		    ask(&who, &billing_v1_preview_subscription, tiny, NULL),
		    TRL_CONFLICT);
		assert_int_equal(shop_count(&who), 0);
		world_sql("update billing.subscription set %s = 0 where tenant_id = "
			  "'%s'",
		    kept[i], world_id_text(who.tenant));
	}
	shop_subscribe(&who, tiny);
	assert_string_equal(shop_invoice(&who, 0)->currency, "USD");
}

/* A trial is of the catalogue's price, whatever the profile says; what it is billed in
 * at its end is what it stays in until it ends. */
static void
what_runs_stays_in_its_currency(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"tiny\"}");
	assert_string_equal(shop_invoice(&who, 0)->currency, "EUR");
	world_sql("update billing.profile set currency = 'USD' where tenant_id = '%s'",
	    world_id_text(who.tenant));
	shop_subscribe(&who, big);
	assert_string_equal(shop_invoice(&who, 0)->currency, "EUR");
	assert_string_equal(ground_faults(&who), "");
}

struct late {
	const struct world_caller *who;
	struct trl_id payment;
	enum trl_code rc;
};

static void
hear_late(trl_ctx *ctx, void *arg)
{
	struct late *late = arg;
	Billing__V1__ProviderNews news = BILLING__V1__PROVIDER_NEWS__INIT;

	ctx->tenant = late->who->tenant;
	trl_set(&news, what, BILLING__V1__PROVIDER_NEWS__WHAT__settled);
	trl_set(&news, status, BILLING__V1__PAYMENT__STATUS__succeeded);
	trl_set(&news, payment_id, trl_value_bytes(ctx, late->payment));
	late->rc = news_apply(world.self, ctx, &news);
}

/* What was refused succeeds after all, when nobody pays in euros any more: it waits
 * with its invoice to be given back. */
static void
money_that_comes_late_in_another_currency_is_kept_to_be_given_back(void **state)
{
	struct world_caller who = shop_customer(abroad);
	struct late late = { .who = &who };
	const char *id;

	(void)state;
	ground_card(&who, "4000000000000341");
	shop_subscribe(&who, big);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	assert_int_equal(put(&who, dollars), TRL_OK);
	ground_card(&who, "4242424242424242");
	shop_subscribe(&who, "{\"plan\":\"tiny\"}");
	id = trl_arena_strdup(world.arena,
	    world_sql(
		"select id from billing.payment where tenant_id = '%s' and status "
		"= 'failed'",
		world_id_text(who.tenant)));
	assert_true(trl_id_parse(id, strlen(id), &late.payment));
	world_act(hear_late, &late);
	assert_int_equal(late.rc, TRL_OK);
	assert_int_equal(shop_number(&who, "balance"), 0);
	assert_int_equal(ground_sum(&who, "refunds"), -5000);
	assert_string_equal(ground_faults(&who), "");
	must(&ground_operator, &billing_v1_refund_payment,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"}",
		world_id_text(who.tenant), id),
	    NULL);
	assert_int_equal(ground_sum(&who, "refunds"), 0);
	assert_string_equal(ground_faults(&who), "");
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_former_currencys_invoice_becomes_no_balance),
		TEST(a_balance_is_used_in_its_currency_only),
		TEST(an_open_invoice_keeps_the_currency),
		TEST(what_is_paid_in_another_currency_than_the_balance_is_refused),
		TEST(what_runs_stays_in_its_currency),
		TEST(
		    money_that_comes_late_in_another_currency_is_kept_to_be_given_back),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
