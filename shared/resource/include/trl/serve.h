/* serve.h - what a method does to a declared resource, done. Generated code calls
 * trl_serve in place of a handler (proto/trellis/options.proto, message Does).
 *
 *   create   a row of the request's fields, with id, version and times; JUDGE; room for
 *            one more; the row, what JOIN adds, event and audit entry, record
 *   get      the row, as it is shown
 *   list     a page, by the filters that the request gives
 *   update   the row as it is; the request's fields over it, those that it clears taken
 *            away; JUDGE; If-Match; then as create, where the version is still the one
 *            read, else again from the reading. Where all is as it was, there is no new
 *            version, event or audit entry
 *   delete   the row as it is; JUDGE; If-Match; then as update
 *   change   as update, but the service's function makes the new row of the old one
 *
 * A batch goes in this order: GUARD, the plain statement, JOIN, event, audit entry,
 * record. What is shown, told and written into the audit chain has no internal field;
 * events and audit entries have no secret one either. */
#pragma once

#include <trl/batch.h>
#include <trl/resource.h>

/* The service's functions, behind typed thunks made by the generator; each may be NULL.
 * Rows are shallow copies of each other: a hook sets members, and writes into nothing
 * that they point to. */
struct trl_hooks {
	enum trl_code (*judge)(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
	    const ProtobufCMessage *before, ProtobufCMessage *after);
	enum trl_code (*change)(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
	    const ProtobufCMessage *before, ProtobufCMessage *after);
	void (*guard)(void *self, trl_ctx *ctx, trl_batch *work,
	    const ProtobufCMessage *before, const ProtobufCMessage *after);
	void (*join)(void *self, trl_ctx *ctx, trl_batch *work,
	    const ProtobufCMessage *before, const ProtobufCMessage *after);
	enum trl_code (*show)(
	    void *self, trl_ctx *ctx, ProtobufCMessage **rows, size_t n);
};

/* Of a hook: whether the request asks for null in place of a field. */
bool trl_clears(const trl_ctx *ctx, const ProtobufCMessage *in, const char *field);
/* Takes away what is not shown: the internal fields of one message. */
void trl_strip(const struct trl_message *rules, ProtobufCMessage *message);

/* Does it, under ctx's tenant (or account) and on ctx's connections. Errors: what the
 * hooks say; TRL_NOT_FOUND, TRL_PRECONDITION (If-Match), TRL_EXISTS (a unique name),
 * TRL_QUOTA (no room), TRL_CONFLICT (others kept overtaking), TRL_INVALID (page_token),
 * and those of trl_batch_write. */
enum trl_code trl_serve(void *self, trl_ctx *ctx, const struct trl_does *does,
    const ProtobufCMessage *in, ProtobufCMessage *out) TRL_MUST_CHECK;
