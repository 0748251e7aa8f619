/* look.c - stats, actors, peers, config: the same question to every process of
 * every service, and a table or a list of the answers. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <operator_v1.trl.h>

enum { PROCESSES_MAX = 64 };

/* The processes of one service; of several, each is called by its address too. */
static void
ask_each(struct ctl *ctl, trl_ctx *ctx, const struct ctl_look *look,
    const struct ctl_service *service)
{
	const char *at[PROCESSES_MAX] = { NULL };
	size_t n;

	ctl_reach(ctl, ctx, service);
	n = trl_bus_addresses(ctl->bus, service->name, at, PROCESSES_MAX);
	for (size_t i = 0; i < n || i == 0; i++) {
		char name[200];
		ProtobufCMessage *out;
		if (!ctl_ask_at(ctl, ctx, service, at[i], look->method, look->in, &out))
			continue;
		if (look->note != NULL)
			look->note(look->into, out);
		snprintf(name, sizeof name, "%s%s%s", service->name, n > 1 ? " " : "",
		    n > 1 ? strstr(at[i], "://") + 3 : "");
		if ((ctl->args.given & CTL_JSON) != 0)
			ctl_json_item_at(
			    ctl, service->name, at[i], look->method->out, out);
		else
			look->show(look->into, name, out);
	}
}

enum ctl_exit
ctl_look(struct ctl *ctl, trl_ctx *ctx, const struct ctl_look *look)
{
	bool json = (ctl->args.given & CTL_JSON) != 0;

	if (json)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (ctl->services[i].wanted)
			ask_each(ctl, ctx, look, &ctl->services[i]);
	if (json)
		ctl_json_close(ctl);
	return CTL_FINE;
}

/* ---- stats
 * ------------------------------------------------------------------------------- */

struct stats {
	struct ctl_table table, samples;
	struct ctl_metrics metrics;
	const struct ctl_args *args;
};

/* Whether the words ask for this metric: by a part of its name. */
static bool
is_asked(const struct ctl_args *args, const char *name)
{
	for (unsigned i = 0; i < args->n_words; i++)
		if (strstr(name, args->words[i]) != NULL)
			return true;
	return false;
}

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
		if (is_asked(stats->args, reply->samples[i]->name))
			show_sample(&stats->samples, service, reply->samples[i]);
	for (size_t i = 0; i < reply->n_silent; i++)
		if (is_asked(stats->args, reply->silent[i])) {
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

/* ---- actors
 * ------------------------------------------------------------------------------ */

static void
show_actors(void *into, const char *service, const ProtobufCMessage *out)
{
	static const char *const states[] = {
		[OPERATOR__V1__ACTOR__STATE__ready] = "ready",
		[OPERATOR__V1__ACTOR__STATE__running] = "running",
		[OPERATOR__V1__ACTOR__STATE__parked] = "parked",
	};
	const Operator__V1__ActorsReply *reply = (const void *)out;
	struct ctl_table *t = into;
	char text[TRL_ID_TEXT];
	struct trl_id tenant;

	for (size_t i = 0; i < reply->n_actors; i++) {
		const Operator__V1__Actor *a = reply->actors[i];
		ctl_table_add(t, "%s", service);
		ctl_table_add(t, "%s", a->name ? a->name : "");
		ctl_table_add(t, "%s", ctl_ms_text(text, a->age_ms));
		ctl_table_add(t, "%s",
		    a->state < TRL_COUNT(states) && states[a->state] != NULL
			? states[a->state]
			: "?");
		ctl_table_add(t, "%s", a->parked_on ? a->parked_on : "");
		ctl_table_add(
		    t, "%s", a->parked_on ? ctl_ms_text(text, a->parked_ms) : "");
		text[0] = '\0';
		if (a->has_tenant_id && a->tenant_id.len == sizeof tenant.bytes) {
			memcpy(tenant.bytes, a->tenant_id.data, sizeof tenant.bytes);
			trl_id_format(tenant, text);
		}
		ctl_table_add(t, "%s", text);
	}
}

enum ctl_exit
ctl_actors(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "ACTOR", "AGE", "STATE",
		"PARKED ON", "FOR", "TENANT" };
	Operator__V1__ActorsRequest in = OPERATOR__V1__ACTORS_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct ctl_look look = { &operator_v1_actors, &in.base, show_actors, &table };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return status;
}

