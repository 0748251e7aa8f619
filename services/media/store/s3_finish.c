/* s3_finish.c - an upload into a bucket becomes an object: its parts are made one by
 * the server, so it costs the same whatever there is. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/log.h>

/* The tail becomes the last part. */
static enum trl_code
add_tail(trl_ctx *ctx, struct s3_store *store, const struct store_object *object,
    const char *key, struct s3_state *state, size_t len)
{
	uint8_t *bytes = malloc(len);
	char tail[S3_KEY_BYTES];
	trl_share *share;
	enum trl_code rc;

	trl_assert(bytes != NULL);
	/* Writers wait for it. */
	share = trl_share_join(&store->writers, object->tenant);
	trl_share_change(share, 0, s3_room_of(len));
	s3_tail_of(object, state->tail_generation, state->bytes, tail);
	rc = s3_read_key(ctx, store, tail, bytes, len);
	if (rc == TRL_OK)
		rc = s3_add_part(ctx, store, key, state, bytes, len);
	free(bytes);
	trl_share_give(&share, s3_room_of(len));
	return rc;
}

static enum trl_code
make_one(trl_ctx *ctx, struct s3_store *store, const struct store_object *object,
    const char *key, struct s3_state *state, uint64_t size)
{
	enum trl_code rc = TRL_OK;

	if (size > state->bytes)
		rc = add_tail(
		    ctx, store, object, key, state, (size_t)(size - state->bytes));
	return rc == TRL_OK ? s3_complete(ctx, store, key, state) : rc;
}

/* Nobody reads them any more; what stays the sweep finds. */
static void
remove_tails(trl_ctx *ctx, struct s3_store *store, const char *key)
{
	char prefix[S3_KEY_BYTES + 8];

	snprintf(prefix, sizeof prefix, "%s.tail/", key);
	if (s3_remove_all(ctx, store, prefix) == TRL_OK)
		return;
	trl_log(TRL_LOG_INFO, ctx, "remainders of an upload are left to the sweep",
	    TRL_LOG_STR("key", key));
	trl_err_clear(ctx);
}

/* Whether a finish before has made it one: then there are no parts any more. */
static enum trl_code
was_made(trl_ctx *ctx, struct s3_store *store, const struct store_object *object,
    uint64_t size, enum trl_code why)
{
	uint64_t found;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = s3_size(ctx, &store->base, object, &found);
	if (rc == TRL_OK && found != size)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "These bytes are missing.");
	if (rc != TRL_NOT_FOUND || why != TRL_GONE)
		return rc;
	trl_err_clear(ctx);
	return s3_ended(ctx);
}

static enum trl_code
finish(trl_ctx *ctx, struct s3_store *store, const struct store_object *object,
    const struct store_place *whole, struct s3_state *state)
{
	char key[S3_KEY_BYTES];
	const bool tails = state->tails;
	enum trl_code rc;

	s3_key_of(object, key);
	if (whole->offset < state->bytes ||
	    whole->offset - state->bytes > state->tail_bytes)
		return trl_fail(ctx, TRL_NOT_FOUND, "These bytes are missing.");
	rc = make_one(ctx, store, object, key, state, whole->offset);
	if (rc == TRL_NOT_FOUND || rc == TRL_GONE)
		rc = was_made(ctx, store, object, whole->offset, rc);
	if (rc == TRL_OK && tails)
		remove_tails(ctx, store, key);
	return rc;
}

enum trl_code
s3_finish(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const struct store_place *whole)
{
	struct s3_store *store = (struct s3_store *)base;
	struct s3_state state;
	enum trl_code rc;

	if (whole->offset == 0)
		return s3_put(ctx, base, object, "", 0);
	if (!s3_state_read(&state, whole->state, whole->state_len))
		return trl_fail(ctx, TRL_INTERNAL,
		    "an upload's state is not one of the S3 store's");
	rc = finish(ctx, store, object, whole, &state);
	s3_state_fini(&state);
	return rc;
}

enum trl_code
s3_put(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const void *data, size_t len)
{
	struct s3_store *store = (struct s3_store *)base;
	char key[S3_KEY_BYTES];
	const struct s3_ask ask = {
		.method = "PUT", .key = key, .body = data, .body_len = len
	};

	s3_key_of(object, key);
	return s3_there(ctx, s3_do(ctx, store, &ask));
}
