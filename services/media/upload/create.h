/* create.h - how an upload begins, for the files of this folder. An actor. */
#pragma once

#include "upload/row.h"

/* create.c */

/* NULL, or why the header fields are not valid. checksum and digest may be NULL. */
const char *upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out) TRL_MUST_CHECK;
char *upload_location(trl_ctx *ctx, struct trl_id id);

/* final.c */

struct tus_concat;
/* Creates a final upload. Errors: as CreateUpload. */
enum trl_code upload_create_final(struct media *self, trl_ctx *ctx,
    const struct upload_plan *plan, const struct tus_concat *concat,
    Media__V1__CreatedUpload *out) TRL_MUST_CHECK;

/* again.c: a POST with a body and a client's key that is sent once more. */

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