/* ---- peers
 * ------------------------------------------------------------------------------- */

struct peers {
	struct ctl_table calls, callers;
};

static void
show_peers(void *into, const char *service, const ProtobufCMessage *out)
{
	static const char *const states[] = {
		[OPERATOR__V1__PEER__STATE__up] = "up",
		[OPERATOR__V1__PEER__STATE__down] = "down",
		[OPERATOR__V1__PEER__STATE__draining] = "draining",
		[OPERATOR__V1__PEER__STATE__shunned] = "shunned",
	};
	const Operator__V1__PeersReply *reply = (const void *)out;
	struct peers *peers = into;

	for (size_t i = 0; i < reply->n_peers; i++) {
		const Operator__V1__Peer *p = reply->peers[i];
		ctl_table_add(&peers->calls, "%s", service);
		ctl_table_add(&peers->calls, "%s", p->service ? p->service : "");
		ctl_table_add(&peers->calls, "%s", p->address ? p->address : "");
		ctl_table_add(&peers->calls, "%s",
		    p->state < TRL_COUNT(states) && states[p->state] != NULL
			? states[p->state]
			: "?");
		ctl_table_add(&peers->calls, "%" PRIu32, p->in_flight);
		ctl_table_add(&peers->calls, "%s", p->unready ? p->unready : "");
	}
	for (size_t i = 0; i < reply->n_callers; i++) {
		const Operator__V1__Caller *c = reply->callers[i];
		ctl_table_add(&peers->callers, "%s", service);
		ctl_table_add(&peers->callers, "%s", c->service ? c->service : "");
		ctl_table_add(&peers->callers, "%" PRIu32, c->running);
	}
}

enum ctl_exit
ctl_peers(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "CALLS", "AT", "STATE",
		"IN FLIGHT", "NOT READY" };
	static const char *const caller_heads[] = { "SERVICE", "CALLED BY", "RUNNING" };
	Operator__V1__PeersRequest in = OPERATOR__V1__PEERS_REQUEST__INIT;
	struct peers peers = {
		.calls = { .heads = heads, .n_columns = TRL_COUNT(heads) },
		.callers = { .heads = caller_heads,
		    .n_columns = TRL_COUNT(caller_heads) },
	};
	struct ctl_look look = { &operator_v1_peers, &in.base, show_peers, &peers };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&peers.calls, &ctl->out, ctl_is_terminal());
	if (ctl->out.len > 0 && peers.callers.n_cells > 0)
		trl_buf_adds(&ctl->out, "\n");
	ctl_table_put(&peers.callers, &ctl->out, ctl_is_terminal());
	return status;
}

/* ---- config
 * ------------------------------------------------------------------------------ */

static void
show_config(void *into, const char *service, const ProtobufCMessage *out)
{
	const Operator__V1__ConfigReply *reply = (const void *)out;

	for (size_t i = 0; i < reply->n_settings; i++) {
		const Operator__V1__Setting *s = reply->settings[i];
		ctl_table_add(into, "%s", service);
		ctl_table_add(into, "%s", s->name ? s->name : "");
		ctl_table_add(into, "%s", s->value ? s->value : "");
	}
}

enum ctl_exit
ctl_config(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "SETTING", "VALUE" };
	Operator__V1__ConfigRequest in = OPERATOR__V1__CONFIG_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct ctl_look look = { &operator_v1_config, &in.base, show_config, &table };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return status;
}
