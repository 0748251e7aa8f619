/* test_metrics_bounds.c - a scrape stays small whatever labels come. The registry is
 * the process's and never shrinks, so these stand in a program of their own, in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/metrics.h>

static size_t
lines_rendered(void)
{
	struct trl_buf text = { 0 };
	size_t n = 0;

	trl_metrics_render(&text, false);
	for (size_t i = 0; i < text.len; i++)
		n +=
		    text.data[i] == '\n' && i + 1 < text.len && text.data[i + 1] != '#';
	trl_buf_fini(&text);
	return n;
}

static bool
renders(const char *what)
{
	struct trl_buf text = { 0 };
	bool found;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	found = strstr((char *)text.data, what) != NULL;
	trl_buf_fini(&text);
	return found;
}

static void
a_label_of_bad_utf8_or_of_a_mebibyte_counts_as_other(void **state)
{
	trl_metric *m = trl_counter_new("bad_total", "Bad", "label", "code", NULL);
	char *large = malloc((1 << 20) + 1);
	const size_t before = trl_metrics_others();
	char just[129 + 1];

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 1 << 20);
	large[1 << 20] = '\0';
	trl_series_add(trl_series_at(m, large, "1"), 1);
	trl_series_add(trl_series_at(m, "\xff\xfe", "1"), 1);
	trl_series_add(trl_series_at(m, "a\xc3", "1"), 1);
	assert_true(renders("bad_total{label=\"other\",code=\"1\"} 3\n"));
	assert_int_equal(trl_metrics_others(), before + 3);
	memset(just, 'y', sizeof just);
	just[129] = '\0';
	trl_series_add(trl_series_at(m, just, "1"), 1);
	just[128] = '\0';
	trl_series_add(trl_series_at(m, just, "1"), 1);
	assert_true(renders("bad_total{label=\"other\",code=\"1\"} 4\n"));
	assert_true(renders("yyy\",code=\"1\"} 1\n"));
	/* What is text, however odd, stays itself. */
	trl_series_add(trl_series_at(m, "\"\n\\\u00e9\r", ""), 1);
	assert_true(renders("bad_total{label=\"\\\"\\n\\\\\u00e9\r\",code=\"\"} 1\n"));
	free(large);
}

static void
however_many_labels_come_a_scrape_has_fewer_than_5000_lines(void **state)
{
	trl_metric *c = trl_counter_new("o_total", "Many", "label", "code", NULL);
	trl_metric *h =
	    trl_histogram_new(TRL_SCALE_FINE, "o_seconds", "Many", "label", NULL);
	char label[16];
	size_t lines;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(label, sizeof label, "%d", i);
		trl_series_add(trl_series_at(c, label, "1"), 1);
		trl_series_observe_us(trl_series_at(h, label), 1);
	}
	lines = trl_metrics_lines();
	assert_true(lines > TRL_METRICS_LINES - 14 && lines < 5000);
	assert_int_equal(lines_rendered(), lines);
	assert_true(renders("o_total{label=\"0\",code=\"1\"} 1\n"));
	assert_true(renders("o_total{label=\"other\",code=\"other\"} 9"));
	assert_true(renders("o_seconds_count{label=\"other\"} 9"));
	/* Known ones go on by themselves. */
	trl_series_add(trl_series_at(c, "0", "1"), 1);
	assert_true(renders("o_total{label=\"0\",code=\"1\"} 2\n"));
}

/* Behind the one before, which leaves no room but for a few. */
static void
what_has_no_room_at_all_is_counted_where_nothing_shows_it(void **state)
{
	char name[32];
	trl_series *seconds = NULL, *count = NULL;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "h%d_seconds", i);
		seconds = trl_series_at(
		    trl_histogram_new(TRL_SCALE_FINE, name, "No room", "label", NULL),
		    "x");
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "c%d_total", i);
		count =
		    trl_series_at(trl_counter_new(name, "No room", "label", NULL), "x");
	}
	assert_ptr_equal(seconds, count);
	trl_series_add(count, 1);
	trl_series_observe_us(seconds, 1);
	assert_false(renders("c99_total{"));
	assert_false(renders("h99_seconds_count{"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_of_bad_utf8_or_of_a_mebibyte_counts_as_other),
		cmocka_unit_test(
		    however_many_labels_come_a_scrape_has_fewer_than_5000_lines),
		cmocka_unit_test(
		    what_has_no_room_at_all_is_counted_where_nothing_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
