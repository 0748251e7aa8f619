/* metrics.c - the registry of what this process counts. Families are few and made
 * at start-up; a series is found once by its labels and then touched through its
 * pointer, so counting costs an addition. Never freed: they end with the process. */
#include <trl/metrics.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_table.h"

const uint64_t trl_bucket_us[TRL_BUCKETS] = { 100, 300, 1000, 3000, 10000, 30000,
	100000, 300000, 1000000, 3000000, 10000000 };

static struct {
	struct trl_metric *first, **last;
} registry = { .last = &registry.first };

const struct trl_metric *
trl_metrics_first(void)
{
	return registry.first;
}

static char *
copy(const char *text)
{
	char *dup = strdup(text);

	trl_assert(dup != NULL);
	return dup;
}

/* Finds the family or makes it; the same name with another type is a bug. */
static struct trl_metric *
family(const char *name, const char *help, enum trl_metric_type type)
{
	struct trl_metric *metric;

	for (metric = registry.first; metric != NULL; metric = metric->next) {
		if (strcmp(metric->name, name) == 0) {
			trl_assert(metric->type == type);
			return metric;
		}
	}
	metric = calloc(1, sizeof *metric);
	trl_assert(metric != NULL);
	metric->type = type;
	metric->name = copy(name);
	metric->help = copy(help);
	metric->last = &metric->first;
	*registry.last = metric;
	registry.last = &metric->next;
	return metric;
}

static struct trl_metric *
labelled(const char *name, const char *help, enum trl_metric_type type, va_list labels)
{
	struct trl_metric *metric = family(name, help, type);
	const char *label;

	if (metric->n_labels > 0 || metric->n_series > 0)
		return metric;
	while ((label = va_arg(labels, const char *)) != NULL) {
		trl_assert(metric->n_labels < TRL_LABELS_MAX);
		metric->labels[metric->n_labels++] = copy(label);
	}
	if (metric->n_labels == 0) /* a family without labels shows its 0 */
		trl_series_get(metric, (const char *const[]){ NULL });
	return metric;
}

trl_metric *
trl_counter_new(const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_COUNTER, labels);
	va_end(labels);
	return metric;
}

trl_metric *
trl_gauge_new(const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_GAUGE, labels);
	va_end(labels);
	return metric;
}

trl_metric *
trl_histogram_new(const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_HISTOGRAM, labels);
	va_end(labels);
	return metric;
}

void
trl_metric_callback(const char *name, const char *help, bool counter,
    double (*value)(void *self), void *self)
{
	struct trl_metric *metric;
	struct trl_metric_source *source = malloc(sizeof *source);

	trl_assert(source != NULL);
	metric = family(name, help, counter ? TRL_METRIC_COUNTER : TRL_METRIC_GAUGE);
	metric->is_callback = true;
	*source = (struct trl_metric_source){ metric->sources, value, self };
	metric->sources = source;
}

void
trl_metric_callback_drop(void *self)
{
	for (struct trl_metric *m = registry.first; m != NULL; m = m->next) {
		struct trl_metric_source **at = &m->sources;

		while (*at != NULL) {
			struct trl_metric_source *source = *at;

			if (source->self == self) {
				*at = source->next;
				free(source);
			} else {
				at = &source->next;
			}
		}
	}
}

/* FNV-1a over the values and their ends. */
static size_t
slot_of(const struct trl_metric *metric, const char *const *values)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < metric->n_labels; i++)
		for (const char *p = values[i];; p++) {
			hash = (hash ^ (unsigned char)*p) * 16777619u;
			if (*p == '\0')
				break;
		}
	return hash % TRL_SERIES_SLOTS;
}

static struct trl_series *
find(const struct trl_metric *metric, size_t slot, const char *const *values)
{
	for (struct trl_series *s = metric->slots[slot]; s != NULL; s = s->chain) {
		size_t i = 0;

		while (i < metric->n_labels && strcmp(s->values[i], values[i]) == 0)
			i++;
		if (i == metric->n_labels)
			return s;
	}
	return NULL;
}

trl_series *
trl_series_get(trl_metric *metric, const char *const *values)
{
	static const char *const others[] = { "other", "other", "other", "other" };
	size_t slot, given = 0;
	struct trl_series *series;

	while (values[given] != NULL)
		given++;
	trl_assert(given == metric->n_labels);
	slot = slot_of(metric, values);
	series = find(metric, slot, values);
	if (series != NULL)
		return series;
	if (metric->n_series >= TRL_SERIES_MAX) {
		values = others;
		slot = slot_of(metric, values);
		series = find(metric, slot, values);
		if (series != NULL)
			return series;
	}
	series = calloc(1, sizeof *series);
	trl_assert(series != NULL);
	for (size_t i = 0; i < metric->n_labels; i++)
		series->values[i] = copy(values[i]);
	series->chain = metric->slots[slot];
	metric->slots[slot] = series;
	*metric->last = series;
	metric->last = &series->next;
	metric->n_series++;
	return series;
}

void
trl_series_add(trl_series *series, double n)
{
	series->value += n;
}

void
trl_series_set(trl_series *series, double v)
{
	series->value = v;
}

void
trl_series_observe_us(trl_series *series, uint64_t us)
{
	size_t i = 0;

	while (i < TRL_BUCKETS && us > trl_bucket_us[i])
		i++;
	series->buckets[i]++;
	series->sum_us += us;
}
