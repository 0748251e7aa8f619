/* metrics.h - counters, gauges and histograms of this process, rendered as
 * Prometheus text 0.0.4 or OpenMetrics 1.0.0. Loop thread only, except where
 * said. A label never holds a tenant or a user's text.
 *
 * Register at start-up, keep the pointer, touch it on the hot path:
 *   m = trl_counter_new("trellis_http_requests_total", "Requests by method and code",
 *       "method", "code", NULL);
 *   trl_series_add(trl_series_at(m, "GET", "200"), 1);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/buf.h>

typedef struct trl_metric trl_metric;
typedef struct trl_series trl_series;

/* Label names follow, NULL ends. Registering a name again gives the first one. */
trl_metric *trl_counter_new(const char *name, const char *help, ...)
    __attribute__((sentinel));
trl_metric *trl_gauge_new(const char *name, const char *help, ...)
    __attribute__((sentinel));
/* Buckets from 100 us to 10 s, two a decade at 1 and 3; values in microseconds,
 * rendered in seconds. */
trl_metric *trl_histogram_new(const char *name, const char *help, ...)
    __attribute__((sentinel));
/* A gauge or counter whose value is asked for when rendered (name: one sample). */
void trl_metric_callback(const char *name, const char *help, bool counter,
    double (*value)(void *self), void *self);
/* Forgets the callbacks of self. */
void trl_metric_callback_drop(void *self);

/* The series with these label values (as many as names), made at first use; at
 * most 2,000 series a metric, then the one labelled "other". Keep it. */
#define trl_series_at(metric, ...)                                                     \
	trl_series_get((metric), (const char *const[]){ __VA_ARGS__, NULL })
trl_series *trl_series_get(trl_metric *metric, const char *const *values);

void trl_series_add(trl_series *series, double n);           /* counter, gauge */
void trl_series_set(trl_series *series, double v);           /* gauge */
void trl_series_observe_us(trl_series *series, uint64_t us); /* histogram */

/* Appends everything; open_metrics adds what OpenMetrics asks (# EOF, units). */
void trl_metrics_render(struct trl_buf *out, bool open_metrics);

/* One series as it stands. Pointers are the registry's own. */
struct trl_sample {
	const char *name;
	size_t n_labels;
	const char *const *labels, *const *values;
	bool is_histogram;
	double value; /* of a counter or gauge */
	/* Of a histogram, in seconds; the quantiles are estimated out of its buckets.
	 */
	uint64_t count;
	double sum, p50, p99;
};
/* Calls fn for each series, in the order of registration. */
void trl_metrics_each(
    void (*fn)(void *self, const struct trl_sample *sample), void *self);
/* Calls fn for each metric that has no series yet, in that order. */
void trl_metrics_each_silent(void (*fn)(void *self, const char *name), void *self);
