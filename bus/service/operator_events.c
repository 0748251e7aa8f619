/* operator_events.c - the operator's view of events: how far subscriptions are, what is
 * parked, and the log itself. A change is recorded under the operator's key after it is
 * done; each of these changes may be done twice without harm, so a run that died in
 * between is simply run again. */
#include "operator.h"

#include <stdlib.h>
#include <string.h>

#include <trl/batch.h>
#include <trl/events_admin.h>
#include <trl/log.h>
#include <trl/utf8.h>
#include <trl/value.h>

enum {
	LINES_MAX = 800,
	LIMIT = 20,
	EVENT_MAX = 100000,
	REPLY_MAX = 300 << 10, /* bytes of events in one reply */
};

static void
add_lane(trl_ctx *ctx, const struct trl_events_lag *from, Operator__V1__LagReply *out)
{
	Operator__V1__Lane *to = trl_arena_alloc(ctx->arena, sizeof *to);
	operator__v1__lane__init(to);
	to->subscription = (char *)(uintptr_t)from->subscription;
	to->producer = (char *)(uintptr_t)from->producer;
	trl_set(to, lane, from->lane);
	trl_set(to, live, from->live);
	trl_set(to, epoch, from->epoch);
	trl_set(to, cursor, from->cursor);
	trl_set(to, head, from->head);
	trl_set(to, parked, from->parked);
	if (from->oldest_at_us != 0)
		to->oldest_at = trl_value_time(ctx, from->oldest_at_us);
	out->lanes[out->n_lanes++] = to;
}

static void
add_subscriber(
    trl_ctx *ctx, const struct trl_events_subscriber *from, Operator__V1__LagReply *out)
{
	Operator__V1__Subscriber *to = trl_arena_alloc(ctx->arena, sizeof *to);
	operator__v1__subscriber__init(to);
	to->service = (char *)(uintptr_t)from->service;
	to->subscription = (char *)(uintptr_t)from->subscription;
	trl_set(to, lane, from->lane);
	trl_set(to, acknowledged, from->acknowledged);
	trl_set(to, head, from->head);
	out->subscribers[out->n_subscribers++] = to;
}

enum trl_code
operator_lag(operator_self *self, trl_ctx *ctx, const Operator__V1__LagRequest *in,
    Operator__V1__LagReply *out)
{
	struct trl_events_lag *lanes = NULL;
	struct trl_events_subscriber *subscribers = NULL;
	size_t n_lanes = 0, n_subscribers = 0;
	enum trl_code rc;

	(void)in;
	if (self->host->events == NULL)
		return TRL_OK;
	rc = trl_events_lag(ctx, self->host->events, &lanes, &n_lanes);
	if (rc == TRL_OK)
		rc = trl_events_subscribers(
		    ctx, self->host->events, &subscribers, &n_subscribers);
	if (rc != TRL_OK)
		return rc;
	out->lanes = trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->lanes[0]);
	out->subscribers =
	    trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->subscribers[0]);
	for (size_t i = 0; i < n_lanes && i < LINES_MAX; i++)
		add_lane(ctx, &lanes[i], out);
	for (size_t i = 0; i < n_subscribers && i < LINES_MAX; i++)
		add_subscriber(ctx, &subscribers[i], out);
	return TRL_OK;
}

size_t
operator_fill_event(trl_ctx *ctx, const struct trl_event *from, Operator__V1__Event *to)
{
	struct trl_buf json = { 0 };
	size_t size = 200;

	operator__v1__event__init(to);
	trl_set(to, id, trl_value_bytes(ctx, from->id));
	to->type = (char *)(uintptr_t)from->type_name;
	trl_set(to, lane, from->lane);
	trl_set(to, seq, from->seq);
	to->has_tenant_id = !trl_id_is_nil(from->tenant);
	to->tenant_id = trl_value_bytes(ctx, from->tenant);
	to->has_subject_id = !trl_id_is_nil(from->subject);
	to->subject_id = trl_value_bytes(ctx, from->subject);
	to->at = trl_value_time(ctx, from->at_us);
	trl_event_json(&json, from);
	if (json.len <= EVENT_MAX &&
	    trl_utf8_valid((const char *)json.data, json.len)) {
		to->cloud_event =
		    trl_arena_strndup(ctx->arena, (const char *)json.data, json.len);
		size += json.len;
	}
	trl_buf_fini(&json);
	return size;
}

enum trl_code
operator_list_parked(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ListParkedRequest *in, Operator__V1__ListParkedReply *out)
{
	struct trl_dead_letter *rows;
	size_t n, size = 0;
	enum trl_code rc;

	if (self->host->events == NULL)
		return TRL_OK;
	rc = trl_events_dead_letters(ctx, self->host->events, in->subscription,
	    trl_value_id(in->after_id), in->has_limit ? in->limit : LIMIT, &rows, &n);
	if (rc != TRL_OK)
		return rc;
	out->parked = trl_arena_alloc(ctx->arena, (n + 1) * sizeof out->parked[0]);
	for (size_t i = 0; i < n && size < REPLY_MAX; i++) {
		Operator__V1__ParkedEvent *to = trl_arena_alloc(ctx->arena, sizeof *to);
		operator__v1__parked_event__init(to);
		to->subscription = (char *)(uintptr_t)rows[i].subscription;
		to->error = (char *)(uintptr_t)rows[i].error;
		to->parked_at = trl_value_time(ctx, rows[i].parked_at_us);
		to->event = trl_arena_alloc(ctx->arena, sizeof *to->event);
		size += operator_fill_event(ctx, &rows[i].event, to->event);
		out->parked[out->n_parked++] = to;
	}
	return TRL_OK;
}

