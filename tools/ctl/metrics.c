/* metrics.c - trellis metrics: what the metrics are that services have. And their
 * names, for saying that there is none and which was meant. */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/distance.h>

#include <operator_v1.trl.h>

enum { NEAR_MAX = 3 };

void
ctl_metric_note(struct ctl_metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->n; i++)
		if (strcmp(metrics->names[i], name) == 0)
			return;
	if (metrics->n == metrics->room) {
		metrics->room = metrics->room * 2 + 64;
		metrics->names =
		    realloc(metrics->names, metrics->room * sizeof metrics->names[0]);
		trl_assert(metrics->names != NULL);
	}
	metrics->names[metrics->n++] = name;
}

static bool
has(const struct ctl_metrics *metrics, const char *part)
{
	for (size_t i = 0; i < metrics->n; i++)
		if (strstr(metrics->names[i], part) != NULL)
			return true;
	return false;
}

/* How far a word is from the nearest run of a name's parts, such as "bus_calls" of
 * "trellis_bus_calls_total". */
static unsigned
distance(const char *word, const char *name)
{
	unsigned least = TRL_DISTANCE_MAX;

	for (const char *from = name; from != NULL; from = strchr(from, '_')) {
		from += *from == '_';
		for (const char *to = from; *to != '\0';) {
			unsigned far;
			to += strcspn(to + 1, "_") + 1;
			far =
			    trl_distance(word, strlen(word), from, (size_t)(to - from));
			least = far < least ? far : least;
		}
	}
	return least;
}

/* The names nearest to a word, as many as are equally near; 0: none is near. */
static unsigned
find_near(
    const struct ctl_metrics *metrics, const char *word, const char *near[NEAR_MAX])
{
	unsigned least = (unsigned)strlen(word) / 3 + 2, n = 0;

	for (size_t i = 0; i < metrics->n; i++) {
		unsigned far = distance(word, metrics->names[i]);
		if (far < least) {
			least = far;
			n = 0;
			near[n++] = metrics->names[i];
		} else if (n > 0 && far == least && n < NEAR_MAX) {
			near[n++] = metrics->names[i];
		}
	}
	return n;
}

bool
ctl_metric_asked(const struct ctl_args *args, const char *name)
{
	for (unsigned i = 0; i < args->n_words; i++)
		if (strstr(name, args->words[i]) != NULL)
			return true;
	return false;
}

bool
ctl_metric_missing(const struct ctl_metrics *metrics, const char *word, char why[300])
{
	const char *near[NEAR_MAX];
	unsigned n;
	int at;

	if (has(metrics, word))
		return false;
	n = find_near(metrics, word, near);
	at = snprintf(why, 300, "there is no metric '%.60s'; %s", word,
	    n > 0 ? "did you mean" : "'trellis stats trellis_' shows all there are");
	for (unsigned i = 0; i < n && at < 300; i++)
		at += snprintf(why + at, (size_t)(300 - at), "%s '%.60s'%s",
		    i > 0 ? " or" : "", near[i], i + 1 == n ? "?" : "");
	return true;
}

void
ctl_metrics_fini(struct ctl_metrics *metrics)
{
	free(metrics->names);
	*metrics = (struct ctl_metrics){ 0 };
}

struct listing {
	struct ctl_table table;
	struct ctl_metrics seen;
	const struct ctl_args *args;
};

/* Each once, whichever services have it. */
static void
list(void *into, const char *service, const ProtobufCMessage *out)
{
	const Operator__V1__StatsReply *reply = (const void *)out;
	struct listing *listing = into;
	struct ctl_table *table = &listing->table;

	(void)service;
	for (size_t i = 0; i < reply->n_metrics; i++) {
		const Operator__V1__Metric *m = reply->metrics[i];
		const size_t before = listing->seen.n;
		char labels[100] = "";
		size_t at = 0;

		ctl_metric_note(&listing->seen, m->name);
		if (listing->seen.n == before ||
		    (listing->args->n_words > 0 &&
			!ctl_metric_asked(listing->args, m->name)))
			continue;
		for (size_t n = 0; n < m->n_labels && at < sizeof labels; n++)
			at += (size_t)snprintf(labels + at, sizeof labels - at, "%s%s",
			    n > 0 ? "," : "", m->labels[n]);
		ctl_table_add(table, "%s", m->name);
		ctl_table_add(table, "%s", m->type ? m->type : "");
		ctl_table_add(table, "%s", labels);
		ctl_table_add(table, "%s", m->help ? m->help : "");
	}
}

enum ctl_exit
ctl_metrics(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "METRIC", "TYPE", "LABELS", "MEANING" };
	static const char *const none[] = { "-" }; /* no name holds it: no samples */
	Operator__V1__StatsRequest in = OPERATOR__V1__STATS_REQUEST__INIT;
	struct listing listing = {
		.table = { .heads = heads, .n_columns = TRL_COUNT(heads) },
		.args = &ctl->args,
	};
	const struct ctl_look look = { &operator_v1_stats, &in.base, list, &listing,
		NULL };
	enum ctl_exit status;

	in.metrics = (char **)(uintptr_t)none;
	in.n_metrics = 1;
	status = ctl_look(ctl, ctx, &look);
	ctl_table_sort(&listing.table);
	ctl_table_put(&listing.table, &ctl->out, ctl_is_terminal());
	ctl_metrics_fini(&listing.seen);
	return status;
}
