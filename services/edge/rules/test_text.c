/* Percent-encoding and UTF-8: what is decoded, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

static void
decodes_what_is_encoded_once(void **state)
{
	static const struct {
		const char *text, *plain; /* NULL: refused */
		bool plus;
	} rows[] = { { "", "", false }, { "plain", "plain", false },
		{ "a%20b%2Fc%2f", "a b/c/", false }, { "%2525", "%25", false },
		{ "%C3%A4", "\xc3\xa4", false }, { "a+b", "a+b", false },
		{ "a+b%2B", "a b+", true }, { "%", NULL, false }, { "%4", NULL, false },
		{ "%g0", NULL, false }, { "%0g", NULL, false }, { "%00", NULL, false },
		{ "a%00b", NULL, true }, { "%ff", NULL, false }, { "%C3", NULL, false },
		{ "%C0%AF", NULL, false }, { "% 41", NULL, false } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const size_t size = strlen(rows[i].text);
		char *exact = test_malloc(size ? size : 1); /* nothing after it */
		const char *plain;
		size_t len = 99;

		memcpy(exact, rows[i].text, size);
		plain =
		    edge_percent_decode(rig.ctx.arena, exact, size, rows[i].plus, &len);
		test_free(exact);
		if (!rows[i].plain) {
			if (plain)
				fail_msg("%s was decoded", rows[i].text);
			continue;
		}
		if (!plain)
			fail_msg("%s was refused", rows[i].text);
		assert_string_equal(plain, rows[i].plain);
		assert_int_equal(len, strlen(rows[i].plain));
	}
}

static void
one_parameter_is_found_in_a_query(void **state)
{
	(void)state;
	rig_ask("GET", "/x?tenant=1&tenant_id=a%20b&last=2&tenant_id=c");
	assert_string_equal(edge_query(&rig.request, "tenant_id"), "a b");
	assert_string_equal(edge_query(&rig.request, "tenant"), "1");
	assert_null(edge_query(&rig.request, "tenant_i"));
	assert_null(edge_query(&rig.request, "id"));
	rig_ask("GET", "/x?tenant_id");
	assert_null(edge_query(&rig.request, "tenant_id"));
	rig_ask("GET", "/x?tenant_id=");
	assert_string_equal(edge_query(&rig.request, "tenant_id"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_is_encoded_once),
		cmocka_unit_test(one_parameter_is_found_in_a_query),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
