/* batch.h - the unit of work: statements that do not need each other's results,
 * the audit entry and the idempotency record go to PostgreSQL in one round trip
 * as one transaction under one tenant (or account).
 *
 *   work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(out->id));
 *   trl_batch_add(work, &tenants_sql_tenant_insert, &out->base);
 *   trl_batch_add(work, &tenants_sql_owner_insert, &out->base,
 *       TRL_ARG_ID("account_id", ctx->principal.account));
 *   return trl_batch_write(work, &out->base);
 *
 * Parameters bind by name: first from the arguments given, then from the field
 * of that name of the message. A message may be NULL. Everything is bound when
 * trl_batch_read or _write is called. A batch lives in the ctx's arena and is
 * used once. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <trl/ctx.h>
#include <trl/pg.h>
#include <trl/sql.h>

typedef struct trl_batch trl_batch;

/* Whose rows the batch may see: sets trellis.tenant_id and trellis.account_id
 * for the transaction. Nil ids set nothing, and then no row is visible. */
struct trl_scope {
	struct trl_id tenant;
	struct trl_id account;
};
#define TRL_SCOPE_TENANT(id_) ((struct trl_scope){ .tenant = (id_) })
#define TRL_SCOPE_ACCOUNT(id_) ((struct trl_scope){ .account = (id_) })
#define TRL_SCOPE_NOBODY ((struct trl_scope){ .tenant = trl_id_nil })
#define TRL_SCOPE_BOTH(tenant_, account_)                                              \
	((struct trl_scope){ .tenant = (tenant_), .account = (account_) })

/* A parameter that no message field carries. */
struct trl_arg {
	const char *name; /* NULL ends the list */
	enum {
		TRL_ARG_T_NULL,
		TRL_ARG_T_ID,
		TRL_ARG_T_TEXT,
		TRL_ARG_T_BYTES,
		TRL_ARG_T_INT,
		TRL_ARG_T_BOOL,
		TRL_ARG_T_TIME,
		TRL_ARG_T_IDS,
		TRL_ARG_T_TEXTS,
		TRL_ARG_T_INTS,
		TRL_ARG_T_BYTESES
	} type;
	struct trl_id id;
	const void *data; /* text, bytes, ids (struct trl_id[]), texts (char *[]),
			   * ints (int64_t[]), byteses (ProtobufCBinaryData[]) */
	size_t len;
	int64_t num; /* int, bool, or wall microseconds */
};
#define TRL_ARG_NULL(n) ((struct trl_arg){ .name = (n), .type = TRL_ARG_T_NULL })
#define TRL_ARG_ID(n, v)                                                               \
	((struct trl_arg){ .name = (n), .type = TRL_ARG_T_ID, .id = (v) })
#define TRL_ARG_TEXT(n, v)                                                             \
	((struct trl_arg){ .name = (n), .type = TRL_ARG_T_TEXT, .data = (v) })
#define TRL_ARG_BYTES(n, p, l)                                                         \
	((struct trl_arg){                                                             \
	    .name = (n), .type = TRL_ARG_T_BYTES, .data = (p), .len = (l) })
#define TRL_ARG_INT(n, v)                                                              \
	((struct trl_arg){ .name = (n), .type = TRL_ARG_T_INT, .num = (v) })
#define TRL_ARG_BOOL(n, v)                                                             \
	((struct trl_arg){ .name = (n), .type = TRL_ARG_T_BOOL, .num = (v) })
#define TRL_ARG_TIME(n, v)                                                             \
	((struct trl_arg){ .name = (n), .type = TRL_ARG_T_TIME, .num = (v) })
#define TRL_ARG_IDS(n, p, l)                                                           \
	((struct trl_arg){                                                             \
	    .name = (n), .type = TRL_ARG_T_IDS, .data = (p), .len = (l) })
#define TRL_ARG_TEXTS(n, p, l)                                                         \
	((struct trl_arg){                                                             \
	    .name = (n), .type = TRL_ARG_T_TEXTS, .data = (p), .len = (l) })
#define TRL_ARG_INTS(n, p, l)                                                          \
	((struct trl_arg){                                                             \
	    .name = (n), .type = TRL_ARG_T_INTS, .data = (p), .len = (l) })
