/* record.c - idempotency records: one row for each WRITE that answered OK, in the
 * same transaction. The key's advisory lock, taken first, tells "still running"
 * from "already ran"; the row's primary key decides.
 *
 * Replies with secrets are sealed (XSalsa20-Poly1305, libsodium's secretbox) under
 * a key that is not in PostgreSQL: a dump shows no session token. The request's hash
 * is keyed by the same. A record whose time is over counts as none. */
#include "work.h"

#include <string.h>

#include <sodium.h>

#include <trl/method.h>
#include <trl/replay.h>

#include "framework_sql.h"

enum {
	KEPT_FROM_CLIENT_S = 24 * 3600,
	KEPT_FROM_EDGE_S = 300,
	RESOLVE_TRIES = 20,
	RESOLVE_WAIT_MS = 50
};

static const char *
method_name(const trl_ctx *ctx)
{
	return ctx->method ? ctx->method->name : "";
}

static int64_t
lock_of(const trl_ctx *ctx, const trl_pg *pg)
{
	crypto_generichash_state state;
	const char *parts[] = { pg->sql->service, method_name(ctx),
		ctx->idempotency.key };
	uint8_t sum[16];
	int64_t lock;

	crypto_generichash_init(&state, NULL, 0, sizeof sum);
	crypto_generichash_update(&state, ctx->idempotency.scope, 16);
	for (size_t i = 0; i < TRL_COUNT(parts); i++)
		crypto_generichash_update(
		    &state, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
	crypto_generichash_final(&state, sum, sizeof sum);
	memcpy(&lock, sum, sizeof lock);
	return lock;
}

enum trl_code
pg_record_make(
    trl_ctx *ctx, trl_pg *pg, const ProtobufCMessage *reply, struct pg_record *out)
{
	size_t len = reply ? protobuf_c_message_get_packed_size(reply) : 0;
	uint8_t *packed = trl_arena_alloc(ctx->arena, len), *box;

	if (len > 0)
		protobuf_c_message_pack(reply, packed);
	*out =
	    (struct pg_record){ .reply = packed, .len = len, .lock = lock_of(ctx, pg) };
	if (!ctx->method || !ctx->method->out || !ctx->method->out->has_secret)
		return TRL_OK;
	if (!pg->seal_key)
		return trl_fail(ctx, TRL_INTERNAL,
		    "%s answers with a secret, and there is no key to seal its record "
		    "with",
		    ctx->method->name);
	box = trl_arena_alloc(
	    ctx->arena, crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + len);
	randombytes_buf(box, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, packed, len, box,
	    trl_secret_bytes(pg->seal_key));
	sodium_memzero(packed, len);
	out->reply = box;
	out->len = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + len;
	out->sealed = true;
	return TRL_OK;
}

static struct trl_id
asker(const trl_ctx *ctx)
{
	struct trl_id id;

	memcpy(id.bytes, ctx->idempotency.scope, 16);
	return id;
}

/* The request's hash as it is kept: keyed, for the request may hold a password, and
 * a dump of the plain hash would let one be guessed at a hash's speed. */
static const uint8_t *
kept_request(trl_ctx *ctx, const trl_pg *pg)
{
	uint8_t *kept = trl_arena_alloc(ctx->arena, 32);

	crypto_generichash(kept, 32, ctx->idempotency.request, 32,
	    pg->seal_key ? trl_secret_bytes(pg->seal_key) : NULL,
	    pg->seal_key ? trl_secret_len(pg->seal_key) : 0);
	return kept;
}

enum trl_code
pg_record_bind(
    trl_ctx *ctx, trl_pg *pg, const struct pg_record *record, struct pg_call *call)
{
	int64_t now = trl_wall_us(), kept = ctx->idempotency.from_client
						? KEPT_FROM_CLIENT_S
						: KEPT_FROM_EDGE_S;
	if (kept < ctx->idempotency.kept_s)
		kept = ctx->idempotency.kept_s;
	const struct trl_arg args[] = {
		TRL_ARG_ID("scope", asker(ctx)),
		TRL_ARG_TEXT("method", method_name(ctx)),
		TRL_ARG_TEXT("key", ctx->idempotency.key),
		TRL_ARG_BYTES("request", kept_request(ctx, pg), 32),
		TRL_ARG_BYTES("reply", record->reply, record->len),
		TRL_ARG_BOOL("sealed", record->sealed),
		TRL_ARG_TIME("created_at", now),
		TRL_ARG_TIME("expires_at", now + kept * 1000000),
		{ .name = NULL },
	};

	return pg_bind(
	    ctx, pg_statement_of(pg, &trl_sql_idempotency_insert), NULL, args, call);
}

static enum trl_code
refill(trl_ctx *ctx, trl_pg *pg, const PGresult *row, ProtobufCMessage *reply)
{
	const uint8_t *data = (const uint8_t *)PQgetvalue(row, 0, 1);
	size_t len = (size_t)PQgetlength(row, 0, 1);
	ProtobufCMessage *stored;
	uint8_t *clear;

	if (PQgetvalue(row, 0, 2)[0]) {
		size_t head = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;

		clear = trl_arena_alloc(ctx->arena, len);
		if (!pg->seal_key || len < head ||
		    crypto_secretbox_open_easy(clear,
			data + crypto_secretbox_NONCEBYTES,
			len - crypto_secretbox_NONCEBYTES, data,
			trl_secret_bytes(pg->seal_key)) != 0)
			return trl_fail(ctx, TRL_INTERNAL,
			    "a stored reply was sealed under another key");
		data = clear;
		len -= head;
	}
	if (!reply)
		return TRL_OK;
	stored = protobuf_c_message_unpack(
	    reply->descriptor, trl_arena_protobuf(ctx->arena), len, data);
	if (!stored)
		return trl_fail(ctx, TRL_INTERNAL, "a stored reply cannot be read");
	memcpy(reply, stored, reply->descriptor->sizeof_message);
	return TRL_OK;
}

enum trl_code
pg_record_find(trl_ctx *ctx, trl_pg *pg, ProtobufCMessage *reply, bool *found)
{
	struct pg_call *calls = trl_arena_alloc(ctx->arena, 2 * sizeof *calls);
	const struct trl_arg args[] = {
		TRL_ARG_ID("scope", asker(ctx)),
		TRL_ARG_TEXT("method", method_name(ctx)),
		TRL_ARG_TEXT("key", ctx->idempotency.key),
		{ .name = NULL },
	};
	TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;
	const PGresult *row;
	enum trl_code rc;

	pg_bind_begin(ctx, PG_BEGIN, (struct trl_scope){ 0 }, NULL, &calls[0]);
	rc = pg_bind(
	    ctx, pg_statement_of(pg, &trl_sql_idempotency_read), NULL, args, &calls[1]);
	if (rc != TRL_OK)
		return rc;
	op = pg_op_new(2);
	op->calls = calls;
	rc = pg_submit(ctx, pg, op);
	if (rc == TRL_OK)
		rc = pg_code_of(ctx, pg, op);
	if (rc != TRL_OK)
		return rc;
	row = op->results[1];
	*found = PQntuples(row) == 1;
	if (!*found)
		return TRL_OK;
	if (PQgetlength(row, 0, 0) != 32 ||
	    memcmp(PQgetvalue(row, 0, 0), kept_request(ctx, pg), 32) != 0) {
		trl_series_add(pg->m.idem_conflict, 1);
		return trl_fail(ctx, TRL_INVALID,
		    "This Idempotency-Key was used for another request.");
	}
	rc = refill(ctx, pg, row, reply);
	if (rc != TRL_OK)
		return rc;
	trl_series_add(pg->m.idem_hit, 1);
	ctx->idempotency.recorded = true;
	ctx->idempotency.replayed = true;
	return TRL_OK;
}

/* Whether the lost run is over: while it goes on, it holds the key's lock. */
static bool
is_over(trl_ctx *ctx, trl_pg *pg, const struct pg_record *record)
{
	struct pg_call *call = trl_arena_alloc(ctx->arena, sizeof *call);
	TRL_AUTO(pg_op_unref) struct pg_op *op = pg_op_new(1);

	pg_bind_begin(ctx, PG_BEGIN_KEYED, (struct trl_scope){ 0 }, record, call);
	op->write = true;
	op->calls = call;
	if (pg_submit(ctx, pg, op) != TRL_OK) {
		trl_err_clear(ctx);
		return false;
	}
	return op->outcome == PG_FINE;
}

enum trl_code
pg_record_resolve(trl_ctx *ctx, trl_pg *pg, const struct pg_record *record,
    ProtobufCMessage *reply, bool *found)
{
	bool over = false;

	for (int i = 0; i < RESOLVE_TRIES; i++) {
		enum trl_code rc = pg_record_find(ctx, pg, reply, found);

		if (rc == TRL_OK && *found) {
			ctx->idempotency.replayed =
			    false; /* it is this run's own answer */
			return TRL_OK;
		}
		if (rc != TRL_UNAVAILABLE && rc != TRL_OK)
			break;
		if (over && rc == TRL_OK)
			return TRL_OK;
		trl_err_clear(ctx);
		/* One more look after it ended: it may have committed between. */
		over = over || (rc == TRL_OK && is_over(ctx, pg, record));
		if (!over && trl_sleep(ctx, RESOLVE_WAIT_MS) != TRL_OK)
			break;
	}
	trl_err_clear(ctx);
	trl_series_add(pg->m.unknown, 1);
	return trl_fail(
	    ctx, TRL_UNCERTAIN, "the connection was lost before the commit's answer");
}

enum trl_code
pg_record_wait(trl_ctx *ctx, trl_pg *pg, unsigned *tries)
{
	if (ctx->idempotency.is_retry) {
		uint32_t ms = *tries < 4 ? 10u << *tries : 100;

		++*tries;
		if (ms + 20 < trl_time_left_ms(ctx) && trl_sleep(ctx, ms) == TRL_OK)
			return TRL_OK;
		trl_err_clear(ctx);
	}
	trl_series_add(pg->m.idem_conflict, 1);
	trl_err_retry_after(ctx, 1000);
	return trl_fail(
	    ctx, TRL_CONFLICT, "A request with this Idempotency-Key is still running.");
}

enum trl_code
trl_replay(trl_ctx *ctx, trl_pg *pg, ProtobufCMessage *reply, bool *replayed)
{
	bool found = false;
	enum trl_code rc;

	*replayed = false;
	if (!ctx->idempotency.key)
		return TRL_OK;
	rc = pg_record_find(ctx, pg, reply, &found);
	if (rc == TRL_OK)
		*replayed = found;
	return rc;
}
