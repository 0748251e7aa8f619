/* What a Sentry is told, and that it is obeyed. (Over 400 lines: rows of what is
 * understood, and one rig.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trl/log.h>
#include <trl/method.h>
#include <trl/sentry.h>

#include "sentry_inside.h"
#include "test_collector.h"
#include "test_folder.h"

const struct trl_config_table *const trl_config_known[] = { &trl_sentry_config_table,
	NULL };

static trl_loop *loop;
static struct collector collector;
static trl_sentry *sentry;
static trl_secret *dsn;
static const char *folder;
static double before[6];

/* DSNs */

static void
a_dsn_is_taken_apart(void **state)
{
	static const struct {
		const char *dsn, *key, *url;
	} rows[] = {
		{ "https://abc123@o1.ingest.sentry.io/42", "abc123",
		    "https://o1.ingest.sentry.io/api/42/envelope/" },
		{ "http://k:s@sentry.internal:9000/7\n", "k",
		    "http://sentry.internal:9000/api/7/envelope/" },
		{ "https://k@h.example/a/b/1", "k",
		    "https://h.example/a/b/api/1/envelope/" },
		{ "http://k:@[::1]:9/1", "k", "http://[::1]:9/api/1/envelope/" },
	};
	struct sentry_dsn out;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		assert_null(sentry_dsn_read(rows[i].dsn, strlen(rows[i].dsn), &out));
		assert_string_equal(out.key, rows[i].key);
		assert_string_equal(out.url, rows[i].url);
	}
}

static void
what_is_no_dsn_is_refused_with_why(void **state)
{
	static const char *const rows[] = { "", "x", "https://", "https://host/1",
		"ftp://k@h/1", "https://k@h", "https://k@h/", "https://k@h/x",
		"https://k@h/1x", "https://@h/1", "https://k k@h/1",
		"https://k@h/1?a=b", "https://k@h/1#f", "https://k@h@i/1",
		"https://k@/1", "https://k@h:x/1", "https://k\r\nX: y@h/1",
		"https://k@h/123456789012345678901", " https://k@h/1" };
	struct sentry_dsn out;
	char text[2000];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (sentry_dsn_read(rows[i], strlen(rows[i]), &out) == NULL)
			fail_msg("'%s' is taken for a DSN", rows[i]);
	memset(text, 'a', sizeof text);
	assert_non_null(sentry_dsn_read(text, sizeof text, &out));
	assert_non_null(sentry_dsn_read("https://k@h/1\0", 14, &out));
}

/* Limits */

static void
twenty_a_minute_and_five_of_a_place(void **state)
{
	struct sentry_limits l = { 0 };
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		n += sentry_limits_take(&l, 1000, "a.c", 1);
	assert_int_equal(n, SENTRY_SAME_A_MINUTE);
	for (int i = 0; i < 100; i++)
		n += sentry_limits_take(&l, 2000 + (uint64_t)i, "a.c", 2 + i);
	assert_int_equal(n, SENTRY_A_MINUTE);
	assert_false(sentry_limits_take(&l, 59000000, "b.c", 1));
	assert_true(sentry_limits_take(&l, 61000000, "b.c", 1));
}