#define TRL_ARG_BYTESES(n, p, l)                                                       \
	((struct trl_arg){                                                             \
	    .name = (n), .type = TRL_ARG_T_BYTESES, .data = (p), .len = (l) })

trl_batch *trl_batch_new(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope);

/* Adds a statement. The message is `&x->base` or NULL; arguments may follow. */
#define trl_batch_add(batch, sql, ...)                                                 \
	TRL_BATCH_ARGS_(trl_batch_add_args, batch, sql, __VA_ARGS__)
/* Adds one whose columns fill `out` (a message) by name: one row. Where out has a
 * single repeated message field, and more columns are named like that one's fields than
 * like out's own, its rows fill that list. No row leaves out untouched, unless the
 * statement expects one. */
#define TRL_BATCH_ARGS_(fn, batch, sql, ...)                                           \
	fn((batch), (sql), TRL_BATCH_FIRST_(__VA_ARGS__, 0),                           \
	    (const struct trl_arg[]){                                                  \
		TRL_BATCH_REST_(__VA_ARGS__, { .name = NULL }) })
#define TRL_BATCH_FIRST_(first, ...) (first)
#define TRL_BATCH_REST_(first, ...) __VA_ARGS__

void trl_batch_add_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, const struct trl_arg *args);
void trl_batch_get_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, ProtobufCMessage *out, const struct trl_arg *args);
#define trl_batch_get(batch, sql, in, ...)                                             \
	trl_batch_get_args((batch), (sql), (in), TRL_BATCH_FIRST_(__VA_ARGS__, 0),     \
	    (const struct trl_arg[]){                                                  \
		TRL_BATCH_REST_(__VA_ARGS__, { .name = NULL }) })

/* Reads by one statement: a batch with nothing else, made, sent and waited for. Its
 * errors are those of trl_batch_read. */
#define trl_batch_get_one(ctx, pg, scope, sql, in, ...)                                \
	trl_batch_get_one_args((ctx), (pg), (scope), (sql), (in),                      \
	    TRL_BATCH_FIRST_(__VA_ARGS__, 0),                                          \
	    (const struct trl_arg[]){                                                  \
		TRL_BATCH_REST_(__VA_ARGS__, { .name = NULL }) })
enum trl_code trl_batch_get_one_args(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope,
    const struct trl_sql *sql, const ProtobufCMessage *in, ProtobufCMessage *out,
    const struct trl_arg *args) TRL_MUST_CHECK;

/* Adds an entry to the tenant's audit chain (class system table "audit"; hash =
 * SHA-256 of the previous hash and the entry). action is "tenants.member.remove";
 * subject the id it is about; detail may be NULL (its secret fields are dropped
 * by the caller's choice of message). A tenant's entries are told in the same
 * transaction, as SERVICE.audit.written. */
void trl_batch_audit(trl_batch *batch, const char *action, struct trl_id subject,
    const char *subject_kind, const ProtobufCMessage *detail);

/* Has the listener of kind hear of the commit (trl_pg_on_news); mask is not 0. For
 * what adds rows that this process goes on with: events, jobs. */
void trl_batch_news(trl_batch *batch, enum trl_pg_news kind, uint32_t mask);

/* What it was made for. */
trl_ctx *trl_batch_ctx(const trl_batch *batch);

/* Sends the batch and parks until its Sync. out messages are filled then.
 * Errors: the statements' own (expect, constraints), TRL_UNAVAILABLE, TRL_DEADLINE. */
enum trl_code trl_batch_read(trl_batch *batch) TRL_MUST_CHECK;
/* The same for a WRITE: with the idempotency record of ctx and reply (the
 * message the caller will get; must be final before this call, may be NULL for
 * an empty one). Dispatch has looked for the record before the handler ran; if one
 * was made since, reply is refilled from it and TRL_OK returned with
 * ctx->idempotency.replayed set.
 * Errors: also TRL_CONFLICT (another run of the key goes on), TRL_INVALID (the
 * key was used for another request), TRL_UNCERTAIN, TRL_BUSY (lock timeout). */
enum trl_code trl_batch_write(trl_batch *batch, ProtobufCMessage *reply) TRL_MUST_CHECK;
/* A write beside the request's own (last use, sweeps): no record, no reply. */
enum trl_code trl_batch_write_unrecorded(trl_batch *batch) TRL_MUST_CHECK;
