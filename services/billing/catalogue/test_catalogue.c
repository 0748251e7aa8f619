/* The catalogue: what does not fit together is refused with its place, what was
 * promised stays, and everybody sees what is sold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/json.h>
#include <trl/wire.h>

#include "catalogue/catalogue.h"
#include "test_service.h"

static const struct world_caller operator= { .operator= true };

#define FREE                                                                           \
	"{\"key\":\"free\",\"name\":\"Free\",\"rank\":0,\"features\":"                 \
	"[{\"feature\":\"seats\",\"number\":3},{\"feature\":\"sso\",\"boolean\":"      \
	"false}]}"
#define TEAM(prices)                                                                   \
	"{\"key\":\"team\",\"name\":\"Team\",\"rank\":10,\"features\":"                \
	"[{\"feature\":\"seats\"},{\"feature\":\"sso\",\"boolean\":true}],"            \
	"\"prices\":[" prices "]}"
#define MONTH                                                                          \
	"{\"key\":\"team-1\",\"currency\":\"EUR\",\"interval\":\"month\","             \
	"\"model\":\"per_seat\",\"unit_amount\":\"900\"}"
#define FEATURES                                                                       \
	"\"features\":[{\"key\":\"seats\",\"type\":\"number\",\"name\":\"Seats\"},"    \
	"{\"key\":\"sso\",\"type\":\"boolean\",\"name\":\"SSO\"}]"
#define CATALOGUE(plans, rest)                                                         \
	"{" FEATURES ",\"plans\":[" plans "],\"fallback_plan\":\"free\"" rest "}"

struct asked {
	const char *json;
	bool apply;
	enum trl_code rc;
	Billing__V1__ApplyCatalogueRequest *in;
};

static void
decode(trl_ctx *ctx, void *arg)
{
	struct asked *asked = arg;
	char *text = trl_arena_printf(world.arena, "{\"catalogue\":%s,\"apply\":%s}",
	    asked->json, asked->apply ? "true" : "false");
	trl_arena *own = ctx->arena;

	ctx->arena = world.arena; /* the message outlives this actor */
	asked->in = (Billing__V1__ApplyCatalogueRequest *)trl_message_new(
	    world.arena, &billing__v1__apply_catalogue_request__descriptor);
	asked->rc = trl_json_decode(
	    ctx, billing_v1_apply_catalogue.in, text, strlen(text), &asked->in->base);
	if (asked->rc != TRL_OK)
		print_error("%s: %s\n", asked->json, ctx->err.message);
	ctx->arena = own;
}

static enum trl_code
apply(const char *json, bool really, Billing__V1__ApplyCatalogueReply **out)
{
	struct asked asked = { .json = json, .apply = really };

	world_act(decode, &asked);
	assert_int_equal(asked.rc, TRL_OK);
	return world_call(
	    &operator, & billing_v1_apply_catalogue, &asked.in->base, out);
}

/* Its changes, with a line each. */
static const char *
changes(const char *json, bool really)
{
	Billing__V1__ApplyCatalogueReply *out;
	char *text = trl_arena_strdup(world.arena, "");

	assert_int_equal(apply(json, really, &out), TRL_OK);
	for (size_t i = 0; i < out->n_changes; i++)
		text = trl_arena_printf(world.arena, "%s%s\n", text, out->changes[i]);
	return text;
}

static void
refused(const char *json, const char *pointer, const char *detail)
{
	assert_int_equal(apply(json, true, NULL), TRL_INVALID);
	for (size_t i = 0; i < world.err.n_violations; i++) {
		const struct trl_violation *violation = &world.err.violations[i];

		if (strcmp(violation->pointer, pointer) == 0 &&
		    strstr(violation->detail, detail))
			return;
		print_error("%s: %s\n", violation->pointer, violation->detail);
	}
	fail_msg("nothing at %s says \"%s\"", pointer, detail);
}

static int
before_each(void **state)
{
	(void)state;
	world_sql("delete from catalogue_directory");
	return 0;
}

static Billing__V1__ListPlansReply *
plans(char *currency)
{
	Billing__V1__ListPlansRequest in = BILLING__V1__LIST_PLANS_REQUEST__INIT;
	Billing__V1__ListPlansReply *out;

	in.currency = currency;
	assert_int_equal(
	    world_call(NULL, &billing_v1_list_plans, &in.base, &out), TRL_OK);
	return out;
}

