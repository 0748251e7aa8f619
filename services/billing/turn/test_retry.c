/* A process dies between what it commits, what it charges and what it records as its
 * answer: whoever asks again under the same key has the first answer, and nothing is
 * done or charged twice. What fails here is PostgreSQL's statement, at the place where
 * the process would have died: what stands before it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/wire.h>

#include "test_ground.h"

enum { DAY = 86400 };

#define GOOD "4242424242424242"
#define REFUSED "4000000000000341"

/* From here on a row of the table is refused where the condition holds of new. */
static void
dies_at(const char *table, const char *when)
{
	world_sql("create function billing.dies() returns trigger language plpgsql as "
		  "'begin raise exception ''it died''; end'");
	world_sql("create trigger dies before insert on billing.%s for each row "
		  "when (%s) execute function billing.dies()",
	    table, when);
}

static void
lives_again(void)
{
	world_sql("drop function billing.dies() cascade");
}

static const char before_its_record[] = "octet_length(new.reply) > 0";
static const char before_its_charge[] = "new.kind = 'charge'";

static struct world_caller
owner_with(const char *card)
{
	struct world_caller who = ground_owner();

	ground_pay_with(&who, card);
	ground_pass(&who, 0);
	return who;
}

static const char *
invoices(const struct world_caller *who)
{
	return world_sql("select string_agg(status || ' ' || attempts, ', ' order by "
			 "place) from billing.invoice where tenant_id = '%s'",
	    world_id_text(who->tenant));
}

/* What the provider was asked for, and in the end took. */
static const char *
charges(const struct world_caller *who)
{
	return world_sql(
	    "select count(*) || ' ' || coalesce(sum(amount) filter (where status = "
	    "'succeeded'), 0) from billing.test_provider_request where tenant_id = "
	    "'%s' and kind = 'charge'",
	    world_id_text(who->tenant));
}

static const char *
audited(const struct world_caller *who, const char *action)
{
	return world_sql("select count(*) from billing.audit where tenant_id = '%s' "
			 "and action = '%s'",
	    world_id_text(who->tenant), action);
}

/* The request dies there, and then is made again as its client does. */
static Billing__V1__Subscription *
asked_twice(struct world_caller *who, const struct trl_method *method, const char *json,
    const char *table, const char *when)
{
	Billing__V1__Subscription *out;

	who->idempotency_key = "asked twice";
	dies_at(table, when);
	assert_true(trl_is_fault(ask(who, method, json, NULL)));
	lives_again();
	must(who, method, json, &out);
	assert_false(world.replayed);
	must(who, method, json, NULL);
	assert_true(world.replayed);
	return out;
}

static int64_t
version_of(const struct world_caller *who)
{
	return strtoll(ground_of(who, "version"), NULL, 10);
}

static void
a_resumed_subscription_is_not_resumed_again(void **state)
{
	const char *tables[] = { "idempotency", "test_provider_request" };
	const char *places[] = { before_its_record, before_its_charge };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(tables); i++) {
		struct world_caller who = ground_owner();
		Billing__V1__Subscription *now;

		ground_trial("\"days\":14,\"end\":\"pause\",\"per_owner\":9");
		ground_found(&who, ground_now());
		ground_pass(&who, 14 * DAY);
		assert_string_equal(ground_of(&who, "status"), "paused");
		ground_card(&who, GOOD);
		now = asked_twice(
		    &who, &billing_v1_resume_subscription, "{}", tables[i], places[i]);
		assert_int_equal(
		    now->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
		assert_string_equal(invoices(&who), "paid 1");
		assert_string_equal(charges(&who), "1 900");
		assert_string_equal(audited(&who, "billing.subscription.resume"), "1");
	}
}

static void
a_change_by_its_version_is_answered_as_it_was(void **state)
{
	const char *tables[] = { "idempotency", "test_provider_request" };
	const char *places[] = { before_its_record, before_its_charge };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(tables); i++) {
		struct world_caller who = owner_with(GOOD);
		Billing__V1__Subscription *now;

		who.has_if_version = true;
		who.if_version = version_of(&who);
		now = asked_twice(&who, &billing_v1_change_subscription,
		    "{\"plan\":\"big\"}", tables[i], places[i]);
		assert_int_equal(
		    now->status, BILLING__V1__SUBSCRIPTION__STATUS__active);
		assert_string_equal(invoices(&who), "paid 1");
		assert_string_equal(charges(&who), "1 6000");
		assert_string_equal(audited(&who, "billing.subscription.change"), "1");
	}
}

/* Another request is another matter: its version is the old one. */
static void
what_is_asked_under_another_key_is_decided_anew(void **state)
{
	struct world_caller who = owner_with(GOOD);

	(void)state;
	who.has_if_version = true;
	who.if_version = version_of(&who);
	(void)asked_twice(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}",
	    "idempotency", before_its_record);
	who.idempotency_key = "another";
	assert_int_equal(
	    ask(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL),
	    TRL_PRECONDITION);
	who.idempotency_key = "asked twice";
	assert_int_equal(
	    ask(&who, &billing_v1_change_subscription, "{\"plan\":\"team\"}", NULL),
	    TRL_INVALID);
}

