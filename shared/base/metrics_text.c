/* metrics_text.c - the registry as text: Prometheus exposition format 0.0.4, or
 * OpenMetrics 1.0.0, which wants the counter's family without _total, a unit
 * where the name has one, floats in le, and # EOF at the end. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "metrics_table.h"

static void
put_escaped(struct trl_buf *out, const char *text, bool quote_too)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			trl_buf_adds(out, "\\\\");
		else if (*text == '\n')
			trl_buf_adds(out, "\\n");
		else if (*text == '"' && quote_too)
			trl_buf_adds(out, "\\\"");
		else
			trl_buf_add(out, text, 1);
	}
}

static void
put_number(struct trl_buf *out, double v)
{
	if (isnan(v))
		trl_buf_adds(out, "NaN");
	else if (isinf(v))
		trl_buf_adds(out, v > 0 ? "+Inf" : "-Inf");
	else if (v == floor(v) && fabs(v) < 9007199254740992.0)
		trl_buf_printf(out, "%.0f", v);
	else
		trl_buf_printf(out, "%.17g", v);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

/* Length of the name without _total, which only a counter carries. */
static size_t
stem(const struct trl_metric *metric)
{
	size_t n = strlen(metric->name);

	if (metric->type == TRL_METRIC_COUNTER && ends_with(metric->name, "_total"))
		return n - strlen("_total");
	return n;
}

static void
put_head(struct trl_buf *out, const struct trl_metric *metric, bool open_metrics)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	static const char *const units[] = { "seconds", "bytes" };
	int n = (int)stem(metric);
	const char *total = "";

	if (metric->type == TRL_METRIC_COUNTER && !open_metrics)
		total = "_total";
	trl_buf_printf(out, "# HELP %.*s%s ", n, metric->name, total);
	put_escaped(out, metric->help, open_metrics);
	trl_buf_printf(
	    out, "\n# TYPE %.*s%s %s\n", n, metric->name, total, types[metric->type]);
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
put_sample(struct trl_buf *out, const struct trl_metric *metric,
    const struct trl_series *series, const char *suffix, const char *le)
{
	const char *comma = "";

	trl_buf_add(out, metric->name, stem(metric));
	trl_buf_adds(out, suffix);
	if ((series != NULL && metric->n_labels > 0) || le != NULL) {
		trl_buf_adds(out, "{");
		for (size_t i = 0; series != NULL && i < metric->n_labels; i++) {
			trl_buf_printf(out, "%s%s=\"", comma, metric->labels[i]);
			put_escaped(out, series->values[i], true);
			trl_buf_adds(out, "\"");
			comma = ",";
		}
		if (le != NULL)
			trl_buf_printf(out, "%sle=\"%s\"", comma, le);
		trl_buf_adds(out, "}");
	}
	trl_buf_adds(out, " ");
}

static void
put_histogram(struct trl_buf *out, const struct trl_metric *metric,
    const struct trl_series *series)
{
	/* Written so that both formats take them; as trl_bucket_us. */
	static const char *const bounds[TRL_BUCKETS + 1] = { "0.0001", "0.0003",
		"0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1.0", "3.0", "10.0",
		"+Inf" };
	uint64_t count = 0;

	for (size_t i = 0; i <= TRL_BUCKETS; i++) {
		count += series->buckets[i];
		put_sample(out, metric, series, "_bucket", bounds[i]);
		trl_buf_printf(out, "%" PRIu64 "\n", count);
	}
	put_sample(out, metric, series, "_sum", NULL);
	put_number(out, (double)series->sum_us / 1e6);
	trl_buf_adds(out, "\n");
	put_sample(out, metric, series, "_count", NULL);
	trl_buf_printf(out, "%" PRIu64 "\n", count);
}

static void
put_metric(struct trl_buf *out, const struct trl_metric *metric, bool open_metrics)
{
	const char *suffix = metric->type == TRL_METRIC_COUNTER ? "_total" : "";
	double sum = 0;

	put_head(out, metric, open_metrics);
	if (metric->is_callback) {
		for (struct trl_metric_source *s = metric->sources; s != NULL;
		     s = s->next)
			sum += s->value(s->self);
		put_sample(out, metric, NULL, suffix, NULL);
		put_number(out, sum);
		trl_buf_adds(out, "\n");
		return;
	}
	for (const struct trl_series *s = metric->first; s != NULL; s = s->next) {
		if (metric->type == TRL_METRIC_HISTOGRAM) {
			put_histogram(out, metric, s);
			continue;
		}
		put_sample(out, metric, s, suffix, NULL);
		put_number(out, s->value);
		trl_buf_adds(out, "\n");
	}
}

void
trl_metrics_render(struct trl_buf *out, bool open_metrics)
{
	for (const struct trl_metric *m = trl_metrics_first(); m != NULL; m = m->next)
		if (!m->is_callback || m->sources != NULL)
			put_metric(out, m, open_metrics);
	if (open_metrics)
		trl_buf_adds(out, "# EOF\n");
}
