/* test_webhook.c - signatures and filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "webhooks/webhooks.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

/* The vector that the libraries of Standard Webhooks test with. */
static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char body[] = "{\"test\": 2432232314}";
static const struct notify_webhook_signed known = {
	.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
	.at_s = 1614265330,
	.body = body,
	.len = sizeof body - 1,
};
static const char signature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

static void
a_signature_is_that_of_the_specifications_vector(void **state)
{
	char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT];

	(void)state;
	assert_true(notify_webhook_sign(secret, &known, out));
	assert_string_equal(out, signature);
}

static void
id_time_body_and_secret_each_change_the_signature(void **state)
{
	char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT];
	struct notify_webhook_signed other = known;

	(void)state;
	other.id = "msg_p5jXN8AQM9LWM0D4loKWxJel";
	assert_true(notify_webhook_sign(secret, &other, out));
	assert_string_not_equal(out, signature);
	other = known;
	other.at_s++;
	assert_true(notify_webhook_sign(secret, &other, out));
	assert_string_not_equal(out, signature);
	other = known;
	other.len--;
	assert_true(notify_webhook_sign(secret, &other, out));
	assert_string_not_equal(out, signature);
	assert_true(
	    notify_webhook_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", &known, out));
	assert_string_not_equal(out, signature);
}

static void
what_is_no_secret_signs_nothing(void **state)
{
	static const char *const wrong[] = { "", "whsec_",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_dG9vIHNob3J0",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_*fKQ9r8GKYqrTwjUPD8I" };
	char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		assert_false(notify_webhook_sign(wrong[i], &known, out));
}

static void
a_new_secret_is_32_bytes_that_sign(void **state)
{
	char one[NOTIFY_WEBHOOK_SECRET_TEXT], two[NOTIFY_WEBHOOK_SECRET_TEXT];
	char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT];

	(void)state;
	notify_webhook_secret(one);
	notify_webhook_secret(two);
	assert_memory_equal(one, "whsec_", 6);
	assert_int_equal(strlen(one), 6 + 44);
	assert_string_not_equal(one, two);
	assert_true(notify_webhook_sign(one, &known, out));
}

static void
filters_take_in_what_they_say_and_no_more(void **state)
{
	static const struct {
		const char *filter, *type;
		bool takes;
	} rows[] = {
		{ "*", "tenants.member.added", true },
		{ "tenants.*", "tenants.member.added", true },
		{ "tenants.member.*", "tenants.member.added", true },
		{ "tenants.member.added", "tenants.member.added", true },
		{ "tenants.member", "tenants.member.added", false },
		{ "tenants.mem*", "tenants.member.added", false },
		{ "tenants.*", "tenantsx.member.added", false },
		{ "tenants.*", "tenants", false },
		{ "tenants.member.added", "tenants.member.added2", false },
		{ ".*", "tenants.member.added", false },
		{ "", "tenants.member.added", false },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (notify_webhook_takes(rows[i].filter, rows[i].type) != rows[i].takes)
			fail_msg("%s and %s", rows[i].filter, rows[i].type);
}

static void
filters_that_take_in_nothing_published_are_refused_by_their_place(void **state)
{
	static const struct {
		const char *filter;
		enum trl_code rc;
	} rows[] = {
		{ "*", TRL_OK }, { "tenants.*", TRL_OK },
		{ "tenants.member.*", TRL_OK }, { "tenants.member.added", TRL_OK },
		{ "tenants.member.adde", TRL_INVALID }, { "tenant.*", TRL_INVALID },
		{ "tenants.*.added", TRL_INVALID }, { "**", TRL_INVALID },
		{ "", TRL_INVALID },
		{ "auth.letter.requested", TRL_INVALID }, /* stays inside */
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		trl_ctx ctx = { .arena = trl_arena_new(0) };
		char filter[100];
		char *filters[] = { "tenants.*", filter };

		strcpy(filter, rows[i].filter);
		if (notify_webhook_check_filters(&ctx, filters, 2) != rows[i].rc)
			fail_msg("%s", filter);
		if (rows[i].rc != TRL_OK) {
			assert_int_equal(ctx.err.n_violations, 1);
			assert_string_equal(
			    ctx.err.violations[0].pointer, "/event_types/1");
		}
		trl_arena_free(&ctx.arena);
	}
}

static void
ten_attempts_are_made_by_the_specifications_schedule(void **state)
{
	static const uint32_t want[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000,
		86400 };

	(void)state;
	assert_int_equal(notify_webhook_job.attempts, 10);
	assert_int_equal(notify_webhook_job.n_delays, TRL_COUNT(want));
	assert_memory_equal(notify_webhook_job.delays_s, want, sizeof want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_that_of_the_specifications_vector),
		cmocka_unit_test(id_time_body_and_secret_each_change_the_signature),
		cmocka_unit_test(what_is_no_secret_signs_nothing),
		cmocka_unit_test(a_new_secret_is_32_bytes_that_sign),
		cmocka_unit_test(filters_take_in_what_they_say_and_no_more),
		cmocka_unit_test(
		    filters_that_take_in_nothing_published_are_refused_by_their_place),
		cmocka_unit_test(ten_attempts_are_made_by_the_specifications_schedule),
	};

	trl_assert(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
