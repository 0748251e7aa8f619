/* Who the client is: nobody names their own address, a trusted proxy does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

struct row {
	int64_t hops;
	const char *lines[3];
	const char *address;
};

static void
the_outermost_trusted_hop_says_who_the_client_is(void **state)
{
	static const struct row rows[] = {
		{ 0, { "203.0.113.9" }, "192.0.2.1" },
		{ 1, { 0 }, "192.0.2.1" },
		{ 1, { "203.0.113.9" }, "203.0.113.9" },
		{ 1, { "6.6.6.6, 203.0.113.9" }, "203.0.113.9" },
		{ 2, { "6.6.6.6, 203.0.113.9, 10.0.0.1" }, "203.0.113.9" },
		{ 2, { "6.6.6.6", "203.0.113.9", "10.0.0.1" }, "203.0.113.9" },
		{ 2, { "6.6.6.6, 203.0.113.9", "10.0.0.1" }, "203.0.113.9" },
		{ 2, { "203.0.113.9" }, "203.0.113.9" }, /* fewer than trusted */
		{ 1, { "2001:db8::7" }, "2001:db8::7" },
		{ 1, { " \t203.0.113.9\t " }, "203.0.113.9" },
		{ 2, { "2001:db8::7 ,10.0.0.1" }, "2001:db8::7" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig.config.trusted_hops = rows[i].hops;
		rig_ask("GET", "/api/v1/me");
		rig_header("accept", "6.6.6.6");
		for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
			rig_header("x-forwarded-for", rows[i].lines[k]);
		assert_string_equal(edge_address(&rig.request), rows[i].address);
	}
}

static void
what_is_no_address_is_nobodys(void **state)
{
	static const char *const texts[] = { "", ",", "unknown", "203.0.113.9:443",
		"[2001:db8::7]", "203.0.113", "203.0.113.256", "203.0.113.9 x", "::g",
		"'; drop table session --",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };

	(void)state;
	rig.config.trusted_hops = 1;
	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		rig_ask("GET", "/api/v1/me");
		rig_header("x-forwarded-for", texts[i]);
		if (strcmp(edge_address(&rig.request), "192.0.2.1") != 0)
			fail_msg("%s was believed", texts[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_outermost_trusted_hop_says_who_the_client_is),
		cmocka_unit_test(what_is_no_address_is_nobodys),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