static void
what_sentry_asks_for_is_understood(void **state)
{
	static const struct {
		unsigned status;
		const char *header;
		uint32_t retry_after_s;
		double seconds; /* 0: none */
	} rows[] = {
		{ 200, "", 30, 0 },
		{ 429, "", 30, 30 },
		{ 429, "", 0, 60 },
		{ 200, "60:transaction:key, 2700:default;error;security:organization",
		    0, 2701 },
		{ 429, "60::organization, 2700::organization", 0, 2701 },
		{ 429, "2700:metric_bucket:organization:quota_exceeded:custom", 5, 0 },
		{ 200, "60.5:error:key", 0, 61 },
		{ 200, " 60 : error : key : a : b ", 0, 61 },
		{ 429, "60:errors:key", 0, 0 },
		{ 429, "x:error:key,:error,60", 0, 0 },
		{ 429, "-5:error:key", 0, 0 },
		{ 429, "nan:error:key,1e300:error:key", 0, 86400 },
		{ 429, ",,,:::;;;,1", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct sentry_limits l = { 0 };
		bool silent = sentry_limits_note(
		    &l, 1, rows[i].status, rows[i].header, rows[i].retry_after_s);

		assert_int_equal(silent, rows[i].seconds > 0);
		if (silent)
			assert_true(l.silent_until_us ==
				    1 + (uint64_t)rows[i].seconds * 1000000);
		assert_int_equal(sentry_limits_take(&l, 2, "a.c", 1), !silent);
	}
}

static void
a_shorter_silence_does_not_end_a_longer_one(void **state)
{
	struct sentry_limits l = { 0 };

	(void)state;
	assert_true(sentry_limits_note(&l, 1, 429, "100:error:key", 0));
	assert_true(sentry_limits_note(&l, 2, 429, "1:error:key", 0));
	assert_false(sentry_limits_take(&l, 50000000, "a.c", 1));
	assert_true(sentry_limits_take(&l, 102000001, "a.c", 1));
}

/* Words */

static void
words_lose_what_may_be_somebodys(void **state)
{
	static const char *const rows[][2] = {
		{ "query/tenant_by_slug.sql: 2 rows where one is expected",
		    "query/tenant_by_slug.sql: 2 rows where one is expected" },
		{ "invalid input: \"ada@example.com said \"no\"\" here",
		    "invalid input: \"*\" here" },
		{ "Key (email)=(ada@example.com) already exists",
		    "Key (email)=(*) already exists" },
		{ "bad value 'x y' for it", "bad value '*' for it" },
		{ "it doesn't say", "it doesn't say" },
		{ "mail to ada@example.com failed", "mail to * failed" },
		{ "tenant 0199f3a2-7b1c-7000-8000-000000000001 is gone",
		    "tenant * is gone" },
		{ "an open \"quote", "an open \"*\"" },
		{ "(shared/pg/batch.c:166)", "(shared/pg/batch.c:166)" },
	};
	char out[256], small[12];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		sentry_scrub(out, sizeof out, rows[i][0]);
		assert_string_equal(out, rows[i][1]);
	}
	sentry_scrub(small, sizeof small, "a long text that does not fit");
	assert_true(strlen(small) < sizeof small);
}

/* To a Sentry */

static double
reported(const char *labels)
{
	return counted("trellis_errors_reported_total", labels);
}

static double
since(size_t i)
{
	static const char *const labels[] = { "internal,sent", "internal,dropped",
		"internal,limited", "crash,sent", "crash,dropped", "crash,limited" };

	return reported(labels[i]) - before[i];
}
enum {
	INTERNAL_SENT,
	INTERNAL_DROPPED,
	INTERNAL_LIMITED,
	CRASH_SENT,
	CRASH_DROPPED,
	CRASH_LIMITED
};

static void
open_sentry(void)
{
	struct trl_sentry_config config = { .environment = "test \"env\"" };
	char text[200];

	snprintf(text, sizeof text, "http://public@127.0.0.1:%u/11", collector.port);
	dsn = trl_secret_new(text, strlen(text));
	config.dsn = dsn;
	assert_true(trl_sentry_open(loop,
	    &(struct trl_sentry_options){ .config = &config,
		.service = "tenants",
		.release = "1.2.3",
		.crash_dir = folder },
	    &sentry));
	assert_non_null(sentry);
}

static int
open_world(void **state)
{
	(void)state;
	loop = trl_loop_new(NULL);
	collector = (struct collector){ .status = 200 };
	collector_open(&collector, loop);
	folder = test_folder_open();
	for (size_t i = 0; i < TRL_COUNT(before); i++)
		before[i] = 0;
	for (size_t i = 0; i < TRL_COUNT(before); i++)
		before[i] = since(i) < 0 ? 0 : since(i);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	trl_sentry_close(&sentry);
	trl_secret_free(&dsn);
	if (collector.server != NULL)
		collector_close(&collector);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	trl_loop_free(&loop);
	test_folder_close();
	return 0;
}

static void
wait_asked(unsigned n)
{
	struct asked asked = { &collector, n };

	assert_true(trl_loop_run_until(loop, collector_was_asked, &asked, 10000));
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
}

