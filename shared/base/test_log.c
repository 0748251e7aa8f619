/* test_log.c - what comes out of stderr, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <trl/ctx.h>
#include <trl/log.h>
#include <trl/metrics.h>

static int pipes[2];
static int real_stderr;

static int
take_stderr(void **state)
{
	(void)state;
	real_stderr = dup(STDERR_FILENO);
	if (pipe(pipes) != 0 || dup2(pipes[1], STDERR_FILENO) < 0)
		return -1;
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	trl_log_init("tested", TRL_LOG_INFO);
	return 0;
}

static int
give_stderr(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipes[0]);
	close(pipes[1]);
	trl_log_init("tested", TRL_LOG_INFO);
	return 0;
}

static char *
said(void)
{
	static char text[1 << 18];
	ssize_t n = read(pipes[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
a_line_is_json_with_opentelemetrys_names_and_fields(void **state)
{
	const char *line;

	(void)state;
	trl_log(TRL_LOG_WARN, NULL, "peer ejected", TRL_LOG_STR("peer", "a:1"),
	    TRL_LOG_INT("misses", -3), TRL_LOG_ID("id", trl_id_nil));
	line = said();
	assert_int_equal(strncmp(line, "{\"timestamp\":\"20", 16), 0);
	assert_non_null(strstr(line,
	    "Z\",\"severity_text\":\"WARN\",\"severity_number\":13,"
	    "\"service.name\":\"tested\",\"body\":\"peer ejected\",\"peer\":\"a:1\","
	    "\"misses\":-3,\"id\":\"00000000-0000-0000-0000-000000000000\"}\n"));
}

static void
what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	trl_log(TRL_LOG_DEBUG, NULL, "quiet", TRL_LOG_INT("n", 1));
	assert_string_equal(said(), "");
}

static void
the_least_level_is_changed_while_it_runs(void **state)
{
	enum trl_log_level level;

	(void)state;
	assert_int_equal(trl_log_least(), TRL_LOG_INFO);
	assert_true(trl_log_level_named("debug", &level));
	trl_log_set_least(level);
	trl_log(TRL_LOG_DEBUG, NULL, "loud", TRL_LOG_INT("n", 1));
	assert_non_null(strstr(said(), "\"severity_text\":\"DEBUG\""));
	trl_log_set_least(TRL_LOG_ERROR);
	trl_log(TRL_LOG_WARN, NULL, "quiet", TRL_LOG_INT("n", 1));
	assert_string_equal(said(), "");
	trl_log_set_least(TRL_LOG_INFO);
	assert_false(trl_log_level_named("loud", &level));
	for (level = TRL_LOG_DEBUG; level <= TRL_LOG_ERROR; level++) {
		enum trl_log_level again;

		assert_true(trl_log_level_named(trl_log_level_name(level), &again));
		assert_int_equal(again, level);
	}
}

static void
text_is_escaped_and_repaired(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\nb\rc\td", "\"a\\u000ab\\u000dc\\u0009d\"" },
		{ "\x1b[31m\x7f", "\"\\u001b[31m\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f",
		    "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f\"" },
		{ "\xff|\xc3|\xe2\x82|\xc0\x80|", "\"\\ufffd|\\ufffd|\\ufffd\\ufffd|"
						  "\\ufffd\\ufffd|\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ NULL, "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *line;

		trl_log(TRL_LOG_INFO, NULL, "text", TRL_LOG_STR("t", rows[i].text));
		line = strstr(said(), "\"t\":");
		assert_non_null(line);
		assert_memory_equal(line + 4, rows[i].json, strlen(rows[i].json));
		assert_string_equal(line + 4 + strlen(rows[i].json), "}\n");
	}
}

static void
a_line_is_cut_at_8_kib_and_stays_json(void **state)
{
	static char text[20000];
	const char *line;
	size_t len;

	(void)state;
	for (int fill = 0; fill < 8; fill++) {
		memset(text, '\n', sizeof text - 1);
		memset(text, 'x', (size_t)fill);
		trl_log(TRL_LOG_INFO, NULL, "long", TRL_LOG_STR("t", text),
		    TRL_LOG_STR("next", "lost"), TRL_LOG_INT("number", 1));
		line = said();
		len = strlen(line);
		assert_in_range(len, 8000, 8192);
		assert_string_equal(line + len - 11, "\",\"cut\":1}\n");
		assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	}
}

static void
a_ctx_adds_who_and_where(void **state)
{
	struct trl_ctx ctx = { .service = "tenants", .caller = "edge", .call_id = 7 };
	const char *line;

	(void)state;
	ctx.trace.trace_id[15] = 0xab;
	ctx.trace.span_id[0] = 0xcd;
	ctx.trace.flags = 1;
	ctx.tenant.bytes[0] = 1;
	ctx.principal.account.bytes[0] = 2;
	trl_fail(&ctx, TRL_INTERNAL, "cannot %s", "swim");
	trl_log_err(&ctx);
	line = said();
	assert_non_null(
	    strstr(line, "\"severity_text\":\"ERROR\",\"severity_number\":17"));
	assert_non_null(strstr(line, "\"service.name\":\"tenants\""));
	assert_non_null(strstr(line,
	    "\"trace_id\":\"000000000000000000000000000000ab\","
	    "\"span_id\":\"cd00000000000000\",\"trace_flags\":\"01\","
	    "\"tenant\":\"01000000-0000-0000-0000-000000000000\","
	    "\"account\":\"02000000-0000-0000-0000-000000000000\","
	    "\"caller\":\"edge\",\"call_id\":7,"
	    "\"code\":\"INTERNAL\",\"detail\":\"cannot swim\",\"code.file.path\":"));
	trl_err_clear(&ctx);
	trl_fail(&ctx, TRL_NOT_FOUND, "no such tenant");
	trl_log_err(&ctx); /* a condition is nobody's alarm */
	assert_string_equal(said(), "");
}

