/* give.c - the head of an answer with bytes, and then the bytes: the whole, one range
 * (206), several (206, multipart/byteranges, RFC 9110, 14.6), or none. A HEAD does not
 * touch the store. */
#include <string.h>

#include <sodium.h>

#include <trl/disposition.h>

#include "content/content.h"
#include "file/file.h"

enum { BOUNDARY_BYTES = 18, BOUNDARY_TEXT = 25, LINKED_S = 5, SHA256_BYTES = 32 };

/* Several parts in one body: a head before each, and an end after the last. */
struct parts {
	const char *heads[CONTENT_SPANS_MAX], *end;
	uint64_t length;
};

static const char *
cache_text(trl_ctx *ctx, const struct content *what)
{
	const bool is_short = what->cache == CONTENT_LINKED && what->left_s > LINKED_S;

	switch (what->cache) {
	case CONTENT_PUBLIC:
		return "public, max-age=31536000, immutable";
	case CONTENT_SIGNED:
	case CONTENT_LINKED:
		return trl_arena_printf(ctx->arena, "private, max-age=%llu",
		    (unsigned long long)(is_short ? LINKED_S : what->left_s));
	default:
		return "private, no-cache";
	}
}

/* RFC 9530: of the whole, even if a range is sent. */
static const char *
digest_text(trl_ctx *ctx, const char *sha256)
{
	uint8_t hash[SHA256_BYTES];
	char text[64];
	size_t len;

	if (!sha256 ||
	    sodium_hex2bin(
		hash, sizeof hash, sha256, strlen(sha256), NULL, &len, NULL) != 0 ||
	    len != sizeof hash)
		return NULL;
	sodium_bin2base64(
	    text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
	return trl_arena_printf(ctx->arena, "sha-256=:%s:", text);
}

/* The fields that a 304 has, too (RFC 9110, 15.4.5). */
static void
tell_tag(trl_ctx *ctx, const struct content *what, Media__V1__ContentBytes *out)
{
	out->etag = (char *)(uintptr_t)what->etag;
	out->cache = (char *)(uintptr_t)cache_text(ctx, what);
	out->vary = (char *)(what->by_accept ? "Origin, Accept" : "Origin");
}

static void
tell_whole(trl_ctx *ctx, const struct content *what, Media__V1__ContentBytes *out)
{
	out->type = (char *)(uintptr_t)what->type;
	out->modified_at = trl_value_time(ctx, what->modified_us);
	out->disposition =
	    (char *)(uintptr_t)trl_disposition(ctx->arena, what->name, what->is_inline);
	out->ranges = (char *)"bytes";
	out->digest = (char *)(uintptr_t)digest_text(ctx, what->sha256);
	trl_set(out, length, what->size);
}

static const char *
span_text(trl_ctx *ctx, const struct content_span *span, uint64_t size)
{
	return trl_arena_printf(ctx->arena, "bytes %llu-%llu/%llu",
	    (unsigned long long)span->first, (unsigned long long)span->last,
	    (unsigned long long)size);
}

static uint64_t
span_len(const struct content_span *span)
{
	return span->last - span->first + 1;
}

static void
make_parts(trl_ctx *ctx, const struct content *what, const struct content_span *spans,
    size_t n, struct parts *parts, Media__V1__ContentBytes *out)
{
	uint8_t random[BOUNDARY_BYTES];
	char boundary[BOUNDARY_TEXT];

	randombytes_buf(random, sizeof random);
	sodium_bin2base64(boundary, sizeof boundary, random, sizeof random,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	parts->end = trl_arena_printf(ctx->arena, "\r\n--%s--\r\n", boundary);
	parts->length = strlen(parts->end);
	for (size_t i = 0; i < n; i++) {
		parts->heads[i] = trl_arena_printf(ctx->arena,
		    "%s--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n",
		    i ? "\r\n" : "", boundary, what->type,
		    span_text(ctx, &spans[i], what->size));
		parts->length += strlen(parts->heads[i]) + span_len(&spans[i]);
	}
	out->type =
	    trl_arena_printf(ctx->arena, "multipart/byteranges; boundary=%s", boundary);
}

static enum trl_code
give_span(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_span *span)
{
	return store_give(ctx, self->store, &what->object, trl_stream_of(ctx),
	    span->first, span_len(span));
}

static enum trl_code
give_parts(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_span *spans, size_t n, const struct parts *parts)
{
	trl_stream *stream = trl_stream_of(ctx);
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		rc = trl_stream_write(
		    ctx, stream, parts->heads[i], strlen(parts->heads[i]));
		if (rc == TRL_OK)
			rc = give_span(self, ctx, what, &spans[i]);
	}
	return rc == TRL_OK
		   ? trl_stream_write(ctx, stream, parts->end, strlen(parts->end))
		   : rc;
}

/* Sends the ranges, which exist. */
static enum trl_code
give_some(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_span *spans, size_t n, Media__V1__ContentBytes *out)
{
	struct parts parts;
	enum trl_code rc;

	trl_set(out, status, 206);
	if (n == 1) {
		out->range = (char *)(uintptr_t)span_text(ctx, &spans[0], what->size);
		trl_set(out, length, span_len(&spans[0]));
	} else {
		make_parts(ctx, what, spans, n, &parts, out);
		trl_set(out, length, parts.length);
	}
	rc = trl_stream_answer(ctx, trl_stream_of(ctx), &out->base);
	if (rc != TRL_OK)
		return rc;
	return n == 1 ? give_span(self, ctx, what, &spans[0])
		      : give_parts(self, ctx, what, spans, n, &parts);
}

static enum trl_code
give_all(struct media *self, trl_ctx *ctx, const struct content *what, bool is_head,
    Media__V1__ContentBytes *out)
{
	trl_stream *stream = trl_stream_of(ctx);
	enum trl_code rc = trl_stream_answer(ctx, stream, &out->base);

	if (rc == TRL_OK && !is_head && what->size > 0)
		rc = store_give(ctx, self->store, &what->object, stream, 0, what->size);
	return rc;
}

static enum trl_code
refuse_range(trl_ctx *ctx, const struct content *what)
{
	trl_err_quota(ctx, "", "", (int64_t)what->size, 0);
	return trl_fail(ctx, TRL_RANGE,
	    "None of the requested ranges exists: there are %llu bytes.",
	    (unsigned long long)what->size);
}

static const char *
url_of(struct media *self, trl_ctx *ctx, const struct content *what)
{
	return store_url(ctx, self->store, &what->object, what->left_s, what->type,
	    trl_disposition(ctx->arena, what->name, what->is_inline));
}

/* Not for HEAD: the URL is signed for GET. */
static enum trl_code
redirect(trl_ctx *ctx, const char *url, Media__V1__ContentBytes *out)
{
	trl_stream *stream = trl_stream_of(ctx);
	enum trl_code rc;

	*out = (Media__V1__ContentBytes)MEDIA__V1__CONTENT_BYTES__INIT;
	trl_set(out, status, 307);
	out->location = (char *)(uintptr_t)url;
	out->cache = (char *)"private, no-store";
	rc = trl_stream_answer(ctx, stream, &out->base);
	return rc == TRL_OK ? trl_stream_end(ctx, stream) : rc;
}

enum trl_code
content_give(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_asked *asked, Media__V1__ContentBytes *out)
{
	const bool is_head = asked->verb && strcmp(asked->verb, "HEAD") == 0;
	const enum content_verdict verdict =
	    content_judge(&asked->conditions, what->etag, what->modified_us / 1000000);
	struct content_span spans[CONTENT_SPANS_MAX];
	enum content_range range = CONTENT_WHOLE;
	const char *url;
	enum trl_code rc;
	size_t n = 0;

	if (verdict == CONTENT_OTHER)
		return trl_fail(ctx, TRL_PRECONDITION,
		    "If-Match or If-Unmodified-Since does not hold: the ETag is %s.",
		    what->etag);
	tell_tag(ctx, what, out);
	if (verdict == CONTENT_NOT_MODIFIED) {
		trl_set(out, status, 304);
		rc = trl_stream_answer(ctx, trl_stream_of(ctx), &out->base);
		return rc == TRL_OK ? trl_stream_end(ctx, trl_stream_of(ctx)) : rc;
	}
	if (what->may_redirect && !is_head && (url = url_of(self, ctx, what)) != NULL)
		return redirect(ctx, url, out);
	tell_whole(ctx, what, out);
	if (what->permission)
		trl_set(out, permission, what->permission);
	if (verdict == CONTENT_GIVEN && !is_head)
		range = content_range_read(asked->range, what->size, spans, &n);
	if (range == CONTENT_NONE)
		return refuse_range(ctx, what);
	rc = range == CONTENT_SPANS ? give_some(self, ctx, what, spans, n, out)
				    : give_all(self, ctx, what, is_head, out);
	return rc == TRL_OK ? trl_stream_end(ctx, trl_stream_of(ctx))
			    : file_judge_bytes(self, ctx, what->object.file, rc);
}
