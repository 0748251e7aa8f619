/* snapshot.c - the producer's side of a new subscription: pages of present facts, told
 * as the events that would tell them. They have no number; their ids are new. */
#include "events.h"

#include <string.h>

#include <trl/value.h>

enum { PAGE_BYTES = 320 * 1024, PAGE_EVENTS = 2000 };

struct trl_snapshot {
	trl_ctx *ctx;
	Events__V1__SnapshotReply *out;
	size_t room, bytes;
};

void
trl_snapshot_add(trl_snapshot *snapshot, const struct trl_event_type *type,
    struct trl_id tenant, struct trl_id subject, int64_t at_us,
    const ProtobufCMessage *payload)
{
	trl_ctx *ctx = snapshot->ctx;
	Events__V1__SnapshotReply *out = snapshot->out;
	events_row *event = trl_arena_alloc(ctx->arena, sizeof *event);
	size_t len = protobuf_c_message_get_packed_size(payload);

	if (out->n_events == snapshot->room) {
		size_t room = snapshot->room ? 2 * snapshot->room : 64;
		events_row **more = trl_arena_alloc(ctx->arena, room * sizeof *more);

		if (out->n_events > 0)
			memcpy(more, out->events, out->n_events * sizeof *more);
		out->events = more;
		snapshot->room = room;
	}
	events__v1__event__init(event);
	event->has_id = event->has_tenant_id = event->has_subject_id = true;
	event->has_lane = event->has_seq = event->has_payload = true;
	event->id = trl_value_bytes(ctx, trl_new_id(ctx));
	event->lane = trl_event_lane(tenant, subject);
	event->type = (char *)(uintptr_t)type->name;
	event->tenant_id = trl_value_bytes(ctx, tenant);
	event->subject_id = trl_value_bytes(ctx, subject);
	event->at = trl_value_time(ctx, at_us);
	event->payload.data = trl_arena_alloc(ctx->arena, len);
	event->payload.len = protobuf_c_message_pack(payload, event->payload.data);
	out->events[out->n_events++] = event;
	snapshot->bytes += len + 160;
}

enum trl_code
events_snapshot(struct events *events, trl_ctx *ctx,
    const Events__V1__SnapshotRequest *in, Events__V1__SnapshotReply *out)
{
	struct trl_snapshot_key next,
	    after = { trl_value_id(in->after_aggregate), trl_value_id(in->after_part) };
	struct trl_snapshot snapshot = { .ctx = ctx, .out = out };
	size_t limit = in->limit;
	enum trl_code rc;

	if (!events->snapshot)
		return trl_fail(
		    ctx, TRL_INTERNAL, "%s shows no snapshot", events->service);
	do { /* what does not fit into a frame is asked for again, in smaller pages */
		out->n_events = 0;
		snapshot.bytes = 0;
		next = (struct trl_snapshot_key){ trl_id_nil, trl_id_nil };
		rc =
		    events->snapshot(events->self, ctx, after, limit, &snapshot, &next);
		limit /= 4;
	} while (rc == TRL_OK && limit > 0 &&
		 (snapshot.bytes > PAGE_BYTES || out->n_events > PAGE_EVENTS));
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	out->has_next_aggregate = out->has_next_part = true;
	out->next_aggregate = trl_value_bytes(ctx, next.aggregate);
	out->next_part = trl_value_bytes(ctx, next.part);
	return TRL_OK;
}
