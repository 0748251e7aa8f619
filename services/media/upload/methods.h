/* methods.h - what the methods for uploads share. For the files of this folder. */
#pragma once

#include "upload/upload.h"

enum { UPLOAD_FINAL_KEY = 32 };

/* NULL, or why the header fields are not valid. checksum and digest may be NULL. */
const char *upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out) TRL_MUST_CHECK;
/* Whether a job still has to read its bytes, or to assemble them. */
enum trl_code upload_is_pending(struct media *self, trl_ctx *ctx, const upload_row *row,
    bool *pending) TRL_MUST_CHECK;
/* Ends an upload, whatever it holds; records reply, unless it is NULL.
 * Errors: TRL_CONFLICT (it has changed since it was read; its file is being made). */
enum trl_code upload_remove(struct media *self, trl_ctx *ctx, const upload_row *row,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
/* The same for one that may have advanced since it was read; first stops its writer in
 * this process, within patience_ms if it can. Errors: also TRL_NOT_FOUND (it has
 * ended); TRL_CONFLICT also if it has become a file. */
enum trl_code upload_end_now(struct media *self, trl_ctx *ctx, const upload_row *was,
    uint32_t patience_ms, ProtobufCMessage *reply) TRL_MUST_CHECK;
/* parts.c: removes parts of a final upload, with their bytes, except those that another
 * one still needs, whose job comes here as well. Errors: faults. */
enum trl_code upload_drop_parts(struct media *self, trl_ctx *ctx,
    const ProtobufCBinaryData *parts, size_t n) TRL_MUST_CHECK;
/* The same for a final upload that will not be assembled; does nothing for others. */
enum trl_code upload_drop_parts_of(
    struct media *self, trl_ctx *ctx, const upload_row *row) TRL_MUST_CHECK;
/* Ends an upload that the store has lost; sure: the store is not making a file of it.
 * Errors: TRL_GONE (it has ended now), TRL_INTERNAL (not decided yet), TRL_CONFLICT as
 * above. */
enum trl_code upload_lost(
    struct media *self, trl_ctx *ctx, const upload_row *row, bool sure) TRL_MUST_CHECK;
/* Fails with what its client is then told: TRL_GONE. */
enum trl_code upload_say_lost(trl_ctx *ctx);
/* Ends an upload that no client knows of, in an actor of its own; its writer stops
 * first. Does nothing if it has become a file. ctx may be cancelled. */
void upload_drop(struct media *self, trl_ctx *ctx, struct trl_id id);

/* length.c: the length of an upload that was begun without one. */
struct upload_late {
	bool taken; /* with this request */
	uint64_t length, had_reserved;
};
/* Takes the length from a PATCH, before its body. Errors: TRL_NOT_FOUND, TRL_GONE,
 * TRL_MALFORMED (not the length that was set before), TRL_CONFLICT (not the offset),
 * TRL_TOO_LARGE. */
enum trl_code upload_settle_length(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, const struct upload_body *body,
    struct upload_late *out) TRL_MUST_CHECK;
/* Fails if a body's checksum (TRL_CHECKSUM) or digest (TRL_MALFORMED) does not match;
 * and the same for a body without bytes. */
enum trl_code upload_tell_digest(trl_ctx *ctx, enum digest_match match) TRL_MUST_CHECK;
enum trl_code upload_judge_nothing(
    trl_ctx *ctx, const struct upload_body *body) TRL_MUST_CHECK;

/* Takes the length back after the request was refused; ctx's error stays. */
void upload_unsettle_length(
    struct media *self, trl_ctx *ctx, struct trl_id id, const struct upload_late *late);

/* again.c: a POST with a body and a client's key that is sent once more. */

enum { UPLOAD_REQUEST_KEY = 32 };
/* Derives a name for the request from its Idempotency-Key. False: the client sent none.
 */
bool upload_request_key(const trl_ctx *ctx, uint8_t key[UPLOAD_REQUEST_KEY]);
/* Ends what a dead run of the request had begun, so that this one may begin. If that
 * has become a file (or a part) already, *out is it, and only the answer is left to do;
 * else *out has no id. Errors: TRL_CONFLICT (the other run goes on; with retry-after),
 * faults. */
enum trl_code upload_again(struct media *self, trl_ctx *ctx,
    const uint8_t key[UPLOAD_REQUEST_KEY], upload_row *out) TRL_MUST_CHECK;
/* Fails with that TRL_CONFLICT. */
enum trl_code upload_still_runs(trl_ctx *ctx);