static void
what_is_applied_is_sold(void **state)
{
	static char usd[] = "USD";

	(void)state;
	assert_int_equal(plans(NULL)->n_items, 0);
	assert_string_equal(changes(CATALOGUE(TEAM(MONTH) "," FREE, ""), false),
	    "Feature seats is new.\nFeature sso is new.\nPlan team is new.\n"
	    "Plan team gets the price team-1.\nPlan free is new.\n"
	    "Whoever has no plan has free.\n");
	assert_int_equal(plans(NULL)->n_items, 0);
	changes(CATALOGUE(TEAM(MONTH) "," FREE, ""), true);
	assert_string_equal(changes(CATALOGUE(TEAM(MONTH) "," FREE, ""), true), "");
	assert_string_equal(world_sql("select count(*) from catalogue_directory"), "1");
	assert_int_equal(plans(NULL)->n_items, 2);
	assert_string_equal(plans(NULL)->items[0]->key, "free");
	assert_string_equal(plans(NULL)->items[1]->prices[0]->unit_amount, "900");
	assert_int_equal(plans(usd)->items[1]->n_prices, 0);
}

static void
a_price_never_changes(void **state)
{
	static const char dearer[] = CATALOGUE(
	    TEAM("{\"key\":\"team-1\",\"currency\":\"EUR\",\"interval\":"
		 "\"month\",\"model\":\"per_seat\",\"unit_amount\":\"950\"}") "," FREE,
	    "");
	static const char next[] = CATALOGUE(
	    TEAM("{\"key\":\"team-2\",\"currency\":\"EUR\",\"interval\":"
		 "\"month\",\"model\":\"per_seat\",\"unit_amount\":\"950\"}") "," FREE,
	    "");

	(void)state;
	changes(CATALOGUE(TEAM(MONTH) "," FREE, ""), true);
	refused(dearer, "/catalogue/plans/0/prices/0", "never changes");
	assert_string_equal(changes(next, true),
	    "Plan team gets the price team-2.\nThe price team-1 is no longer sold.\n");
	assert_int_equal(plans(NULL)->items[1]->n_prices, 1);
	/* Nor when it comes back under its name. */
	refused(dearer, "/catalogue/plans/0/prices/0", "never changes");
	assert_string_equal(changes(CATALOGUE(TEAM(MONTH) "," FREE, ""), true),
	    "The price team-1 is sold again.\nThe price team-2 is no longer sold.\n");
	assert_string_equal(changes(CATALOGUE(FREE, ""), true),
	    "Plan team is no longer offered.\nThe price team-1 is no longer sold.\n");
	assert_int_equal(plans(NULL)->n_items, 1);
}

static void
nothing_was_applied(void)
{
	assert_string_equal(world_sql("select count(*) from catalogue_directory"), "0");
}

/* Whoever edits a rate or a limit by mistake sees it before it holds. */
static void
a_comparison_says_from_what_to_what(void **state)
{
#define WITH(seats, sso, rate, code)                                                   \
	CATALOGUE("{\"key\":\"free\",\"name\":\"Free\",\"rank\":0,\"features\":[{"     \
		  "\"feature\":\"seats\"" seats                                        \
		  "},{\"feature\":\"sso\",\"boolean\":" sso "}]}",                     \
	    ",\"tax_rates\":[{\"country\":\"AT\",\"name\":\"VAT\",\"rate\":\"" rate    \
	    "\"}],\"coupons\":[{\"code\":\"" code                                      \
	    "\",\"percent_off\":\"10\",\"duration\":\"once\"}]")
	(void)state;
	changes(WITH(",\"number\":3", "false", "20", "A"), true);
	assert_string_equal(changes(WITH("", "true", "2", "B"), true),
	    "Plan free: seats is without limit instead of 3, for whoever has it, too.\n"
	    "Plan free: sso is on instead of off, for whoever has it, too.\n"
	    "Tax AT VAT is 2 % instead of 20 %, on invoices from now on.\n"
	    "Coupon B is new.\nCoupon A takes nothing off any more.\n");
	assert_string_equal(changes(WITH("", "true", "2.0", "B"), true),
	    "Tax AT VAT is 2.0 % instead of 2 %, on invoices from now on.\n");
}

