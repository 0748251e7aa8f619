/* Calls in a world for tests: see test_service.h. A call starts in an actor of the
 * test's, which knows what the edge would know of its request, and goes over inproc to
 * the service; who may call it, and what it calls, is what the contracts say. */
#include "test_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/stream.h>
#include <trl/validate.h>
#include <trl/wire.h>

enum { PATIENCE_MS = 60000 };

enum trl_code (*world_grants)(trl_ctx *ctx, const struct world_caller *who);

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* The catalogue is in the order that a principal wants. */
static void
take_permissions(trl_ctx *ctx, const struct world_caller *who)
{
	const enum trl_role role = who->role ? who->role : TRL_OWNER;
	uint32_t *own =
	    trl_arena_alloc(ctx->arena, trl_permissions_count * sizeof *own);
	size_t n = 0;

	for (size_t i = 0; i < trl_permissions_count; i++)
		if (who->may ? is_listed(who->may, trl_permissions[i].name)
			     : trl_permissions[i].role <= role)
			own[n++] = trl_permissions[i].id;
	ctx->principal.role = who->key ? 0 : (uint8_t)role;
	ctx->principal.permissions = own;
	ctx->principal.n_permissions = n;
}

static void
take_principal(trl_ctx *ctx, const struct world_caller *who)
{
	struct trl_principal *principal = &ctx->principal;

	*principal = (struct trl_principal){ .account = who->account,
		.session = who->session,
		.address = world.address ? world.address : "192.0.2.1",
		.user_agent = "cmocka" };
	if (who->person) {
		principal->account = who->person->account;
		principal->verified = who->person->verified;
	}
	if (who->operator)
		principal->kind = TRL_OPERATOR;
	else if (!trl_id_is_nil(principal->account))
		principal->kind = who->key ? TRL_KEY : TRL_PERSON;
	if (trl_id_is_nil(principal->session))
		principal->session = trl_id_random();
	take_permissions(ctx, who);
}

/* What the edge knows of a request. The key is the account's or, in place of a hash of
 * nobody's address, a scope of its own. */
static void
enter(trl_ctx *ctx, const struct world_run *run)
{
	const struct world_caller *who = &run->who;
	const uint8_t *bytes;
	size_t len;

	ctx->service = ctx->caller = "test";
	ctx->method = run->method;
	ctx->tenant = who->tenant;
	ctx->now_us = world.now_us;
	ctx->has_if_version = who->has_if_version;
	ctx->if_version = who->if_version;
	take_principal(ctx, who);
	memset(ctx->idempotency.scope, 9, 16);
	if (!trl_id_is_nil(ctx->principal.account))
		memcpy(ctx->idempotency.scope, ctx->principal.account.bytes, 16);
	if (run->method->effect != TRL_WRITE)
		return;
	ctx->idempotency.key = who->idempotency_key ? who->idempotency_key
						    : trl_arena_printf(ctx->arena,
							  "test-%u", ++world.keys_made);
	ctx->idempotency.from_client = true;
	trl_wire_encode(ctx->arena, run->in, &bytes, &len);
	crypto_generichash(ctx->idempotency.request, 32, bytes, len, NULL, 0);
}

static const char *
caller_of(const struct world_run *run)
{
	if (run->who.operator)
		return "ctl";
	if (run->method->auth != TRL_AUTH_MESH)
		return "edge";
	/* "*": any service. */
	return strcmp(run->method->callers[0], "*") == 0 ? "test"
							 : run->method->callers[0];
}

static enum trl_code
call_behind(trl_ctx *ctx, const struct world_run *run, ProtobufCMessage **out)
{
	void *self = NULL;
	trl_thunk *thunk = world_thunk(run->method, &ctx->pg, &self);
	enum trl_code rc = trl_validate(ctx, run->method->in, run->in);

	*out = trl_message_new(ctx->arena, run->method->out->descriptor);
	if (rc == TRL_OK)
		rc = thunk(self, ctx, run->in, *out);
	trl_write_ended(ctx, rc);
	return rc;
}

/* What a method gives: its pieces, also those that are files' parts. */
static enum trl_code
read_given(trl_ctx *ctx, trl_stream *stream, struct trl_buf *given)
{
	struct trl_piece piece;
	enum trl_code rc;

	while ((rc = trl_stream_read(ctx, stream, &piece)) == TRL_OK) {
		if (piece.fd >= 0) {
			uint8_t *at = trl_buf_reserve(given, piece.size);
			const ssize_t n =
			    pread(piece.fd, at, piece.size, (off_t)piece.offset);

			(void)close(piece.fd);
			assert_int_equal(n, piece.size);
			given->len += piece.size;
		} else if (piece.len > 0) {
			trl_buf_add(given, piece.data, piece.len);
		} else {
			break;
		}
	}
	return rc;
}

