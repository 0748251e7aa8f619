/* row.c - an event as it is stored becomes what handlers see, and the other way round
 * where a snapshot is told. */
#include <trl/trace.h>
#include <trl/value.h>
#include <trl/wire.h>

#include "events.h"

int64_t *
events_ints(trl_ctx *ctx, size_t n)
{
	return trl_arena_zalloc(ctx->arena, (n + 1) * sizeof(int64_t));
}

enum trl_code
events_of_row(trl_ctx *ctx, const events_row *row, struct trl_event *out)
{
	ProtobufCMessage *payload = NULL;
	enum trl_code rc;

	*out = (struct trl_event){
		.id = trl_value_id(row->id),
		.lane = row->lane,
		.seq = row->seq,
		.type_name = row->type ? row->type : "",
		.tenant = trl_value_id(row->tenant_id),
		.subject = trl_value_id(row->subject_id),
		.at_us = trl_value_time_us(row->at),
		.data = row->payload.data,
		.len = row->payload.len,
	};
	if (row->trace.len == TRL_TRACE_BYTES)
		trl_trace_unpack(row->trace.data, &out->trace);
	out->type = trl_event_type_by_name(out->type_name);
	if (!out->type)
		return TRL_OK;
	rc = trl_wire_decode(
	    ctx, out->type->message->descriptor, out->data, out->len, &payload);
	if (rc != TRL_OK) {
		trl_err_clear(ctx);
		return trl_fail(ctx, TRL_INTERNAL, "the payload of %s cannot be read",
		    out->type_name);
	}
	out->payload = payload;
	return TRL_OK;
}
