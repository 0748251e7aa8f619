/* dispatch.c - from a CALL frame to its handler and back. Only the contract says
 * who may call what (permit.c); what it does not allow is refused here and logged. The
 * handler runs in an actor whose deadline is 20 ms before the caller's, so that
 * it can still say which of its own calls was late.
 *
 * A WRITE runs once under its key. Its stored answer is looked for here, before the
 * handler and, where that refused, after it; a handler only leaves the record, in the
 * batch of what it changes. */
#include "server.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include <trl/busiest.h>
#include <trl/log.h>
#include <trl/span.h>
#include <trl/validate.h>
#include <trl/wire.h>

enum { FLOOR_MS = 10, KEPT_BACK_MS = 20, SHED_RETRY_MS = 50, WORST_MS = 120000 };

/* Conditions that dispatch itself may answer, whatever the method lists. */
#define DISPATCH_CODES                                                                 \
	(1u << TRL_UNAUTHENTICATED | 1u << TRL_DENIED | 1u << TRL_RATE |               \
	    1u << TRL_MALFORMED | 1u << TRL_INVALID)

static struct bus_served *
find_served(struct bus_server *server, uint32_t id)
{
	size_t low = 0, high = server->n_served;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (server->served[mid].method->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < server->n_served && server->served[low].method->id == id
		   ? &server->served[low]
		   : NULL;
}

static char *
text_of(trl_ctx *ctx, struct bus_text text)
{
	return trl_arena_strndup(ctx->arena, text.s ? text.s : "", text.n);
}

static void
fill_ctx(trl_ctx *ctx, const struct bus_serving *call)
{
	const struct bus_frame *f = &call->frame;
	ctx->method = call->served->method;
	ctx->service = call->server->bus->service;
	ctx->pg = call->server->bus->pg;
	ctx->caller = text_of(ctx, bus_text(call->conn->caller));
	ctx->call_id = f->call_id;
	ctx->stream = call->stream;
	ctx->principal = f->principal;
	ctx->principal.permissions = bus_permissions(ctx->arena, f);
	ctx->principal.address = text_of(ctx, f->address);
	ctx->principal.user_agent = text_of(ctx, f->user_agent);
	ctx->tenant = f->tenant;
	if (f->has_trace)
		ctx->trace = f->trace;
	else
		trl_trace_new(&ctx->trace);
	ctx->has_if_version = f->has_if_version;
	ctx->if_version = f->if_version;
	ctx->now_us = f->now_us;
	if (f->key.s == NULL)
		return;
	ctx->idempotency.key = text_of(ctx, f->key);
	ctx->idempotency.from_client = f->from_client;
	ctx->idempotency.is_retry = f->is_retry;
	memcpy(ctx->idempotency.scope, f->scope, sizeof f->scope);
	memcpy(ctx->idempotency.request, f->request, sizeof f->request);
}

/* Refusals that an earlier run of the same key can be the cause of. */
#define OWN_DOING                                                                      \
	(1u << TRL_UNAUTHENTICATED | 1u << TRL_DENIED | 1u << TRL_NOT_FOUND |          \
	    1u << TRL_EXISTS | 1u << TRL_PRECONDITION | 1u << TRL_CONFLICT |           \
	    1u << TRL_MALFORMED | 1u << TRL_INVALID | 1u << TRL_QUOTA)

/* Gives the reply that is stored under the call's key, or leaves *out NULL. Only a key
 * that a client sent, or that is tried again, can have one: the first attempt of a key
 * that the edge made costs no look. */
static enum trl_code
look(trl_ctx *ctx, const struct bus_serving *call, const ProtobufCMessage *in,
    ProtobufCMessage **out)
{
	const struct trl_bus *bus = call->server->bus;
	ProtobufCMessage *reply;
	bool replayed = false;
	enum trl_code rc;

	if (!call->is_write || bus->record == NULL ||
	    !(ctx->idempotency.from_client || ctx->idempotency.is_retry))
		return TRL_OK;
	reply = trl_message_new(ctx->arena, call->served->method->out->descriptor);
	rc = bus->record(bus->record_self, ctx, in, reply, &replayed);
	if (rc == TRL_OK && replayed)
		*out = reply;
	return rc;
}

/* A retry's first run may come to its end while the second one is under way: the
 * second then finds no record, and a moment later the password that the first one has
 * changed. What was done is answered, and not that it cannot be done any more. */
static enum trl_code
look_again(trl_ctx *ctx, const struct bus_serving *call, const ProtobufCMessage *in,
    enum trl_code refusal, ProtobufCMessage **out)
{
	const struct trl_err err = ctx->err;
	ProtobufCMessage *reply = NULL;
	enum trl_code rc;

	if (trl_is_fault(refusal) || !(OWN_DOING >> refusal & 1))
		return refusal;
	trl_err_clear(ctx);
	rc = look(ctx, call, in, &reply);
	if (rc == TRL_INVALID)
		return rc;
	if (reply != NULL) {
		*out = reply;
		return TRL_OK;
	}
	ctx->err = err;
	return refusal;
}

/* The handler, unless its answer is there already. */
static enum trl_code
answer(trl_ctx *ctx, const struct bus_serving *call, const ProtobufCMessage *in,
    ProtobufCMessage **out)
{
	const struct bus_served *served = call->served;
	enum trl_code rc = look(ctx, call, in, out);

	if (rc != TRL_OK || *out != NULL)
		return rc;
	*out = trl_message_new(ctx->arena, served->method->out->descriptor);
	rc = served->thunk(served->self, ctx, in, *out);
	return rc == TRL_OK ? rc : look_again(ctx, call, in, rc, out);
}

static bool
is_settled(const struct trl_idempotency *run)
{
	return run->recorded || run->replayed || run->unchanged;
}

static enum trl_code
handle(trl_ctx *ctx, struct bus_serving *call, ProtobufCMessage **out)
{
	const struct trl_method *method = call->served->method;
	ProtobufCMessage *in;
	enum trl_code rc;

	rc = trl_wire_decode(ctx, method->in->descriptor, call->frame.payload,
	    call->frame.payload_len, &in);
	if (call->frame.body_len == 0) /* else the body is read there */
		bus_inbound_drop(call->server, TRL_TAKE(call->inbound));
	if (rc == TRL_OK)
		rc = bus_check_principal(ctx, method);
	if (rc == TRL_OK)
		rc = trl_validate(ctx, method->in, in);
	if (rc == TRL_OK && !bus_settle_tenant(ctx, method, in))
		rc = trl_fail(ctx, TRL_MALFORMED, "The request names another tenant.");
	if (rc == TRL_OK && call->is_write && ctx->idempotency.key == NULL)
		rc = trl_fail(ctx, TRL_MALFORMED, "A change needs an idempotency key.");
	if (rc != TRL_OK)
		return rc;
	rc = answer(ctx, call, in, out);
	if (call->stream != NULL)
		rc = bus_stream_check(ctx, call->stream, rc);
	if (rc == TRL_OK && call->is_write && !is_settled(&ctx->idempotency))
		rc = trl_fail(ctx, TRL_INTERNAL,
		    "%s answered without its record: a WRITE ends in trl_batch_write, "
		    "or says trl_unchanged",
		    method->name);
	trl_write_ended(ctx, rc);
	if (rc != TRL_OK && !trl_is_fault(rc) &&
	    ((method->errors | DISPATCH_CODES) >> rc & 1) == 0)
		rc = trl_fold(ctx, rc);
	return rc;
}

static void
put_reply(
    trl_ctx *ctx, struct bus_serving *call, enum trl_code rc, ProtobufCMessage *out)
{
	struct bus_link *link = &call->conn->link;
	struct bus_frame reply = {
		.kind = BUS_REPLY,
		.call_id = call->frame.call_id,
		.replayed = rc == TRL_OK && ctx->idempotency.replayed,
		.has_body = call->stream != NULL, /* and it is empty */
	};
	if (rc == TRL_OK && !bus_frame_put(&link->out, &reply, out))
		rc = trl_fail(ctx, TRL_INTERNAL, "the reply is too large for the bus");
	if (rc != TRL_OK) {
		reply.replayed = reply.has_body = false;
		bus_error_write(ctx, rc, &reply);
		trl_assert(bus_frame_put(&link->out, &reply, NULL));
	}
	bus_link_touch(link);
}

/* Nobody waits for it any more, or whoever called let it wait for a body in vain: no
 * failure of ours. */
static bool
is_deserted(const trl_ctx *ctx, const struct bus_serving *call)
{
	const struct trl_stream *stream = call->stream;
	return ctx->cancelled || (stream != NULL && stream->over != NULL) ||
	       (stream != NULL && stream->stalled && ctx->err.code == TRL_DEADLINE);
}

static void
note(const trl_ctx *ctx, struct bus_serving *call, enum trl_code rc)
{
	struct bus_served *served = call->served;
	uint64_t now = trl_mono_us();
	bool failed = trl_is_fault(rc) && !is_deserted(ctx, call);
	trl_series_add_of(served->results[failed ? 2 : rc != TRL_OK], &ctx->trace);
	trl_series_add(bus_metrics_answer(call->server, rc), 1);
	trl_series_observe_us_of(served->us, now - call->since_us, &ctx->trace);
	if (served->method->auth != TRL_AUTH_OPERATOR)
		trl_busiest_count(
		    ctx->tenant, TRL_BUSY_CALL, failed, now - call->since_us, now);
	call->server->faults += failed;
}

/* Whatever the operator did or looked into leaves a line, beside the audit entry that
 * a change makes. Reading what is the operator's own (figures, lists) leaves none. */
static void
note_operator(const trl_ctx *ctx, const struct bus_serving *call, enum trl_code rc)
{
	if (ctx->method->auth == TRL_AUTH_OPERATOR && !call->is_write)
		return;
	trl_log(TRL_LOG_INFO, ctx, "called by the operator",
	    TRL_LOG_STR("actor_kind", "operator"),
	    TRL_LOG_STR("code", trl_code_name(rc)));
}

static void
unlist(struct bus_serving *call)
{
	struct bus_server *server = call->server;
	if (call->conn != NULL) {
		if (call->prev != NULL)
			call->prev->next = call->next;
		else
			call->conn->calls = call->next;
		if (call->next != NULL)
			call->next->prev = call->prev;
	}
	server->running--;
	if (call->inbound != NULL)
		bus_inbound_drop(server, call->inbound);
	if (call->stream != NULL)
		bus_stream_free(&call->stream);
	call->next = server->free_servings;
	server->free_servings = call;
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct bus_serving *call = arg;
	ProtobufCMessage *out = NULL;
	enum trl_code rc = TRL_UNAVAILABLE;

	if (call->conn != NULL) { /* still there */
		struct trl_span span;
		uint64_t kept =
		    call->frame.time_left_ms > 2 * KEPT_BACK_MS ? KEPT_BACK_MS : 0;
		trl_set_deadline(
		    ctx, call->since_us + (call->frame.time_left_ms - kept) * 1000);
		fill_ctx(ctx, call);
		trl_span_begin(ctx, &span, TRL_SPAN_SERVED, call->served->method->name);
		rc = handle(ctx, call, &out);
		note(ctx, call, rc);
		if (ctx->principal.kind == TRL_OPERATOR)
			note_operator(ctx, call, rc);
		if (rc != TRL_OK) {
			if (ctx->err.code == TRL_OK)
				trl_fail(ctx, rc, "%s", "failed without an error");
			if (!is_deserted(ctx, call))
				trl_log_err(ctx);
		}
		trl_span_end(ctx, &span, rc);
	}
	if (call->conn != NULL &&
	    (call->stream == NULL || !bus_stream_finish(call->stream, rc)))
		put_reply(ctx, call, rc, out);
	unlist(call);
}

void
bus_refuse(struct bus_conn *conn, uint64_t call_id, enum trl_code code,
    uint32_t retry_after_ms, const char *message)
{
	struct bus_frame reply = {
		.kind = BUS_REPLY,
		.call_id = call_id,
		.has_error = true,
		.code = code,
		.retry_after_ms = retry_after_ms,
		.message = bus_text(message),
	};
	if (bus_frame_put(&conn->link.out, &reply, NULL))
		bus_link_touch(&conn->link);
}

static struct bus_serving *
new_serving(struct bus_server *server)
{
	struct bus_serving *call = server->free_servings;
	if (call != NULL)
		server->free_servings = call->next;
	else
		call = malloc(sizeof *call);
	trl_assert(call != NULL);
	return call;
}

static void
shed(struct bus_conn *conn, const struct bus_frame *frame)
{
	conn->server->shed++;
	trl_series_add(conn->server->bus->net->m.shed, 1);
	bus_refuse(conn, frame->call_id, TRL_BUSY, SHED_RETRY_MS, NULL);
}

void
bus_dispatch(
    struct bus_conn *conn, struct bus_inbound *inbound, const struct bus_frame *frame)
{
	struct bus_server *server = conn->server;
	struct bus_served *served = find_served(server, frame->method);

	server->calls++;
	if (served == NULL) {
		bus_refuse(
		    conn, frame->call_id, TRL_INTERNAL, 0, "no such method here");
		return;
	}
	if (!bus_may_call(served->method, conn->caller)) {
		bus_net_refused(server->bus->net, server->bus->service, conn->caller,
		    "not_allowed");
		bus_refuse(conn, frame->call_id, TRL_DENIED, 0,
		    "The contract does not let this service call this method.");
		return;
	}
	if (frame->time_left_ms < FLOOR_MS) {
		bus_refuse(conn, frame->call_id, TRL_DEADLINE, 0, NULL);
		return;
	}
	if (frame->body_len > 0 &&
	    !bus_credit_has_room(server->bus->net, frame, frame->body_len)) {
		shed(conn, frame);
		return;
	}
	struct bus_serving *call = new_serving(server);
	*call = (struct bus_serving){
		.server = server,
		.conn = conn,
		.next = conn->calls,
		.inbound = inbound,
		.served = served,
		.frame = *frame,
		.since_us = trl_loop_now_us(server->bus->net->loop),
		.is_write = served->method->effect == TRL_WRITE,
	};
	if (call->frame.time_left_ms > WORST_MS)
		call->frame.time_left_ms = WORST_MS;
	struct trl_spawn spec = { .name = served->method->name,
		.run = run,
		.arg = call,
		.timeout_ms = call->frame.time_left_ms };
	if (trl_spawn_get(server->bus->net->loop, &spec, &call->actor) != TRL_OK) {
		call->next = server->free_servings;
		server->free_servings = call;
		shed(conn, frame);
		return;
	}
	if (served->method->takes || served->method->gives)
		call->stream = bus_stream_serve(
		    &conn->bulk, server->bus->net->loop, served->method, frame);
	inbound->refs++;
	if (call->next != NULL)
		call->next->prev = call;
	conn->calls = call;
	server->running++;
}
