/* audit_tell.c - an audit entry as an event, which every service tells (pg.h,
 * audit_told; *.audit.written): it leaves with the entry, behind it and under the same
 * lock, so that a chain's events are in its order, and neither is there without the
 * other. The entry's place and hash are made by PostgreSQL; the statement appends them
 * to the message (sql/query/audit_tell.sql). An account's chain is of no tenant, and
 * not told.
 */
#include <string.h>

#include <trl/event_type.h>
#include <trl/value.h>

#include "audit_v1.pb-c.h"
#include "work.h"

enum { DETAIL_MAX = 65536 }; /* longer: it stays in the chain, which has its hash */

static ProtobufCBinaryData
bytes_of(trl_ctx *ctx, struct trl_id id, protobuf_c_boolean *has)
{
	*has = !trl_id_is_nil(id);
	return *has ? trl_value_bytes(ctx, id) : (ProtobufCBinaryData){ 0 };
}

static void
write_entry(trl_ctx *ctx, struct trl_id tenant, const struct pg_audit_entry *from,
    Audit__V1__Entry *out)
{
	static const Audit__V1__Entry__Actor kinds[] = {
		[TRL_PERSON] = AUDIT__V1__ENTRY__ACTOR__person,
		[TRL_KEY] = AUDIT__V1__ENTRY__ACTOR__key,
		[TRL_SERVICE] = AUDIT__V1__ENTRY__ACTOR__service,
		[TRL_OPERATOR] = AUDIT__V1__ENTRY__ACTOR__operator,
	};

	audit__v1__entry__init(out);
	out->tenant_id = bytes_of(ctx, tenant, &out->has_tenant_id);
	out->id = bytes_of(ctx, from->id, &out->has_id);
	out->created_at = trl_value_time(ctx, from->at_us);
	out->action = (char *)(uintptr_t)from->action;
	out->has_actor_kind = ctx->principal.kind != TRL_NOBODY;
	out->actor_kind = kinds[out->has_actor_kind ? ctx->principal.kind : TRL_PERSON];
	out->actor_id = bytes_of(ctx, from->actor, &out->has_actor_id);
	out->subject_kind = (char *)(uintptr_t)from->subject_kind;
	out->subject_id = bytes_of(ctx, from->subject, &out->has_subject_id);
	if (from->detail && strlen(from->detail) <= DETAIL_MAX)
		out->detail = (char *)(uintptr_t)from->detail;
	out->address = (char *)(uintptr_t)from->address;
}

const struct trl_arg *
pg_audit_tell_args(trl_ctx *ctx, const trl_pg *pg, struct trl_id tenant,
    const struct pg_audit_entry *entry, uint32_t *lanes)
{
	unsigned lane = trl_event_lane(tenant, tenant);
	Audit__V1__Entry told;
	uint8_t *payload;
	size_t len;

	if (!pg->audit_told || trl_id_is_nil(tenant))
		return NULL;
	write_entry(ctx, tenant, entry, &told);
	len = audit__v1__entry__get_packed_size(&told);
	payload = trl_arena_alloc(ctx->arena, len);
	audit__v1__entry__pack(&told, payload);
	const struct trl_arg args[] = {
		TRL_ARG_INT("lane", lane),
		TRL_ARG_ID("tenant_id", tenant),
		TRL_ARG_ID("event_id", trl_new_id(ctx)),
		TRL_ARG_TEXT("type", pg->audit_told->name),
		TRL_ARG_TIME("at", entry->at_us),
		TRL_ARG_BYTES("trace", pg_pack_trace(ctx), TRL_TRACE_BYTES),
		TRL_ARG_BYTES("payload", payload, len),
		{ .name = NULL },
	};

	*lanes |= 1u << lane;
	return trl_arena_memdup(ctx->arena, args, sizeof args);
}
