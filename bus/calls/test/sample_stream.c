/* sample_stream.c - the sample's methods with bodies. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/stream.h>

enum { AT_ONCE = 262144 };

void
sample_fill(uint8_t *out, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = sample_byte(at + i);
}

static bool
says(const ProtobufCMessage *in, const char *word)
{
	const char *text = ((const sample_note *)(const void *)in)->service;
	return text != NULL && strcmp(text, word) == 0;
}

static enum trl_code
ended(struct sample *self, enum trl_code rc)
{
	self->body_ended = rc;
	self->bodies++;
	return rc;
}

/* The bytes of a file's part, as if they had come. */
static void
read_file(struct trl_piece *piece, crypto_generichash_state *hash)
{
	static uint8_t bytes[65536];
	for (uint64_t at = 0; at < piece->size; at += sizeof bytes) {
		uint64_t left = piece->size - at;
		size_t n = left < sizeof bytes ? (size_t)left : sizeof bytes;
		trl_assert(pread(piece->fd, bytes, n, (off_t)(piece->offset + at)) ==
			   (ssize_t)n);
		crypto_generichash_update(hash, bytes, n);
	}
}

static enum trl_code
take_all(struct sample *self, trl_ctx *ctx, const ProtobufCMessage *in,
    ProtobufCMessage *out)
{
	trl_stream *stream = trl_stream_of(ctx);
	crypto_generichash_state hash;
	uint8_t digest[32];
	char hex[65];
	struct trl_piece piece;
	enum trl_code rc;

	crypto_generichash_init(&hash, NULL, 0, sizeof digest);
	while ((rc = trl_stream_read(ctx, stream, &piece)) == TRL_OK &&
	       (piece.len > 0 || piece.fd >= 0)) {
		self->took += piece.len + piece.size;
		if (piece.fd >= 0) {
			self->files++;
			if (says(in, "hash"))
				read_file(&piece, &hash);
			close(piece.fd);
		}
		if (says(in, "hash") && piece.len > 0)
			crypto_generichash_update(&hash, piece.data, piece.len);
		if (says(in, "half"))
			break;
		if (says(in, "wait") &&
		    (rc = trl_sleep(ctx,
			 (uint32_t)((const sample_note *)(const void *)in)->up_ms)) !=
			TRL_OK)
			break;
	}
	crypto_generichash_final(&hash, digest, sizeof digest);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	((sample_note *)(void *)out)->service = trl_arena_strdup(ctx->arena, hex);
	((sample_note *)(void *)out)->has_up_ms = true;
	((sample_note *)(void *)out)->up_ms = self->took;
	trl_unchanged(ctx);
	return rc;
}

enum trl_code
sample_take(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	s->runs++;
	s->took = 0;
	if (says(in, "refuse"))
		return ended(s, trl_fail(ctx, TRL_NOT_FOUND, "There is no such note."));
	return ended(s, take_all(s, ctx, in, out));
}

static enum trl_code
give_bytes(struct sample *self, trl_ctx *ctx, uint64_t len, bool same)
{
	uint8_t *bytes = trl_arena_alloc(ctx->arena, AT_ONCE);
	enum trl_code rc = TRL_OK;
	while (rc == TRL_OK && self->gave < len) {
		uint64_t left = len - self->gave;
		size_t n = left < AT_ONCE ? (size_t)left : AT_ONCE;
		if (!same || self->gave == 0)
			sample_fill(bytes, self->gave, n);
		rc = trl_stream_write(ctx, trl_stream_of(ctx), bytes, n);
		self->gave += rc == TRL_OK ? n : 0;
	}
	return rc;
}

static enum trl_code
give_file(struct sample *self, trl_ctx *ctx, uint64_t len)
{
	static const uint64_t offset = 12345;
	uint8_t bytes[4096];
	FILE *file = tmpfile();
	enum trl_code rc;
	trl_assert(file != NULL);
	for (uint64_t at = 0; at < len; at += sizeof bytes) {
		sample_fill(bytes, at, sizeof bytes);
		trl_assert(pwrite(fileno(file), bytes, sizeof bytes,
			       (off_t)(offset + at)) == sizeof bytes);
	}
	rc = trl_stream_write_file(ctx, trl_stream_of(ctx), fileno(file), offset, len);
	self->gave = rc == TRL_OK ? len : 0;
	fclose(file);
	return rc;
}

/* Its caller is not asked whether it is still there. */
static enum trl_code
give_held(struct sample *self, trl_ctx *ctx, uint64_t len)
{
	while (!self->go && trl_sleep(ctx, 5) == TRL_OK)
		;
	return give_file(self, ctx, len);
}

static enum trl_code
give_halves(struct sample *self, trl_ctx *ctx, uint64_t len)
{
	enum trl_code rc = give_bytes(self, ctx, len / 2, false);
	trl_set_deadline(ctx, trl_mono_us() + 10000000); /* it has something to do */
	while (rc == TRL_OK && !self->go)
		rc = trl_sleep(ctx, 5);
	return rc == TRL_OK ? give_bytes(self, ctx, len, false) : rc;
}

static enum trl_code
give_all(struct sample *self, trl_ctx *ctx, const ProtobufCMessage *in,
    ProtobufCMessage *out)
{
	trl_stream *stream = trl_stream_of(ctx);
	uint64_t len = ((const sample_note *)(const void *)in)->up_ms;
	enum trl_code rc = trl_stream_answer(ctx, stream, out);

	if (rc == TRL_OK && says(in, "file"))
		rc = give_file(self, ctx, len);
	else if (rc == TRL_OK && says(in, "held"))
		rc = give_held(self, ctx, len);
	else if (rc == TRL_OK && says(in, "halves"))
		rc = give_halves(self, ctx, len);
	else if (rc == TRL_OK)
		rc = give_bytes(
		    self, ctx, says(in, "break") ? len / 2 : len, says(in, "same"));
	if (rc == TRL_OK && says(in, "break"))
		return trl_fail(ctx, TRL_INTERNAL, "%s", "breaks off");
	return rc != TRL_OK || says(in, "forget") ? rc : trl_stream_end(ctx, stream);
}

enum trl_code
sample_give(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	sample_note *note = (void *)out;
	s->runs++;
	s->gave = 0;
	note->service = trl_arena_strdup(ctx->arena, "given");
	if (says(in, "refuse"))
		return ended(s, trl_fail(ctx, TRL_NOT_FOUND, "There is no such note."));
	if (says(in, "none"))
		return ended(s, TRL_OK);
	return ended(s, give_all(s, ctx, in, out));
}

enum trl_code
sample_turn(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	trl_stream *stream = trl_stream_of(ctx);
	struct trl_piece piece;
	enum trl_code rc = trl_stream_answer(ctx, stream, out);
	(void)in;
	s->runs++;
	s->took = 0;
	while (rc == TRL_OK && (rc = trl_stream_read(ctx, stream, &piece)) == TRL_OK &&
	       piece.len > 0) {
		s->took += piece.len;
		rc = trl_stream_write(ctx, stream, piece.data, piece.len);
	}
	return ended(s, rc == TRL_OK ? trl_stream_end(ctx, stream) : rc);
}
