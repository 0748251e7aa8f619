/* upload.h - uploads by tus 1.0.0, and whatever else becomes a file piece by piece.
 *
 * An upload is a row that says what is durable of it. Whoever adds bytes is its writer:
 * it takes the row under a generation of its own, and nothing that an earlier
 * generation says counts any more. Bytes are written, made durable, and then said in
 * the row; only then is anybody told. With the last byte an upload becomes a file under
 * its id.
 *
 * From the ground up: tus.h and digest.h read header fields, hash.h keeps a running
 * hash in the row, writer.h is the writer, and the methods of media.v1 use them. */
#pragma once

#include <trl/jobs.h>

#include "media.h"
#include "upload/digest.h"

typedef Media__V1__UploadRow upload_row;
typedef struct upload_writer upload_writer;

/* Start-up; the end: nothing of it runs any more. */
struct uploads *uploads_new(const struct trl_host *host, struct media *self);
void uploads_free(struct uploads **all);
/* Whether nothing is written here any more. */
bool uploads_drained(const struct uploads *all);

/* When what this message adds to is gone, unless it is gone on with. */
int64_t upload_expiry(const struct media *self, const trl_ctx *ctx);

/* What shall be uploaded. */
struct upload_plan {
	const char *collection; /* NULL or "": the first */
	const char *name;       /* NULL: nobody said */
	size_t name_len;
	const char *type; /* as declared; NULL: nobody said */
	const char *metadata, *concat;
	bool has_length;
	uint64_t length;
	bool writes; /* upload_begun is called next */
	/* It comes with its body, and is told of at the end only: the same request
	 * finds it again by its key (again.c). */
	bool creates;
	/* Fills the reply before it is recorded; NULL: it is whole. */
	void (*tell)(trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply);
};
/* Makes the row of one and reserves its room; reply is recorded (NULL: nothing is).
 * Of one that creates, and had become a file before its process died, *out is that one,
 * with finished_at. Errors: TRL_INVALID (name, collection), TRL_UNSUPPORTED_MEDIA_TYPE
 * (the collection takes no such type, or it is none), TRL_TOO_LARGE (collection, plan).
 */
enum trl_code upload_create(struct media *self, trl_ctx *ctx,
    const struct upload_plan *plan, ProtobufCMessage *reply,
    upload_row *out) TRL_MUST_CHECK;

/* A body that is added. */
struct upload_body {
	uint64_t length; /* UINT64_MAX: not known */
	struct digest_wish checksum, digest[DIGEST_CONTENTS]; /* of it */
	/* It comes with the upload, which nobody knows of unless all of it does: else
	 * that goes. */
	bool creates;
};
/* Becomes the writer of one that was created by this message just now. */
enum trl_code upload_begun(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_body *body, upload_writer **out) TRL_MUST_CHECK;
/* Becomes the writer of any at exactly its offset; *row is filled. The writer is NULL
 * where nothing is to be added: all is there, and body has no bytes.
 * Errors: TRL_NOT_FOUND, TRL_GONE, TRL_DENIED (a final one), TRL_CONFLICT (the offset
 * is another), TRL_TOO_LARGE, TRL_LOCKED (with a time to come again), those of the
 * store. */
enum trl_code upload_take(struct media *self, trl_ctx *ctx, struct trl_id id,
    uint64_t offset, const struct upload_body *body, upload_row *row,
    upload_writer **out) TRL_MUST_CHECK;

/* Takes in the message's body to its end. The writer is gone then; *offset is what is
 * durable. What has come of a body that is broken off is made durable by itself.
 * Errors: TRL_TOO_LARGE (it goes on beyond the length), TRL_CHECKSUM and TRL_MALFORMED
 * (the checksum, the digest is another: nothing of it stays), TRL_STORAGE, TRL_CONFLICT
 * (another goes on), those of trl_stream_read. */
enum trl_code upload_receive(
    trl_ctx *ctx, upload_writer **writer, uint64_t *offset) TRL_MUST_CHECK;
/* The same by hand: adds, ends, or leaves a body. data is free again. */
enum trl_code upload_add(
    trl_ctx *ctx, upload_writer *writer, const void *data, size_t len) TRL_MUST_CHECK;
enum trl_code upload_end(
    trl_ctx *ctx, upload_writer **writer, uint64_t *offset) TRL_MUST_CHECK;
void upload_leave(upload_writer **writer);

/* Reads one of the caller's as it is; has whoever writes it make durable what has come.
 * Errors: TRL_NOT_FOUND, TRL_GONE. */
enum trl_code upload_look(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;

/* Who is told by the same transaction: reply is recorded as this message's. file, which
 * may be NULL, becomes the file as it begins, and stays empty where that was there
 * already. */
struct upload_told {
	media_file *file;
	ProtobufCMessage *reply;
};
/* All bytes of it are durable: it becomes a file (of a partial one: it may become a
 * part of one). May be repeated, by any process. Errors: TRL_UNSUPPORTED_MEDIA_TYPE
 * (its type is a lie, or none of the collection's: the upload is gone), TRL_GONE,
 * TRL_CONFLICT (not all is there). */
enum trl_code upload_finish(struct media *self, trl_ctx *ctx, struct trl_id id,
    const struct upload_told *told) TRL_MUST_CHECK;

/* Ends one: row, bytes and what it has reserved go; the file that it became stays. For
 * the sweep, which finds those that are past expires_at; under the upload's tenant.
 * One that has all of its bytes becomes a file, if it can, and ends the next time.
 * Errors: TRL_CONFLICT (it is no longer as it was read, or bytes of it are needed
 * still), those of upload_finish. */
enum trl_code upload_expire(
    struct media *self, trl_ctx *ctx, const upload_row *row) TRL_MUST_CHECK;

/* A file was purged or rejected: if it was still to be put together, the parts that
 * nobody needs any more go, for nothing counts them. Of any other, nothing. May be
 * repeated. Errors: faults. */
enum trl_code upload_file_gone(
    struct media *self, trl_ctx *ctx, struct trl_id file) TRL_MUST_CHECK;

/* Finishes what a process that died has left. */
extern const struct trl_job_kind upload_finish_job;
/* Puts a final upload together. */
extern const struct trl_job_kind upload_join_job;
/* Start-up: its counter. */
void upload_join_open(void);
/* Ends what a member who has left had begun; it hears of them. */
extern const struct trl_job_kind upload_left_job;
extern const struct trl_subscription upload_hears_members;
