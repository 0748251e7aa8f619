/* event.c - an event becomes a row of the outbox in the transaction of its fact, and
 * nothing else: no trigger and no NOTIFY, which would take a lock of the whole server
 * at commit. The lane is chosen here, by the tenant, or by the subject of what is the
 * platform's; it is stored with the event and never computed again. */
#include <trl/event.h>

#include "framework_sql.h"
#include "work.h"

enum { EVENT_MAX_BYTES = 256 * 1024 };

unsigned
trl_event_lane(struct trl_id tenant, struct trl_id subject)
{
	const uint8_t *id = trl_id_is_nil(tenant) ? subject.bytes : tenant.bytes;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof tenant.bytes; i++)
		hash = (hash ^ id[i]) * 16777619u;
	return (hash ^ hash >> 16) % TRL_EVENT_LANES;
}

static const uint8_t *
pack_trace(const trl_ctx *ctx)
{
	uint8_t *packed = trl_arena_alloc(ctx->arena, TRL_EVENT_TRACE);

	memcpy(packed, ctx->trace.trace_id, 16);
	memcpy(packed + 16, ctx->trace.span_id, 8);
	packed[24] = ctx->trace.flags;
	return packed;
}

/* The arguments of trl_sql_event_add; *lane tells where it goes. */
static const struct trl_arg *
arguments(trl_ctx *ctx, struct trl_id tenant, const struct trl_event_type *type,
    struct trl_id subject, const ProtobufCMessage *payload, unsigned *lane)
{
	size_t len = protobuf_c_message_get_packed_size(payload);
	uint8_t *packed = trl_arena_alloc(ctx->arena, len);

	trl_assert(payload->descriptor == type->message->descriptor);
	trl_assert(len <= EVENT_MAX_BYTES);
	protobuf_c_message_pack(payload, packed);
	*lane = trl_event_lane(tenant, subject);
	const struct trl_arg args[] = {
		TRL_ARG_INT("lane", *lane),
		TRL_ARG_ID("tenant_id", tenant),
		TRL_ARG_ID("event_id", trl_new_id(ctx)),
		TRL_ARG_ID("subject_id", subject),
		TRL_ARG_TEXT("type", type->name),
		TRL_ARG_TIME("at", trl_now(ctx)),
		TRL_ARG_BYTES("trace", pack_trace(ctx), TRL_EVENT_TRACE),
		TRL_ARG_BYTES("payload", packed, len),
		{ .name = NULL },
	};
	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

void
trl_batch_event(trl_batch *batch, const struct trl_event_type *type,
    struct trl_id subject, const ProtobufCMessage *payload)
{
	unsigned lane;
	const struct trl_arg *args =
	    arguments(batch->ctx, batch->scope.tenant, type, subject, payload, &lane);

	trl_batch_add_args(batch, &trl_sql_event_add, NULL, args);
	trl_batch_news(batch, TRL_PG_EVENTS, 1u << lane);
}

void
trl_tx_event(trl_tx *tx, const struct trl_event_type *type, struct trl_id subject,
    const ProtobufCMessage *payload)
{
	unsigned lane;
	const struct trl_arg *args =
	    arguments(trl_tx_ctx(tx), pg_tx_tenant(tx), type, subject, payload, &lane);

	trl_tx_add_args(tx, &trl_sql_event_add, NULL, args);
	trl_tx_news(tx, TRL_PG_EVENTS, 1u << lane);
}
