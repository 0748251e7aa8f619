/* Money that was paid and is not here any more becomes no balance; and what became
 * balance goes from there, where it is given back after all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/test_shop.h"
#include "turn/turn.h"

static const char abroad[] = "\"country\":\"US\"";
static const char big[] = "{\"plan\":\"big\"}";

/* Of the operator's, about the newest invoice. */
static void
does(const struct trl_method *method, const struct world_caller *who, const char *rest,
    void *out)
{
	must(
	    &ground_operator, method, shop_about(who, shop_invoice(who, 0), rest), out);
}

static Billing__V1__CreditNote *
credit(const struct world_caller *who, const char *rest)
{
	Billing__V1__CreditNote *out;

	does(&billing_v1_credit_invoice, who,
	    trl_arena_printf(world.arena, ",\"reason\":\"order_change\"%s", rest),
	    &out);
	return out;
}

/* About the first payment of a kind. */
static const char *
about(const struct world_caller *who, const char *kind, const char *rest)
{
	const char *tenant = trl_arena_strdup(world.arena, world_id_text(who->tenant));

	return trl_arena_printf(world.arena,
	    "{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"%s}", tenant,
	    world_sql(
		"select id from billing.payment where tenant_id = '%s' and kind = "
		"'%s' and status in ('succeeded', 'pending') order by id limit 1",
		tenant, kind),
	    rest);
}

static void
refund(const struct world_caller *who, const char *rest)
{
	must(&ground_operator, &billing_v1_refund_payment, about(who, "payment", rest),
	    NULL);
}

static void
contest(const struct world_caller *who, const char *evidence)
{
	must(&ground_operator, &billing_v1_answer_dispute,
	    about(who, "dispute",
		trl_arena_printf(world.arena, ",\"evidence\":\"%s\"", evidence)),
	    NULL);
	ground_settle();
}

/* The balance, and what is left of refunds that no credit says. */
static void
is(const struct world_caller *who, int64_t balance, int64_t refunds)
{
	assert_int_equal(shop_number(who, "balance"), balance);
	assert_int_equal(ground_sum(who, "refunds"), refunds);
	assert_int_equal(ground_sum(who, "credit"), -balance);
	assert_string_equal(ground_faults(who), "");
}

/* Paid 5000 for a month. */
static struct world_caller
payer(const char *number)
{
	struct world_caller who = shop_customer(abroad);

	ground_pay_with(&who, number);
	shop_subscribe(&who, big);
	ground_settle();
	assert_int_equal(
	    shop_invoice(&who, 0)->status, BILLING__V1__INVOICE__STATUS__paid);
	return who;
}

/* Of the second invoice, over 5000, only 700 came. */
static struct world_caller
debtor(void)
{
	struct world_caller who = payer("4242424242424242");

	ground_card(&who, "4000000000000341");
	ground_pass(&who, 31 * SHOP_DAY);
	does(&billing_v1_record_payment, &who, ",\"amount\":700", NULL);
	return who;
}

static void
refund_newest(const struct world_caller *who, const char *rest)
{
	const char *tenant = trl_arena_strdup(world.arena, world_id_text(who->tenant));

	must(&ground_operator, &billing_v1_refund_payment,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"payment_id\":\"%s\"%s}", tenant,
		world_sql("select id from billing.payment where tenant_id = '%s' and "
			  "provider = 'offline'",
		    tenant),
		rest),
	    NULL);
}

static void
a_void_invoice_gives_what_is_here_still(void **state)
{
	struct world_caller all = debtor(), some = debtor(), none = debtor();

	(void)state;
	refund_newest(&all, "");
	does(&billing_v1_void_invoice, &all, "", NULL);
	is(&all, 0, 0);
	refund_newest(&some, ",\"amount\":300");
	does(&billing_v1_void_invoice, &some, "", NULL);
	is(&some, 400, 0);
	does(&billing_v1_void_invoice, &none, "", NULL);
	is(&none, 700, 0);
	refund_newest(&none, ""); /* and from there it goes back */
	is(&none, 0, 0);
}

static void
a_credit_of_what_went_back_is_no_balance(void **state)
{
	struct world_caller who = payer("4242424242424242");
	Billing__V1__CreditNote *note;

	(void)state;
	refund(&who, ",\"amount\":2000");
	is(&who, 0, 2000);
	note = credit(&who, ",\"amount\":1500");
	assert_int_equal(note->refunded, 1500);
	assert_int_equal(note->to_balance, 0);
	is(&who, 0, 500);
	note = credit(&who, "");
	assert_int_equal(note->refunded, 500);
	assert_int_equal(note->to_balance, 3000);
	is(&who, 3000, 0);
}

