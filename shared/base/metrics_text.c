/* metrics_text.c - the registry as text: Prometheus exposition format 0.0.4, or
 * OpenMetrics 1.0.0, which wants the counter's family without _total, a unit
 * where the name has one, floats in le, and # EOF at the end; and which has exemplars.
 * The labels of a series are written once, when it is made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_table.h"

static void
put_escaped(struct trl_buf *out, const char *text, bool quote_too)
{
	const char *special = quote_too ? "\\\n\"" : "\\\n";

	while (*text != '\0') {
		const size_t plain = strcspn(text, special);

		trl_buf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		trl_buf_adds(out, *text == '\n'   ? "\\n"
				  : *text == '\\' ? "\\\\"
						  : "\\\"");
		text++;
	}
}

char *
trl_metrics_label_text(const struct trl_metric *metric, const struct trl_series *series)
{
	struct trl_buf text = { 0 };
	char *fitting;

	for (size_t i = 0; i < metric->n_labels; i++) {
		trl_buf_printf(&text, "%s%s=\"", i > 0 ? "," : "", metric->labels[i]);
		put_escaped(&text, series->values[i], true);
		trl_buf_adds(&text, "\"");
	}
	trl_buf_add(&text, "", 1);
	fitting = realloc(text.data, text.len); /* it stays, a thousandfold */
	trl_assert(fitting != NULL);
	return fitting;
}

static void
put_whole(struct trl_buf *out, uint64_t n)
{
	char text[20], *p = text + sizeof text;

	do {
		*--p = (char)('0' + n % 10);
	} while (n /= 10);
	trl_buf_add(out, p, (size_t)(text + sizeof text - p));
}

static void
put_number(struct trl_buf *out, double v)
{
	if (isnan(v))
		trl_buf_adds(out, "NaN");
	else if (isinf(v))
		trl_buf_adds(out, v > 0 ? "+Inf" : "-Inf");
	else if (v == floor(v) && v >= 0 && v < 9007199254740992.0)
		put_whole(out, (uint64_t)v);
	else
		trl_buf_printf(out, "%.17g", v);
}

/* Microseconds as seconds: no more digits than there are. */
static void
put_us(struct trl_buf *out, uint64_t us)
{
	char text[8];
	int n = 6;

	put_whole(out, us / 1000000);
	(void)snprintf(text, sizeof text, "%06u", (unsigned)(us % 1000000));
	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0)
		trl_buf_adds(out, ".");
	trl_buf_add(out, text, (size_t)n);
}

/* Length of the name without _total, which only a counter carries. */
static size_t
stem(const struct trl_metric *metric)
{
	return strlen(metric->name) -
	       (metric->type == TRL_METRIC_COUNTER ? strlen("_total") : 0);
}

static void
put_head(struct trl_buf *out, const struct trl_metric *metric, bool open_metrics)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	static const char *const units[] = { "seconds", "bytes" };
	const int n = (int)(open_metrics ? stem(metric) : strlen(metric->name));

	trl_buf_printf(out, "# HELP %.*s ", n, metric->name);
	put_escaped(out, metric->help, open_metrics);
	trl_buf_printf(out, "\n# TYPE %.*s %s\n", n, metric->name, types[metric->type]);
	for (size_t i = 0; open_metrics && i < TRL_COUNT(units); i++) {
		size_t unit = strlen(units[i]);

		if ((size_t)n > unit + 1 && metric->name[(size_t)n - unit - 1] == '_' &&
		    memcmp(metric->name + n - unit, units[i], unit) == 0)
			trl_buf_printf(
			    out, "# UNIT %.*s %s\n", n, metric->name, units[i]);
	}
}

/* name_suffix{labels,le="bound"}; le may be NULL. */
static void
put_sample(struct trl_buf *out, const struct trl_metric *metric, const char *labels,
    const char *suffix, const char *le)
{
	trl_buf_adds(out, metric->name);
	trl_buf_adds(out, suffix);
	if (*labels != '\0' || le != NULL) {
		trl_buf_adds(out, "{");
		trl_buf_adds(out, labels);
		if (le != NULL) {
			trl_buf_adds(out, *labels != '\0' ? ",le=\"" : "le=\"");
			trl_buf_adds(out, le);
			trl_buf_adds(out, "\"");
		}
		trl_buf_adds(out, "}");
	}
	trl_buf_adds(out, " ");
}

