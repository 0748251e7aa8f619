/* again.c - a POST with a body is all or nothing, also where its process was killed in
 * the middle, or after the file was made and before the answer was recorded. Until it
 * is, the upload's row knows which request began it: whoever sends that again (by its
 * Idempotency-Key) finds it, and is 409 while that goes on; else it ends it and begins
 * anew, or is answered what the first one was not. */
#include <string.h>

#include <sodium.h>

#include "upload/create.h"
#include "upload/end.h"
#include "upload/writer.h"

enum { TRIES = 3, AGAIN_MS = 1000 };
/* What nobody holds is about to become a file, or was left by a kill just then; what
 * has not moved for long does not go on, whoever holds it. */
#define SETTLING_US INT64_C(60000000)
#define STANDING_US INT64_C(600000000)

bool
upload_request_key(const trl_ctx *ctx, uint8_t key[UPLOAD_REQUEST_KEY])
{
	const struct trl_idempotency *said = &ctx->idempotency;
	crypto_generichash_state state;

	if (!said->key || !said->from_client)
		return false;
	crypto_generichash_init(&state, NULL, 0, UPLOAD_REQUEST_KEY);
	crypto_generichash_update(&state, said->scope, sizeof said->scope);
	crypto_generichash_update(&state, said->request, sizeof said->request);
	crypto_generichash_update(
	    &state, (const uint8_t *)said->key, strlen(said->key));
	crypto_generichash_final(&state, key, UPLOAD_REQUEST_KEY);
	return true;
}

/* Whether another run of the request still goes on. */
static enum trl_code
goes_on(struct media *self, trl_ctx *ctx, const upload_row *row, bool *out)
{
	const int64_t rests_us =
	    upload_expiry(self, ctx) - trl_value_time_us(row->expires_at);

	*out = rests_us < SETTLING_US;
	if (!row->has_holder || rests_us > STANDING_US)
		return TRL_OK;
	if (!trl_id_eq(trl_value_id(row->holder), self->uploads->holder))
		return upload_ask_holder(ctx, self, row, out);
	*out = *out || upload_writer_find(self->uploads, ctx->tenant,
			   trl_value_id(row->id), trl_value_id(row->uploader));
	return TRL_OK;
}

enum trl_code
upload_still_runs(trl_ctx *ctx)
{
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = trl_fail(
	    ctx, TRL_CONFLICT, "A request with this Idempotency-Key is still running.");
	trl_err_retry_after(ctx, AGAIN_MS);
	return rc;
}

enum trl_code
upload_again(struct media *self, trl_ctx *ctx, const uint8_t key[UPLOAD_REQUEST_KEY],
    upload_row *out)
{
	enum trl_code rc = TRL_OK;
	bool runs = false;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		media__v1__upload_row__init(out);
		rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
		    &media_sql_upload_of_request, NULL, &out->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_BYTES("request_key", key, UPLOAD_REQUEST_KEY));
		if (rc != TRL_OK || !out->has_id || out->finished_at)
			return rc;
		rc = goes_on(self, ctx, out, &runs);
		if (rc == TRL_OK && runs)
			rc = upload_still_runs(ctx);
		if (rc != TRL_OK)
			return rc;
		rc = upload_end_now(self, ctx, out, UPLOAD_FENCE_MS, NULL);
		if (rc == TRL_OK || rc == TRL_NOT_FOUND) {
			trl_err_clear(ctx);
			media__v1__upload_row__init(out);
			return TRL_OK;
		}
		if (rc != TRL_CONFLICT) /* it came further, or has become a file */
			return rc;
		trl_err_clear(ctx);
	}
	return upload_still_runs(ctx);
}