/* With refund it is what is here that goes back. */
static void
what_went_back_does_not_go_twice(void **state)
{
	struct world_caller who = payer("4242424242424242");
	Billing__V1__CreditNote *note;

	(void)state;
	refund(&who, ",\"amount\":2000");
	note = credit(&who, ",\"refund\":true");
	assert_int_equal(note->refunded, 5000);
	assert_int_equal(ground_sum(&who, "cash"), 0);
	is(&who, 0, 0);
}

/* Half of the period is left, worth 2500: 2000 of it went back already. */
static void
an_end_credits_what_is_here_still(void **state)
{
	struct world_caller who = shop_customer(abroad);

	(void)state;
	world_sql("update billing.subscription set clock_at = '2027-04-01' where "
		  "tenant_id = '%s'",
	    world_id_text(who.tenant));
	shop_subscribe(&who, big);
	refund(&who, ",\"amount\":2000");
	ground_pass(&who, 15 * SHOP_DAY);
	must(&who, &billing_v1_cancel_subscription, "{\"now\":true}", NULL);
	is(&who, 500, 0);
}

static void
a_dispute_that_is_lost_leaves_nothing_to_credit(void **state)
{
	struct world_caller who = payer("4000000000000259");

	(void)state;
	contest(&who, "losing_evidence");
	assert_int_equal(credit(&who, "")->to_balance, 0);
	assert_int_equal(ground_sum(&who, "bad_debt"), 5000);
	is(&who, 0, -5000); /* the loss is what was credited */
}

struct kept {
	struct trl_id tenant;
	int64_t returned, in_balance;
};

static void
begin_next(trl_ctx *ctx, void *arg)
{
	struct turn *turn = trl_arena_alloc(ctx->arena, sizeof *turn);
	struct kept *kept = arg;

	ctx->service = "billing";
	ctx->tenant = kept->tenant;
	if (turn_load(world.self, ctx, turn) != TRL_OK)
		return;
	turn_begin_next(turn);
	kept->returned = turn->invoices[0].returned;
	kept->in_balance = turn->invoices[0].in_balance;
	turn_end(turn);
}

/* A turn behind another one, too, has what is remembered with an invoice. */
static void
the_next_turn_knows_what_went_back(void **state)
{
	struct world_caller who = payer("4242424242424242");
	struct kept kept = { .tenant = who.tenant };

	(void)state;
	refund(&who, ",\"amount\":700");
	ground_settle();
	world_act(begin_next, &kept);
	assert_int_equal(kept.returned, 700);
	(void)credit(&who, ",\"amount\":1000");
	world_act(begin_next, &kept);
	assert_int_equal(kept.in_balance, 300);
}

/* And one that is won: what was credited meanwhile is the payer's. */
static void
a_dispute_that_is_won_brings_it_back(void **state)
{
	struct world_caller who = payer("4000000000000259"),
			    other = payer("4000000000000259");

	(void)state;
	assert_int_equal(credit(&who, ",\"amount\":1000")->to_balance, 0);
	contest(&who, "winning_evidence");
	is(&who, 1000, 0);
	contest(&other, "winning_evidence");
	is(&other, 0, 0);
	assert_int_equal(credit(&other, ",\"amount\":1000")->to_balance, 1000);
	is(&other, 1000, 0);
}

static void
a_refund_that_fails_after_its_credit_is_balance(void **state)
{
	struct world_caller who = payer("4000000000005126");

	(void)state;
	(void)credit(&who, ",\"refund\":true");
	ground_settle();
	assert_string_equal(
	    world_sql("select status from billing.payment where kind = 'refund' and "
		      "tenant_id = '%s'",
		world_id_text(who.tenant)),
	    "failed");
	is(&who, 5000, 0);
	refund(&who, ""); /* and once more, from the balance, and back there */
	ground_settle();
	is(&who, 5000, 0);
	assert_string_equal(
	    world_sql("select string_agg(amount::text, ' ' order by transaction_id) "
		      "from billing.ledger_entry where tenant_id = '%s' and cause = "
		      "'balance' and account = 'credit'",
		world_id_text(who.tenant)),
	    "-5000 5000 -5000");
}

