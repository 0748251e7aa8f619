/* metrics_count.c - the hot path: additions, and of a message whose trace is kept the
 * trace's id, as an exemplar of the bucket that it fell into. */
#include <stdlib.h>
#include <string.h>

#include <trl/ctx.h>

#include "metrics_table.h"

void
trl_series_ask(trl_series *series, double (*value)(void *self), void *self)
{
	series->ask = value;
	series->self = self;
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

static size_t
bucket_of(const struct trl_series *series, uint64_t us)
{
	size_t i = 0;

	while (i < series->bounds->n && us > series->bounds->us[i])
		i++;
	return i;
}

void
trl_series_observe_us(trl_series *series, uint64_t us)
{
	series->buckets[bucket_of(series, us)]++;
	series->sum_us += us;
}

static void
keep_exemplar(
    struct trl_series *series, size_t at, double value, const struct trl_trace *trace)
{
	struct trl_exemplar *exemplar;

	if (series->exemplars == NULL) {
		series->exemplars =
		    calloc(series->bounds != NULL ? series->bounds->n + 1 : 1,
			sizeof *series->exemplars);
		trl_assert(series->exemplars != NULL);
	}
	exemplar = &series->exemplars[at];
	memcpy(exemplar->trace_id, trace->trace_id, sizeof exemplar->trace_id);
	exemplar->value = value;
	exemplar->at_us = trl_wall_us();
}

void
trl_series_add_of(trl_series *series, const struct trl_trace *trace)
{
	series->value += 1;
	if ((trace->flags & 1) != 0)
		keep_exemplar(series, 0, 1, trace);
}

void
trl_series_observe_us_of(trl_series *series, uint64_t us, const struct trl_trace *trace)
{
	const size_t at = bucket_of(series, us);

	series->buckets[at]++;
	series->sum_us += us;
	if ((trace->flags & 1) != 0)
		keep_exemplar(series, at, (double)us / 1e6, trace);
}
