/* stats.c - trellis stats: how each process does, and figures by name. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>

#include <operator_v1.trl.h>

struct stats {
	struct ctl_table table, samples;
	struct ctl_metrics metrics;
	const struct ctl_args *args;
};

static void
show_sample(struct ctl_table *table, const char *service, const Operator__V1__Sample *s)
{
	char labels[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < s->n_labels && at < sizeof labels - 1; i++)
		at += (size_t)snprintf(labels + at, sizeof labels - at, "%s%s=%s",
		    i > 0 ? " " : "", s->labels[i]->key, s->labels[i]->value);
	ctl_table_add(table, "%s", service);
	ctl_table_add(table, "%s", s->name);
	ctl_table_add(table, "%s", labels);
	if (s->has_value)
		ctl_table_add(table, "%.10g", s->value);
	else if (s->count == 0)
		ctl_table_add(table, "0");
	else
		ctl_table_add(table, "%" PRIu64 "  mean %.2f ms  p50 %.2f  p99 %.2f",
		    s->count, s->sum / (double)s->count * 1e3, s->p50 * 1e3,
		    s->p99 * 1e3);
}

static void
show_stats(void *into, const char *service, const ProtobufCMessage *out)
{
	struct stats *stats = into;
	const Operator__V1__StatsReply *reply = (const void *)out;
	struct ctl_table *t = &stats->table;
	char text[32];

	ctl_table_add(t, "%s", service);
	ctl_table_add(t, "%s", reply->unready ? reply->unready : "ready");
	ctl_table_add(t, "%s", reply->version ? reply->version : "");
	ctl_table_add(t, "%" PRIu32, reply->pid);
	ctl_table_add(t, "%s", ctl_ms_text(text, reply->up_ms));
	ctl_table_add(t, "%s", ctl_bytes_text(text, reply->memory_bytes));
	ctl_table_add(t, "%" PRIu64, reply->actors);
	ctl_table_add(t, "%" PRIu64, reply->calls);
	ctl_table_add(t, "%" PRIu64, reply->faults);
	ctl_table_add(t, "%" PRIu64, reply->shed);
	for (size_t i = 0; i < reply->n_samples; i++)
		if (ctl_metric_asked(stats->args, reply->samples[i]->name))
			show_sample(&stats->samples, service, reply->samples[i]);
	for (size_t i = 0; i < reply->n_silent; i++)
		if (ctl_metric_asked(stats->args, reply->silent[i])) {
			ctl_table_add(&stats->samples, "%s", service);
			ctl_table_add(&stats->samples, "%s", reply->silent[i]);
			ctl_table_add(&stats->samples, "%s", "");
			ctl_table_add(&stats->samples, "nothing yet");
		}
}

static void
note_stats(void *into, const ProtobufCMessage *out)
{
	struct stats *stats = into;
	const Operator__V1__StatsReply *reply = (const void *)out;

	for (size_t i = 0; i < reply->n_metrics; i++)
		ctl_metric_note(&stats->metrics, reply->metrics[i]->name);
}

/* Words that no metric has are said, unless a service that did not answer may have it.
 */
static bool
words_are_metrics(const struct ctl *ctl, const struct stats *stats)
{
	bool fine = true;
	char why[300];

	for (unsigned i = 0; i < ctl->args.n_words && ctl->n_errors == 0; i++)
		if (ctl_metric_missing(&stats->metrics, ctl->args.words[i], why)) {
			fprintf(stderr, "trellis: %s\n", why);
			fine = false;
		}
	return fine;
}

enum ctl_exit
ctl_stats(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "STATE", "VERSION", "PID", "UP",
		"MEMORY", "ACTORS", "CALLS", "FAULTS", "SHED" };
	static const char *const sample_heads[] = { "SERVICE", "METRIC", "LABELS",
		"VALUE" };
	Operator__V1__StatsRequest in = OPERATOR__V1__STATS_REQUEST__INIT;
	struct stats stats = {
		.table = { .heads = heads, .n_columns = TRL_COUNT(heads) },
		.samples = { .heads = sample_heads,
		    .n_columns = TRL_COUNT(sample_heads) },
		.args = &ctl->args,
	};
	struct ctl_look look = { &operator_v1_stats, &in.base, show_stats, &stats,
		note_stats };
	enum ctl_exit status;

	in.metrics = (char **)(uintptr_t)ctl->args.words;
	in.n_metrics = ctl->args.n_words;
	status = ctl_look(ctl, ctx, &look);
	ctl_table_put(&stats.table, &ctl->out, ctl_is_terminal());
	if (stats.samples.n_cells > 0)
		trl_buf_adds(&ctl->out, "\n");
	ctl_table_put(&stats.samples, &ctl->out, ctl_is_terminal());
	if (!words_are_metrics(ctl, &stats)) {
		trl_buf_clear(&ctl->out);
		status = CTL_MISUSED;
	}
	ctl_metrics_fini(&stats.metrics);
	return status;
}