/* The commonest refund of a transfer: too much was paid. */
static void
what_was_paid_too_much_goes_back_from_the_balance(void **state)
{
	struct world_caller who = debtor();

	(void)state;
	does(&billing_v1_record_payment, &who, ",\"amount\":6000,\"reference\":\"B\"",
	    NULL);
	is(&who, 1700, 0);
	must(&ground_operator, &billing_v1_refund_payment,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"payment_id\":\"%s\",\"amount\":1700}",
		trl_arena_strdup(world.arena, world_id_text(who.tenant)),
		world_sql("select id from billing.payment where tenant_id = '%s' and "
			  "reference = 'B'",
		    world_id_text(who.tenant))),
	    NULL);
	is(&who, 0, 0);
	assert_int_equal(credit(&who, "")->to_balance, 5000);
}

/* Of what was credited as balance, and is used in part since. */
static void
what_became_balance_goes_back_from_there_as_far_as_it_is_there(void **state)
{
	struct world_caller who = payer("4242424242424242");

	(void)state;
	(void)credit(&who, ",\"amount\":3000");
	is(&who, 3000, 0);
	refund(&who, ",\"amount\":1000");
	is(&who, 2000, 0);
	ground_pass(&who, 31 * SHOP_DAY); /* uses the rest */
	is(&who, 0, 0);
	refund(&who, ",\"amount\":500");
	is(&who, 0, 500);
}

static void
a_dispute_takes_what_became_balance(void **state)
{
	struct world_caller who = payer("4000000000000259");

	(void)state;
	contest(&who, "winning_evidence");
	(void)credit(&who, ",\"amount\":3000");
	is(&who, 3000, 0);
	refund(&who, "");
	is(&who, 0, 2000);
}

/* A downgrade at once is paid of the dearer plan's money. */
static void
what_a_change_made_balance_goes_back_from_there(void **state)
{
	struct world_caller who = payer("4242424242424242");

	(void)state;
	shop_subscribe(&who, "{\"plan\":\"tiny\",\"when\":\"now\"}");
	is(&who, 4970, 0);
	refund(&who, "");
	is(&who, 0, 30);
}

/* What would be credited has to be here; of a small refund there is enough once some of
 * the period is over. */
static void
what_was_given_back_is_not_credited_by_a_change(void **state)
{
	struct world_caller who = shop_customer(abroad), other;
	static const char team[] = "{\"plan\":\"team\"}";

	(void)state;
	shop_subscribe(&who, team);
	other = payer("4000000000000259");
	refund(&who, ",\"amount\":90");
	assert_int_equal(
	    ask(&who, &billing_v1_change_subscription, big, NULL), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "went back"));
	assert_int_equal(
	    ask(&who, &billing_v1_preview_subscription, big, NULL), TRL_CONFLICT);
	ground_pass(&who, 4 * SHOP_DAY);
	shop_subscribe(&who, big);
	assert_string_equal(ground_of(&who, "plan"), "big");
	ground_pass(&other, 20 * SHOP_DAY);
	assert_int_equal(ask(&other, &billing_v1_change_subscription,
			     "{\"plan\":\"tiny\",\"when\":\"now\"}", NULL),
	    TRL_CONFLICT);
	shop_subscribe(&other, "{\"plan\":\"tiny\"}"); /* at the end of the period */
	contest(&other, "winning_evidence");
	shop_subscribe(&other, "{\"plan\":\"tiny\",\"when\":\"now\"}");
	assert_string_equal(ground_of(&other, "plan"), "tiny");
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_void_invoice_gives_what_is_here_still),
		TEST(a_credit_of_what_went_back_is_no_balance),
		TEST(what_went_back_does_not_go_twice),
		TEST(an_end_credits_what_is_here_still),
		TEST(a_dispute_that_is_lost_leaves_nothing_to_credit),
		TEST(the_next_turn_knows_what_went_back),
		TEST(a_dispute_that_is_won_brings_it_back),
		TEST(a_refund_that_fails_after_its_credit_is_balance),
		TEST(what_was_paid_too_much_goes_back_from_the_balance),
		TEST(what_became_balance_goes_back_from_there_as_far_as_it_is_there),
		TEST(a_dispute_takes_what_became_balance),
		TEST(what_a_change_made_balance_goes_back_from_there),
		TEST(what_was_given_back_is_not_credited_by_a_change),
	};

	return cmocka_run_group_tests(tests, shop_open, ground_close);
}