static double
counted(const char *name)
{
	struct trl_buf text = { 0 };
	char line[80];
	const char *at;
	double n;

	snprintf(line, sizeof line, "\n%s ", name);
	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	at = strstr((char *)text.data, line);
	assert_non_null(at);
	n = strtod(at + strlen(line), NULL);
	trl_buf_fini(&text);
	return n;
}

static double
dropped(void)
{
	return counted("trellis_log_dropped_total");
}

static size_t
n_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Whoever comes without a session may make a service busy as often as they like. */
static void
what_callers_cause_at_will_makes_few_lines_and_no_error(void **state)
{
	static const enum trl_code codes[] = { TRL_BUSY, TRL_UNAVAILABLE, TRL_DEADLINE,
		TRL_UNCERTAIN };
	struct trl_ctx ctx = { .service = "media" };
	const double before = counted("trellis_log_left_out_total");
	const char *text;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(codes); i++) {
		for (int n = 0; n < 1000; n++) {
			trl_err_clear(&ctx);
			trl_fail(&ctx, codes[i], "come again");
			trl_log_err(&ctx);
		}
	}
	text = said();
	assert_int_equal(n_lines(text), TRL_COUNT(codes) * 10);
	assert_null(strstr(text, "ERROR"));
	assert_non_null(
	    strstr(text, "\"severity_text\":\"WARN\",\"severity_number\":13"));
	for (size_t i = 0; i < TRL_COUNT(codes); i++)
		assert_non_null(strstr(text, trl_code_name(codes[i])));
	assert_true(counted("trellis_log_left_out_total") ==
		    before + (double)TRL_COUNT(codes) * 990);
}

static void
each_error_of_ours_has_its_line_whatever_else_is_said(void **state)
{
	struct trl_ctx ctx = { .service = "media" };

	(void)state;
	for (int n = 0; n < 100; n++) {
		trl_err_clear(&ctx);
		trl_fail(&ctx, TRL_INTERNAL, "broken");
		trl_log_err(&ctx);
	}
	assert_int_equal(n_lines(said()), 100);
}

static int n_told;

static void
told(void *self, const struct trl_ctx *ctx)
{
	(void)self;
	(void)ctx;
	n_told++;
}

/* Two processes do not both raise the alarm. */
static void
an_error_that_another_process_told_is_a_warning_here(void **state)
{
	struct trl_ctx ctx = { .service = "edge" };
	const char *text;

	(void)state;
	trl_fail_at(&ctx, TRL_INTERNAL, "", NULL, 0, "%s", "");
	trl_log_err(&ctx);
	text = said();
	assert_int_equal(n_lines(text), 1);
	assert_non_null(strstr(text, "WARN"));
	trl_err_clear(&ctx);
	trl_log_on_internal(told, NULL);
	trl_fail(&ctx, TRL_DEADLINE, "late");
	trl_log_err(&ctx);
	assert_int_equal(n_told, 0);
	trl_err_clear(&ctx);
	trl_fail(&ctx, TRL_INTERNAL, "broken");
	trl_log_err(&ctx);
	assert_int_equal(n_told, 1);
	trl_log_on_internal(NULL, NULL);
}

static void
a_full_pipe_drops_lines_and_counts_them(void **state)
{
	static char text[4000];
	double before = dropped();

	(void)state;
	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < 100; i++)
		trl_log(TRL_LOG_INFO, NULL, "much", TRL_LOG_STR("t", text));
	assert_true(dropped() >= before + 50);
	assert_non_null(trl_log_unready());
	said();
	assert_null(trl_log_unready());
	assert_non_null(strstr(said(), "log lines were lost"));
	trl_log(TRL_LOG_INFO, NULL, "after", TRL_LOG_INT("n", 1));
	assert_non_null(strstr(said(), "\"body\":\"after\",\"n\":1}\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, take_stderr, give_stderr)
		LOG_TEST(a_line_is_json_with_opentelemetrys_names_and_fields),
		LOG_TEST(what_is_below_the_level_is_not_written),
		LOG_TEST(the_least_level_is_changed_while_it_runs),
		LOG_TEST(text_is_escaped_and_repaired),
		LOG_TEST(a_line_is_cut_at_8_kib_and_stays_json),
		LOG_TEST(a_ctx_adds_who_and_where),
		LOG_TEST(what_callers_cause_at_will_makes_few_lines_and_no_error),
		LOG_TEST(each_error_of_ours_has_its_line_whatever_else_is_said),
		LOG_TEST(an_error_that_another_process_told_is_a_warning_here),
		LOG_TEST(a_full_pipe_drops_lines_and_counts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