/* As the edge makes it: bytes go along in pieces, once the callee wants them. */
static enum trl_code
call_with_bytes(trl_ctx *ctx, struct world_run *run, ProtobufCMessage **out)
{
	const uint8_t *body = run->who.body;
	struct trl_stream_terms terms = { .whole =
					      run->who.body_len <= TRL_STREAM_RIDES,
		.body = body,
		.len = run->who.body_len };
	trl_stream *stream = NULL;
	enum trl_code rc;
	bool wanted = false;

	if (!terms.whole)
		terms.body = NULL, terms.len = 0;
	rc = trl_stream_open(ctx, world_bus(caller_of(run)), run->method, run->in,
	    run->method->takes ? &terms : NULL, &stream);
	if (rc == TRL_OK && run->method->takes && !terms.whole)
		rc = trl_stream_wanted(ctx, stream, &wanted);
	for (size_t at = 0; rc == TRL_OK && wanted && at < run->who.body_len;) {
		const size_t left = run->who.body_len - at;
		const size_t len = left < TRL_STREAM_PIECE ? left : TRL_STREAM_PIECE;

		rc = trl_stream_write(ctx, stream, body + at, len);
		at += len;
	}
	if (rc == TRL_OK && wanted)
		rc = trl_stream_end(ctx, stream);
	if (rc == TRL_UNAVAILABLE && wanted) { /* answered in mid-body */
		trl_err_clear(ctx);
		rc = TRL_OK;
	}
	if (rc == TRL_OK)
		rc = trl_stream_reply(ctx, stream, out);
	if (rc == TRL_OK && run->method->gives)
		rc = read_given(ctx, stream, &run->given);
	trl_stream_close(&stream);
	return rc;
}

/* They lie in the arena of the call. */
static const struct trl_violation *
copy_violations(const struct trl_err *err)
{
	struct trl_violation *copy =
	    trl_arena_alloc(world.arena, (err->n_violations + 1) * sizeof *copy);

	for (size_t i = 0; i < err->n_violations; i++)
		copy[i] = (struct trl_violation){ trl_arena_strdup(world.arena,
						      err->violations[i].pointer),
			trl_arena_strdup(world.arena, err->violations[i].detail) };
	return copy;
}

static void
run_call(trl_ctx *ctx, void *arg)
{
	struct world_run *run = arg;
	ProtobufCMessage *out = NULL;
	const uint8_t *bytes;
	size_t len;

	enter(ctx, run);
	run->rc = TRL_OK;
	if (world_grants && !run->who.behind && run->method->auth == TRL_AUTH_TENANT)
		run->rc = world_grants(ctx, &run->who);
	if (run->rc == TRL_OK && run->who.meanwhile)
		world_sql("%s", run->who.meanwhile);
	if (run->rc == TRL_OK)
		run->rc = run->method->takes || run->method->gives
			      ? call_with_bytes(ctx, run, &out)
			  : run->who.behind
			      ? call_behind(ctx, run, &out)
			      : trl_bus_call(ctx, world_bus(caller_of(run)),
				    run->method, run->in, &out);
	run->err = ctx->err;
	run->err.violations = copy_violations(&ctx->err);
	run->replayed = ctx->idempotency.replayed;
	if (run->rc == TRL_OK) {
		trl_wire_encode(ctx->arena, out, &bytes, &len);
		run->out = protobuf_c_message_unpack(run->method->out->descriptor,
		    trl_arena_protobuf(world.arena), len, bytes);
	}
	run->done = true;
}

void
world_start(struct world_run *run)
{
	struct trl_spawn spec = { .name = "test",
		.run = run_call,
		.arg = run,
		.timeout_ms = run->who.timeout_ms ? run->who.timeout_ms : 30000 };

	(void)world_bus(caller_of(run)); /* not in an actor: it waits for its peers */
	run->done = false;
	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
}

struct waiting {
	struct world_run *const *runs;
	size_t n;
};

static bool
all_done(void *arg)
{
	const struct waiting *waiting = arg;

	for (size_t i = 0; i < waiting->n; i++)
		if (!waiting->runs[i]->done)
			return false;
	return true;
}

void
world_wait(struct world_run *const *runs, size_t n)
{
	struct waiting waiting = { runs, n };

	assert_true(trl_loop_run_until(world.loop, all_done, &waiting, PATIENCE_MS));
}

enum trl_code
world_call(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *in, void *out)
{
	struct world_run run = { .method = method, .in = in };
	struct world_run *runs[] = { &run };

	if (who)
		run.who = *who;
	world_start(&run);
	world_wait(runs, 1);
	world.err = run.err;
	world.replayed = run.replayed;
	trl_buf_fini(&world.given);
	world.given = run.given;
	trl_buf_add(&world.given, "", 1);
	world.given.len--;
	if (run.rc == TRL_OK && out)
		*(ProtobufCMessage **)out = run.out;
	return run.rc;
}

struct act {
	void (*fn)(trl_ctx *ctx, void *arg);
	void *arg;
	bool done;
};

static void
run_act(trl_ctx *ctx, void *arg)
{
	struct act *act = arg;

	act->fn(ctx, act->arg);
	act->done = true;
}

static bool
act_is_done(void *arg)
{
	return ((struct act *)arg)->done;
}

void
world_act(void (*fn)(trl_ctx *ctx, void *arg), void *arg)
{
	struct act act = { fn, arg, false };
	struct trl_spawn spec = {
		.name = "test", .run = run_act, .arg = &act, .timeout_ms = 10000
	};

	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
	assert_true(trl_loop_run_until(world.loop, act_is_done, &act, PATIENCE_MS));
}
