/* store.c - what both kinds of store do alike, and which one a call is for. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "../config.h"

enum { KEPT_BACK_MS = 15000 };

static enum trl_code
be_sure(trl_ctx *ctx, media_store *store)
{
	return store->sure && !store->lost ? TRL_OK : store->way->make_sure(ctx, store);
}

#define STORE_BE_SURE(ctx, store)                                                      \
	do {                                                                           \
		const enum trl_code sure_ = be_sure((ctx), (store));                   \
		if (sure_ != TRL_OK)                                                   \
			return sure_;                                                  \
	} while (0)

enum trl_code
store_writer_open(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	store_writer *writer;
	enum trl_code rc;

	trl_assert(object->part[0] == '\0' && from->offset <= from->length);
	STORE_BE_SURE(ctx, store);
	rc = store->way->writer_open(ctx, store, object, from, &writer);
	if (rc != TRL_OK)
		return rc;
	writer->store = store;
	writer->offset = writer->durable = from->offset;
	writer->length = from->length;
	writer->generation = from->generation;
	*out = writer;
	return TRL_OK;
}

static uint64_t
bytes_of(const struct iovec *at, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		trl_assert(at[i].iov_len <= TRL_STREAM_PIECE);
		sum += at[i].iov_len;
	}
	return sum;
}

enum trl_code
store_writer_write_all(trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces)
{
	enum trl_code rc;

	trl_assert(!writer->busy && !writer->broken &&
		   bytes_of(pieces->at, pieces->n) <= writer->length - writer->offset);
	writer->busy = true;
	pieces->written = 0;
	rc = writer->store->way->writer_write(ctx, writer, pieces);
	writer->busy = false;
	writer->offset += bytes_of(pieces->at, pieces->written);
	writer->broken = trl_is_fault(rc);
	return rc;
}

enum trl_code
store_writer_write(trl_ctx *ctx, store_writer *writer, const void *data, size_t len)
{
	const struct iovec piece = { (void *)(uintptr_t)data, len };
	struct store_pieces pieces = { .at = &piece, .n = 1 };

	return store_writer_write_all(ctx, writer, &pieces);
}

void
store_writer_length(store_writer *writer, uint64_t length)
{
	trl_assert(writer->length == STORE_LENGTH_UNKNOWN && length >= writer->offset);
	writer->length = length;
}

enum trl_code
store_writer_sync(trl_ctx *ctx, store_writer *writer, struct store_place *now)
{
	struct store_place place = { .offset = writer->offset,
		.length = writer->length,
		.generation = writer->generation };
	enum trl_code rc;

	trl_assert(!writer->busy && !writer->broken);
	writer->busy = true;
	rc = writer->store->way->writer_sync(ctx, writer, &place);
	writer->busy = false;
	writer->broken = rc != TRL_OK;
	if (rc != TRL_OK)
		return rc;
	writer->durable = writer->offset;
	*now = place;
	return TRL_OK;
}

void
store_writer_close(store_writer **writer)
{
	store_writer *it = TRL_TAKE(*writer);

	if (it == NULL)
		return;
	trl_assert(!it->busy);
	it->store->way->writer_close(it);
}

enum trl_code
store_finish(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *whole)
{
	STORE_BE_SURE(ctx, store);
	return store->way->finish(ctx, store, object, whole);
}

enum trl_code
store_abandon(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	STORE_BE_SURE(ctx, store);
	return store->way->abandon(ctx, store, object);
}

enum trl_code
store_put(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const void *data, size_t len)
{
	STORE_BE_SURE(ctx, store);
	return store->way->put(ctx, store, object, data, len);
}

enum trl_code
store_size(
    trl_ctx *ctx, media_store *store, const struct store_object *object, uint64_t *size)
{
	STORE_BE_SURE(ctx, store);
	return store->way->size(ctx, store, object, size);
}

enum trl_code
store_reader_open(trl_ctx *ctx, media_store *store, const struct store_object *object,
    uint64_t offset, uint64_t len, store_reader **out)
{
	enum trl_code rc;

	STORE_BE_SURE(ctx, store);
	rc = store->way->reader_open(ctx, store, object, offset, len, out);
	if (rc != TRL_OK)
		return rc;
	(*out)->store = store;
	(*out)->offset = offset;
	(*out)->left = len;
	return TRL_OK;
}

enum trl_code
store_reader_next(trl_ctx *ctx, store_reader *reader, const uint8_t **data, size_t *len)
{
	enum trl_code rc;

	*len = 0;
	if (reader->left == 0)
		return TRL_OK;
	rc = reader->store->way->reader_next(ctx, reader, data, len);
	if (rc != TRL_OK)
		return rc;
	trl_assert(*len > 0 && *len <= reader->left);
	reader->offset += *len;
	reader->left -= *len;
	return TRL_OK;
}

void
store_reader_close(store_reader **reader)
{
	store_reader *it = TRL_TAKE(*reader);

	if (it != NULL)
		it->store->way->reader_close(it);
}

static enum trl_code
give_pieces(trl_ctx *ctx, store_reader *reader, trl_stream *stream)
{
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	while ((rc = store_reader_next(ctx, reader, &data, &len)) == TRL_OK && len > 0)
		if ((rc = trl_stream_write(ctx, stream, data, len)) != TRL_OK)
			return rc;
	return rc;
}

enum trl_code
store_give(trl_ctx *ctx, media_store *store, const struct store_object *object,
    trl_stream *stream, uint64_t offset, uint64_t len)
{
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	enum trl_code rc;

	if (store->way->give != NULL) {
		STORE_BE_SURE(ctx, store);
		return store->way->give(ctx, store, object, stream, offset, len);
	}
	rc = store_reader_open(ctx, store, object, offset, len, &reader);
	return rc == TRL_OK ? give_pieces(ctx, reader, stream) : rc;
}

const char *
store_url(trl_ctx *ctx, const media_store *store, const struct store_object *object,
    uint64_t seconds, const char *type, const char *disposition)
{
	return store->way->url == NULL
		   ? NULL
		   : store->way->url(ctx, store, object, seconds, type, disposition);
}

static enum trl_code
read_by_reader(trl_ctx *ctx, media_store *store, const struct store_object *object,
    uint64_t offset, size_t len, uint8_t *into)
{
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	const uint8_t *data;
	enum trl_code rc = store_reader_open(ctx, store, object, offset, len, &reader);
	size_t n;

	if (rc != TRL_OK)
		return rc;
	while ((rc = store_reader_next(ctx, reader, &data, &n)) == TRL_OK && n > 0) {
		memcpy(into, data, n);
		into += n;
	}
	return rc;
}

enum trl_code
store_head(trl_ctx *ctx, media_store *store, const struct store_object *object,
    uint64_t offset, size_t len, void *into, size_t *got)
{
	uint64_t size;
	enum trl_code rc = store_size(ctx, store, object, &size);

	if (rc != TRL_OK)
		return rc;
	if (offset > size)
		offset = size;
	if (len > size - offset)
		len = (size_t)(size - offset);
	if (len > 0)
		rc = store->way->read
			 ? store->way->read(ctx, store, object, offset, len, into)
			 : read_by_reader(ctx, store, object, offset, len, into);
	if (rc == TRL_OK)
		*got = len;
	return rc;
}

enum trl_code
store_fetch(
    trl_ctx *ctx, media_store *store, const struct store_object *object, int *fd)
{
	STORE_BE_SURE(ctx, store);
	return store->way->fetch(ctx, store, object, fd);
}

enum trl_code
store_remove(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	STORE_BE_SURE(ctx, store);
	return store->way->remove(ctx, store, object);
}

enum trl_code
store_remove_tenant(trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more)
{
	STORE_BE_SURE(ctx, store);
	return store->way->remove_tenant(ctx, store, tenant, more);
}

uint64_t
store_until(trl_ctx *ctx)
{
	const uint64_t left_ms = trl_time_left_ms(ctx);

	return trl_mono_us() +
	       (left_ms > KEPT_BACK_MS ? left_ms - KEPT_BACK_MS : 0) * 1000;
}

enum trl_code
store_list(trl_ctx *ctx, media_store *store, struct store_listing *at)
{
	STORE_BE_SURE(ctx, store);
	trl_assert(!at->ended);
	at->found = NULL;
	at->n = at->passed = 0;
	return store->way->list(ctx, store, at);
}

enum trl_code
store_sweeps(trl_ctx *ctx, media_store *store, uint64_t *sweeps)
{
	STORE_BE_SURE(ctx, store);
	return store->way->sweeps(ctx, store, sweeps, NULL);
}

enum trl_code
store_sweeps_set(trl_ctx *ctx, media_store *store, uint64_t sweeps)
{
	uint64_t before;

	STORE_BE_SURE(ctx, store);
	return store->way->sweeps(ctx, store, &before, &sweeps);
}

bool
store_mark_read(const char *text, size_t len, struct store_mark *out)
{
	char words[STORE_MARK_BYTES + 1] = "", *end = words + TRL_ID_TEXT - 1;

	if (len < TRL_ID_TEXT || len > STORE_MARK_BYTES || text[len - 1] != '\n')
		return false;
	memcpy(words, text, len - 1);
	if (!trl_id_parse(words, TRL_ID_TEXT - 1, &out->id))
		return false;
	out->sweeps = 0;
	if (*end == ' ' && end[1] >= '0' && end[1] <= '9')
		out->sweeps = strtoull(end + 1, &end, 10);
	return *end == '\0' && end == words + len - 1;
}

size_t
store_mark_write(const struct store_mark *mark, char text[STORE_MARK_BYTES])
{
	char id[TRL_ID_TEXT];
	int n;

	trl_id_format(mark->id, id);
	n = snprintf(
	    text, STORE_MARK_BYTES, "%s %llu\n", id, (unsigned long long)mark->sweeps);
	return (size_t)n;
}

enum trl_code
store_forget(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	STORE_BE_SURE(ctx, store);
	return store->way->forget(ctx, store, found);
}
