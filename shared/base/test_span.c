/* The ring of spans, and what a message's trace is meanwhile. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <trl/span.h>

static size_t told;

static void
recorded(void *self, size_t n)
{
	assert_ptr_equal(self, &told);
	told = n;
}

static void
open_ring(size_t room, double ratio)
{
	const struct trl_spans_options options = {
		.room = room, .ratio = ratio, .recorded = recorded, .self = &told
	};

	told = 0;
	trl_spans_open(&options);
}

static int
close_ring(void **state)
{
	(void)state;
	trl_spans_close();
	return 0;
}

static trl_ctx
traced(void)
{
	trl_ctx ctx = { .service = "auth" };

	trl_trace_new(&ctx.trace);
	ctx.trace.flags = TRL_TRACE_SAMPLED;
	return ctx;
}

static void
spans_inside_of_one_another_are_children(void **state)
{
	trl_ctx ctx = traced();
	const struct trl_trace outer = ctx.trace;
	struct trl_span one, two;
	struct trl_span_record got[3];

	(void)state;
	open_ring(4, 1);
	trl_span_begin(&ctx, &one, TRL_SPAN_SERVED, "a.B.C");
	assert_memory_equal(ctx.trace.trace_id, outer.trace_id, 16);
	assert_memory_not_equal(ctx.trace.span_id, outer.span_id, 8);
	trl_span_begin(&ctx, &two, TRL_SPAN_SQL, "get");
	trl_span_number(&two, 3);
	trl_span_of(&two, "of");
	trl_span_end(&ctx, &two, TRL_DEADLINE);
	assert_memory_equal(ctx.trace.span_id, one.record.span_id, 8);
	trl_span_end(&ctx, &one, TRL_OK);
	assert_memory_equal(&ctx.trace, &outer, sizeof outer);
	assert_int_equal(told, 2);
	assert_int_equal(trl_spans_take(got, 3), 2); /* in the order of their ends */
	assert_int_equal(got[0].what, TRL_SPAN_SQL);
	assert_int_equal(got[0].number, 3);
	assert_int_equal(got[0].code, TRL_DEADLINE);
	assert_string_equal(got[0].name, "get");
	assert_string_equal(got[0].of, "of");
	assert_string_equal(got[0].service, "auth");
	assert_memory_equal(got[0].parent_id, got[1].span_id, 8);
	assert_memory_equal(got[1].parent_id, outer.span_id, 8);
	assert_memory_equal(got[1].trace_id, outer.trace_id, 16);
	assert_true(got[1].began_us <= got[0].began_us);
	assert_true(got[1].took_us >= got[0].took_us);
	assert_int_equal(trl_spans_kept(), 0);
}

static void
a_cause_is_a_link_and_no_parent(void **state)
{
	static const uint8_t none[8];
	trl_ctx ctx = traced();
	const struct trl_trace cause = ctx.trace;
	struct trl_span span;
	struct trl_span_record got;

	(void)state;
	open_ring(1, 1);
	trl_span_begin(&ctx, &span, TRL_SPAN_JOB, "mail");
	trl_span_link(&span);
	trl_span_end(&ctx, &span, TRL_OK);
	assert_int_equal(trl_spans_take(&got, 1), 1);
	assert_memory_equal(got.link_id, cause.span_id, 8);
	assert_memory_equal(got.parent_id, none, 8);
}

static void
what_is_not_sampled_leaves_nothing(void **state)
{
	trl_ctx ctx = traced();
	const struct trl_trace outer = { .flags = 0 };
	struct trl_span span;

	(void)state;
	ctx.trace = outer;
	open_ring(1, 1);
	trl_span_begin(&ctx, &span, TRL_SPAN_SQL, "get");
	trl_span_text(&span, "text");
	trl_span_link(&span);
	assert_memory_equal(&ctx.trace, &outer, sizeof outer);
	trl_span_end(&ctx, &span, TRL_OK);
	assert_int_equal(trl_spans_kept(), 0);
}

static void
without_a_ring_nothing_is_recorded_and_no_trace_is_sampled(void **state)
{
	trl_ctx ctx = traced();
	const struct trl_trace outer = ctx.trace;
	struct trl_span span;
	struct trl_trace fresh;

	(void)state;
	trl_span_begin(&ctx, &span, TRL_SPAN_SQL, "get");
	assert_false(span.on);
	assert_memory_equal(&ctx.trace, &outer, sizeof outer);
	trl_span_end(&ctx, &span, TRL_OK);
	trl_trace_new(&fresh);
	assert_int_equal(fresh.flags, 0);
}

static void
a_full_ring_drops_the_new_and_counts_them(void **state)
{
	trl_ctx ctx = traced();
	struct trl_span_record got[3];

	(void)state;
	open_ring(2, 1);
	for (size_t i = 0; i < 5; i++) {
		struct trl_span span;

		trl_span_begin(&ctx, &span, TRL_SPAN_SQL, "get");
		trl_span_number(&span, i);
		trl_span_end(&ctx, &span, TRL_OK);
	}
	assert_int_equal(trl_spans_dropped(), 3);
	assert_int_equal(trl_spans_take(got, 3), 2);
	assert_int_equal(got[0].number, 0);
	assert_int_equal(got[1].number, 1);
}

static void
the_ratio_of_new_traces_is_kept(void **state)
{
	static const struct {
		double ratio;
		unsigned least, most; /* of 20,000 */
	} rows[] = { { 0, 0, 0 }, { 0.01, 120, 290 }, { 0.5, 9500, 10500 },
		{ 1, 20000, 20000 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		unsigned sampled = 0;

		open_ring(1, rows[i].ratio);
		for (int j = 0; j < 20000; j++) {
			struct trl_trace trace;

			trl_trace_new(&trace);
			sampled += trace.flags;
			assert_int_equal(trl_spans_want(trace.trace_id), trace.flags);
		}
		assert_in_range(sampled, rows[i].least, rows[i].most);
		trl_spans_close();
	}
	open_ring(1, 1);
}

static void
a_text_is_cut_and_cleaned(void **state)
{
	char much[300];
	trl_ctx ctx = traced();
	struct trl_span span;

	(void)state;
	open_ring(1, 1);
	trl_span_begin(&ctx, &span, TRL_SPAN_HTTP, "POST");
	memset(much, 'a', sizeof much - 1);
	much[sizeof much - 1] = '\0';
	memcpy(much + TRL_SPAN_TEXT - 2, "\xc3\xa4", 2); /* at the very end */
	trl_span_text(&span, much);
	assert_int_equal(strlen(span.record.text), TRL_SPAN_TEXT - 2);
	trl_span_text(&span, "a\xff\nb");
	assert_string_equal(span.record.text, "a??b");
	trl_span_end(&ctx, &span, TRL_OK);
}

int
main(void)
{
#define WITH_RING(test) cmocka_unit_test_teardown(test, close_ring)
	static const struct CMUnitTest tests[] = {
		WITH_RING(spans_inside_of_one_another_are_children),
		WITH_RING(a_cause_is_a_link_and_no_parent),
		WITH_RING(what_is_not_sampled_leaves_nothing),
		cmocka_unit_test(
		    without_a_ring_nothing_is_recorded_and_no_trace_is_sampled),
		WITH_RING(a_full_ring_drops_the_new_and_counts_them),
		WITH_RING(the_ratio_of_new_traces_is_kept),
		WITH_RING(a_text_is_cut_and_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
