/* What a service says of itself and cannot be is refused, with the place and the line
 * to change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/complain.h>
#include <trl/event_type.h>

#include <auth_v1.trl.h>

#include "config.h"

/* The services of this build. */
const char *const trl_tellers[] = { "auth", "tenants", "notify", "zoo", NULL };

static char said[2000];

void
trl_complain(const char *fmt, ...)
{
	size_t at = strlen(said);
	va_list args;

	va_start(args, fmt);
	vsnprintf(said + at, sizeof said - at, fmt, args);
	va_end(args);
	strncat(said, "\n", sizeof said - strlen(said) - 1);
}

static enum trl_code
apply(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self, (void)ctx, (void)tx, (void)events, (void)n;
	return TRL_OK;
}

static const struct trl_sql_set sql = { .service = "zoo" };

/* A service that has these subscriptions; and what is said of it, "" where it is fine.
 */
static const char *
judge(const struct trl_sql_set *schema, const struct trl_subscription *one,
    const struct trl_subscription *two)
{
	const struct trl_subscription *const all[] = { one, two, NULL };
	const struct trl_service zoo = {
		.name = "zoo", .sql = schema, .subscriptions = all
	};
	const struct trl_service *const services[] = { &zoo };
	bool fine;

	said[0] = '\0';
	fine = process_check_services(services, 1);
	assert_int_equal(fine, said[0] == '\0');
	return said;
}

#define SUB(...) (&(const struct trl_subscription){ .apply = apply, __VA_ARGS__ })
#define TYPES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
what_can_be_is_taken(void **state)
{
	(void)state;
	assert_string_equal(judge(&sql, NULL, NULL), "");
	assert_string_equal(judge(&sql, SUB(.producer = TRL_EVERY_TELLER),
				SUB(.name = "feed", .producer = TRL_EVERY_TELLER)),
	    "");
	assert_string_equal(judge(&sql,
				SUB(.name = "own", .producer = "zoo",
				    .types = TYPES("zoo.audit.written")),
				SUB(.name = "audit", .producer = TRL_EVERY_TELLER,
				    .types = TYPES("*.audit.written"))),
	    "");
	assert_string_equal(
	    judge(&sql,
		SUB(.name = "people", .producer = "auth",
		    .types = TYPES("auth.account.created", "auth.account.updated")),
		NULL),
	    "");
}

static void
a_producer_that_tells_nothing_is_refused(void **state)
{
	(void)state;
	assert_string_equal(
	    judge(&sql, SUB(.name = "people", .producer = "auht"), NULL),
	    "the subscription people of zoo hears auht, which is not a service with a "
	    "schema in services/list: correct its .producer, in services/zoo\n");
}

static void
a_type_that_its_producer_does_not_tell_is_refused(void **state)
{
	(void)state;
	assert_string_equal(
	    judge(&sql,
		SUB(.name = "people", .producer = "auth",
		    .types = TYPES("auth.acount.created", "tenants.member.added")),
		NULL),
	    "the subscription people of zoo wants the event auth.acount.created, which "
	    "no contract declares: correct its .types, in services/zoo\n"
	    "the subscription people of zoo wants the event tenants.member.added, "
	    "which another service tells: correct its .types, in services/zoo\n");
}

static void
two_subscriptions_of_one_cursor_are_refused(void **state)
{
	(void)state;
	assert_string_equal(
	    judge(&sql, SUB(.name = "feed", .producer = TRL_EVERY_TELLER),
		SUB(.name = "feed_auth", .producer = "auth")),
	    "zoo has two subscriptions whose cursor is feed_auth: change one's .name, "
	    "in services/zoo\n");
	assert_string_equal(judge(&sql, SUB(.producer = TRL_EVERY_TELLER),
				SUB(.name = "auth", .producer = "auth")),
	    "zoo has two subscriptions whose cursor is auth: change one's .name, in "
	    "services/zoo\n");
}

