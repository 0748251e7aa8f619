/* Of which web addresses there is an origin, and how a browser says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/origin.h>

static void
an_origin_is_as_browsers_say_it(void **state)
{
	static const struct {
		const char *url, *origin, *rest;
	} rows[] = { { "https://app.example", "https://app.example", "" },
		{ "http://127.0.0.1:8080", "http://127.0.0.1:8080", "" },
		{ "HTTPS://App.Example", "https://app.example", "" },
		{ "https://app.example:443/a", "https://app.example", "/a" },
		{ "http://app.example:080/", "http://app.example", "/" },
		{ "http://app.example:443?q", "http://app.example:443", "?q" },
		{ "https://app.example:80#f", "https://app.example:80", "#f" },
		{ "https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", "" },
		{ "http://localhost:65535", "http://localhost:65535", "" },
		{ "http://xn--bcher-kva.example", "http://xn--bcher-kva.example",
		    "" } };
	char origin[TRL_ORIGIN_MAX];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *rest = trl_origin_read(rows[i].url, origin);

		if (!rest)
			fail_msg("%s", rows[i].url);
		assert_string_equal(origin, rows[i].origin);
		assert_string_equal(rest, rows[i].rest);
	}
}

static void
what_is_no_web_address_has_none(void **state)
{
	static const char *const urls[] = { "", "foo", "*", "null", "app.example",
		"https//x", "https:/x", "https:x", "https://", "https:///x",
		"ftp://app.example", "httpss://app.example", " https://app.example",
		"https://*", "https://*.app.example", "https://u@app.example",
		"https://u:p@app.example",
		"https://app.example:", "https://app.example:/",
		"https://app.example:0", "https://app.example:65536",
		"https://app.example:100000", "https://app.example:8x",
		"https://app..example", "https://.example", "https://app.example.",
		"https://app.example b", "https://b\xc3\xbc.de", "https://[::1",
		"https://[]", "https://[app.example]", "https://::1", "https://[::1]x",
		"https://app.example\\x" };
	char origin[TRL_ORIGIN_MAX] = "as it was";

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(urls); i++) {
		if (trl_origin_read(urls[i], origin))
			fail_msg("%s", urls[i]);
		assert_string_equal(origin, "as it was");
	}
}

static void
the_longest_name_fits_and_a_longer_one_is_none(void **state)
{
	char url[400], origin[TRL_ORIGIN_MAX];
	char *host = url + sprintf(url, "https://");

	(void)state;
	memset(host, 'a', 253);
	for (size_t i = 63; i < 253; i += 64)
		host[i] = '.';
	strcpy(host + 253, ":65535");
	assert_non_null(trl_origin_read(url, origin));
	assert_string_equal(origin, url);
	strcpy(host + 253, "a");
	assert_null(trl_origin_read(url, origin));
	memset(host, 'a', 64);
	host[64] = '\0';
	assert_null(trl_origin_read(url, origin));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_origin_is_as_browsers_say_it),
		cmocka_unit_test(what_is_no_web_address_has_none),
		cmocka_unit_test(the_longest_name_fits_and_a_longer_one_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
