/* test_suppression.c - addresses that are left alone, as the operator sees and frees
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const struct world_caller operator= { .operator= true };
static char text[200000];

static int
before_each(void **state)
{
	(void)state;
	world_sql("delete from suppression");
	world_sql("insert into suppression (email, reason, created_at, until) select "
		  "mail, '550 5.1.1 unknown', now(), now() + days * interval '1 day' "
		  "from (values ('a@l.example', 1), ('B@l.example', 30), "
		  "('c@l.example', 30), ('over@l.example', -1)) v (mail, days)");
	return 0;
}

/* The addresses that the operator is shown, with a space behind each. */
static const char *
held(char *email, char *after, unsigned limit)
{
	Notify__V1__ListSuppressionsRequest ask =
	    NOTIFY__V1__LIST_SUPPRESSIONS_REQUEST__INIT;
	Notify__V1__ListSuppressionsReply *out;
	char *list = trl_arena_strdup(world.arena, "");

	ask.email = email;
	ask.after = after;
	ask.has_limit = limit > 0;
	ask.limit = limit;
	assert_int_equal(
	    world_call(&operator, & notify_v1_list_suppressions, &ask.base, &out),
	    TRL_OK);
	for (size_t i = 0; i < out->n_items; i++) {
		assert_string_equal(out->items[i]->reason, "550 5.1.1 unknown");
		assert_non_null(out->items[i]->until);
		list =
		    trl_arena_printf(world.arena, "%s%s ", list, out->items[i]->email);
	}
	return list;
}

static enum trl_code
lift(const char *email)
{
	Notify__V1__LiftSuppressionRequest in =
	    NOTIFY__V1__LIFT_SUPPRESSION_REQUEST__INIT;

	in.email = (char *)(uintptr_t)email;
	return world_call(&operator, & notify_v1_lift_suppression, &in.base, NULL);
}

static void
the_operator_sees_what_is_held_by_address_in_pieces_and_what_is_over_not(void **state)
{
	static char after[] = "a@l.example", email[] = "b@L.example",
		    over[] = "over@l.example";

	(void)state;
	assert_string_equal(
	    held(NULL, NULL, 0), "B@l.example a@l.example c@l.example ");
	assert_string_equal(held(NULL, NULL, 2), "B@l.example a@l.example ");
	assert_string_equal(held(NULL, after, 2), "c@l.example ");
	assert_string_equal(held(email, NULL, 0), "B@l.example ");
	assert_string_equal(held(over, NULL, 0), "");
}

static void
an_address_that_is_lifted_gets_mails_again(void **state)
{
	const struct trl_id ada = world_person("c@l.example", NULL, true),
			    bob = world_person("bob@l.example", NULL, true);

	(void)state;
	world_member(world_tenant("One"), ada, TENANTS__V1__MEMBER__ROLE__member, bob);
	world_settle();
	assert_int_equal(world_mails("c@l.example", text, sizeof text), 0);
	assert_int_equal(lift("c@l.example"), TRL_OK);
	assert_string_equal(held(NULL, NULL, 0), "B@l.example a@l.example ");
	world_member(world_tenant("Two"), ada, TENANTS__V1__MEMBER__ROLE__member, bob);
	world_settle();
	assert_int_equal(world_mails("c@l.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "Two"));
}

/* What is held after a bulk lift. */
static const char *
after_lifting(char *reason, char *domain, enum trl_code want)
{
	Notify__V1__LiftSuppressionsRequest in =
	    NOTIFY__V1__LIFT_SUPPRESSIONS_REQUEST__INIT;

	in.reason = reason;
	in.domain = domain;
	assert_int_equal(
	    world_call(&operator, & notify_v1_lift_suppressions, &in.base, NULL), want);
	return world_sql("select coalesce(string_agg(email, ' ' order by email), '') "
			 "from suppression");
}

static void
many_are_lifted_by_what_was_said_of_them_or_their_domain(void **state)
{
	static char relay[] = "Relay not permitted", domain[] = "L.example";

	(void)state;
	world_sql("insert into suppression (email, reason, created_at, until) select "
		  "n || '@m.example', '550 relay not permitted', now(), now() + "
		  "interval '1 day' from generate_series(1, 300) n");
	world_sql(
	    "insert into suppression values (default, 'd@m.example', '550 5.1.1', "
	    "now(), now() + interval '1 day')");
	assert_non_null(strstr(after_lifting(NULL, NULL, TRL_INVALID), "300@m"));
	assert_string_equal(after_lifting(relay, NULL, TRL_OK),
	    "B@l.example a@l.example c@l.example d@m.example over@l.example");
	assert_string_equal(
	    after_lifting(NULL, domain, TRL_OK), "d@m.example over@l.example");
}

static void
what_is_not_held_cannot_be_lifted(void **state)
{
	static const char *const free[] = { "over@l.example", "nobody@l.example" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(free); i++) {
		assert_int_equal(lift(free[i]), TRL_NOT_FOUND);
		assert_string_equal(
		    world.err.message, "No mail is held back from this address.");
	}
	assert_string_equal(world_sql("select count(*) from suppression"), "4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_operator_sees_what_is_held_by_address_in_pieces_and_what_is_over_not,
		    before_each, ground_forget),
		cmocka_unit_test_setup_teardown(
		    an_address_that_is_lifted_gets_mails_again, before_each,
		    ground_forget),
		cmocka_unit_test_setup_teardown(
		    many_are_lifted_by_what_was_said_of_them_or_their_domain,
		    before_each, ground_forget),
		cmocka_unit_test_setup_teardown(
		    what_is_not_held_cannot_be_lifted, before_each, ground_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
