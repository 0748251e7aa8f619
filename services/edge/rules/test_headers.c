/* What every answer carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

static void
cors_is_told_to_an_origin_that_may_read_alone(void **state)
{
	(void)state;
	rig_ask("GET", "/api/v1/me");
	edge_headers(&rig.request);
	assert_string_equal(rig_told("Access-Control-Allow-Origin"), "");
	assert_string_equal(rig_told("Access-Control-Allow-Credentials"), "");
	/* Whoever asks and however the door is set up: our own pages have an Origin. */
	assert_non_null(strstr(
	    rig.request.response.fixed, "\r\nVary: Origin, Accept-Encoding\r\n"));
	rig_ask("GET", "/api/v1/me");
	rig.request.origin = "https://app.example";
	edge_headers(&rig.request);
	assert_string_equal(
	    rig_told("Access-Control-Allow-Origin"), "https://app.example");
	assert_string_equal(rig_told("Access-Control-Allow-Credentials"), "true");
	assert_non_null(strstr(rig_told("Access-Control-Expose-Headers"), "ETag"));
	assert_string_equal(rig_told("Vary"), "");
}

static void
limits_are_told_with_what_is_left_of_each(void **state)
{
	struct trl_access_states *states;

	(void)state;
	rig_ask("GET", "/api/v1/me");
	edge_headers(&rig.request);
	assert_string_equal(rig_told("RateLimit"), "");
	rig_ask("GET", "/api/v1/me");
	states = &rig.request.states;
	states->state[states->n++] =
	    (struct trl_limit_state){ .limit = trl_limit_find(TRL_LIMIT_ADDRESS, NULL),
		    .quota = 1200,
		    .remaining = 1199,
		    .next_us = 50001 };
	states->state[states->n++] =
	    (struct trl_limit_state){ .limit = trl_limit_find(TRL_LIMIT_NAME, "login"),
		    .quota = UINT64_MAX,
		    .next_us = 60000000 };
	edge_headers(&rig.request);
	assert_string_equal(rig_told("RateLimit-Policy"),
	    "\"address\";q=1200;w=60, \"login-name\";q=18446744073709551615;w=60");
	assert_string_equal(
	    rig_told("RateLimit"), "\"address\";r=1199;t=1, \"login-name\";r=0;t=60");
}

static void
every_answer_can_be_traced_and_is_safe_in_a_browser(void **state)
{
	(void)state;
	rig_ask("GET", "/api/v1/me");
	memset(rig.ctx.trace.trace_id, 0xab, 16);
	memset(rig.ctx.trace.span_id, 0x01, 8);
	rig.ctx.trace.flags = 1;
	edge_headers(&rig.request);
	assert_string_equal(rig_told("traceparent"),
	    "00-abababababababababababababababab-0101010101010101-01");
	assert_string_equal(rig_told("X-Request-Id"), "request-1");
	assert_non_null(
	    strstr(rig.request.response.fixed, "X-Content-Type-Options: nosniff\r\n"));
	assert_int_equal(
	    rig.request.response.fixed_len, strlen(rig.request.response.fixed));
	assert_string_equal(rig_told("Strict-Transport-Security"), "");
	rig.edge.tls = true;
	rig_ask("GET", "/api/v1/me");
	edge_headers(&rig.request);
	rig.edge.tls = false;
	assert_string_not_equal(rig_told("Strict-Transport-Security"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cors_is_told_to_an_origin_that_may_read_alone),
		cmocka_unit_test(limits_are_told_with_what_is_left_of_each),
		cmocka_unit_test(every_answer_can_be_traced_and_is_safe_in_a_browser),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
