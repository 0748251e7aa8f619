/* operator.c - the operator's contract as every service serves it: figures, actors,
 * settings, and what the service knows of a tenant. It reads and changes nothing;
 * dispatch lets nobody but the operator's command come here. Lists are cut where a
 * reply would grow too large for the bus. */
#include "operator.h"
#include "erase.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trl/batch.h>
#include <trl/bus_look.h>
#include <trl/metrics.h>
#include <trl/utf8.h>
#include <trl/value.h>

enum {
	SAMPLES_MAX = 700,
	SILENT_MAX = 200,
	METRICS_MAX = 400,
	ACTORS_MAX = 1000,
	SETTINGS_MAX = 500
};

const struct trl_contract *const operator_contracts[] = { &operator_v1_server, NULL };

struct sampling {
	trl_ctx *ctx;
	const Operator__V1__StatsRequest *in;
	Operator__V1__StatsReply *out;
	bool zeros; /* this turn is of those that stand at 0 */
};

static Operator__V1__Sample__LabelsEntry *
label_of(trl_arena *arena, const char *name, const char *value)
{
	Operator__V1__Sample__LabelsEntry *label =
	    trl_arena_alloc(arena, sizeof *label);
	operator__v1__sample__labels_entry__init(label);
	label->key = (char *)(uintptr_t)name;
	label->value = (char *)(uintptr_t)value;
	return label;
}

/* Whether the request wants a metric: by a part of its name. */
static bool
is_asked(const Operator__V1__StatsRequest *in, const char *name)
{
	for (size_t i = 0; i < in->n_metrics; i++)
		if (strstr(name, in->metrics[i]) != NULL)
			return true;
	return in->n_metrics == 0;
}

static bool
is_zero(const struct trl_sample *sample)
{
	return sample->is_histogram ? sample->count == 0
				    : !(sample->value < 0 || sample->value > 0);
}

static void
add_sample(void *self, const struct trl_sample *from)
{
	struct sampling *sampling = self;
	trl_arena *arena = sampling->ctx->arena;
	Operator__V1__StatsReply *out = sampling->out;
	Operator__V1__Sample *to;

	if (out->n_samples == SAMPLES_MAX || is_zero(from) != sampling->zeros ||
	    !is_asked(sampling->in, from->name))
		return;
	to = trl_arena_alloc(arena, sizeof *to);
	operator__v1__sample__init(to);
	to->name = (char *)(uintptr_t)from->name;
	to->labels = trl_arena_alloc(arena, (from->n_labels + 1) * sizeof *to->labels);
	for (; to->n_labels < from->n_labels; to->n_labels++)
		to->labels[to->n_labels] = label_of(
		    arena, from->labels[to->n_labels], from->values[to->n_labels]);
	if (from->is_histogram) {
		to->has_p50 = to->has_p99 = from->count > 0;
		trl_set(to, count, from->count);
		trl_set(to, sum, from->sum);
		to->p50 = from->p50;
		to->p99 = from->p99;
	} else {
		trl_set(to, value, from->value);
	}
	out->samples[out->n_samples++] = to;
}

static void
add_known(void *self, const struct trl_metric_about *about)
{
	const struct sampling *sampling = self;
	Operator__V1__StatsReply *out = sampling->out;
	Operator__V1__Metric *to;

	if (about->silent && out->n_silent < SILENT_MAX)
		out->silent[out->n_silent++] = (char *)(uintptr_t)about->name;
	if (out->n_metrics == METRICS_MAX)
		return;
	to = trl_arena_alloc(sampling->ctx->arena, sizeof *to);
	operator__v1__metric__init(to);
	to->name = (char *)(uintptr_t)about->name;
	to->type = (char *)(uintptr_t)about->type;
	to->help = (char *)(uintptr_t)about->help;
	to->labels = (char **)(uintptr_t)about->labels;
	to->n_labels = about->n_labels;
	out->metrics[out->n_metrics++] = to;
}

/* Of /proc/self/statm, which the kernel answers out of counters. */
static uint64_t
resident_bytes(void)
{
	unsigned long long size = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &pages) != 2)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

enum trl_code
operator_stats(operator_self *self, trl_ctx *ctx, const Operator__V1__StatsRequest *in,
    Operator__V1__StatsReply *out)
{
	struct sampling sampling = { ctx, in, out, false };
	struct trl_bus_stats bus;

	trl_bus_stats(self->host->bus, &bus);
	out->version = (char *)(uintptr_t)TRELLIS_VERSION;
	out->unready = bus.unready ? trl_arena_strdup(ctx->arena, bus.unready) : NULL;
	trl_set(out, pid, (uint32_t)getpid());
	trl_set(out, up_ms, bus.up_ms);
	trl_set(out, actors, trl_actors_alive(self->host->loop));
	trl_set(out, memory_bytes, resident_bytes());
	trl_set(out, running, bus.running);
	trl_set(out, calls, bus.calls);
	trl_set(out, faults, bus.faults);
	trl_set(out, shed, bus.shed);
	trl_set(out, connections, bus.connections);
	out->samples =
	    trl_arena_alloc(ctx->arena, SAMPLES_MAX * sizeof out->samples[0]);
	trl_metrics_each(add_sample, &sampling);
	sampling.zeros = true;
	trl_metrics_each(add_sample, &sampling);
	out->silent = trl_arena_alloc(ctx->arena, SILENT_MAX * sizeof out->silent[0]);
	out->metrics =
	    trl_arena_alloc(ctx->arena, METRICS_MAX * sizeof out->metrics[0]);
	trl_metrics_each_known(add_known, &sampling);
	return TRL_OK;
}

struct watching {
	trl_ctx *ctx;
	Operator__V1__ActorsReply *out;
};

