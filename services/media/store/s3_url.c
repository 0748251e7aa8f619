/* s3_url.c - URLs that let a client read an object from the S3 server itself, for a
 * while. Whoever has one needs nobody's leave any more, so they are short-lived. */
#include "s3.h"

#include <string.h>

#include <trl/clock.h>

static void
add_member(struct trl_buf *query, const char *name, const char *value)
{
	trl_buf_printf(query, "%s%s=", query->len > 0 ? "&" : "", name);
	sigv4_encode(query, value, strlen(value), false);
}

const char *
s3_url(trl_ctx *ctx, const media_store *base, const struct store_object *object,
    uint64_t seconds, const char *type, const char *disposition)
{
	const struct s3_store *store = (const struct s3_store *)base;
	const struct sigv4_key key = s3_signing_key(store);
	const struct sigv4_header host = { "host", store->host };
	struct sigv4_request request = { .method = "GET",
		.headers = &host,
		.n_headers = 1,
		.payload = "UNSIGNED-PAYLOAD" };
	TRL_AUTO(trl_buf_fini)
	struct trl_buf path = { .len = 0 }, query = { .len = 0 }, url = { .len = 0 };
	char name[S3_KEY_BYTES];

	if (store->redirect_s == 0 || seconds == 0)
		return NULL;
	s3_key_of(object, name);
	trl_buf_adds(&path, store->prefix);
	sigv4_encode(&path, name, strlen(name), true);
	trl_buf_add(&path, "", 1);
	add_member(&query, "response-content-disposition", disposition);
	add_member(&query, "response-content-type", type);
	trl_buf_add(&query, "", 1);
	request.path = (const char *)path.data;
	request.query = (const char *)query.data;
	sigv4_time(trl_wall_us(), request.time);
	trl_buf_printf(&url, "%s%s?", store->url, name);
	sigv4_presign(&url, &key, &request,
	    seconds < store->redirect_s ? (uint32_t)seconds : store->redirect_s);
	return trl_arena_strndup(ctx->arena, (const char *)url.data, url.len);
}
