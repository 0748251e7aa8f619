/* work.h - what batches and transactions share. Private to shared/pg. */
#pragma once

#include <trl/event.h>
#include <trl/span.h>
#include <trl/tx.h>

#include "pool.h"

/* A statement with what it binds. */
struct pg_item {
	struct pg_statement *st;
	const ProtobufCMessage *in;
	ProtobufCMessage *out; /* or NULL */
	const struct trl_arg *args;
	/* Behind all that are less: events, then audit entries, in one order. */
	enum { PG_USUAL, PG_EVENTS, PG_AUDIT } turn;
};

/* Events that leave with a transaction. */
struct pg_event {
	unsigned lane;
	struct trl_id id, subject;
	const char *type;
	ProtobufCBinaryData payload;
};
struct pg_events {
	struct pg_event *list;
	size_t n, room;
};

struct trl_batch {
	trl_ctx *ctx;
	trl_pg *pg;
	struct trl_scope scope;
	struct pg_item *items;
	size_t n_items, room;
	struct pg_events events;
	const struct trl_event_type *untold; /* that may not be told; or NULL */
	uint32_t news[TRL_PG_NEWS];
	bool ran;
};

/* A WRITE's record, ready to bind. */
struct pg_record {
	const uint8_t *reply;
	size_t len;
	bool sealed;
	int64_t lock;
};

enum pg_begin { PG_BEGIN, PG_BEGIN_TIMED, PG_BEGIN_KEYED };

/* The first call of each transaction. record: for PG_BEGIN_KEYED. */
void pg_bind_begin(trl_ctx *ctx, enum pg_begin kind, struct trl_scope scope,
    const struct pg_record *record, struct pg_call *call);

/* Packs and seals the reply. Errors: TRL_INTERNAL (no seal key). */
enum trl_code pg_record_make(trl_ctx *ctx, trl_pg *pg, const ProtobufCMessage *reply,
    struct pg_record *out) TRL_MUST_CHECK;
/* The record's insert. */
enum trl_code pg_record_bind(trl_ctx *ctx, trl_pg *pg, const struct pg_record *record,
    struct pg_call *call) TRL_MUST_CHECK;
/* Looks for the record of ctx's key; reply is refilled and ctx marked where found.
 * Errors: TRL_INVALID (another request's), those of a read. */
enum trl_code pg_record_find(
    trl_ctx *ctx, trl_pg *pg, ProtobufCMessage *reply, bool *found) TRL_MUST_CHECK;
/* After the connection took an answer along: once it can be asked, does the record
 * stand? TRL_OK: found, or else surely over without it. Errors: TRL_UNCERTAIN. */
enum trl_code pg_record_resolve(trl_ctx *ctx, trl_pg *pg,
    const struct pg_record *record, ProtobufCMessage *reply,
    bool *found) TRL_MUST_CHECK;
/* Whether another run holds the key's lock: to wait and try again (TRL_OK), or
 * TRL_CONFLICT. */
enum trl_code pg_record_wait(trl_ctx *ctx, trl_pg *pg, unsigned *tries) TRL_MUST_CHECK;

/* What PostgreSQL said. */
bool pg_is_running(const struct pg_op *op);   /* the key's lock is held */
bool pg_is_duplicate(const struct pg_op *op); /* the key has a record */
bool pg_is_retryable(const struct pg_op *op); /* deadlock, serialization */
bool pg_is_stale(const struct pg_op *op);     /* a newer connection may not say so */
/* op->outcome as a code, with the error of ctx written. */
enum trl_code pg_code_of(
    trl_ctx *ctx, trl_pg *pg, const struct pg_op *op) TRL_MUST_CHECK;
/* The rows of item, which answered call number at, into its message. In a READ the
 * guard is held here. */
enum trl_code pg_take(trl_ctx *ctx, const struct pg_op *op, size_t at,
    const struct pg_item *item) TRL_MUST_CHECK;

/* TRL_TRACE_BYTES bytes of the trace that ctx is part of. */
const uint8_t *pg_pack_trace(const trl_ctx *ctx);
/* Whether this service may tell the event, with this payload; and the error of one that
 * it may not. */
bool pg_event_fits(const trl_pg *pg, const struct trl_event_type *type,
    const ProtobufCMessage *payload);
enum trl_code pg_event_refuse(
    trl_ctx *ctx, const trl_pg *pg, const struct trl_event_type *type) TRL_MUST_CHECK;
/* Adds an event that fits; gives its lane. */
unsigned pg_events_add(trl_ctx *ctx, struct pg_events *events, struct trl_id tenant,
    const struct trl_event_type *type, struct trl_id subject,
    const ProtobufCMessage *payload);
/* What writes them all (at least one). */
const struct trl_arg *pg_events_args(trl_ctx *ctx, const struct pg_events *events,
    struct trl_id tenant, const struct trl_sql **sql);

/* What is known of an audit entry before it is in its chain. */
struct pg_audit_entry {
	struct trl_id id, actor, subject; /* the last two may be nil */
	int64_t at_us;
	const char *action, *subject_kind, *address;
	const char *detail; /* or NULL */
};

/* Ids and texts of an entry that ctx's caller makes. */
struct pg_audit_entry pg_audit_new(trl_ctx *ctx, const char *action,
    struct trl_id subject, const char *subject_kind, const ProtobufCMessage *detail);
/* It as arguments of trl_sql_audit_add. */
const struct trl_arg *pg_audit_args(trl_ctx *ctx, const struct pg_audit_entry *entry);
/* And of trl_sql_audit_tell, which goes right behind; its lane joins lanes. NULL: the
 * service tells none, or the chain is an account's. */
const struct trl_arg *pg_audit_tell_args(trl_ctx *ctx, const trl_pg *pg,
    struct trl_id tenant, const struct pg_audit_entry *entry, uint32_t *lanes);
/* A message as one JSON object, for the audit's detail. */
const char *pg_detail_json(trl_arena *arena, const ProtobufCMessage *message);
