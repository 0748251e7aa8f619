/* metrics.c - the names of the metrics that services have, for saying that there is
 * none and which was meant. */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/distance.h>

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