static void
fail_at(const char *file, int line)
{
	static const struct trl_method method = { .name =
						      "tenants.v1.Tenants.GetTenant" };
	trl_ctx ctx = { .method = &method, .service = "tenants", .caller = "edge" };

	memset(&ctx.tenant, 0xab, sizeof ctx.tenant);
	memset(&ctx.trace, 0x11, sizeof ctx.trace);
	assert_int_equal(trl_fail_at(&ctx, TRL_INTERNAL, NULL, file, line,
			     "it \"secret\" broke, ada@example.com"),
	    TRL_INTERNAL);
	trl_log_err(&ctx);
}

static void
says(const char *part)
{
	collector.got[collector.got_len] = '\0';
	if (strstr((const char *)collector.got, part) == NULL)
		fail_msg("no %s in %s", part, (const char *)collector.got);
}

static void
says_not(const char *part)
{
	collector.got[collector.got_len] = '\0';
	assert_null(strstr((const char *)collector.got, part));
}

static void
an_internal_error_arrives_as_an_event(void **state)
{
	(void)state;
	open_sentry();
	fail_at("../shared/pg/batch.c", 166);
	wait_asked(1);
	assert_string_equal(collector.path, "/api/11/envelope/");
	assert_string_equal(collector.type, "application/x-sentry-envelope");
	assert_string_equal(collector.auth,
	    "Sentry sentry_version=7, sentry_client=trellis/1.2.3, sentry_key=public");
	says("\"fingerprint\":[\"internal\",\"tenants.v1.Tenants.GetTenant\","
	     "\"shared/pg/batch.c\",\"166\"]");
	says("\"release\":\"trellis@1.2.3\"");
	says("\"environment\":\"test \\\"env\\\"\"");
	says("\"trace_id\":\"11111111111111111111111111111111\"");
	says("\"value\":\"it \\\"*\\\" broke, *\"");
	says("\"caller\":\"edge\"");
	says_not("secret");
	says_not("ada@");
	says_not("abababab"); /* the tenant's id */
	assert_true(since(INTERNAL_SENT) == 1);
}

static void
an_error_of_another_process_is_left_to_it(void **state)
{
	(void)state;
	open_sentry();
	fail_at(NULL, 0);
	fail_at("a.c", 1);
	wait_asked(1);
	says("\"a.c\"");
	assert_true(since(INTERNAL_SENT) == 1);
}

static void
a_condition_is_no_event(void **state)
{
	trl_ctx ctx = { 0 };

	(void)state;
	open_sentry();
	assert_int_equal(trl_fail(&ctx, TRL_NOT_FOUND, "no"), TRL_NOT_FOUND);
	trl_log_err(&ctx);
	trl_err_clear(&ctx);
	assert_int_equal(trl_fail(&ctx, TRL_UNAVAILABLE, "no"), TRL_UNAVAILABLE);
	trl_log_err(&ctx);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	assert_int_equal(collector.asked, 0);
}

static void
silence_that_is_asked_for_is_kept(void **state)
{
	(void)state;
	collector.status = 429;
	collector.limits = "60:error:organization";
	open_sentry();
	for (int i = 0; i < 8; i++)
		fail_at("a.c", i);
	wait_asked(1);
	for (int i = 0; i < 8; i++)
		fail_at("b.c", i);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	assert_int_equal(collector.asked, 1);
	assert_true(since(INTERNAL_SENT) == 0);
	assert_true(since(INTERNAL_LIMITED) == 16);
}

static void
limits_in_a_good_answer_count_as_well(void **state)
{
	(void)state;
	collector.limits = "60::organization";
	open_sentry();
	fail_at("a.c", 1);
	wait_asked(1);
	fail_at("a.c", 2);
	assert_true(since(INTERNAL_SENT) == 1);
	assert_true(since(INTERNAL_LIMITED) == 1);
}

static void
a_refusal_costs_one_event(void **state)
{
	(void)state;
	collector.status = 400;
	open_sentry();
	fail_at("a.c", 1);
	wait_asked(1);
	collector.status = 200;
	fail_at("a.c", 2);
	wait_asked(2);
	assert_true(since(INTERNAL_DROPPED) == 1);
	assert_true(since(INTERNAL_SENT) == 1);
}

