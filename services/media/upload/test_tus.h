/* test_tus.h - uploads as a client has them, for the tests of this folder: include it
 * once in a test's program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "upload/row.h"
#include "upload/tus.h"
#include "upload/writer.h"
#include "test_plan.h"
#include "test_service.h"

static struct world_caller ann;

/* An organisation of its own, in which there is room for limit bytes. */
static inline void
begin_with(int64_t limit)
{
	ann = (struct world_caller){ .person = world_person_new("ann", true),
		.tenant = trl_id_new() };
	memset(&plan_says, 0, sizeof plan_says);
	plan_says.known = true;
	plan_says.number = limit;
	plan_says.plan = (char *)"team";
}

static int
begin(void **state)
{
	(void)state;
	begin_with(1 << 30);
	return 0;
}

static int
open_world(void **state)
{
	(void)state;
	return world_open_one(&media_service);
}

static inline uint8_t *
bytes_of(size_t len, unsigned seed)
{
	uint8_t *bytes = trl_arena_alloc(world.arena, len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((i * 2654435761u + seed) >> 13 | 0x80);
	return bytes;
}

static inline const char *
hash_of(const void *data, size_t len)
{
	char *text = trl_arena_alloc(world.arena, HASH_TEXT);
	uint8_t hash[32];

	crypto_hash_sha256(hash, data, len);
	return sodium_bin2hex(text, HASH_TEXT, hash, sizeof hash);
}

static inline const char *
base64_of(const void *data, size_t len)
{
	const size_t room =
	    sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);

	return sodium_bin2base64(trl_arena_alloc(world.arena, room), room, data, len,
	    sodium_base64_VARIANT_ORIGINAL);
}

/* What a POST says; a whole upload of length bytes, where nothing else is set. */
struct tus_post {
	uint64_t length;
	const char *defer, *metadata, *concat, *checksum, *digest, *key;
	bool no_length;
	const void *body;
	size_t body_len;
	bool untold; /* Content-Length is not there */
};

static inline enum trl_code
tus_post(const struct world_caller *as, const struct tus_post *post,
    Media__V1__CreatedUpload **out)
{
	Media__V1__CreateUploadRequest in = MEDIA__V1__CREATE_UPLOAD_REQUEST__INIT;
	struct world_caller who = *as;

	in.tus_resumable = (char *)"1.0.0";
	if (!post->no_length)
		trl_set(&in, upload_length, post->length);
	in.upload_defer_length = (char *)(uintptr_t)post->defer;
	in.upload_metadata = (char *)(uintptr_t)post->metadata;
	in.upload_concat = (char *)(uintptr_t)post->concat;
	in.upload_checksum = (char *)(uintptr_t)post->checksum;
	in.content_digest = (char *)(uintptr_t)post->digest;
	if (!post->untold)
		trl_set(&in, content_length, post->body_len);
	who.body = post->body;
	who.body_len = post->body_len;
	who.idempotency_key = post->key;
	return world_call(&who, &media_v1_create_upload, &in.base, out);
}

static inline struct trl_id
id_of(const char *location)
{
	struct trl_id id;

	assert_memory_equal(location, TUS_PATH, strlen(TUS_PATH));
	location += strlen(TUS_PATH);
	assert_true(trl_id_parse(location, strlen(location), &id));
	return id;
}

/* A POST that must be. */
static inline struct trl_id
tus_begin(const struct tus_post *post)
{
	Media__V1__CreatedUpload *out;

	assert_int_equal(tus_post(&ann, post, &out), TRL_OK);
	return id_of(out->location);
}

struct tus_patch {
	uint64_t offset;
	const void *body;
	size_t len;
	const char *checksum, *digest;
	bool has_length, no_offset, untold;
	uint64_t length, said; /* Upload-Length; Content-Length where it lies */
};

static inline void
patch_request(
    struct trl_id *id, const struct tus_patch *patch, Media__V1__PatchUploadRequest *in)
{
	media__v1__patch_upload_request__init(in);
	in->tus_resumable = (char *)"1.0.0";
	trl_set(in, upload_id, world_bytes(id));
	if (!patch->no_offset)
		trl_set(in, upload_offset, patch->offset);
	if (patch->has_length)
		trl_set(in, upload_length, patch->length);
	in->upload_checksum = (char *)(uintptr_t)patch->checksum;
	in->content_digest = (char *)(uintptr_t)patch->digest;
	if (!patch->untold)
		trl_set(in, content_length, patch->said ? patch->said : patch->len);
}

