/* become.h - what all uploads have in common when they become files. For the files of
 * this folder. */
#pragma once

#include "kinds/kinds.h"
#include "upload/upload.h"

/* A finished partial upload of at most this length has its bytes in its row, too. */
enum { UPLOAD_HEAD_KEPT = 8 << 10 };

/* finish.c */

/* Finds the type of a file by its first bytes, and whether its collection takes that.
 * Errors: TRL_UNSUPPORTED_MEDIA_TYPE. */
enum trl_code upload_look_at(struct media *self, trl_ctx *ctx, const upload_row *row,
    const void *head, size_t len, struct kind *out) TRL_MUST_CHECK;
/* Fills the file of an upload, except its state and hash. */
void upload_file_of(trl_ctx *ctx, const upload_row *row, const char *type,
    uint64_t size, media_file *out);
void upload_add_file(trl_ctx *ctx, const media_file *file, trl_batch *work);
/* Reads a row of any uploader; *out has no id if there is none. */
enum trl_code upload_find(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;

/* As upload_finish, for an upload whose length is unknown: it ends with what it has.
 * out is the file, and the reply. */
enum trl_code upload_end_and_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id, media_file *out) TRL_MUST_CHECK;
/* As upload_finish, without waiting for another that is finishing it. */
enum trl_code upload_try_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id) TRL_MUST_CHECK;

/* become.c: adds the jobs that inspect a file whose bytes are all in the store. True:
 * it is not ready before they have. */
bool upload_looks(
    struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work);
/* Adds the row of a file that has all of its bytes and their hash, in its initial
 * state, and what follows from that. */
void upload_become(struct media *self, trl_ctx *ctx, media_file *file, trl_batch *work);

/* final.c */

struct tus_concat;
/* Creates a final upload. Errors: as CreateUpload. */
enum trl_code upload_create_final(struct media *self, trl_ctx *ctx,
    const struct upload_plan *plan, const struct tus_concat *concat,
    Media__V1__CreatedUpload *out) TRL_MUST_CHECK;

/* create.c */

/* Fills the row that a plan asks for; reserves nothing.
 * Errors: TRL_INVALID, TRL_UNSUPPORTED_MEDIA_TYPE, TRL_TOO_LARGE. */
enum trl_code upload_row_of(struct media *self, trl_ctx *ctx,
    const struct upload_plan *plan, upload_row *out) TRL_MUST_CHECK;
/* Adds the row to a batch. keys: what else it is found by, or NULL. */
struct upload_keys {
	const void *final;   /* UPLOAD_FINAL_KEY bytes */
	const void *request; /* UPLOAD_REQUEST_KEY bytes */
};
void upload_add_row(trl_ctx *ctx, const upload_row *row, const struct trl_id *parts,
    size_t n_parts, const struct upload_keys *keys, trl_batch *work);
char *upload_location(trl_ctx *ctx, struct trl_id id);
