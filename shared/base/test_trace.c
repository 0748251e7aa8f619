/* What a trace looks like in a header and in a row. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <trl/trace.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void
a_traceparent_is_read(void **state)
{
	static const struct {
		const char *text;
		uint8_t flags;
	} rows[] = {
		{ "00-" ID "-" SPAN "-01", 1 },
		{ "00-" ID "-" SPAN "-00", 0 },
		{ "00-" ID "-" SPAN "-03",
		    1 }, /* the second bit is no affair of ours */
		{ "00-" ID "-" SPAN "-fe", 0 },
		{ "cc-" ID "-" SPAN "-01", 1 }, /* a later version */
		{ "cc-" ID "-" SPAN "-01-what-the-future-will-be-like", 1 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_trace trace = { .flags = 0xff };

		assert_true(trl_trace_parse(rows[i].text, &trace));
		assert_memory_equal(trace.trace_id, "\x4b\xf9\x2f\x35", 4);
		assert_memory_equal(trace.span_id, "\x00\xf0\x67\xaa", 4);
		assert_int_equal(trace.flags, rows[i].flags);
	}
}

static void
what_is_no_traceparent_is_not(void **state)
{
	static const char *const rows[] = {
		"",
		"00",
		"00-" ID "-" SPAN "-0",       /* too short */
		"00-" ID "-" SPAN "-011",     /* too long */
		"00-" ID "-" SPAN "-01-more", /* too long for this version */
		"cc-" ID "-" SPAN "-01.what",
		"00-" ID "0-" SPAN "-01",
		"00-" ID "-" SPAN "0-1",
		"ff-" ID "-" SPAN "-01", /* the version that is none */
		"0x-" ID "-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" ID "-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", /* upper case */
		"00_" ID "-" SPAN "-01",
		"00-" ID "-00f067aa0ba902b-7-01",
		" 00-" ID "-" SPAN "-01",
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_trace trace = { .flags = 0x5a };

		if (trl_trace_parse(rows[i], &trace))
			fail_msg("%s was read", rows[i]);
		assert_int_equal(trace.flags, 0x5a);
	}
}

static void
what_is_packed_is_unpacked(void **state)
{
	struct trl_trace trace, again = { 0 };
	uint8_t packed[TRL_TRACE_BYTES];

	(void)state;
	trl_trace_new(&trace);
	trace.flags = 1;
	trl_trace_pack(&trace, packed);
	assert_memory_equal(packed, trace.trace_id, 16);
	assert_int_equal(packed[24], 1);
	trl_trace_unpack(packed, &again);
	assert_memory_equal(&again, &trace, sizeof trace);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_read),
		cmocka_unit_test(what_is_no_traceparent_is_not),
		cmocka_unit_test(what_is_packed_is_unpacked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
