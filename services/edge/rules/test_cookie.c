/* The session as a cookie: found among others, set only where it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <auth_v1.trl.h>

#include "test_rig.h"

static void
finds_the_session_among_other_cookies(void **state)
{
	static const struct {
		const char *header, *token; /* NULL: none */
	} rows[] = { { "__Host-session=abc", "abc" },
		{ "a=1; __Host-session=abc; b=2", "abc" },
		{ "a=1;__Host-session=abc", "abc" }, { "__Host-session=", "" },
		{ "__Host-session=first; __Host-session=second", "first" },
		{ "", NULL }, { "session=abc", NULL }, { "__host-session=abc", NULL },
		{ "x__Host-session=abc", NULL }, { "__Host-session2=abc", NULL },
		{ "a=__Host-session=abc", NULL }, { "__Host-session", NULL } };

	(void)state;
	rig_ask("GET", "/api/v1/me");
	assert_null(edge_cookie_read(&rig.request, &(size_t){ 0 }));
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *token;
		size_t len = 0;

		rig_ask("GET", "/api/v1/me");
		rig_header("cookie", rows[i].header);
		token = edge_cookie_read(&rig.request, &len);
		if (!rows[i].token != !token ||
		    (token && (len != strlen(rows[i].token) ||
				  memcmp(token, rows[i].token, len) != 0)))
			fail_msg("%s", rows[i].header);
	}
}

static void
finds_the_session_on_any_of_several_lines(void **state)
{
	static const struct {
		const char *lines[3], *token; /* NULL: none */
	} rows[] = { { { "a=1", "__Host-session=abc", "b=2" }, "abc" },
		{ { "__Host-session=abc", "a=1" }, "abc" },
		{ { "a=1; b=2", "c=3; __Host-session=abc" }, "abc" },
		{ { "__Host-session=first", "__Host-session=second" }, "first" },
		{ { "a=__Host-session", "=abc" }, NULL } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *token;
		size_t len = 0;

		rig_ask("GET", "/api/v1/me");
		for (size_t j = 0; j < 3 && rows[i].lines[j]; j++)
			rig_header("cookie", rows[i].lines[j]);
		token = edge_cookie_read(&rig.request, &len);
		if (!rows[i].token != !token ||
		    (token && (len != strlen(rows[i].token) ||
				  memcmp(token, rows[i].token, len) != 0)))
			fail_msg("%s", rows[i].lines[0]);
	}
}

static char secret[] = "trs_secret";

/* Logs in as far as the answer, and gives the token that is left for scripts. */
static const char *
log_in(bool has_cookie, bool cookie)
{
	Auth__V1__LogInRequest in = AUTH__V1__LOG_IN_REQUEST__INIT;
	Auth__V1__Session session = AUTH__V1__SESSION__INIT;
	Auth__V1__SignedIn out = AUTH__V1__SIGNED_IN__INIT;

	rig_ask("POST", "/api/v1/auth/login");
	rig_route();
	in.has_cookie = has_cookie;
	in.cookie = cookie;
	session.token = secret;
	out.session = &session;
	rig.request.in = &in.base;
	rig.request.out = &out.base;
	edge_cookie_write(&rig.request);
	return session.token;
}

static void
a_session_that_is_a_cookie_is_out_of_scripts_reach(void **state)
{
	(void)state;
	assert_null(log_in(true, true));
	assert_string_equal(rig_told("Set-Cookie"),
	    "__Host-session=trs_secret; Path=/; Secure; HttpOnly; SameSite=Lax");
}

static void
who_asks_for_no_cookie_gets_the_token_alone(void **state)
{
	(void)state;
	assert_string_equal(log_in(false, false), secret);
	assert_string_equal(rig_told("Set-Cookie"), "");
	assert_string_equal(log_in(true, false), secret);
	assert_string_equal(rig_told("Set-Cookie"), "");
	/* What was not said is not asked for, whatever lies in its place. */
	assert_string_equal(log_in(false, true), secret);
	assert_string_equal(rig_told("Set-Cookie"), "");
}

static void
logging_out_by_cookie_takes_it_back(void **state)
{
	Auth__V1__LogOutRequest in = AUTH__V1__LOG_OUT_REQUEST__INIT;

	(void)state;
	for (int credential = EDGE_BEARER; credential <= EDGE_COOKIE; credential++) {
		rig_ask("POST", "/api/v1/auth/logout");
		rig_route();
		rig.request.in = &in.base;
		rig.request.credential = (enum edge_credential)credential;
		edge_cookie_write(&rig.request);
		assert_string_equal(rig_told("Set-Cookie"),
		    credential == EDGE_COOKIE
			? "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; "
			  "Max-Age=0"
			: "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_session_among_other_cookies),
		cmocka_unit_test(finds_the_session_on_any_of_several_lines),
		cmocka_unit_test(a_session_that_is_a_cookie_is_out_of_scripts_reach),
		cmocka_unit_test(who_asks_for_no_cookie_gets_the_token_alone),
		cmocka_unit_test(logging_out_by_cookie_takes_it_back),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
