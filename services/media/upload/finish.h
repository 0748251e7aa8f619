/* finish.h - how an upload becomes a file (finish.c), for the files of this folder. An
 * actor. */
#pragma once

#include "kinds/kinds.h"
#include "upload/upload.h"

/* A finished partial upload of at most this length has its bytes in its row, too. */
enum { UPLOAD_HEAD_KEPT = 8 << 10 };

/* Finds the type of a file by its first bytes, and whether its collection takes that.
 * Errors: TRL_UNSUPPORTED_MEDIA_TYPE. */
enum trl_code upload_look_at(struct media *self, trl_ctx *ctx, const upload_row *row,
    const void *head, size_t len, struct kind *out) TRL_MUST_CHECK;
/* Fills the file of an upload, except its state and hash. */
void upload_file_of(trl_ctx *ctx, const upload_row *row, const char *type,
    uint64_t size, media_file *out);
void upload_add_file(trl_ctx *ctx, const media_file *file, trl_batch *work);
/* Adds the jobs that inspect a file whose bytes are all in the store. True: it is not
 * ready before they have. */
bool upload_looks(
    struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work);
/* As upload_finish, for an upload whose length is unknown: it ends with what it has.
 * out is the file, and the reply. */
enum trl_code upload_end_and_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id, media_file *out) TRL_MUST_CHECK;
/* As upload_finish, without waiting for another that is finishing it. */
enum trl_code upload_try_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id) TRL_MUST_CHECK;
