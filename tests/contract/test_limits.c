/* Methods and limits name each other: a class that no row of limit.c knows would leave
 * a method without its limit, and a row whose class no method names limits nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/limit.h>
#include <trl/method.h>

static bool
is_limited(const char *rate)
{
	for (size_t i = 0; i < trl_limits_count; i++)
		if (trl_limits[i].rate && strcmp(trl_limits[i].rate, rate) == 0)
			return true;
	return false;
}

static void
every_method_names_a_class_that_has_a_limit(void **state)
{
	(void)state;
	assert_true(trl_methods_count > 0);
	for (size_t i = 0; i < trl_methods_count; i++)
		if (!is_limited(trl_methods[i]->rate))
			fail_msg("%s counts against %s, which limit.c does not know",
			    trl_methods[i]->name, trl_methods[i]->rate);
}

/* Of what people reach: what services ask of each other is not counted. */
static bool
is_used(const char *rate)
{
	for (size_t i = 0; i < trl_methods_count; i++)
		if (trl_methods[i]->auth != TRL_AUTH_MESH &&
		    trl_methods[i]->auth != TRL_AUTH_OPERATOR &&
		    strcmp(trl_methods[i]->rate, rate) == 0)
			return true;
	return false;
}

static void
every_limit_of_a_class_limits_some_method(void **state)
{
	(void)state;
	for (size_t i = 0; i < trl_limits_count; i++)
		if (trl_limits[i].rate && !is_used(trl_limits[i].rate))
			fail_msg("no method counts against %s, of the class %s",
			    trl_limits[i].name, trl_limits[i].rate);
}

/* Each of these sends a letter to an address that its caller names, or says whether
 * somebody's address has an account. */
static void
what_reaches_strangers_has_the_limits_of_inviting(void **state)
{
	static const char *const names[] = { "tenants.v1.Tenants.CreateInvitation",
		"tenants.v1.Tenants.ResendInvitation", "tenants.v1.Tenants.AddMember" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct trl_method *found = trl_method_by_name(names[i]);

		assert_non_null(found);
		assert_string_equal(found->rate, "invite");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_names_a_class_that_has_a_limit),
		cmocka_unit_test(every_limit_of_a_class_limits_some_method),
		cmocka_unit_test(what_reaches_strangers_has_the_limits_of_inviting),
	};
	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
