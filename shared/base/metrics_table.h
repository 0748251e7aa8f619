/* metrics_table.h - the registry as the two files of metrics see it. */
#pragma once

#include <trl/metrics.h>

enum {
	TRL_LABELS_MAX = 4,
	TRL_SERIES_MAX = 2000,
	TRL_BUCKETS = 11,
	TRL_SERIES_SLOTS = 64
};

enum trl_metric_type { TRL_METRIC_COUNTER, TRL_METRIC_GAUGE, TRL_METRIC_HISTOGRAM };

struct trl_series {
	struct trl_series *next;  /* of the metric, in order of making */
	struct trl_series *chain; /* of the slot */
	char *values[TRL_LABELS_MAX];
	double value;                      /* of a counter or gauge */
	uint64_t buckets[TRL_BUCKETS + 1]; /* of a histogram: not cumulated */
	uint64_t sum_us;
};

struct trl_metric_source {
	struct trl_metric_source *next;
	double (*value)(void *self);
	void *self;
};

struct trl_metric {
	struct trl_metric *next;
	enum trl_metric_type type;
	char *name;
	char *help;
	char *labels[TRL_LABELS_MAX];
	size_t n_labels;
	struct trl_series *first, **last;
	size_t n_series;
	struct trl_series *slots[TRL_SERIES_SLOTS];
	struct trl_metric_source *sources; /* asked when rendered, and summed */
	bool is_callback;
};

/* Upper bounds of the buckets, in microseconds. */
extern const uint64_t trl_bucket_us[TRL_BUCKETS];

const struct trl_metric *trl_metrics_first(void);
