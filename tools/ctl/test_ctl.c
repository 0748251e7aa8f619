/* How the command reads its words, guesses what was meant, finds a method by the end of
 * its name, and lays out what it prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/method.h>

#include "ctl.h"

static bool
parse(struct ctl_args *args, char why[300], const char *line)
{
	static char copy[300];
	char *argv[32], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return ctl_parse(args, argc, argv, why);
}

static void
words_and_options_come_in_any_order(void **state)
{
	static const char *const lines[] = {
		"tenant show acme --service auth --json --timeout 2.5",
		"tenant show --service=auth --timeout=2.5 --json acme",
		"tenant show --json --service=auth --timeout 2.5 -- acme",
	};
	struct ctl_args args;
	char why[300];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(lines); i++) {
		assert_true(parse(&args, why, lines[i]));
		assert_string_equal(args.command->name, "tenant show");
		assert_int_equal(args.n_words, 1);
		assert_string_equal(args.words[0], "acme");
		assert_string_equal(args.service, "auth");
		assert_int_equal(args.timeout_ms, 2500);
		assert_int_equal(args.given, CTL_JSON | CTL_SERVICE | CTL_TIMEOUT);
	}
	assert_true(parse(&args, why, "call GetTenant -"));
	assert_string_equal(args.words[1], "-");
	assert_true(parse(&args, why, "call GetTenant -- --x"));
	assert_string_equal(args.words[1], "--x");
	assert_true(parse(&args, why, "tenant show -h"));
	assert_int_equal(args.given, CTL_HELP);
}

static void
what_is_wrong_is_said_with_what_was_meant(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{ "stat", "there is no command 'stat'; did you mean 'stats'?" },
		{ "tenants show x", "did you mean 'tenant show'?" },
		{ "job list", "did you mean 'jobs list'?" },
		{ "jobs lsit", "did you mean 'jobs list'?" },
		{ "jobs", "'jobs' has the commands list, show, retry, cancel" },
		{ "events --json", "'events' has the commands tail, lag, parked," },
		{ "xyzzy", "trellis --help lists them" },
		{ "xyzzy --json", "there is no command 'xyzzy';" },
		{ "stats --sevice auth", "did you mean --service?" },
		{ "stats --tenant x", "'stats' takes no --tenant" },
		{ "stats --json=1", "--json takes no value" },
		{ "stats --service", "--service needs a value: --service NAME" },
		{ "stats --service=", "--service needs a value" },
		{ "stats --timeout 0", "--timeout is a number of seconds" },
		{ "stats --timeout 2s", "--timeout is a number of seconds" },
		{ "stats --timeout 99999", "--timeout is a number of seconds" },
		{ "jobs list --limit 0", "--limit is a number" },
		{ "jobs list --limit 1001", "--limit is a number" },
		{ "peers auth", "'peers' takes no 'auth'" },
		{ "tenant show", "'tenant show' needs ID|SLUG" },
	};
	struct ctl_args args;
	char why[300];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		assert_false(parse(&args, why, rows[i].line));
		if (strstr(why, rows[i].said) == NULL)
			fail_msg("%s: %s", rows[i].line, why);
	}
}

static void
a_word_of_any_length_is_borne(void **state)
{
	static char word[100000];
	char *argv[] = { word, word };
	struct ctl_args args;
	char why[300];

	(void)state;
	memset(word, 'x', sizeof word - 1);
	assert_false(ctl_parse(&args, 2, argv, why));
	assert_true(strlen(why) < 300);
	argv[0] = (char *)(uintptr_t) "stats";
	word[0] = word[1] = '-';
	assert_false(ctl_parse(&args, 2, argv, why));
	word[0] = word[1] = 'x';
	assert_null(ctl_method(word, why));
}

static void
a_metric_that_is_none_is_answered_with_the_nearest(void **state)
{
	static const char *const names[] = { "trellis_bus_calls_total",
		"trellis_bus_calls_shed_total", "trellis_bus_calls_total",
		"trellis_mails_total", "trellis_pg_waiting" };
	static const struct {
		const char *word, *why; /* NULL: there is one */
	} rows[] = {
		{ "bus_calls", NULL },
		{ "trellis_", NULL },
		{ "l", NULL },
		{ "mail_total", "there is no metric 'mail_total'; did you mean "
				"'trellis_mails_total'?" },
		{ "bus_cals", "there is no metric 'bus_cals'; did you mean "
			      "'trellis_bus_calls_total' or "
			      "'trellis_bus_calls_shed_total'?" },
		{ "nosuchmetric",
		    "there is no metric 'nosuchmetric'; 'trellis stats trellis_' shows "
		    "all there are" },
	};
	struct ctl_metrics metrics = { 0 };
	char why[300];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(names); i++)
		ctl_metric_note(&metrics, names[i]);
	assert_int_equal(metrics.n, 4);
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		bool missing = ctl_metric_missing(&metrics, rows[i].word, why);
		assert_int_equal(missing, rows[i].why != NULL);
		if (missing)
			assert_string_equal(why, rows[i].why);
	}
	ctl_metrics_fini(&metrics);
}

