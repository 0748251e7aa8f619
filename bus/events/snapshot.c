/* snapshot.c - the producer's side of a new subscription: pages of present facts, told
 * as the events that would tell them. They have no number; their ids are new. Entries
 * of the tenants' audit chains are shown likewise, to a subscriber that asks for them.
 */
#include "events.h"

#include <string.h>

#include <trl/value.h>

#include "audit_v1.pb-c.h"

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
	event->has_lane = event->has_seq = event->has_payload = true;
	trl_set(event, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	event->lane = trl_event_lane(tenant, subject);
	event->type = (char *)(uintptr_t)type->name;
	trl_set(event, tenant_id, trl_value_bytes(ctx, tenant));
	trl_set(event, subject_id, trl_value_bytes(ctx, subject));
	event->at = trl_value_time(ctx, at_us);
	event->payload.data = trl_arena_alloc(ctx->arena, len);
	event->payload.len = protobuf_c_message_pack(payload, event->payload.data);
	out->events[out->n_events++] = event;
	snapshot->bytes += len + 160;
}

/* A page of what show() shows. */
static enum trl_code
show_page(void *self, trl_snapshot_fn *show, trl_ctx *ctx,
    const Events__V1__SnapshotRequest *in, Events__V1__SnapshotReply *out)
{
	struct trl_snapshot_key next,
	    after = { trl_value_id(in->after_aggregate), trl_value_id(in->after_part) };
	struct trl_snapshot snapshot = { .ctx = ctx, .out = out };
	size_t limit = in->limit;
	enum trl_code rc;

	do { /* what does not fit into a frame is asked for again, in smaller pages */
		out->n_events = 0;
		snapshot.bytes = 0;
		next = (struct trl_snapshot_key){ trl_id_nil, trl_id_nil };
		rc = show(self, ctx, after, limit, &snapshot, &next);
		limit /= 4;
	} while (rc == TRL_OK && limit > 0 &&
		 (snapshot.bytes > PAGE_BYTES || out->n_events > PAGE_EVENTS));
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	trl_set(out, next_aggregate, trl_value_bytes(ctx, next.aggregate));
	trl_set(out, next_part, trl_value_bytes(ctx, next.part));
	return TRL_OK;
}

/* Whoever has no snapshot has no facts to begin from: what happens from now on is all.
 */
static enum trl_code
show_nothing(void *self, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	(void)self, (void)ctx, (void)after, (void)limit, (void)out, (void)next;
	return TRL_OK;
}

enum trl_code
events_snapshot(struct events *events, trl_ctx *ctx,
    const Events__V1__SnapshotRequest *in, Events__V1__SnapshotReply *out)
{
	return show_page(events->self,
	    events->snapshot ? events->snapshot : show_nothing, ctx, in, out);
}

/* Under the _sys role: only it reads across chains. */
static enum trl_code
show_audit(void *self, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	struct events *events = self;
	Audit__V1__Entries *page = trl_arena_alloc(ctx->arena, sizeof *page);
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	struct trl_snapshot_key last = { trl_id_nil, trl_id_nil };
	enum trl_code rc;

	audit__v1__entries__init(page);
	trl_batch_get(batch, events->audit_page, NULL, &page->base,
	    TRL_ARG_ID("after_aggregate", after.aggregate),
	    TRL_ARG_ID("after_part", after.part), TRL_ARG_INT("limit", (int64_t)limit));
	rc = trl_batch_read(batch);
	for (size_t i = 0; rc == TRL_OK && i < page->n_items; i++) {
		const Audit__V1__Entry *entry = page->items[i];

		last.aggregate = trl_value_id(entry->tenant_id);
		last.part = trl_value_id(entry->id);
		trl_snapshot_add(out, events->audit, last.aggregate, last.aggregate,
		    trl_value_time_us(entry->created_at), &entry->base);
	}
	*next =
	    last; /* a page may end early, so what follows is asked for in any case */
	return rc;
}

enum trl_code
events_snapshot_audit(struct events *events, trl_ctx *ctx,
    const Events__V1__SnapshotRequest *in, Events__V1__SnapshotReply *out)
{
	return show_page(
	    events, events->audit ? show_audit : show_nothing, ctx, in, out);
}
