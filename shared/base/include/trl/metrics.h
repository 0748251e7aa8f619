/* metrics.h - counters, gauges and histograms of this process, rendered as
 * Prometheus text 0.0.4 or OpenMetrics 1.0.0. Loop thread only, except where
 * said.
 *
 * Register at start-up, keep the pointer, touch it on the hot path:
 *   m = trl_counter_new("trellis_http_requests_total", "Requests by method and code",
 *       "method", "code", NULL);
 *   requests = trl_series_at(m, "GET", "200");
 *   trl_series_add(requests, 1);
 * Make a series whose labels are known at the start then, so that it begins with 0: one
 * that appears with its first 1 has no rate for it. A process of all services has
 * hundreds of methods and routes, so keep labels and buckets of what is counted for
 * each of them few (tests/mesh/metrics.py says how many lines another one costs, and
 * how many there is room for).
 *
 * A label never holds a tenant or a user's text. Should one come all the same, the
 * registry stays small: a value longer than 128 bytes or not UTF-8 counts as "other",
 * and so does everything from the 5,000th line of a scrape on. The bound is for labels
 * that nobody thought of, not for services: a method with a route has twelve lines, so
 * a process of all of Trellis's services has 3,000, and a product's services need some
 * as well; a process of one service has 1,000 at most.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/buf.h>

typedef struct trl_metric trl_metric;
typedef struct trl_series trl_series;
struct trl_trace;

/* Lines of a scrape that the registry makes series for. What comes after that is
 * "other", which each metric may still have. */
enum { TRL_METRICS_LINES = 4950, TRL_METRICS_LABEL_BYTES = 128 };

/* Label names follow, NULL ends. Registering a name again gives the first one. A
 * counter's name ends in _total. */
trl_metric *trl_counter_new(const char *name, const char *help, ...)
    __attribute__((sentinel));
trl_metric *trl_gauge_new(const char *name, const char *help, ...)
    __attribute__((sentinel));
/* Values in microseconds, rendered in seconds. */
enum trl_scale {
	TRL_SCALE_FINE,   /* 100 us to 10 s, two bounds a decade at 1 and 3 */
	TRL_SCALE_DECADE, /* 1 ms to 10 s, one a decade */
	TRL_SCALE_COARSE, /* 10 ms to 1 s, one a decade: where there are many series */
	TRL_SCALE_LONG    /* 100 ms to 100 s, one a decade */
};
trl_metric *trl_histogram_new(enum trl_scale scale, const char *name, const char *help,
    ...) __attribute__((sentinel));
/* A gauge or counter of one sample, whose value is asked for when it is rendered. */
void trl_metric_callback(const char *name, const char *help, bool counter,
    double (*value)(void *self), void *self);
/* Forgets the callbacks of self, those of series too. */
void trl_metric_callback_drop(void *self);

/* The series with these label values (as many as names), made at first use. Keep it.
 * Without labels: trl_series_at(metric, NULL). */
#define trl_series_at(metric, ...)                                                     \
	trl_series_get((metric), (const char *const[]){ __VA_ARGS__, NULL })
trl_series *trl_series_get(trl_metric *metric, const char *const *values);
/* Has value called for the series when it is rendered. */
void trl_series_ask(trl_series *series, double (*value)(void *self), void *self);

void trl_series_add(trl_series *series, double n);           /* counter, gauge */
void trl_series_set(trl_series *series, double v);           /* gauge */
void trl_series_observe_us(trl_series *series, uint64_t us); /* histogram */
/* The same two, with the message's trace as an exemplar where it is sampled. */
void trl_series_add_of(trl_series *series, const struct trl_trace *trace);
void trl_series_observe_us_of(
    trl_series *series, uint64_t us, const struct trl_trace *trace);

/* Appends everything; open_metrics: as OpenMetrics, which has units, exemplars and
 * # EOF too. */
void trl_metrics_render(struct trl_buf *out, bool open_metrics);
/* The same in pieces: appends about that many lines, false once that was all. A place
 * begins as { 0 }; what is registered between two pieces is rendered where it is not
 * behind. */
struct trl_metrics_place {
	const trl_metric *metric;
	const trl_series *series;
	bool begun;
};
bool trl_metrics_render_some(struct trl_buf *out, bool open_metrics,
    struct trl_metrics_place *place, size_t lines);
/* How many lines there are, and how many series were not made, but counted as other. */
size_t trl_metrics_lines(void);
size_t trl_metrics_others(void);

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

/* One metric as it is known. */
struct trl_metric_about {
	const char *name, *type, *help;
	size_t n_labels;
	const char *const *labels;
	bool silent; /* it has no series yet */
};
/* Calls fn for each metric, in that order. */
void trl_metrics_each_known(
    void (*fn)(void *self, const struct trl_metric_about *about), void *self);