static void
a_method_is_found_by_the_end_of_its_name(void **state)
{
	char why[300];

	(void)state;
	assert_string_equal(
	    ctl_method("GetTenant", why)->name, "tenants.v1.Tenants.GetTenant");
	assert_string_equal(
	    ctl_method("tenants.gettenant", why)->name, "tenants.v1.Tenants.GetTenant");
	assert_null(ctl_method("Tenant", why)); /* not behind a dot */
	assert_non_null(strstr(why, "there is no method 'Tenant'"));
	assert_null(ctl_method("GetTenat", why));
	assert_non_null(strstr(why, "did you mean 'GetTenant'?"));
	assert_null(ctl_method("", why));
	/* Every method is found by its own name, and its last part finds it or is said
	 * to mean several. */
	for (size_t i = 0; i < trl_methods_count; i++) {
		const char *name = trl_methods[i]->name;
		const struct trl_method *found =
		    ctl_method(strrchr(name, '.') + 1, why);
		assert_ptr_equal(ctl_method(name, why), trl_methods[i]);
		if (found == NULL)
			found = ctl_method(strrchr(name, '.') + 1, why);
		assert_true(found == trl_methods[i] || strstr(why, "may mean") != NULL);
	}
}

static void
assert_text(const struct trl_buf *buf, const char *want)
{
	assert_int_equal(buf->len, strlen(want));
	assert_memory_equal(buf->data, want, buf->len);
}

static void
a_table_is_aligned_and_plain(void **state)
{
	static const char *const heads[] = { "A", "LONGER", "C" };
	struct ctl_table table = { .heads = heads, .n_columns = 3 };
	struct trl_buf out = { 0 };

	(void)state;
	ctl_table_put(&table, &out, false);
	assert_int_equal(out.len, 0); /* no rows, no heads */
	ctl_table_add(&table, "first");
	ctl_table_add(&table, "x");
	ctl_table_add(&table, "\033[31mred\n\xc2\x9b");
	ctl_table_add(&table, "b\xc3\xbc");
	ctl_table_add(&table, "%d", 7);
	ctl_table_add(&table, "%s", "");
	ctl_table_put(&table, &out, false);
	assert_text(&out, "A      LONGER  C\n"
			  "first  x       ?[31mred??\n"
			  "b\xc3\xbc     7\n");
	trl_buf_fini(&out);
}

static void
json_is_set_on_lines_and_stays_the_same(void **state)
{
	static const char json[] =
	    "{\"a\":\"b,{\\\"c\\\\\",\"d\":[],\"e\":[1,{\"f\":{}}]}";
	struct trl_buf out = { 0 };

	(void)state;
	ctl_json_pretty(&out, json, strlen(json));
	assert_text(&out, "{\n  \"a\": \"b,{\\\"c\\\\\",\n  \"d\": [],\n  \"e\": [\n"
			  "    1,\n    {\n      \"f\": {}\n    }\n  ]\n}\n");
	trl_buf_fini(&out);
}

static void
figures_are_short(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(ctl_ms_text(text, 35), "35 ms");
	assert_string_equal(ctl_ms_text(text, 1500), "1.5 s");
	assert_string_equal(ctl_ms_text(text, 200000), "3m 20s");
	assert_string_equal(ctl_ms_text(text, 7500000), "2h 5m");
	assert_string_equal(ctl_ms_text(text, 90000000), "1d 1h");
	assert_string_equal(ctl_bytes_text(text, 12345678), "12.3 MB");
	assert_string_equal(ctl_time_text(text, NULL), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_options_come_in_any_order),
		cmocka_unit_test(what_is_wrong_is_said_with_what_was_meant),
		cmocka_unit_test(a_word_of_any_length_is_borne),
		cmocka_unit_test(a_metric_that_is_none_is_answered_with_the_nearest),
		cmocka_unit_test(a_method_is_found_by_the_end_of_its_name),
		cmocka_unit_test(a_table_is_aligned_and_plain),
		cmocka_unit_test(json_is_set_on_lines_and_stays_the_same),
		cmocka_unit_test(figures_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
