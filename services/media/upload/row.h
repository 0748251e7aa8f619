/* row.h - an upload's row (row.c), for the files of this folder. An actor. */
#pragma once

#include "store/store.h"
#include "upload/upload.h"

enum { UPLOAD_FINAL_KEY = 32, UPLOAD_REQUEST_KEY = 32 };

/* Reads a row of the caller's. Errors: TRL_NOT_FOUND. */
enum trl_code upload_read(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;
/* Reads a row of any uploader; *out has no id if there is none. */
enum trl_code upload_find(
    struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out) TRL_MUST_CHECK;
struct store_object upload_object(struct trl_id tenant, struct trl_id id);
bool upload_is_final(const upload_row *row);
/* Whether all of its bytes are durable. */
bool upload_is_whole(const upload_row *row);
bool upload_is_expired(const trl_ctx *ctx, const upload_row *row);

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
