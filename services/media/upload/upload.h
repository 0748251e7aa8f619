/* upload.h - uploads by tus 1.0.0, and whatever else becomes a file piece by piece.
 *
 * An upload is a row that says how much of it is durable. Whoever adds bytes is its
 * writer: it takes the row under a generation of its own, and from then on nothing
 * counts that was written under an earlier one. Bytes are written, made durable, and
 * then recorded in the row; only then is anybody told. With the last byte an upload
 * becomes a file under its id.
 *
 * Bottom up: tus.h and digest.h parse header fields, row.h makes and reads rows, hash.h
 * keeps a running hash in one, writer.h is the writer, finish.h makes the file, and the
 * methods of media.v1 use them; create.h, length.h and end.h are what they share. */
#pragma once

#include <trl/jobs.h>

#include "media.h"
#include "upload/digest.h"

typedef Media__V1__UploadRow upload_row;
typedef struct upload_writer upload_writer;

/* Start-up; and the end, when nothing of it runs any more. */
struct uploads *uploads_new(const struct trl_host *host, struct media *self);
void uploads_free(struct uploads **all);
/* Whether no upload is being written any more. */
bool uploads_drained(const struct uploads *all);

/* When an upload that this message adds to expires. */
int64_t upload_expiry(const struct media *self, const trl_ctx *ctx);

/* What a new upload will be. */
struct upload_plan {
	const char *collection; /* NULL or "": the first */
	const char *name;       /* NULL: none was given */
	size_t name_len;
	const char *type; /* as declared; NULL: none was */
	const char *metadata, *concat;
	bool has_length;
	uint64_t length;
	bool writes; /* upload_begun is called next */
	/* It comes with its body, and its client learns of it only at the end: the same
	 * request finds it again by its key (again.c). */
	bool creates;
	/* Fills the reply before it is recorded; NULL: it is complete. */
	void (*tell)(trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply);
};
/* Creates an upload's row and reserves its length; records reply, unless it is NULL. If
 * the same request (plan->creates) has already become a file, and its process died,
 * *out is that upload, with finished_at. Errors: TRL_INVALID (name, collection),
 * TRL_UNSUPPORTED_MEDIA_TYPE (not a media type, or not one of the collection's),
 * TRL_TOO_LARGE (collection, plan). */
enum trl_code upload_create(struct media *self, trl_ctx *ctx,
    const struct upload_plan *plan, ProtobufCMessage *reply,
    upload_row *out) TRL_MUST_CHECK;

/* A body to be added. */
struct upload_body {
	uint64_t length; /* UINT64_MAX: not known */
	struct digest_wish checksum, digest[DIGEST_CONTENTS]; /* of it */
	/* It comes with the request that creates the upload, which is removed unless
	 * all of the body arrives. */
	bool creates;
};
/* Becomes the writer of an upload that this message has just created. */
enum trl_code upload_begun(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_body *body, upload_writer **out) TRL_MUST_CHECK;
/* Becomes the writer of any upload, at exactly its offset; fills *row. *out is NULL if
 * there is nothing to add: the upload is complete, and body has no bytes.
 * Errors: TRL_NOT_FOUND, TRL_GONE, TRL_DENIED (a final one), TRL_CONFLICT (not its
 * offset), TRL_TOO_LARGE, TRL_LOCKED (with retry-after), those of the store. */
enum trl_code upload_take(struct media *self, trl_ctx *ctx, struct trl_id id,
    uint64_t offset, const struct upload_body *body, upload_row *row,
    upload_writer **out) TRL_MUST_CHECK;

/* Receives the message's body to its end, and gives the writer up; *offset is what is
 * durable. If the body breaks off, what has arrived still becomes durable.
 * Errors: TRL_TOO_LARGE (it exceeds the length), TRL_CHECKSUM and TRL_MALFORMED (the
 * checksum or digest does not match: nothing is kept), TRL_STORAGE, TRL_CONFLICT
 * (another request has taken over), those of trl_stream_read. */
enum trl_code upload_receive(
    trl_ctx *ctx, upload_writer **writer, uint64_t *offset) TRL_MUST_CHECK;
/* The same step by step: add to a body, end it, or leave it. data may be reused. */
enum trl_code upload_add(
    trl_ctx *ctx, upload_writer *writer, const void *data, size_t len) TRL_MUST_CHECK;
enum trl_code upload_end(
    trl_ctx *ctx, upload_writer **writer, uint64_t *offset) TRL_MUST_CHECK;
void upload_leave(upload_writer **writer);

/* Reads an upload of the caller's; first has its writer make durable what has arrived.
 * Errors: TRL_NOT_FOUND, TRL_GONE. */
enum trl_code upload_look(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;

/* What the transaction that makes the file also writes: reply is recorded as this
 * message's. file, which may be NULL, is filled with the new file; it stays empty if
 * the file existed already. */
struct upload_told {
	media_file *file;
	ProtobufCMessage *reply;
};
/* Makes an upload, all of whose bytes are durable, a file (or a partial one ready to be
 * concatenated). May be repeated, by any process. Errors: TRL_UNSUPPORTED_MEDIA_TYPE
 * (its bytes contradict its declared type, or its collection does not take it: the
 * upload is removed), TRL_GONE, TRL_CONFLICT (bytes are missing). */
enum trl_code upload_finish(struct media *self, trl_ctx *ctx, struct trl_id id,
    const struct upload_told *told) TRL_MUST_CHECK;

/* Ends an upload: its row, bytes and reservation go; a file that it became stays. For
 * the sweep, which finds those past expires_at; under the upload's tenant. One with all
 * of its bytes becomes a file, if it can, and ends the next time. Errors: TRL_CONFLICT
 * (it has changed since it was read, or its bytes are still needed), those of
 * upload_finish. */
enum trl_code upload_expire(
    struct media *self, trl_ctx *ctx, const upload_row *row) TRL_MUST_CHECK;

/* After a file was purged or rejected: if it was still to be assembled, removes the
 * parts that nothing else needs, since nothing counts them any more. Does nothing for
 * other files. May be repeated. Errors: faults. */
enum trl_code upload_file_gone(
    struct media *self, trl_ctx *ctx, struct trl_id file) TRL_MUST_CHECK;

/* Finishes an upload that a process which died has left complete. */
extern const struct trl_job_kind upload_finish_job;
/* Assembles a final upload. */
extern const struct trl_job_kind upload_join_job;
/* Start-up: its counter. */
void upload_join_open(void);
/* Ends the uploads of a former member, of whom the subscription hears. */
extern const struct trl_job_kind upload_left_job;
extern const struct trl_subscription upload_hears_members;