static void
add_actor(void *self, const struct trl_actor_state *from)
{
	static const Operator__V1__Actor__State states[] = {
		[TRL_ACTOR_READY] = OPERATOR__V1__ACTOR__STATE__ready,
		[TRL_ACTOR_RUNNING] = OPERATOR__V1__ACTOR__STATE__running,
		[TRL_ACTOR_PARKED] = OPERATOR__V1__ACTOR__STATE__parked,
	};
	struct watching *watching = self;
	Operator__V1__ActorsReply *out = watching->out;
	Operator__V1__Actor *to;

	out->total++;
	if (out->n_actors == ACTORS_MAX)
		return;
	to = trl_arena_alloc(watching->ctx->arena, sizeof *to);
	operator__v1__actor__init(to);
	to->name = (char *)(uintptr_t)from->name;
	trl_set(to, age_ms, from->age_ms);
	trl_set(to, state, states[from->state]);
	to->parked_on = (char *)(uintptr_t)from->parked_on;
	to->has_parked_ms = from->parked_on != NULL;
	to->parked_ms = from->parked_ms;
	to->has_tenant_id = !trl_id_is_nil(from->tenant);
	to->tenant_id = trl_value_bytes(watching->ctx, from->tenant);
	out->actors[out->n_actors++] = to;
}

enum trl_code
operator_actors(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ActorsRequest *in, Operator__V1__ActorsReply *out)
{
	struct watching watching = { ctx, out };

	(void)in;
	out->has_total = true;
	out->actors = trl_arena_alloc(ctx->arena, ACTORS_MAX * sizeof out->actors[0]);
	trl_actors_each(self->host->loop, add_actor, &watching);
	return TRL_OK;
}

struct settling {
	trl_ctx *ctx;
	Operator__V1__ConfigReply *out;
};

static void
add_setting(void *self, const char *name, const char *value)
{
	struct settling *settling = self;
	Operator__V1__ConfigReply *out = settling->out;
	Operator__V1__Setting *to;

	for (size_t i = 0; i < out->n_settings; i++)
		if (strcmp(out->settings[i]->name, name) == 0)
			return; /* of two tables */
	if (out->n_settings == SETTINGS_MAX)
		return;
	to = trl_arena_alloc(settling->ctx->arena, sizeof *to);
	operator__v1__setting__init(to);
	to->name = trl_arena_strdup(settling->ctx->arena, name);
	to->value = trl_arena_strdup(settling->ctx->arena,
	    trl_utf8_valid(value, strlen(value)) ? value : "(no text)");
	out->settings[out->n_settings++] = to;
}

enum trl_code
operator_config(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ConfigRequest *in, Operator__V1__ConfigReply *out)
{
	struct settling settling = { ctx, out };

	(void)in;
	out->settings =
	    trl_arena_alloc(ctx->arena, SETTINGS_MAX * sizeof out->settings[0]);
	trl_config_each(
	    &trl_process_config_table, self->config, add_setting, &settling);
	if (self->service->config != NULL)
		trl_config_each(
		    self->service->config, self->host->config, add_setting, &settling);
	return TRL_OK;
}

static enum trl_code
show_erasure(operator_self *self, trl_ctx *ctx, struct trl_id tenant,
    Operator__V1__DescribeTenantReply *out)
{
	Operator__V1__Erasure *erasure;
	struct erase_state is;
	enum trl_code rc;

	if (self->host->sys == NULL)
		return TRL_OK;
	rc = erase_show(self->host, ctx, tenant, &is);
	if (rc != TRL_OK)
		return rc;
	erasure = trl_arena_alloc(ctx->arena, sizeof *erasure);
	operator__v1__erasure__init(erasure);
	erasure->has_state = true;
	erasure->state = !is.begun ? OPERATOR__V1__ERASURE__STATE__none
			 : is.finished_at_us == 0
			     ? OPERATOR__V1__ERASURE__STATE__erasing
			     : OPERATOR__V1__ERASURE__STATE__erased;
	if (is.begun) {
		erasure->began_at = trl_value_time(ctx, is.began_at_us);
		erasure->has_rows = true;
		erasure->rows = (uint64_t)is.rows;
	}
	if (is.finished_at_us != 0)
		erasure->finished_at = trl_value_time(ctx, is.finished_at_us);
	out->erasure = erasure;
	return TRL_OK;
}

enum trl_code
operator_describe_tenant(operator_self *self, trl_ctx *ctx,
    const Operator__V1__DescribeTenantRequest *in,
    Operator__V1__DescribeTenantReply *out)
{
	enum trl_code rc = show_erasure(self, ctx, trl_value_id(in->tenant_id), out);
	trl_batch *work;

	if (rc != TRL_OK || self->service->describe_tenant == NULL)
		return rc;
	work = trl_batch_new(
	    ctx, self->host->pg, TRL_SCOPE_TENANT(trl_value_id(in->tenant_id)));
	trl_batch_get(work, self->service->describe_tenant, &in->base, &out->base);
	return trl_batch_read(work);
}

/* Errors: TRL_NOT_FOUND (no such slug, or this service gives out none). */
enum trl_code
operator_find_tenant(operator_self *self, trl_ctx *ctx,
    const Operator__V1__FindTenantRequest *in, Operator__V1__FindTenantReply *out)
{
	trl_batch *work;
	enum trl_code rc;

	if (self->service->find_tenant == NULL || self->host->sys == NULL)
		return trl_fail(
		    ctx, TRL_NOT_FOUND, "This service knows no short names.");
	work = trl_batch_new(ctx, self->host->sys, (struct trl_scope){ 0 });
	trl_batch_get(work, self->service->find_tenant, &in->base, &out->base);
	rc = trl_batch_read(work);
	if (rc == TRL_OK && !out->has_tenant_id)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no tenant of this name.");
	return rc;
}
