/* test_body.c - see test_body.h. */
#include "test_body.h"

#include <string.h>

#include <sodium.h>

enum { AT_ONCE = 100000 };

enum trl_code
body_open(trl_ctx *ctx, trl_bus *bus, enum sample_method method, const char *text,
    uint64_t num, const struct trl_stream_terms *terms, trl_stream **out)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	in.service = (char *)(uintptr_t)text;
	in.has_up_ms = true;
	in.up_ms = num;
	return trl_stream_open(ctx, bus, sample_methods[method], &in.base, terms, out);
}

enum trl_code
body_write(trl_ctx *ctx, trl_stream *stream, uint64_t len)
{
	uint8_t *bytes = malloc(AT_ONCE);
	enum trl_code rc = TRL_OK;
	MUST(bytes != NULL);
	for (uint64_t at = 0; rc == TRL_OK && at < len; at += AT_ONCE) {
		size_t n = len - at < AT_ONCE ? (size_t)(len - at) : AT_ONCE;
		sample_fill(bytes, at, n);
		rc = trl_stream_write(ctx, stream, bytes, n);
	}
	free(bytes);
	return rc;
}

enum trl_code
body_read(trl_ctx *ctx, trl_stream *stream, uint64_t *len)
{
	uint8_t *bytes = malloc(TRL_STREAM_PIECE);
	struct trl_piece piece;
	enum trl_code rc;
	MUST(bytes != NULL);
	*len = 0;
	while ((rc = trl_stream_read(ctx, stream, &piece)) == TRL_OK && piece.len > 0) {
		MUST(piece.fd == -1 && piece.len <= TRL_STREAM_PIECE);
		sample_fill(bytes, *len, piece.len);
		MUST(memcmp(bytes, piece.data, piece.len) == 0);
		*len += piece.len;
	}
	free(bytes);
	return rc;
}

sample_note *
body_reply(trl_ctx *ctx, trl_stream *stream)
{
	ProtobufCMessage *reply = NULL;
	MUST(trl_stream_reply(ctx, stream, &reply) == TRL_OK && reply != NULL);
	return (sample_note *)(void *)reply;
}

const char *
body_hash(trl_ctx *ctx, uint64_t len)
{
	crypto_generichash_state hash;
	uint8_t digest[32];
	char *hex = trl_arena_alloc(ctx->arena, 65);
	uint8_t *bytes = malloc(AT_ONCE);
	MUST(bytes != NULL);
	crypto_generichash_init(&hash, NULL, 0, sizeof digest);
	for (uint64_t at = 0; at < len; at += AT_ONCE) {
		size_t n = len - at < AT_ONCE ? (size_t)(len - at) : AT_ONCE;
		sample_fill(bytes, at, n);
		crypto_generichash_update(&hash, bytes, n);
	}
	crypto_generichash_final(&hash, digest, sizeof digest);
	free(bytes);
	return sodium_bin2hex(hex, 65, digest, sizeof digest);
}