/* The end of a line, with what OpenMetrics may have before it. */
static void
put_end(
    struct trl_buf *out, const struct trl_series *series, size_t at, bool open_metrics)
{
	const struct trl_exemplar *exemplar =
	    open_metrics && series->exemplars != NULL ? &series->exemplars[at] : NULL;

	if (exemplar != NULL && exemplar->at_us != 0) {
		trl_buf_adds(out, " # {trace_id=\"");
		for (size_t i = 0; i < sizeof exemplar->trace_id; i++)
			trl_buf_printf(out, "%02x", exemplar->trace_id[i]);
		trl_buf_adds(out, "\"} ");
		put_number(out, exemplar->value);
		trl_buf_adds(out, " ");
		put_us(out, (uint64_t)exemplar->at_us);
	}
	trl_buf_adds(out, "\n");
}

static void
put_histogram(struct trl_buf *out, const struct trl_metric *metric,
    const struct trl_series *series, bool open_metrics)
{
	const struct trl_bounds *bounds = series->bounds;
	uint64_t count = 0;

	for (size_t i = 0; i <= bounds->n; i++) {
		count += series->buckets[i];
		put_sample(out, metric, series->text, "_bucket",
		    i < bounds->n ? bounds->texts[i] : "+Inf");
		put_whole(out, count);
		put_end(out, series, i, open_metrics);
	}
	put_sample(out, metric, series->text, "_sum", NULL);
	put_us(out, series->sum_us);
	trl_buf_adds(out, "\n");
	put_sample(out, metric, series->text, "_count", NULL);
	put_whole(out, count);
	trl_buf_adds(out, "\n");
}

static void
put_series(struct trl_buf *out, const struct trl_metric *metric,
    const struct trl_series *series, bool open_metrics)
{
	if (metric->type == TRL_METRIC_HISTOGRAM) {
		put_histogram(out, metric, series, open_metrics);
		return;
	}
	put_sample(out, metric, series->text, "", NULL);
	put_number(out, trl_series_value(series));
	put_end(out, series, 0, open_metrics && metric->type == TRL_METRIC_COUNTER);
}

/* The next series of a family, its head before the first. False: that was the last. */
static bool
put_next(struct trl_buf *out, bool open_metrics, struct trl_metrics_place *place)
{
	const struct trl_metric *metric = place->metric;

	if (place->series == NULL) {
		put_head(out, metric, open_metrics);
		place->series = metric->first;
	} else {
		place->series = place->series->next;
	}
	if (metric->is_callback) {
		put_sample(out, metric, "", "", NULL);
		put_number(out, trl_metric_value(metric));
		trl_buf_adds(out, "\n");
		return false;
	}
	put_series(out, metric, place->series, open_metrics);
	return place->series->next != NULL;
}

bool
trl_metrics_render_some(struct trl_buf *out, bool open_metrics,
    struct trl_metrics_place *place, size_t lines)
{
	if (!place->begun)
		*place = (struct trl_metrics_place){ .metric = trl_metrics_first(),
			.begun = true };
	for (size_t done = 0; place->metric != NULL && done < lines;) {
		const struct trl_metric *metric = place->metric;
		const bool shows = metric->is_callback ? metric->sources != NULL
						       : metric->first != NULL;

		if (shows && put_next(out, open_metrics, place)) {
			done += metric->bounds != NULL ? metric->bounds->n + 3 : 1;
			continue;
		}
		done++;
		place->metric = metric->next;
		place->series = NULL;
	}
	if (place->metric != NULL)
		return true;
	if (open_metrics)
		trl_buf_adds(out, "# EOF\n");
	return false;
}

void
trl_metrics_render(struct trl_buf *out, bool open_metrics)
{
	struct trl_metrics_place place = { 0 };

	while (trl_metrics_render_some(out, open_metrics, &place, SIZE_MAX))
		continue;
}
