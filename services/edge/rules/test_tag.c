/* Entity tags: which versions If-Match asks for, which tags If-None-Match knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

struct row {
	const char *lines[3];
	enum edge_condition condition;
	size_t n;
	int64_t versions[EDGE_TAGS_MAX];
};

static void
if_match_is_the_list_of_its_strong_versions(void **state)
{
	static const struct row rows[] = {
		{ { 0 }, EDGE_UNCONDITIONAL, 0, { 0 } },
		{ { "*" }, EDGE_UNCONDITIONAL, 0, { 0 } },
		{ { "\"7\"" }, EDGE_ONE_OF_VERSIONS, 1, { 7 } },
		{ { "\"0\"" }, EDGE_ONE_OF_VERSIONS, 1, { 0 } },
		{ { "\"7\",\"8\" , \t\"9\"" }, EDGE_ONE_OF_VERSIONS, 3, { 7, 8, 9 } },
		{ { ", ,\"7\",," }, EDGE_ONE_OF_VERSIONS, 1, { 7 } },
		{ { "\"7\"", "\"8\"" }, EDGE_ONE_OF_VERSIONS, 2, { 7, 8 } },
		{ { "W/\"7\"" }, EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "W/\"7\", \"8\"" }, EDGE_ONE_OF_VERSIONS, 1, { 8 } },
		{ { "\"a,b\", \"8\"" }, EDGE_ONE_OF_VERSIONS, 1, { 8 } },
		{ { "\"07\", \"+7\", \" 7\", \"7 \", \"-7\", \"\", \"7a\"" },
		    EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "\"999999999999999999\", \"1000000000000000000\"" },
		    EDGE_ONE_OF_VERSIONS, 1, { 999999999999999999 } },
		{ { "7" }, EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "\"7" }, EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "\"7\" \"8\"" }, EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "" }, EDGE_ONE_OF_VERSIONS, 0, { 0 } },
		{ { "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"" },
		    EDGE_ONE_OF_VERSIONS, 8, { 1, 2, 3, 4, 5, 6, 7, 8 } },
		{ { "\"1\",\"2\",\"3\",\"4\"", "\"5\",\"6\",\"7\",\"8\",\"9\"" },
		    EDGE_TOO_MANY_TAGS, 8, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		int64_t versions[EDGE_TAGS_MAX];
		enum edge_condition condition;
		size_t n = 99;

		rig_ask("PATCH", "/api/v1/me");
		for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
			rig_header("if-match", rows[i].lines[k]);
		condition = edge_if_match(&rig.http, versions, &n);
		if (condition != rows[i].condition || n != rows[i].n ||
		    memcmp(versions, rows[i].versions, n * sizeof versions[0]) != 0)
			fail_msg("%s (row %zu): %d, %zu",
			    rows[i].lines[0] ? rows[i].lines[0] : "-", i, condition, n);
	}
}

static void
a_version_is_a_strong_tag_that_if_match_reads_back(void **state)
{
	static const int64_t some[] = { 0, 1, 42, 999999999999999999 };
	int64_t versions[EDGE_TAGS_MAX];
	size_t n;

	(void)state;
	assert_string_equal(edge_tag(rig.ctx.arena, 42), "\"42\"");
	assert_string_equal(edge_tag(rig.ctx.arena, -1), "\"-1\"");
	assert_string_equal(
	    edge_tag(rig.ctx.arena, INT64_MIN), "\"-9223372036854775808\"");
	for (size_t i = 0; i < TRL_COUNT(some); i++) {
		rig_ask("PATCH", "/api/v1/me");
		rig_header("if-match", edge_tag(rig.ctx.arena, some[i]));
		assert_int_equal(
		    edge_if_match(&rig.http, versions, &n), EDGE_ONE_OF_VERSIONS);
		assert_int_equal(n, 1);
		assert_true(versions[0] == some[i]);
	}
}

static void
if_none_match_compares_weakly(void **state)
{
	static const struct {
		const char *text;
		bool known;
	} rows[] = { { "\"7\"", true }, { "W/\"7\"", true }, { "*", true },
		{ "\"x\", \"7\"", true }, { "\"a,b\",W/\"7\" ,\"8\"", true },
		{ "\"77\"", false }, { "\"\"", false }, { "7", false },
		{ "\"7", false }, { "", false }, { "\",\"7\",\"", false },
		{ "w/\"7\"", false } };

	(void)state;
	rig_ask("GET", "/api/v1/me");
	assert_false(edge_if_none_match(&rig.http, "\"7\""));
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask("GET", "/api/v1/me");
		rig_header("if-none-match", rows[i].text);
		if (edge_if_none_match(&rig.http, "\"7\"") != rows[i].known)
			fail_msg("%s", rows[i].text);
	}
	rig_ask("GET", "/api/v1/me");
	rig_header("if-none-match", "\"1\"");
	rig_header("if-none-match", "\"7\"");
	assert_true(edge_if_none_match(&rig.http, "\"7\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_match_is_the_list_of_its_strong_versions),
		cmocka_unit_test(a_version_is_a_strong_tag_that_if_match_reads_back),
		cmocka_unit_test(if_none_match_compares_weakly),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