/* Keeps the reply of a change that is done. */
static enum trl_code
record(operator_self *self, trl_ctx *ctx, ProtobufCMessage *reply)
{
	return trl_batch_write(
	    trl_batch_new(ctx, self->host->pg, (struct trl_scope){ 0 }), reply);
}

/* Begins a change: NOT_FOUND where there are no events. */
static enum trl_code
begin(const operator_self *self, trl_ctx *ctx)
{
	if (self->host->events == NULL)
		return trl_fail(ctx, TRL_NOT_FOUND, "This service has no events.");
	return TRL_OK;
}

typedef enum trl_code settle_fn(trl_ctx *ctx, trl_events *events,
    const char *subscription, struct trl_id event, size_t *applied);

/* That it failed again is an answer, and not a fault of this call. */
static enum trl_code
say_why(trl_ctx *ctx, enum trl_code rc)
{
	char why[sizeof ctx->err.message];

	if (rc == TRL_NOT_FOUND || rc == TRL_CONFLICT || rc == TRL_UNAVAILABLE ||
	    rc == TRL_BUSY || rc == TRL_DEADLINE)
		return rc;
	memcpy(why, ctx->err.message, sizeof why);
	trl_err_clear(ctx);
	return trl_fail(
	    ctx, TRL_CONFLICT, "It failed again: %s: %.180s", trl_code_name(rc), why);
}

/* In one subscription. Events are applied as its own actor does it: in the event's
 * tenant, and under no key of this call, whose record is written behind it. */
static enum trl_code
settle_one(operator_self *self, trl_ctx *ctx, settle_fn *fn, const char *subscription,
    struct trl_id event, size_t *applied)
{
	struct trl_idempotency key = ctx->idempotency;
	struct trl_id tenant = ctx->tenant;
	enum trl_code rc;

	ctx->idempotency = (struct trl_idempotency){ 0 };
	rc = fn(ctx, self->host->events, subscription, event, applied);
	ctx->idempotency = key;
	ctx->tenant = tenant;
	return rc;
}

/* In each subscription where the event is parked, or the one that is named. */
static enum trl_code
settle(operator_self *self, trl_ctx *ctx, settle_fn *fn, const char *what,
    struct trl_id event, const char *subscription, uint64_t *applied)
{
	bool found = false;

	const char *const *names = self->host->events != NULL
				       ? trl_events_names(ctx, self->host->events)
				       : NULL;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		const char *name = names[i];
		size_t n = 0;
		enum trl_code rc;
		if (subscription != NULL && strcmp(name, subscription) != 0)
			continue;
		rc = settle_one(self, ctx, fn, name, event, &n);
		if (rc == TRL_NOT_FOUND) {
			trl_err_clear(ctx);
			continue;
		}
		if (rc != TRL_OK)
			return say_why(ctx, rc);
		trl_log(TRL_LOG_INFO, ctx, what, TRL_LOG_STR("subscription", name),
		    TRL_LOG_ID("event", event), TRL_LOG_INT("applied", n));
		found = true;
		*applied += n;
	}
	return found ? TRL_OK
		     : trl_fail(ctx, TRL_NOT_FOUND,
			   "No such event is parked in this service.");
}

enum trl_code
operator_redrive(operator_self *self, trl_ctx *ctx,
    const Operator__V1__RedriveRequest *in, Operator__V1__SettledReply *out)
{
	enum trl_code rc = begin(self, ctx);

	if (rc != TRL_OK)
		return rc;
	out->has_applied = true;
	rc = settle(self, ctx, trl_events_redrive, "a parked event was redriven",
	    trl_value_id(in->event_id), in->subscription, &out->applied);
	return rc == TRL_OK ? record(self, ctx, &out->base) : rc;
}

enum trl_code
operator_skip(operator_self *self, trl_ctx *ctx, const Operator__V1__SkipRequest *in,
    Operator__V1__SettledReply *out)
{
	enum trl_code rc = begin(self, ctx);

	if (rc != TRL_OK)
		return rc;
	out->has_applied = true;
	rc = settle(self, ctx, trl_events_skip, "a parked event was skipped",
	    trl_value_id(in->event_id), in->subscription, &out->applied);
	return rc == TRL_OK ? record(self, ctx, &out->base) : rc;
}

enum trl_code
operator_replay(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ReplayRequest *in, Trellis__Empty *out)
{
	struct trl_events_replay terms = {
		.subscription = in->subscription,
		.lane = in->has_lane ? (int)(in->lane & INT32_MAX) : -1,
		.seq = in->seq,
		.since_us = trl_value_time_us(in->since),
		.again = in->again,
	};
	enum trl_code rc = begin(self, ctx);

	if (rc != TRL_OK)
		return rc;
	rc = trl_events_replay(ctx, self->host->events, &terms);
	return rc == TRL_OK ? record(self, ctx, &out->base) : rc;
}

enum trl_code
operator_forget(operator_self *self, trl_ctx *ctx,
    const Operator__V1__ForgetRequest *in, Trellis__Empty *out)
{
	enum trl_code rc = begin(self, ctx);

	if (rc != TRL_OK)
		return rc;
	rc = trl_events_forget(ctx, self->host->events, in->service, in->subscription);
	return rc == TRL_OK ? record(self, ctx, &out->base) : rc;
}

enum trl_code
operator_new_epoch(operator_self *self, trl_ctx *ctx,
    const Operator__V1__NewEpochRequest *in, Trellis__Empty *out)
{
	enum trl_code rc = begin(self, ctx);

	(void)in;
	if (rc != TRL_OK)
		return rc;
	if (self->host->events == NULL)
		return trl_fail(ctx, TRL_NOT_FOUND, "This service tells no events.");
	rc = trl_events_new_epoch(ctx, self->host->events);
	return rc == TRL_OK ? record(self, ctx, &out->base) : rc;
}