static const char crash[] =
    "trellis crash 1\nservice tenants\nrelease 1.2.2\n"
    "build f1c3bcc0279865fe3058404b2831d9e64135386c\npid 4711\ntime 1795961163\n"
    "signal 11 SIGSEGV\ncode 1\naddress 0x10\nthread main\nactor bus\n"
    "method tenants.v1.Tenants.GetTenant\n"
    "trace 19e4506f104af7498f648f41c1ed45f4 a9e1a227b2307a12\n"
    "tenant abababababababababababababababab\nregister rip 0x55fbc6df19a0\n"
    "register rsp 0x7f98c6c8bf88\nregister rbp 0x1\nregister rax 0x6472617773736170\n"
    "frame 0x55fbc6df19a0 at\nframe 0x55fbc6df1b41 seen\nframe 0x7f98c6ca6000 linked\n"
    "module 0x55fbc6dee000 0x232e0 0x55fbc6dee000 "
    "f1c3bcc0279865fe3058404b2831d9e64135386c /usr/bin/trellis-tenants\n"
    "module 0x7f98c6ca5000 0x1e1f50 0x7f98c6ca5000 - /lib/libc.so.6\nmaps\nend\n";

static void
a_crash_is_told_with_its_images_once(void **state)
{
	(void)state;
	test_folder_put("tenants-000001-1.seen", crash);
	test_folder_put("tenants-000002-1.crash", crash);    /* not looked at yet */
	test_folder_put("auth-000001-1.seen", crash);        /* another's */
	test_folder_put("tenants-000003-1.reported", crash); /* told before */
	open_sentry();
	wait_asked(1);
	assert_int_equal(collector.asked, 1);
	says("\"level\":\"fatal\"");
	says("\"release\":\"trellis@1.2.2\"");
	says("\"timestamp\":1795961163.000000");
	says("\"type\":\"SIGSEGV\",\"value\":\"SIGSEGV at address 0x10\"");
	says("\"code_id\":\"f1c3bcc0279865fe3058404b2831d9e64135386c\","
	     "\"debug_id\":\"c0bcc3f1-9827-fe65-3058-404b2831d9e6\","
	     "\"image_addr\":\"0x55fbc6dee000\",\"image_size\":144096}");
	says("\"frames\":[{\"instruction_addr\":\"0x7f98c6ca6000\"");
	says("{\"instruction_addr\":\"0x55fbc6df1b41\",\"package\":\"/usr/bin/"
	     "trellis-tenants\",\"trust\":\"scan\",\"in_app\":true},"
	     "{\"instruction_addr\":\"0x55fbc6df19a0\"");
	says("\"of_another_build\":\"yes\"");
	says_not("6472617773736170"); /* a register may hold a password */
	says_not("abababab");
	assert_true(test_folder_has("tenants-000001-1.reported"));
	assert_true(test_folder_has("tenants-000002-1.crash"));
	assert_true(test_folder_has("auth-000001-1.seen"));
	assert_true(since(CRASH_SENT) == 1);
}

static void
a_crash_that_sentry_refuses_is_not_told_again(void **state)
{
	(void)state;
	collector.status = 400;
	test_folder_put("tenants-000001-1.seen", crash);
	open_sentry();
	wait_asked(1);
	assert_true(test_folder_has("tenants-000001-1.reported"));
	assert_true(since(CRASH_DROPPED) == 1);
}

static void
a_crash_that_comes_too_early_waits_for_the_next_start(void **state)
{
	char id[2][33];

	(void)state;
	collector.status = 429;
	test_folder_put("tenants-000001-1.seen", crash);
	open_sentry();
	wait_asked(1);
	memcpy(id[0], collector.got + strlen("{\"event_id\":\""), 32);
	assert_true(test_folder_has("tenants-000001-1.seen"));
	trl_sentry_close(&sentry);
	trl_secret_free(&dsn);
	collector.status = 200;
	open_sentry();
	wait_asked(2);
	memcpy(id[1], collector.got + strlen("{\"event_id\":\""), 32);
	assert_true(test_folder_has("tenants-000001-1.reported"));
	assert_memory_equal(id[0], id[1], 32); /* had both come, they were one */
}

