/* test_metrics.c - both texts, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/ctx.h>
#include <trl/metrics.h>

/* The families whose name begins with prefix, as text. */
static char *
rendered(const char *prefix, bool open_metrics)
{
	static char text[1 << 20];
	struct trl_buf all = { 0 };
	char *line, *rest;
	size_t len = 0;

	trl_metrics_render(&all, open_metrics);
	trl_buf_add(&all, "", 1);
	for (line = strtok_r((char *)all.data, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *name = line[0] == '#' ? line + 7 : line;

		if (strncmp(name, prefix, strlen(prefix)) == 0)
			len += (size_t)snprintf(
			    text + len, sizeof text - len, "%s\n", line);
	}
	text[len] = '\0';
	trl_buf_fini(&all);
	return text;
}

static void
a_counter_has_its_family_named_by_format(void **state)
{
	trl_metric *m = trl_counter_new(
	    "c_requests_total", "Requests\nby \\ \"method\"", "method", "code", NULL);

	(void)state;
	trl_series_add(trl_series_at(m, "GET", "200"), 3);
	trl_series_add(trl_series_at(m, "P\"\\\n", "500"), 1);
	trl_series_add(trl_series_at(m, "GET", "200"), 1);
	assert_string_equal(rendered("c_", false),
	    "# HELP c_requests_total Requests\\nby \\\\ \"method\"\n"
	    "# TYPE c_requests_total counter\n"
	    "c_requests_total{method=\"GET\",code=\"200\"} 4\n"
	    "c_requests_total{method=\"P\\\"\\\\\\n\",code=\"500\"} 1\n");
	assert_string_equal(rendered("c_", true),
	    "# HELP c_requests Requests\\nby \\\\ \\\"method\\\"\n"
	    "# TYPE c_requests counter\n"
	    "c_requests_total{method=\"GET\",code=\"200\"} 4\n"
	    "c_requests_total{method=\"P\\\"\\\\\\n\",code=\"500\"} 1\n");
}

static void
a_histogram_is_cumulated_and_in_seconds(void **state)
{
	trl_metric *m =
	    trl_histogram_new(TRL_SCALE_FINE, "h_time_seconds", "Time", "of", NULL);
	trl_series *s = trl_series_at(m, "x");

	(void)state;
	trl_series_observe_us(s, 100);
	trl_series_observe_us(s, 101);
	trl_series_observe_us(s, 20000000);
	assert_string_equal(rendered("h_", true),
	    "# HELP h_time_seconds Time\n"
	    "# TYPE h_time_seconds histogram\n"
	    "# UNIT h_time_seconds seconds\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.0001\"} 1\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.0003\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.001\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.003\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.01\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.03\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.1\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"0.3\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"1.0\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"3.0\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"10.0\"} 2\n"
	    "h_time_seconds_bucket{of=\"x\",le=\"+Inf\"} 3\n"
	    "h_time_seconds_sum{of=\"x\"} 20.000201\n"
	    "h_time_seconds_count{of=\"x\"} 3\n");
	assert_null(strstr(rendered("h_", false), "# UNIT"));
}

static void
a_gauge_without_labels_shows_from_the_start(void **state)
{
	trl_metric *m = trl_gauge_new("g_size_bytes", "Size", NULL);

	(void)state;
	assert_string_equal(rendered("g_", false),
	    "# HELP g_size_bytes Size\n# TYPE g_size_bytes gauge\ng_size_bytes 0\n");
	trl_series_set(trl_series_get(m, (const char *const[]){ NULL }), 0.5);
	assert_string_equal(rendered("g_", true),
	    "# HELP g_size_bytes Size\n# TYPE g_size_bytes gauge\n"
	    "# UNIT g_size_bytes bytes\ng_size_bytes 0.5\n");
	assert_ptr_equal(trl_gauge_new("g_size_bytes", "Again", NULL), m);
}

static double
ask(void *self)
{
	return *(double *)self;
}

static void
callbacks_of_one_name_are_summed_until_dropped(void **state)
{
	double one = 1, two = 2;

	(void)state;
	trl_metric_callback("k_alive", "Alive", false, ask, &one);
	trl_metric_callback("k_alive", "Alive", false, ask, &two);
	assert_non_null(strstr(rendered("k_", false), "\nk_alive 3\n"));
	trl_metric_callback_drop(&one);
	assert_non_null(strstr(rendered("k_", false), "\nk_alive 2\n"));
	trl_metric_callback_drop(&two);
	assert_string_equal(rendered("k_", false), "");
}

static void
an_exemplar_stands_in_open_metrics_only_and_of_sampled_traces_only(void **state)
{
	trl_metric *c = trl_counter_new("x_total", "Counted", "code", NULL);
	trl_metric *h =
	    trl_histogram_new(TRL_SCALE_DECADE, "x_seconds", "Time", "of", NULL);
	struct trl_trace trace = { .trace_id = { 0xab, [15] = 0x01 } };
	const char *line, *end;

	(void)state;
	trl_series_add_of(trl_series_at(c, "200"), &trace);
	assert_null(strstr(rendered("x_", true), "trace_id"));
	trace.flags = 1;
	trl_series_add_of(trl_series_at(c, "200"), &trace);
	trl_series_observe_us_of(trl_series_at(h, "a"), 2500, &trace);
	assert_null(strstr(rendered("x_", false), "trace_id"));
	assert_non_null(strstr(rendered("x_", false), "\nx_total{code=\"200\"} 2\n"));
	line = strstr(rendered("x_", true), "x_total{code=\"200\"} 2 # {trace_id=\"ab");
	assert_non_null(line);
	line = strstr(line, "\"} 1 1"); /* its value and when */
	assert_non_null(line);
	assert_memory_equal(line - 30, "000000000000000000000000000001", 30);
	line = strstr(rendered("x_", true), "x_seconds_bucket{of=\"a\",le=\"0.01\"} 1");
	assert_non_null(line);
	end = strchr(line, '\n');
	assert_non_null(strstr(line, " # {trace_id=\"ab00"));
	assert_non_null(strstr(line, "\"} 0.0025"));
	assert_true(strstr(line, "\"} 0.0025") < end);
	/* The other buckets have none. */
	assert_non_null(strstr(rendered("x_", true), ",le=\"0.1\"} 1\n"));
	assert_non_null(strstr(rendered("x_", true), "x_seconds_count{of=\"a\"} 1\n"));
}

static void
a_series_can_be_asked_for_its_value(void **state)
{
	trl_metric *m = trl_gauge_new("q_age_seconds", "Age", "of", NULL);
	double age = 1.5;

	(void)state;
	trl_series_ask(trl_series_at(m, "key"), ask, &age);
	assert_non_null(
	    strstr(rendered("q_", false), "q_age_seconds{of=\"key\"} 1.5\n"));
	trl_metric_callback_drop(&age);
	assert_non_null(strstr(rendered("q_", false), "q_age_seconds{of=\"key\"} 0\n"));
}

static void
pieces_make_the_whole(void **state)
{
	struct trl_metrics_place place = { 0 };
	struct trl_buf whole = { 0 }, pieces = { 0 };
	unsigned n = 0;

	(void)state;
	trl_metrics_render(&whole, true);
	while (trl_metrics_render_some(&pieces, true, &place, 1))
		n++;
	assert_true(n > 3);
	assert_int_equal(whole.len, pieces.len);
	assert_memory_equal(whole.data, pieces.data, whole.len);
	trl_buf_fini(&whole);
	trl_buf_fini(&pieces);
}

static void
open_metrics_ends_with_eof(void **state)
{
	struct trl_buf text = { 0 };

	(void)state;
	trl_metrics_render(&text, true);
	assert_memory_equal(text.data + text.len - 6, "# EOF\n", 6);
	trl_buf_fini(&text);
}

struct seen {
	unsigned n;
	struct trl_sample histogram;
	double counter;
	char label[32];
};

static void
see(void *self, const struct trl_sample *sample)
{
	struct seen *seen = self;

	if (strcmp(sample->name, "test_each_seconds") == 0)
		seen->histogram = *sample;
	if (strcmp(sample->name, "test_each_total") != 0)
		return;
	seen->n++;
	seen->counter += sample->value;
	snprintf(seen->label, sizeof seen->label, "%s=%s", sample->labels[0],
	    sample->values[0]);
}

static void
each_series_comes_with_its_labels_and_quantiles(void **state)
{
	trl_metric *counter = trl_counter_new("test_each_total", "Each.", "code", NULL);
	trl_metric *histogram =
	    trl_histogram_new(TRL_SCALE_FINE, "test_each_seconds", "Each.", NULL);
	static const char *const none[] = { NULL };
	struct seen seen = { 0 };

	(void)state;
	trl_series_add(trl_series_at(counter, "a"), 2);
	trl_series_add(trl_series_at(counter, "b"), 3);
	for (int i = 0; i < 98; i++)
		trl_series_observe_us(trl_series_get(histogram, none), 2000);
	for (int i = 0; i < 2; i++)
		trl_series_observe_us(trl_series_get(histogram, none), 20000000);
	trl_metrics_each(see, &seen);
	assert_int_equal(seen.n, 2);
	assert_true(seen.counter > 4.5 && seen.counter < 5.5);
	assert_string_equal(seen.label, "code=b");
	assert_true(seen.histogram.is_histogram && seen.histogram.count == 100);
	assert_true(seen.histogram.sum > 40.1 && seen.histogram.sum < 40.3);
	/* Half of them lie in the bucket from 1 to 3 ms; the last two above all. */
	assert_true(seen.histogram.p50 > 0.0019 && seen.histogram.p50 < 0.0022);
	assert_true(seen.histogram.p99 > 9.9 && seen.histogram.p99 < 10.1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_has_its_family_named_by_format),
		cmocka_unit_test(a_histogram_is_cumulated_and_in_seconds),
		cmocka_unit_test(a_gauge_without_labels_shows_from_the_start),
		cmocka_unit_test(callbacks_of_one_name_are_summed_until_dropped),
		cmocka_unit_test(
		    an_exemplar_stands_in_open_metrics_only_and_of_sampled_traces_only),
		cmocka_unit_test(a_series_can_be_asked_for_its_value),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(open_metrics_ends_with_eof),
		cmocka_unit_test(each_series_comes_with_its_labels_and_quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