static void
what_does_not_fit_is_refused_with_its_place(void **state)
{
	(void)state;
	refused(CATALOGUE(FREE "," FREE, ""), "/catalogue/plans/1/key", "Two plans");
	refused(CATALOGUE(TEAM(MONTH "," MONTH) "," FREE, ""),
	    "/catalogue/plans/0/prices/1/key", "Two prices");
	refused(
	    CATALOGUE(TEAM(MONTH ",{\"key\":\"team-2\",\"currency\":\"EUR\","
				 "\"interval\":\"month\",\"interval_count\":3,"
				 "\"model\":\"fixed\",\"unit_amount\":\"9\"}") "," FREE,
		""),
	    "/catalogue/plans/0/prices/1", "nobody could choose");
	refused(CATALOGUE(TEAM(""), ""), "/catalogue/fallback_plan", "no plan free");
	refused(CATALOGUE("{\"key\":\"free\",\"name\":\"F\",\"rank\":0,\"features\":[{"
			  "\"feature\":\"nope\",\"number\":1}]}",
		    ""),
	    "/catalogue/plans/0/features/0/feature", "no feature");
	refused(CATALOGUE("{\"key\":\"free\",\"name\":\"F\",\"rank\":0,\"features\":[{"
			  "\"feature\":\"sso\",\"number\":1}]}",
		    ""),
	    "/catalogue/plans/0/features/0/boolean", "on or off");
	refused(CATALOGUE("{\"key\":\"free\",\"name\":\"F\",\"rank\":0}", ""),
	    "/catalogue/plans/0/features", "how much of seats");
	refused(CATALOGUE(FREE, ",\"trial\":{\"price\":\"none\",\"days\":14,\"end\":"
				"\"pause\"}"),
	    "/catalogue/trial/price", "no price none");
	refused(CATALOGUE(FREE, ",\"dunning\":{\"days\":[3,1]}"),
	    "/catalogue/dunning/days/1", "must rise");
	nothing_was_applied();
}

/* A price of the plan team. */
#define PRICE(rest) CATALOGUE(TEAM("{\"key\":\"p-1\"," rest "}") "," FREE, "")
#define OF "\"currency\":\"EUR\",\"interval\":\"month\","

static void
an_amount_that_is_no_decimal_or_negative_is_refused(void **state)
{
	static const char *const none[] = { "1,5", "1e400", "NaN", "0x10", "9e30", "-",
		"0.0000000000001" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(none); i++)
		refused(trl_arena_printf(world.arena,
			    PRICE(OF "\"model\":\"per_seat\",\"unit_amount\":\"%s\""),
			    none[i]),
		    "/catalogue/plans/0/prices/0/unit_amount", "no decimal");
	refused(PRICE(OF "\"model\":\"per_seat\",\"unit_amount\":\"-5\""),
	    "/catalogue/plans/0/prices/0/unit_amount", "negative");
	refused(PRICE(OF "\"model\":\"per_seat\""),
	    "/catalogue/plans/0/prices/0/unit_amount", "either an amount or tiers");
	nothing_was_applied();
}

static void
a_currency_that_is_unknown_or_a_fund_is_refused(void **state)
{
	(void)state;
	refused(PRICE("\"currency\":\"XYZ\",\"interval\":\"month\",\"model\":\"fixed\","
		      "\"unit_amount\":\"5\""),
	    "/catalogue/plans/0/prices/0/currency", "no such currency");
	refused(PRICE("\"currency\":\"CLF\",\"interval\":\"month\",\"model\":\"fixed\","
		      "\"unit_amount\":\"5\""),
	    "/catalogue/plans/0/prices/0/currency", "nobody pays");
	nothing_was_applied();
}

/* Each begins where the one before it ends: a gap is only after the last. */
static void
tiers_that_overlap_or_leave_a_gap_are_refused(void **state)
{
	(void)state;
	refused(PRICE(OF "\"model\":\"graduated\",\"tiers\":[{\"up_to\":10,"
			 "\"unit_amount\":\"5\"},{\"up_to\":10,\"unit_amount\":\"4\"},{"
			 "\"unit_amount\":\"3\"}]"),
	    "/catalogue/plans/0/prices/0/tiers/1/up_to", "must rise");
	refused(PRICE(OF "\"model\":\"volume\",\"tiers\":[{\"up_to\":10,"
			 "\"unit_amount\":\"5\"}]"),
	    "/catalogue/plans/0/prices/0/tiers/0/up_to", "no end");
	refused(PRICE(OF "\"model\":\"volume\",\"tiers\":[{\"up_to\":10,"
			 "\"unit_amount\":\"5\"},{\"unit_amount\":\"1,5\"}]"),
	    "/catalogue/plans/0/prices/0/tiers/1/unit_amount", "no decimal");
	refused(PRICE(OF "\"model\":\"volume\",\"tiers\":[{\"up_to\":10,"
			 "\"unit_amount\":\"5\"},{\"unit_amount\":\"-1\"}]"),
	    "/catalogue/plans/0/prices/0/tiers/1/unit_amount", "negative");
	refused(PRICE(OF "\"model\":\"graduated\""),
	    "/catalogue/plans/0/prices/0/tiers", "1 to 20 tiers");
	nothing_was_applied();
}

