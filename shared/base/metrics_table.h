/* metrics_table.h - the registry as the files of metrics see it. */
#pragma once

#include <trl/metrics.h>

enum { TRL_LABELS_MAX = 4, TRL_BUCKETS_MAX = 11, TRL_SERIES_SLOTS = 64 };

enum trl_metric_type { TRL_METRIC_COUNTER, TRL_METRIC_GAUGE, TRL_METRIC_HISTOGRAM };

/* Upper bounds of buckets in microseconds, and as both formats take them. */
struct trl_bounds {
	size_t n;
	uint64_t us[TRL_BUCKETS_MAX];
	const char *texts[TRL_BUCKETS_MAX];
};

struct trl_exemplar {
	uint8_t trace_id[16];
	double value;
	int64_t at_us; /* 0: there is none */
};

struct trl_series {
	struct trl_series *next;  /* of the metric, in order of making */
	struct trl_series *chain; /* of the slot */
	char *values[TRL_LABELS_MAX];
	char *text;                /* its labels, escaped: a="b",c="d" */
	double value;              /* of a counter or gauge */
	double (*ask)(void *self); /* or NULL */
	void *self;
	const struct trl_bounds *bounds; /* of a histogram */
	uint64_t *buckets;               /* bounds->n + 1 of them, not cumulated */
	uint64_t sum_us;
	/* One a bucket, or the counter's; made with the first. */
	struct trl_exemplar *exemplars;
};

struct trl_metric_source {
	struct trl_metric_source *next;
	double (*value)(void *self);
	void *self;
};

struct trl_metric {
	struct trl_metric *next;
	enum trl_metric_type type;
	const struct trl_bounds *bounds;
	char *name;
	char *help;
	char *labels[TRL_LABELS_MAX];
	size_t n_labels;
	struct trl_series *first, **last;
	struct trl_series *slots[TRL_SERIES_SLOTS];
	struct trl_metric_source *sources; /* asked when rendered, and summed */
	bool is_callback;
};

const struct trl_metric *trl_metrics_first(void);
/* Of a counter or gauge, and of all sources of a callback. */
double trl_series_value(const struct trl_series *series);
double trl_metric_value(const struct trl_metric *metric);

/* metrics_text.c: the labels as they are written. */
char *trl_metrics_label_text(
    const struct trl_metric *metric, const struct trl_series *series);