static void
a_file_that_is_none_is_told_as_that(void **state)
{
	(void)state;
	test_folder_put("tenants-000001-1.seen", "\x7f"
						 "ELF nothing of ours\n");
	open_sentry();
	wait_asked(1);
	says("\"type\":\"a file that is no crash file\"");
	assert_true(test_folder_has("tenants-000001-1.reported"));
}

static void
a_file_that_is_cut_off_is_told_as_far_as_it_goes(void **state)
{
	(void)state;
	test_folder_put(
	    "tenants-000002-1.seen", "trellis crash 1\nsignal 6 SIGABRT\nfra");
	open_sentry();
	wait_asked(1);
	says("\"type\":\"SIGABRT\"");
	says("\"cut_off\":\"yes\"");
	assert_true(test_folder_has("tenants-000002-1.reported"));
}

static void
an_assertion_groups_by_its_place(void **state)
{
	(void)state;
	test_folder_put("tenants-000001-1.seen",
	    "trellis crash 1\nsignal 6 SIGABRT\n"
	    "method a.v1.A.B\n"
	    "note assertion failed: f(x) (../shared/a.c:12)\nmaps\nend\n");
	open_sentry();
	wait_asked(1);
	says("\"fingerprint\":[\"assertion\",\"a.v1.A.B\",\"shared/a.c:12\"]");
	says("\"type\":\"assertion\",\"value\":\"assertion failed: f(x) "
	     "(../shared/a.c:12)\"");
}

/* Ten a minute, though each start is a new process. */
static void
a_process_that_crashes_at_once_does_not_flood(void **state)
{
	char name[64];

	(void)state;
	for (int i = 1; i <= 12; i++) {
		snprintf(name, sizeof name, "tenants-%06d-1.%s", i,
		    i <= 8 ? "reported" : "seen");
		test_folder_put(name, crash);
	}
	open_sentry();
	wait_asked(2);
	assert_int_equal(collector.asked, 2);
	assert_true(test_folder_has("tenants-000010-1.reported"));
	assert_true(test_folder_has("tenants-000011-1.seen"));
	assert_true(since(CRASH_LIMITED) == 2);
}

static void
without_a_dsn_the_counters_stand_and_crashes_stay(void **state)
{
	struct trl_sentry_config config = { .environment = "test" };

	(void)state;
	test_folder_put("tenants-000001-1.seen", crash);
	assert_true(trl_sentry_open(loop,
	    &(struct trl_sentry_options){ .config = &config,
		.service = "tenants",
		.release = "1",
		.crash_dir = folder },
	    &sentry));
	assert_null(sentry);
	fail_at("a.c", 1);
	assert_true(reported("crash,limited") >= 0);
	assert_true(test_folder_has("tenants-000001-1.seen"));
}

#define WITH_SENTRY(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dsn_is_taken_apart),
		cmocka_unit_test(what_is_no_dsn_is_refused_with_why),
		cmocka_unit_test(twenty_a_minute_and_five_of_a_place),
		cmocka_unit_test(what_sentry_asks_for_is_understood),
		cmocka_unit_test(a_shorter_silence_does_not_end_a_longer_one),
		cmocka_unit_test(words_lose_what_may_be_somebodys),
		WITH_SENTRY(an_internal_error_arrives_as_an_event),
		WITH_SENTRY(an_error_of_another_process_is_left_to_it),
		WITH_SENTRY(a_condition_is_no_event),
		WITH_SENTRY(silence_that_is_asked_for_is_kept),
		WITH_SENTRY(limits_in_a_good_answer_count_as_well),
		WITH_SENTRY(a_refusal_costs_one_event),
		WITH_SENTRY(a_crash_is_told_with_its_images_once),
		WITH_SENTRY(a_crash_that_sentry_refuses_is_not_told_again),
		WITH_SENTRY(a_crash_that_comes_too_early_waits_for_the_next_start),
		WITH_SENTRY(a_file_that_is_none_is_told_as_that),
		WITH_SENTRY(a_file_that_is_cut_off_is_told_as_far_as_it_goes),
		WITH_SENTRY(an_assertion_groups_by_its_place),
		WITH_SENTRY(a_process_that_crashes_at_once_does_not_flood),
		WITH_SENTRY(without_a_dsn_the_counters_stand_and_crashes_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