static void
a_coupon_of_150_percent_is_refused(void **state)
{
	(void)state;
	refused(
	    CATALOGUE(FREE, ",\"coupons\":[{\"code\":\"X\",\"percent_off\":\"5\","
			    "\"duration\":\"once\",\"plans\":[\"free\",\"nope\"]}]"),
	    "/catalogue/coupons/0/plans/1", "no plan nope");
	refused(CATALOGUE(FREE, ",\"coupons\":[{\"code\":\"X\",\"percent_off\":\"150\","
				"\"duration\":\"once\"}]"),
	    "/catalogue/coupons/0/percent_off", "at most 100");
	refused(CATALOGUE(FREE, ",\"coupons\":[{\"code\":\"X\",\"amount_off\":5,"
				"\"duration\":\"several\",\"currency\":\"EUR\"}]"),
	    "/catalogue/coupons/0/periods", "How many");
	nothing_was_applied();
}

#define RATE(name, more)                                                               \
	"{\"country\":\"AT\",\"name\":\"" name "\",\"rate\":\"1\"" more "}"

static void
tax_that_is_none_or_too_much_is_refused(void **state)
{
	(void)state;
	refused(CATALOGUE(FREE, ",\"tax_rates\":[{\"country\":\"at\",\"name\":\"VAT\","
				"\"rate\":\"20\"}]"),
	    "/catalogue/tax_rates/0/country", "two capitals");
	refused(CATALOGUE(FREE, ",\"tax_rates\":[{\"country\":\"XX\",\"name\":\"VAT\","
				"\"rate\":\"20\"}]"),
	    "/catalogue/tax_rates/0/country", "two capitals");
	refused(CATALOGUE(FREE, ",\"tax_rates\":[" RATE("A", "") "," RATE(
				    "A", ",\"tax_class\":\"standard\"") "]"),
	    "/catalogue/tax_rates/1", "twice");
	refused(
	    CATALOGUE(FREE, ",\"tax_rates\":[" RATE("A", "") "," RATE("B", "") "," RATE(
				"C", "") "," RATE("D", ",\"region\":\"AT-9\"") "]"),
	    "/catalogue/tax_rates/3", "4 rates add up");
	nothing_was_applied();
}

/* So many plans named after a letter. */
static const char *
many(char letter, unsigned n)
{
	char *text = trl_arena_strdup(world.arena, "");

	for (unsigned i = 0; i < n; i++)
		text = trl_arena_printf(world.arena,
		    "%s,{\"key\":\"%c%u\",\"name\":\"P\",\"rank\":1}", text, letter, i);
	return trl_arena_printf(world.arena,
	    "{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0}%s],"
	    "\"fallback_plan\":\"free\"}",
	    text);
}

static void
what_is_kept_counts_for_the_limits(void **state)
{
	(void)state;
	assert_int_equal(apply(many('a', 60), true, NULL), TRL_OK);
	refused(many('b', 60), "/catalogue/plans", "the plans are 121; at most 100");
	assert_int_equal(apply(many('b', 39), true, NULL), TRL_OK);
}

static int
open_world(void **state)
{
	(void)state;
	return world_open_one(&billing_service);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, before_each, world_forget)
	const struct CMUnitTest tests[] = {
		TEST(what_is_applied_is_sold),
		TEST(a_price_never_changes),
		TEST(a_comparison_says_from_what_to_what),
		TEST(what_does_not_fit_is_refused_with_its_place),
		TEST(an_amount_that_is_no_decimal_or_negative_is_refused),
		TEST(a_currency_that_is_unknown_or_a_fund_is_refused),
		TEST(tiers_that_overlap_or_leave_a_gap_are_refused),
		TEST(a_coupon_of_150_percent_is_refused),
		TEST(tax_that_is_none_or_too_much_is_refused),
		TEST(what_is_kept_counts_for_the_limits),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
