/* Spans on their way from the ring to a collector that takes them, rejects some, lies,
 * or is away for a while. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <trl/span.h>
#include <trl/traces.h>

#include "otlp.pb-c.h"
#include "test_collector.h"

enum { RING = 2048, BATCH = 256 };

static trl_loop *loop;
static struct collector collector;
static trl_traces *traces;
static trl_arena *arena;

static trl_traces *
open_traces(const char *url)
{
	TRL_AUTO(trl_secret_free)
	trl_secret *headers = trl_secret_new("x-one=se%63ret", 14);

	return trl_traces_open(loop, &(struct trl_traces_options){ .url = url,
					 .headers = headers,
					 .ratio = 1,
					 .service = "trellis",
					 .version = "1" });
}

static int
open_world(void **state)
{
	(void)state;
	loop = trl_loop_new(NULL);
	arena = trl_arena_new(0);
	collector = (struct collector){ .status = 200 };
	collector_open(&collector, loop);
	traces = open_traces(collector_url(&collector, "/"));
	assert_non_null(traces);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	trl_traces_close(&traces);
	if (collector.server != NULL)
		collector_close(&collector);
	assert_true(trl_loop_run_until(loop, nobody_runs, loop, 10000));
	trl_loop_free(&loop);
	trl_arena_free(&arena);
	return 0;
}

static void
record(size_t n)
{
	trl_ctx ctx = { .service = "auth" };

	trl_trace_new(&ctx.trace);
	assert_int_equal(ctx.trace.flags, TRL_TRACE_SAMPLED);
	for (size_t i = 0; i < n; i++) {
		struct trl_span span;

		trl_span_begin(&ctx, &span, TRL_SPAN_SQL, "get");
		trl_span_end(&ctx, &span, TRL_OK);
	}
}

static bool
is_flushed(void *self)
{
	return trl_traces_flushed(self);
}

static void
wait_flushed(void)
{
	trl_traces_flush(traces);
	assert_true(trl_loop_run_until(loop, is_flushed, traces, 10000));
}

/* Spans in what came last. */
static size_t
spans_got(void)
{
	const Otlp__ExportRequest *got = otlp__export_request__unpack(
	    trl_arena_protobuf(arena), collector.got_len, collector.got);

	assert_non_null(got);
	assert_int_equal(got->n_resource_spans, 1);
	return got->resource_spans[0]->scope_spans[0]->n_spans;
}

/* Counters stay for the process's life: how much one has grown. */
static double
grown(const char *name, double *since)
{
	double now = counted(name, ""), by = now - *since;

	*since = now;
	return by;
}

static void
a_second_after_the_first_they_are_sent(void **state)
{
	double since = counted("trellis_trace_spans_total", "");

	(void)state;
	record(3);
	assert_false(trl_traces_flushed(traces));
	assert_true(trl_loop_run_until(loop, is_flushed, traces, 10000));
	assert_int_equal(collector.asked, 1);
	assert_int_equal(spans_got(), 3);
	assert_string_equal(collector.type, "application/x-protobuf");
	assert_string_equal(collector.x_one, "secret");
	assert_true(grown("trellis_trace_spans_total", &since) == 3);
	record(1); /* and those behind them as well */
	assert_true(trl_loop_run_until(loop, is_flushed, traces, 10000));
	assert_int_equal(collector.asked, 2);
}

static void
a_full_payload_waits_for_no_second(void **state)
{
	uint64_t took = UINT64_MAX;

	(void)state;
	/* The machine may have stood still, but not each time. */
	for (unsigned n = 1; n <= 5 && took >= 1000000; n++) {
		uint64_t since = trl_mono_us();

		record(3 * BATCH);
		wait_flushed();
		assert_int_equal(collector.asked, 3 * n);
		assert_int_equal(spans_got(), BATCH);
		took = trl_mono_us() - since;
	}
	assert_true(took < 1000000);
}

static void
what_the_collector_rejects_by_itself_is_counted(void **state)
{
	double since = counted("trellis_trace_spans_rejected_total", "");

	(void)state;
	collector.body = "\x0a\x06\x08\x02\x12\x02no";
	collector.body_len = 8;
	record(3);
	wait_flushed();
	assert_true(grown("trellis_trace_spans_rejected_total", &since) == 2);
	collector.body = "\x0a\x05\x08\xff\xff\xff\x7f"; /* more than there were */
	collector.body_len = 7;
	record(1);
	wait_flushed();
	assert_true(grown("trellis_trace_spans_rejected_total", &since) <= BATCH);
	collector.body = "<html>";
	collector.body_len = 6;
	record(1);
	wait_flushed();
	assert_true(grown("trellis_trace_spans_rejected_total", &since) == 0);
	assert_int_equal(collector.asked, 3);
}

static void
an_answer_without_end_is_cut_off(void **state)
{
	static uint8_t much[1 << 20];

	(void)state;
	collector.body = much;
	collector.body_len = sizeof much;
	record(1);
	wait_flushed();
	assert_int_equal(collector.asked, 1);
}

static bool
is_full(void *self)
{
	(void)self;
	return trl_spans_dropped() > 0;
}

static void
a_collector_that_was_away_gets_what_was_kept(void **state)
{
	size_t kept;
	uint64_t back;

	(void)state;
	collector_close(&collector);
	record(RING);
	/* Two payloads leave the ring, and wait. */
	assert_false(trl_loop_run_until(loop, is_full, NULL, 1500));
	record(RING);
	assert_int_equal(trl_spans_kept(), RING);
	assert_int_equal(trl_spans_dropped(), RING - 2 * BATCH);
	assert_true(
	    counted("trellis_trace_spans_dropped_total", "") == RING - 2 * BATCH);
	assert_true(trl_traces_flushed(traces)); /* nobody waits for this one */
	kept = RING + 2 * BATCH;
	collector_open(&collector, loop);
	back = trl_mono_us();
	assert_true(trl_loop_run_until(loop, collector_was_asked,
	    &(struct asked){ &collector, (unsigned)(kept / BATCH) }, 15000));
	assert_true(trl_mono_us() - back < 10000000);
	assert_int_equal(trl_spans_kept(), 0);
}

static void
settings_that_are_none_are_refused_in_words(void **state)
{
	TRL_AUTO(trl_secret_free) trl_secret *bad = trl_secret_new("nothing", 7);

	(void)state;
	assert_null(trl_traces_refused_url("http://collector:4318"));
	assert_null(trl_traces_refused_url("https://host/otlp/"));
	assert_non_null(trl_traces_refused_url("collector:4318"));
	assert_non_null(trl_traces_refused_url("http://collector:4318?a=b"));
	assert_non_null(trl_traces_refused_url(""));
	assert_null(trl_traces_refused_headers(NULL));
	assert_non_null(trl_traces_refused_headers(bad));
}

int
main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	static const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_second_after_the_first_they_are_sent),
		IN_A_WORLD(a_full_payload_waits_for_no_second),
		IN_A_WORLD(what_the_collector_rejects_by_itself_is_counted),
		IN_A_WORLD(an_answer_without_end_is_cut_off),
		IN_A_WORLD(a_collector_that_was_away_gets_what_was_kept),
		cmocka_unit_test(settings_that_are_none_are_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
