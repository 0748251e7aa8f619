/* Whose pages may read answers and write with the cookie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

static void
set_up(const char *public_url, const char *origins)
{
	rig.config.public_url = public_url;
	rig.config.origins = origins;
	rig.edge.n_origins = 0;
	edge_origins_read(&rig.edge);
}

struct row {
	const char *host, *origin;
	bool allowed;
};

static void
each_is_judged(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rig_ask("GET", "/api/v1/me");
		rig.http.host = rows[i].host;
		if (edge_origin_allowed(&rig.edge, &rig.http, rows[i].origin) !=
		    rows[i].allowed)
			fail_msg("%s at %s", rows[i].origin, rows[i].host);
	}
}

static void
what_people_call_this_server_is_its_origin_whatever_the_host(void **state)
{
	static const struct row rows[] = {
		{ "trellis.test", "https://trellis.test", true },
		{ "trellis.test:443", "https://trellis.test", true },
		{ "inside:8080", "https://trellis.test", true },
		{ "trellis.test", "http://trellis.test", false },
		{ "trellis.test", "https://trellis.test:8443", false },
		{ "trellis.test", "https://trellis.test/", false },
		{ "trellis.test", "https://trellis.test.evil", false },
		{ "trellis.test", "httpx://trellis.test", false },
		{ "trellis.test", "file://trellis.test", false },
		{ "trellis.test", "://trellis.test", false },
		{ "inside:8080", "http://inside:8080", false },
		{ "inside:8080", "https://inside:8080", false },
		{ "evil.example", "https://evil.example", false },
		{ "", "https://", false },
		{ "", "", false },
		{ "trellis.test", "null", false },
	};

	(void)state;
	set_up("HTTPS://Trellis.test:443/app", "");
	assert_true(rig.edge.tls);
	each_is_judged(rows, TRL_COUNT(rows));
}

static void
on_a_machine_of_developers_its_pages_say_what_they_ask(void **state)
{
	static const struct row rows[] = {
		{ "127.0.0.1:8080", "http://127.0.0.1:8080", true },
		{ "localhost:9090", "http://localhost:9090", true },
		{ "LOCALHOST:9090", "http://localhost:9090", true },
		{ "localhost:9090", "https://localhost:9090", false },
		{ "localhost:9090", "http://localhost:3000", false },
		{ "localhost:9090", "http://localhost", false },
		{ "", "http://", false },
	};

	(void)state;
	set_up("http://127.0.0.1:8080", "");
	assert_false(rig.edge.tls);
	each_is_judged(rows, TRL_COUNT(rows));
}

static void
the_allow_list_names_whole_origins(void **state)
{
	static const struct row rows[] = {
		{ "trellis.test", "https://app.example", true },
		{ "trellis.test", "https://other.example:8443", true },
		{ "trellis.test", "http://127.0.0.1:3000", true },
		{ "trellis.test", "http://app.example", false },
		{ "trellis.test", "https://app.example.evil", false },
		{ "trellis.test", "https://app.exampl", false },
		{ "trellis.test", "https://app.example/", false },
		{ "trellis.test", "https://sub.app.example", false },
		{ "trellis.test", "https://other.example", false },
		{ "trellis.test", "null", false },
	};

	(void)state;
	set_up("https://trellis.test",
	    " https://App.example:443,https://other.example:8443, "
	    "http://127.0.0.1:3000,");
	assert_int_equal(rig.edge.n_origins, 3);
	each_is_judged(rows, TRL_COUNT(rows));
	set_up("https://trellis.test", "");
	assert_false(edge_origin_allowed(&rig.edge, &rig.http, "https://app.example"));
}

static void
settings_that_would_not_hold_are_refused(void **state)
{
	static const struct {
		const char *url, *origins;
		bool fine;
	} rows[] = {
		{ "http://127.0.0.1:8080", "", true },
		{ "HTTPS://app.example/trellis", "", true },
		{ "https://app.example", "https://a.example, http://[::1]:3000,",
		    true },
		{ "foo", "", false },
		{ "", "", false },
		{ "ftp://app.example", "", false },
		{ "https://app.example", "https://app.example/", false },
		{ "https://app.example", "https://app.example?", false },
		{ "https://app.example", "*", false },
		{ "https://app.example", "https://*.app.example", false },
		{ "https://app.example", "null", false },
		{ "https://app.example", "https//x", false },
		{ "https://app.example", "https://a.example;https://b.example", false },
		{ "https://app.example", "https://a.example,app.example", false },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct edge_config config = { .public_url = rows[i].url,
			.origins = rows[i].origins };

		if (edge_check_config(&config) != rows[i].fine)
			fail_msg("%s %s", rows[i].url, rows[i].origins);
	}
}

static void
as_many_origins_as_fit_are_taken_and_none_is_dropped(void **state)
{
	static const char one[] = "https://app.example,";
	char list[(EDGE_ORIGINS_MAX + 1) * (sizeof one - 1) + 1] = "";
	const struct edge_config config = { .public_url = "https://trellis.test",
		.origins = list };

	(void)state;
	for (size_t i = 0; i < EDGE_ORIGINS_MAX; i++)
		strcat(list, one);
	assert_true(edge_check_config(&config));
	set_up(config.public_url, list);
	assert_int_equal(rig.edge.n_origins, EDGE_ORIGINS_MAX);
	strcat(list, one);
	assert_false(edge_check_config(&config));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_people_call_this_server_is_its_origin_whatever_the_host),
		cmocka_unit_test(
		    on_a_machine_of_developers_its_pages_say_what_they_ask),
		cmocka_unit_test(the_allow_list_names_whole_origins),
		cmocka_unit_test(settings_that_would_not_hold_are_refused),
		cmocka_unit_test(as_many_origins_as_fit_are_taken_and_none_is_dropped),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