static inline enum trl_code
tus_patch(const struct world_caller *as, struct trl_id id,
    const struct tus_patch *patch, uint64_t *offset)
{
	Media__V1__PatchUploadRequest in;
	Media__V1__PatchedUpload *out;
	struct world_caller who = *as;
	enum trl_code rc;

	patch_request(&id, patch, &in);
	who.body = patch->body;
	who.body_len = patch->len;
	rc = world_call(&who, &media_v1_patch_upload, &in.base, &out);
	if (rc == TRL_OK && offset)
		*offset = out->upload_offset;
	return rc;
}

static inline enum trl_code
tus_head_as(
    const struct world_caller *who, struct trl_id id, Media__V1__UploadProgress **out)
{
	Media__V1__GetUploadRequest in = MEDIA__V1__GET_UPLOAD_REQUEST__INIT;

	in.tus_resumable = (char *)"1.0.0";
	trl_set(&in, upload_id, world_bytes(&id));
	return world_call(who, &media_v1_get_upload, &in.base, out);
}

/* How far it has come, by a HEAD that must be. */
static inline uint64_t
tus_offset(struct trl_id id)
{
	Media__V1__UploadProgress *out;

	assert_int_equal(tus_head_as(&ann, id, &out), TRL_OK);
	assert_true(out->has_upload_offset);
	return out->upload_offset;
}

static inline enum trl_code
tus_delete(const struct world_caller *who, struct trl_id id)
{
	Media__V1__DeleteUploadRequest in = MEDIA__V1__DELETE_UPLOAD_REQUEST__INIT;

	in.tus_resumable = (char *)"1.0.0";
	trl_set(&in, upload_id, world_bytes(&id));
	return world_call(who, &media_v1_delete_upload, &in.base, NULL);
}

static inline media_file *
file_that(struct trl_id id)
{
	Media__V1__GetFileRequest in = MEDIA__V1__GET_FILE_REQUEST__INIT;
	media_file *out;

	trl_set(&in, file_id, world_bytes(&id));
	assert_int_equal(world_call(&ann, &media_v1_get_file, &in.base, &out), TRL_OK);
	return out;
}

/* What the organisation stores, "used reserved". */
static inline const char *
storage(void)
{
	const char *text =
	    world_sql("select used || ' ' || reserved from storage where "
		      "tenant_id = '%s'",
		world_id_text(ann.tenant));

	return *text ? text : "0 0";
}

static inline const char *
column(struct trl_id id, const char *what)
{
	return world_sql(
	    "select %s from upload where id = '%s'", what, world_id_text(id));
}

/* What was told of a file. */
static inline const char *
events_of(struct trl_id file)
{
	return world_sql("select coalesce(string_agg(type, ' ' order by id), '') from "
			 "media.outbox where subject_id = '%s'",
	    world_id_text(file));
}

/* Whether nothing is being written. */
static inline bool
is_quiet(void *arg)
{
	(void)arg;
	return uploads_drained(((struct media *)world.self)->uploads);
}

/* What lies in the store. */
struct read_back {
	struct trl_id id;
	size_t len;
	const char *hash;
	enum trl_code rc;
};

static inline void
read_back(trl_ctx *ctx, void *arg)
{
	struct read_back *what = arg;
	const struct store_object object = upload_object(ann.tenant, what->id);
	struct media *self = world.self;
	crypto_hash_sha256_state state;
	store_reader *reader = NULL;
	const uint8_t *data;
	uint8_t hash[32];
	uint64_t size = 0;
	size_t len = 1;

	crypto_hash_sha256_init(&state);
	what->rc = store_size(ctx, self->store, &object, &size);
	if (what->rc == TRL_OK)
		what->rc =
		    store_reader_open(ctx, self->store, &object, 0, size, &reader);
	while (what->rc == TRL_OK && len > 0) {
		what->rc = store_reader_next(ctx, reader, &data, &len);
		if (what->rc == TRL_OK && len > 0)
			crypto_hash_sha256_update(&state, data, len);
	}
	store_reader_close(&reader);
	crypto_hash_sha256_final(&state, hash);
	what->len = size;
	what->hash = sodium_bin2hex(
	    trl_arena_alloc(world.arena, HASH_TEXT), HASH_TEXT, hash, sizeof hash);
}

static inline void
must_lie_there(struct trl_id id, const void *data, size_t len)
{
	struct read_back found = { .id = id };

	world_act(read_back, &found);
	assert_int_equal(found.rc, TRL_OK);
	assert_int_equal(found.len, len);
	assert_string_equal(found.hash, hash_of(data, len));
}

static inline void
must_not_lie_there(struct trl_id id)
{
	struct read_back found = { .id = id };

	world_act(read_back, &found);
	assert_int_equal(found.rc, TRL_NOT_FOUND);
}
