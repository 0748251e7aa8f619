/* metrics.c - the registry of what this process counts. Families are few and made
 * at start-up; a series is found once by its labels and then touched through its
 * pointer, so counting costs an addition. Never freed: they end with the process. */
#include <trl/metrics.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <trl/ctx.h>
#include <trl/utf8.h>

#include "metrics_table.h"

static const struct trl_bounds scales[] = {
	[TRL_SCALE_FINE] = { 11,
	    { 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000,
		10000000 },
	    { "0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1.0",
		"3.0", "10.0" } },
	[TRL_SCALE_DECADE] = { 5, { 1000, 10000, 100000, 1000000, 10000000 },
	    { "0.001", "0.01", "0.1", "1.0", "10.0" } },
	[TRL_SCALE_COARSE] = { 3, { 10000, 100000, 1000000 },
	    { "0.01", "0.1", "1.0" } },
	[TRL_SCALE_LONG] = { 4, { 100000, 1000000, 10000000, 100000000 },
	    { "0.1", "1.0", "10.0", "100.0" } },
};

enum { LINES_END = 5000 }; /* which "other" does not reach either */

static struct {
	struct trl_metric *first, **last;
	size_t lines, others;
} registry = { .last = &registry.first };

const struct trl_metric *
trl_metrics_first(void)
{
	return registry.first;
}

size_t
trl_metrics_lines(void)
{
	return registry.lines;
}

size_t
trl_metrics_others(void)
{
	return registry.others;
}

static char *
copy(const char *text)
{
	char *dup = strdup(text);

	trl_assert(dup != NULL);
	return dup;
}

static bool
is_named_total(const char *name)
{
	const size_t n = strlen(name);

	return n > 6 && strcmp(name + n - 6, "_total") == 0;
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
	trl_assert((type == TRL_METRIC_COUNTER) == is_named_total(name));
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
labelled(const char *name, const char *help, enum trl_metric_type type,
    const struct trl_bounds *bounds, va_list labels)
{
	struct trl_metric *metric = family(name, help, type);
	const char *label;

	if (metric->n_labels > 0 || metric->first != NULL)
		return metric;
	metric->bounds = bounds;
	while ((label = va_arg(labels, const char *)) != NULL) {
		trl_assert(metric->n_labels < TRL_LABELS_MAX);
		metric->labels[metric->n_labels++] = copy(label);
	}
	if (metric->n_labels == 0) /* a family without labels shows its 0 */
		trl_series_at(metric, NULL);
	return metric;
}

trl_metric *
trl_counter_new(const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_COUNTER, NULL, labels);
	va_end(labels);
	return metric;
}

trl_metric *
trl_gauge_new(const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_GAUGE, NULL, labels);
	va_end(labels);
	return metric;
}

trl_metric *
trl_histogram_new(enum trl_scale scale, const char *name, const char *help, ...)
{
	struct trl_metric *metric;
	va_list labels;

	va_start(labels, help);
	metric = labelled(name, help, TRL_METRIC_HISTOGRAM, &scales[scale], labels);
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
	registry.lines += !metric->is_callback;
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
		for (struct trl_series *s = m->first; s != NULL; s = s->next)
			if (s->ask != NULL && s->self == self)
				s->ask = NULL;
	}
}

double
trl_metric_value(const struct trl_metric *metric)
{
	double sum = 0;

	for (struct trl_metric_source *s = metric->sources; s != NULL; s = s->next)
		sum += s->value(s->self);
	return sum;
}

double
trl_series_value(const struct trl_series *series)
{
	return series->ask != NULL ? series->ask(series->self) : series->value;
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
find(const struct trl_metric *metric, const char *const *values)
{
	for (struct trl_series *s = metric->slots[slot_of(metric, values)]; s != NULL;
	     s = s->chain) {
		size_t i = 0;

		while (i < metric->n_labels && strcmp(s->values[i], values[i]) == 0)
			i++;
		if (i == metric->n_labels)
			return s;
	}
	return NULL;
}

static size_t
lines_of(const struct trl_metric *metric)
{
	/* The bounds, +Inf, sum and count. */
	return metric->bounds != NULL ? metric->bounds->n + 3 : 1;
}

/* The i-th value, as another series of the metric has it already, or a copy. */
static char *
kept(const struct trl_metric *metric, size_t i, const char *value)
{
	for (const struct trl_series *s = metric->first; s != NULL; s = s->next)
		if (strcmp(s->values[i], value) == 0)
			return s->values[i];
	return copy(value);
}

static struct trl_series *
make(struct trl_metric *metric, const char *const *values)
{
	const size_t slot = slot_of(metric, values);
	struct trl_series *series = calloc(1, sizeof *series);

	trl_assert(series != NULL);
	for (size_t i = 0; i < metric->n_labels; i++)
		series->values[i] = kept(metric, i, values[i]);
	series->text = trl_metrics_label_text(metric, series);
	series->bounds = metric->bounds;
	if (series->bounds != NULL) {
		series->buckets =
		    calloc(series->bounds->n + 1, sizeof *series->buckets);
		trl_assert(series->buckets != NULL);
	}
	series->chain = metric->slots[slot];
	metric->slots[slot] = series;
	*metric->last = series;
	metric->last = &series->next;
	registry.lines += lines_of(metric);
	return series;
}

static const char other[] = "other";

/* What may stand as a label; *others is counted where something does not. */
static const char *
cleaned(const char *value, bool *others)
{
	const size_t len = strnlen(value, TRL_METRICS_LABEL_BYTES + 1);

	if (len <= TRL_METRICS_LABEL_BYTES && trl_utf8_valid(value, len))
		return value;
	*others = true;
	return other;
}

/* Counted into where there is no room for an "other" either. Nothing shows it. */
static struct trl_series *
hidden(const struct trl_metric *metric)
{
	static uint64_t buckets[TRL_BUCKETS_MAX + 1];
	static struct trl_exemplar exemplars[TRL_BUCKETS_MAX + 1];
	static struct trl_series series = { .buckets = buckets,
		.exemplars = exemplars };

	/* A histogram's is kept when a counter comes here as well. */
	if (metric->bounds != NULL)
		series.bounds = metric->bounds;
	return &series;
}

/* A series that is not there yet, or the one that stands for it. */
static struct trl_series *
make_or_other(struct trl_metric *metric, const char *const *values)
{
	const char *clean[TRL_LABELS_MAX];
	struct trl_series *series;
	bool others = false;

	for (size_t i = 0; i < metric->n_labels; i++)
		clean[i] = cleaned(values[i], &others);
	if (metric->n_labels > 0 &&
	    registry.lines + lines_of(metric) > TRL_METRICS_LINES) {
		for (size_t i = 0; i < metric->n_labels; i++)
			clean[i] = other;
		others = true;
	}
	registry.others += others;
	series = find(metric, clean);
	if (series != NULL)
		return series;
	return registry.lines + lines_of(metric) < LINES_END ? make(metric, clean)
							     : hidden(metric);
}

trl_series *
trl_series_get(trl_metric *metric, const char *const *values)
{
	struct trl_series *series;
	size_t given = 0;

	while (values[given] != NULL)
		given++;
	trl_assert(given == metric->n_labels);
	for (size_t i = 0; i < given; i++)
		if (strnlen(values[i], TRL_METRICS_LABEL_BYTES + 1) >
		    TRL_METRICS_LABEL_BYTES)
			return make_or_other(metric, values);
	series = find(metric, values);
	return series != NULL ? series : make_or_other(metric, values);
}