/* A refused card is asked once, however often its owner asks what came of it. */
static void
a_payment_that_was_tried_is_not_tried_again(void **state)
{
	struct world_caller who = owner_with(REFUSED);
	Billing__V1__ListInvoicesReply *list;
	Billing__V1__Invoice *now;
	const char *json;

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	must(&who, &billing_v1_list_invoices, "{}", &list);
	json = ground_id("invoice_id", list->items[0]->id);
	now = (void *)asked_twice(
	    &who, &billing_v1_pay_invoice, json, "idempotency", before_its_record);
	assert_int_equal(now->status, BILLING__V1__INVOICE__STATUS__open);
	assert_string_equal(now->decline_code, "generic_decline");
	assert_string_equal(invoices(&who), "open 2");
	assert_string_equal(charges(&who), "2 0");
}

/* What comes of it may be heard before it is asked again. */
static void
an_answer_to_a_dispute_is_given_once(void **state)
{
	struct world_caller who = owner_with("4000000000000259"), operator=
								      ground_operator;
	const char *json;

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_settle();
	json = trl_arena_printf(world.arena,
	    "{\"tenant_id\":\"%s\",\"payment_id\":\"%s\",\"evidence\":"
	    "\"winning_evidence\"}",
	    world_id_text(who.tenant),
	    world_sql("select id from billing.payment where tenant_id = '%s' and kind "
		      "= 'dispute'",
		world_id_text(who.tenant)));
	operator.idempotency_key = "answered twice";
	dies_at("idempotency", before_its_record);
	assert_true(
	    trl_is_fault(ask(&operator, & billing_v1_answer_dispute, json, NULL)));
	lives_again();
	ground_settle();
	must(&operator, & billing_v1_answer_dispute, json, NULL);
	assert_string_equal(audited(&who, "billing.dispute.answer"), "1");
	assert_int_equal(ground_sum(&who, "disputed"), 0);
	operator.idempotency_key = "another";
	assert_int_equal(
	    ask(&operator, & billing_v1_answer_dispute, json, NULL), TRL_CONFLICT);
}

/* The job of another process hears the same news, and is faster. */
static void
a_dispute_that_others_hear_too_does_not_stop_the_clock(void **state)
{
	struct world_caller who = owner_with("4000000000000259");

	(void)state;
	world_sql("create sequence billing.heard");
	world_sql("create function billing.dies() returns trigger language plpgsql "
		  "security definer as 'begin if nextval(''billing.heard'') <= 2 then "
		  "raise exception ''faster'' using errcode = ''unique_violation'', "
		  "constraint = ''payment_reference_key'', schema = ''billing'', "
		  "table = ''payment''; end if; return new; end'");
	world_sql("create trigger dies before insert on billing.payment for each row "
		  "when (new.kind = 'dispute') execute function billing.dies()");
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"big\"}", NULL);
	ground_pass(&who, DAY);
	lives_again();
	world_sql("drop sequence billing.heard");
	ground_settle();
	assert_true(ground_sum(&who, "disputed") > 0);
}

/* What a call leaves in the arena of its message. */
struct weighing {
	const struct world_caller *who;
	const struct trl_method *method;
	const ProtobufCMessage *in;
	size_t bytes;
	enum trl_code rc;
};

static void
weigh(trl_ctx *ctx, void *arg)
{
	struct weighing *it = arg;
	void *self;
	trl_thunk *thunk = world_thunk(it->method, &ctx->pg, &self);
	ProtobufCMessage *out =
	    trl_message_new(ctx->arena, it->method->out->descriptor);

	ctx->service = "billing";
	ctx->method = it->method;
	ctx->tenant = it->who->tenant;
	ctx->principal.kind = TRL_OPERATOR;
	it->rc = thunk(self, ctx, it->in, out);
	it->bytes = trl_arena_used(ctx->arena);
}

static size_t
weight(const struct world_caller *who, const struct trl_method *method,
    const char *json, enum trl_code rc)
{
	struct weighing it = {
		.who = who, .method = method, .in = ground_message(method, json)
	};

	world_act(weigh, &it);
	assert_int_equal(it.rc, rc);
	return it.bytes;
}

/* Each try reads the account anew. */
static void
tries_that_others_won_leave_nothing_behind(void **state)
{
	static const struct {
		const struct trl_method *method;
		const char *json;
	} changes[] = {
		{ &billing_v1_change_subscription, "{\"plan\":\"team\",\"seats\":9}" },
		{ &billing_v1_put_profile,
		    "{\"legal_name\":\"Bo\",\"country\":\"AT\"}" },
	};
	struct world_caller who = owner_with(GOOD);

	(void)state;
	must(&who, &billing_v1_change_subscription, "{\"plan\":\"team\"}", NULL);
	for (size_t i = 0; i < TRL_COUNT(changes); i++) {
		size_t once = weight(&who, changes[i].method, changes[i].json, TRL_OK);

		world_sql("create function billing.loses() returns trigger language "
			  "plpgsql as 'begin return null; end'");
		world_sql("create trigger loses before update on billing.subscription "
			  "for each row execute function billing.loses()");
		assert_in_range(
		    weight(&who, changes[i].method, changes[i].json, TRL_CONFLICT),
		    once / 2, once + once / 4);
		world_sql("drop function billing.loses() cascade");
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_by_its_version_is_answered_as_it_was),
		TEST(what_is_asked_under_another_key_is_decided_anew),
		TEST(a_payment_that_was_tried_is_not_tried_again),
		TEST(an_answer_to_a_dispute_is_given_once),
		TEST(a_dispute_that_others_hear_too_does_not_stop_the_clock),
		TEST(tries_that_others_won_leave_nothing_behind),
		TEST(a_resumed_subscription_is_not_resumed_again),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
