/* event.c - an event becomes a row of the outbox in the transaction of its fact, and
 * nothing else: no trigger and no NOTIFY, which would take a lock of the whole server
 * at commit. The lane is chosen here, by the tenant, or by the subject of what is the
 * platform's; it is stored with the event and never computed again. Several events of a
 * transaction are one statement, behind all others: by then the aggregates are locked.
 */
#include <string.h>

#include <trl/event.h>

#include "framework_sql.h"
#include "work.h"

unsigned
trl_event_lane(struct trl_id tenant, struct trl_id subject)
{
	const uint8_t *id = trl_id_is_nil(tenant) ? subject.bytes : tenant.bytes;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof tenant.bytes; i++)
		hash = (hash ^ id[i]) * 16777619u;
	return (hash ^ hash >> 16) % TRL_EVENT_LANES;
}

const uint8_t *
pg_pack_trace(const trl_ctx *ctx)
{
	uint8_t *packed = trl_arena_alloc(ctx->arena, TRL_TRACE_BYTES);

	trl_trace_pack(&ctx->trace, packed);
	return packed;
}

static bool
is_own(const trl_pg *pg, const struct trl_event_type *type)
{
	return strcmp(type->service, pg->sql->service) == 0;
}

bool
pg_event_fits(const trl_pg *pg, const struct trl_event_type *type,
    const ProtobufCMessage *payload)
{
	return is_own(pg, type) &&
	       protobuf_c_message_get_packed_size(payload) <= TRL_EVENT_MAX_BYTES;
}

enum trl_code
pg_event_refuse(trl_ctx *ctx, const trl_pg *pg, const struct trl_event_type *type)
{
	const char *own = pg->sql->service;

	if (!is_own(pg, type))
		return trl_fail(ctx, TRL_INTERNAL,
		    "%s tells %s, an event of %s: declare one of its own in "
		    "proto/trellis/%s/v1/%s.proto, and tell that",
		    own, type->name, type->service, own, own);
	return trl_fail(ctx, TRL_INVALID,
	    "This is too much: %s, which tells the others of it, would have more than "
	    "%d bytes.",
	    type->name, TRL_EVENT_MAX_BYTES);
}

unsigned
pg_events_add(trl_ctx *ctx, struct pg_events *events, struct trl_id tenant,
    const struct trl_event_type *type, struct trl_id subject,
    const ProtobufCMessage *payload)
{
	size_t len = protobuf_c_message_get_packed_size(payload);
	struct pg_event *event;

	trl_assert(payload->descriptor == type->message->descriptor);
	trl_assert(len <= TRL_EVENT_MAX_BYTES);
	if (events->n == events->room) {
		size_t room = events->room ? 2 * events->room : 4;
		struct pg_event *more =
		    trl_arena_alloc(ctx->arena, room * sizeof *more);

		if (events->n > 0)
			memcpy(more, events->list, events->n * sizeof *more);
		events->list = more;
		events->room = room;
	}
	event = &events->list[events->n++];
	*event = (struct pg_event){ .lane = trl_event_lane(tenant, subject),
		.id = trl_new_id(ctx),
		.subject = subject,
		.type = type->name };
	event->payload.len = len;
	event->payload.data = trl_arena_alloc(ctx->arena, len);
	protobuf_c_message_pack(payload, event->payload.data);
	return event->lane;
}

static const struct trl_arg *
args_of_one(trl_ctx *ctx, const struct pg_event *event, struct trl_id tenant)
{
	const struct trl_arg args[] = {
		TRL_ARG_INT("lane", event->lane),
		TRL_ARG_ID("tenant_id", tenant),
		TRL_ARG_ID("event_id", event->id),
		TRL_ARG_ID("subject_id", event->subject),
		TRL_ARG_TEXT("type", event->type),
		TRL_ARG_TIME("at", trl_now(ctx)),
		TRL_ARG_BYTES("trace", pg_pack_trace(ctx), TRL_TRACE_BYTES),
		TRL_ARG_BYTES("payload", event->payload.data, event->payload.len),
		{ .name = NULL },
	};

	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

static const struct trl_arg *
args_of_many(trl_ctx *ctx, const struct pg_events *events, struct trl_id tenant)
{
	size_t n = events->n;
	int64_t *lanes = trl_arena_alloc(ctx->arena, n * sizeof *lanes);
	struct trl_id *ids = trl_arena_alloc(ctx->arena, n * sizeof *ids),
		      *subjects = trl_arena_alloc(ctx->arena, n * sizeof *subjects);
	const char **types = trl_arena_alloc(ctx->arena, n * sizeof *types);
	ProtobufCBinaryData *payloads =
	    trl_arena_alloc(ctx->arena, n * sizeof *payloads);

	for (size_t i = 0; i < n; i++) {
		lanes[i] = events->list[i].lane;
		ids[i] = events->list[i].id;
		subjects[i] = events->list[i].subject;
		types[i] = events->list[i].type;
		payloads[i] = events->list[i].payload;
	}
	const struct trl_arg args[] = {
		TRL_ARG_INTS("lanes", lanes, n),
		TRL_ARG_ID("tenant_id", tenant),
		TRL_ARG_IDS("event_ids", ids, n),
		TRL_ARG_IDS("subject_ids", subjects, n),
		TRL_ARG_TEXTS("types", types, n),
		TRL_ARG_TIME("at", trl_now(ctx)),
		TRL_ARG_BYTES("trace", pg_pack_trace(ctx), TRL_TRACE_BYTES),
		TRL_ARG_BYTESES("payloads", payloads, n),
		{ .name = NULL },
	};
	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

const struct trl_arg *
pg_events_args(trl_ctx *ctx, const struct pg_events *events, struct trl_id tenant,
    const struct trl_sql **sql)
{
	*sql = events->n == 1 ? &trl_sql_event_add : &trl_sql_event_add_many;
	return events->n == 1 ? args_of_one(ctx, &events->list[0], tenant)
			      : args_of_many(ctx, events, tenant);
}

struct trl_id
trl_batch_event(trl_batch *batch, const struct trl_event_type *type,
    struct trl_id subject, const ProtobufCMessage *payload)
{
	unsigned lane;

	if (!pg_event_fits(batch->pg, type, payload)) {
		batch->untold = type;
		return trl_new_id(batch->ctx);
	}
	lane = pg_events_add(
	    batch->ctx, &batch->events, batch->scope.tenant, type, subject, payload);
	if (batch->events.n == 1) { /* bound with all others, when the batch leaves */
		trl_batch_add_args(batch, &trl_sql_event_add, NULL, NULL);
		batch->items[batch->n_items - 1].turn = PG_EVENTS;
	}
	trl_batch_news(batch, TRL_PG_EVENTS, 1u << lane);
	return batch->events.list[batch->events.n - 1].id;
}
