/* metrics_each.c - the registry, series by series: for what shows figures otherwise
 * than as text. Quantiles are estimated as Prometheus's histogram_quantile does, on a
 * straight line inside the bucket. */
#include "metrics_table.h"

static double
quantile(const struct trl_series *series, uint64_t count, double q)
{
	const struct trl_bounds *bounds = series->bounds;
	double rank = q * (double)count, below = 0;

	for (size_t i = 0; i < bounds->n && count > 0; i++) {
		double n = (double)series->buckets[i];
		double from = i > 0 ? (double)bounds->us[i - 1] : 0;
		double to = (double)bounds->us[i];

		if (n > 0 && below + n >= rank)
			return (from + (to - from) * (rank - below) / n) / 1e6;
		below += n;
	}
	/* Above the last bound nothing more is known. */
	return count > 0 ? (double)bounds->us[bounds->n - 1] / 1e6 : 0;
}

static void
fill_histogram(struct trl_sample *sample, const struct trl_series *series)
{
	for (size_t i = 0; i <= series->bounds->n; i++)
		sample->count += series->buckets[i];
	sample->is_histogram = true;
	sample->sum = (double)series->sum_us / 1e6;
	sample->p50 = quantile(series, sample->count, 0.5);
	sample->p99 = quantile(series, sample->count, 0.99);
}

static void
each_series(const struct trl_metric *metric,
    void (*fn)(void *self, const struct trl_sample *sample), void *self)
{
	for (const struct trl_series *s = metric->first; s != NULL; s = s->next) {
		struct trl_sample sample = {
			.name = metric->name,
			.n_labels = metric->n_labels,
			.labels = (const char *const *)metric->labels,
			.values = (const char *const *)s->values,
			.value = trl_series_value(s),
		};

		if (metric->type == TRL_METRIC_HISTOGRAM)
			fill_histogram(&sample, s);
		fn(self, &sample);
	}
}

void
trl_metrics_each(void (*fn)(void *self, const struct trl_sample *sample), void *self)
{
	for (const struct trl_metric *m = trl_metrics_first(); m != NULL; m = m->next) {
		struct trl_sample sample = { .name = m->name };

		if (!m->is_callback) {
			each_series(m, fn, self);
			continue;
		}
		sample.value = trl_metric_value(m);
		if (m->sources != NULL)
			fn(self, &sample);
	}
}

void
trl_metrics_each_known(
    void (*fn)(void *self, const struct trl_metric_about *about), void *self)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	for (const struct trl_metric *m = trl_metrics_first(); m != NULL; m = m->next)
		fn(self, &(const struct trl_metric_about){ .name = m->name,
			     .type = types[m->type],
			     .help = m->help,
			     .n_labels = m->n_labels,
			     .labels = (const char *const *)m->labels,
			     .silent = m->is_callback ? m->sources == NULL
						      : m->first == NULL });
}
