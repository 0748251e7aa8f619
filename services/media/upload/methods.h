/* methods.h - what the methods about uploads share. For the files of this folder. */
#pragma once

#include "upload/upload.h"

enum { UPLOAD_FINAL_KEY = 32 };

/* NULL, or why the fields cannot be. checksum and digest may be NULL. */
const char *upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out) TRL_MUST_CHECK;
/* Whether a job is still to read its bytes, or to make them. */
enum trl_code upload_is_pending(struct media *self, trl_ctx *ctx, const upload_row *row,
    bool *pending) TRL_MUST_CHECK;
/* Ends one, whatever it has; with a record of the reply, which may be NULL.
 * Errors: TRL_CONFLICT (it is no longer as it was read; its file is being made). */
enum trl_code upload_remove(struct media *self, trl_ctx *ctx, const upload_row *row,
    ProtobufCMessage *reply) TRL_MUST_CHECK;
/* The same of one that was read before, which may have come further since; whoever
 * writes it in this process leaves it first, within patience_ms if it can. Errors: also
 * TRL_NOT_FOUND (it has gone); TRL_CONFLICT also where it has become a file. */
enum trl_code upload_end_now(struct media *self, trl_ctx *ctx, const upload_row *was,
    uint32_t patience_ms, ProtobufCMessage *reply) TRL_MUST_CHECK;
/* parts.c: parts of a final upload go, with their bytes, but for those that another
 * one is still to be made of, whose job comes here as well. Errors: faults. */
enum trl_code upload_drop_parts(struct media *self, trl_ctx *ctx,
    const ProtobufCBinaryData *parts, size_t n) TRL_MUST_CHECK;
/* The same of a final one that is not put together, and is not to be; of any other,
 * nothing. */
enum trl_code upload_drop_parts_of(
    struct media *self, trl_ctx *ctx, const upload_row *row) TRL_MUST_CHECK;
/* Ends one that the store has ended; sure: it is not one that it is making a file of.
 * Errors: TRL_GONE (it is done), TRL_INTERNAL (that is not decided yet), TRL_CONFLICT
 * as above. */
enum trl_code upload_lost(
    struct media *self, trl_ctx *ctx, const upload_row *row, bool sure) TRL_MUST_CHECK;
/* What its client is told then: TRL_GONE. */
enum trl_code upload_say_lost(trl_ctx *ctx);
/* Ends one by an actor of its own, that nobody was told of; whoever writes it
 * leaves it first. Of one that has become a file, nothing. ctx may be cancelled. */
void upload_drop(struct media *self, trl_ctx *ctx, struct trl_id id);

/* length.c: the length of an upload that was begun without one. */
struct upload_late {
	bool taken; /* with this request */
	uint64_t length, had_reserved;
};
/* Takes it from a PATCH, before its body. Errors: TRL_NOT_FOUND, TRL_GONE,
 * TRL_MALFORMED (it is another, once and for all), TRL_CONFLICT (the offset is),
 * TRL_TOO_LARGE. */
enum trl_code upload_settle_length(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, const struct upload_body *body,
    struct upload_late *out) TRL_MUST_CHECK;
/* Whether a body's checksum and digest are what they should be: TRL_CHECKSUM,
 * TRL_MALFORMED; the same of a body without bytes, which nobody adds. */
enum trl_code upload_tell_digest(trl_ctx *ctx, enum digest_match match) TRL_MUST_CHECK;
enum trl_code upload_judge_nothing(
    trl_ctx *ctx, const struct upload_body *body) TRL_MUST_CHECK;

/* The request was refused, so it has fixed nothing: ctx's error stays. */
void upload_unsettle_length(
    struct media *self, trl_ctx *ctx, struct trl_id id, const struct upload_late *late);

/* again.c: a POST that came with a body and a client's key, and the same once more. */

enum { UPLOAD_REQUEST_KEY = 32 };
/* Names the request, of a client's Idempotency-Key. False: it has none. */
bool upload_request_key(const trl_ctx *ctx, uint8_t key[UPLOAD_REQUEST_KEY]);
/* Ends what a dead run had begun, so that this one may begin. Where that has become a
 * file (or a part) already *out is it, and what is left to do is to answer; else it has
 * no id. Errors: TRL_CONFLICT (the other one still runs; with a time to come again),
 * faults. */
enum trl_code upload_again(struct media *self, trl_ctx *ctx,
    const uint8_t key[UPLOAD_REQUEST_KEY], upload_row *out) TRL_MUST_CHECK;
/* Fails as that does. */
enum trl_code upload_still_runs(trl_ctx *ctx);