static void
a_subscription_has_a_name_of_its_length(void **state)
{
	(void)state;
	assert_string_equal(judge(&sql, SUB(.producer = "auth"), NULL),
	    "a subscription of zoo to auth has no .name, in services/zoo\n");
	assert_string_equal(judge(&sql,
				SUB(.name = "a_name_of_thirty_five_characters_or",
				    .producer = TRL_EVERY_TELLER),
				NULL),
	    "the subscription a_name_of_thirty_five_characters_or of zoo: its name, "
	    "with a producer's behind it, has at most 40 characters\n");
}

static void
without_a_schema_nothing_is_heard_and_nothing_told(void **state)
{
	const struct trl_service auth = { .name = "auth" };
	const struct trl_service *const services[] = { &auth };

	(void)state;
	assert_string_equal(
	    judge(NULL, SUB(.name = "people", .producer = "auth"), NULL),
	    "zoo has subscriptions, whose cursors need a schema: set .sql of its "
	    "struct trl_service, in services/zoo\n");
	said[0] = '\0';
	assert_false(process_check_services(services, 1));
	assert_non_null(strstr(said,
	    "the contract of auth declares the event auth.account.created, which is "
	    "told from a schema: set .sql of its struct trl_service, in "
	    "services/auth\n"));
}

static void
another_services_contract_is_refused(void **state)
{
	static const struct trl_method *const methods[] = { &auth_v1_get_me };
	static const struct trl_contract contract = { .n_methods = 1,
		.methods = methods };
	static const struct trl_contract *const contracts[] = { &contract, NULL };
	const struct trl_service zoo = {
		.name = "zoo", .sql = &sql, .contracts = contracts
	};
	const struct trl_service *const services[] = { &zoo };

	(void)state;
	said[0] = '\0';
	assert_false(process_check_services(services, 1));
	assert_string_equal(said, "zoo serves auth.v1.Auth.GetMe, a method of auth: "
				  "correct .name or .contracts "
				  "of its struct trl_service\n");
}

static void
a_contract_that_is_left_out_is_refused(void **state)
{
	const struct trl_service auth = { .name = "auth", .sql = &sql };
	const struct trl_service *const services[] = { &auth };

	(void)state;
	said[0] = '\0';
	assert_false(process_check_services(services, 1));
	assert_memory_equal(said, "nobody serves auth.v1.Auth.", 27);
	assert_non_null(strstr(said,
	    ": set .contracts of struct trl_service auth_service to the server of its "
	    "contract\n"));
}

static void
calls_that_form_a_circle_are_refused(void **state)
{
	static const char *const below[] = { "zoo", NULL },
				 *const above[] = { "auth", NULL },
				 *const nobody[] = { "ghost", NULL };
	struct trl_service auth = { .name = "auth" }, zoo = { .name = "zoo" };
	const struct trl_service *const services[] = { &auth, &zoo };

	(void)state;
	said[0] = '\0';
	zoo.calls = above;
	assert_true(process_check_order(services, 2));
	auth.calls = below;
	assert_false(process_check_order(services, 2));
	zoo.calls = nobody;
	assert_false(process_check_order(services + 1, 1));
	zoo.calls = below;
	assert_false(process_check_order(services + 1, 1));
	assert_string_equal(said,
	    "auth calls zoo, which does not stand above it in services/list: calls "
	    "must "
	    "form no circle. Move the line, or let auth hear events instead.\n"
	    "zoo calls ghost, which is no service of services/list: correct .calls of "
	    "struct trl_service zoo_service\n"
	    "zoo calls zoo, which does not stand above it in services/list: calls must "
	    "form no circle. Move the line, or let zoo hear events instead.\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_is_taken),
		cmocka_unit_test(a_producer_that_tells_nothing_is_refused),
		cmocka_unit_test(a_type_that_its_producer_does_not_tell_is_refused),
		cmocka_unit_test(two_subscriptions_of_one_cursor_are_refused),
		cmocka_unit_test(a_subscription_has_a_name_of_its_length),
		cmocka_unit_test(without_a_schema_nothing_is_heard_and_nothing_told),
		cmocka_unit_test(another_services_contract_is_refused),
		cmocka_unit_test(a_contract_that_is_left_out_is_refused),
		cmocka_unit_test(calls_that_form_a_circle_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
