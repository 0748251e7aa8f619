/* test_pictures.h - a world with pictures of sizes by name, and links to others.
 * Include it once in a test's program. */
#pragma once

#include "test_files.h"

#include "file/file.h"
#include "variant/test_png.h"
#include "variant/variant.h"

static const char collections_json[] =
    "{\"collections\": ["
    "{\"name\": \"files\", \"visibility\": \"tenant\", \"max_bytes\": 100000000,"
    " \"variants\": [{\"name\": \"thumb\", \"options\": \"w_32,h_32\"},"
    "  {\"name\": \"card\", \"options\": \"w_20,h_20,fit_cover,f_webp,q_70\"},"
    "  {\"name\": \"any\", \"options\": \"w_16,f_auto\"},"
    "  {\"name\": \"small\", \"options\": \"w_16,f_avif\"}]},"
    "{\"name\": \"private\", \"visibility\": \"private\", \"max_bytes\": 1000000},"
    "{\"name\": \"pictures\", \"visibility\": \"public\", \"max_bytes\": 1000000,"
    " \"types\": [\"image/*\"],"
    " \"variants\": [{\"name\": \"thumb\", \"options\": \"w_32\"}]}]}";

static Media__V1__ContentBytes *answer;

static inline int
open_world(void **state)
{
	setenv("TRELLIS_MEDIA_COLLECTIONS", collections_json, 1);
	return files_open(state);
}

static inline void
put_png(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { home, *(struct trl_id *)arg, "" };
	struct media *self = world.self;

	assert_int_equal(
	    store_put(ctx, self->store, &object, png.data, png.len), TRL_OK);
}

/* What was drawn, as a file that has just come. */
static inline struct trl_id
keep(const char *collection, const char *state)
{
	struct trl_id id = files_make((struct files_new){ .collection = collection,
	    .name = "cat.jpeg.png",
	    .type = "image/png",
	    .state = state,
	    .size = png.len });

	world_act(put_png, &id);
	return id;
}

static inline struct trl_id
picture(void)
{
	draw(100, 60, true);
	return keep("files", "ready");
}

static inline media_file *
file_now(struct trl_id id)
{
	const struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__GetFileRequest in = MEDIA__V1__GET_FILE_REQUEST__INIT;
	media_file *file = NULL;

	trl_set(&in, file_id, world_bytes(&id));
	assert_int_equal(world_call(&who, &media_v1_get_file, &in.base, &file), TRL_OK);
	return file;
}

static inline enum trl_code
link_to(struct trl_id id, const char *options, char url[512])
{
	const struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__CreateLinkRequest in = MEDIA__V1__CREATE_LINK_REQUEST__INIT;
	Media__V1__Link *link = NULL;
	enum trl_code rc;

	trl_set(&in, file_id, world_bytes(&id));
	in.options = (char *)(uintptr_t)options;
	rc = world_call(&who, &media_v1_create_link, &in.base, &link);
	if (rc == TRL_OK)
		snprintf(url, 512, "%s", link->url);
	return rc;
}

/* The request for a path, whose text it changes. */
static inline Media__V1__GetSignedRequest
signed_request(char *url)
{
	Media__V1__GetSignedRequest in = MEDIA__V1__GET_SIGNED_REQUEST__INIT;
	char *save = NULL, **const segments[] = { NULL, &in.signature, &in.key,
		&in.expires, &in.tenant, &in.file, &in.options, &in.link };

	for (size_t i = 0; i < TRL_COUNT(segments); i++) {
		char *part = strtok_r(i ? NULL : url, "/", &save);

		assert_non_null(part);
		if (segments[i])
			*segments[i] = part;
	}
	in.verb = (char *)(uintptr_t) "GET";
	return in;
}

static inline enum trl_code
get(struct trl_id id, const char *variant, const char *accept, const char *has)
{
	const struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__GetVariantRequest in = MEDIA__V1__GET_VARIANT_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&id));
	in.variant = (char *)(uintptr_t)variant;
	in.verb = (char *)(uintptr_t) "GET";
	in.accept = (char *)(uintptr_t)accept;
	in.if_none_match = (char *)(uintptr_t)has;
	return world_call(&who, &media_v1_get_variant, &in.base, &answer);
}

static inline void
assert_gives(const char *type, const char *magic, size_t n)
{
	assert_string_equal(answer->type, type);
	assert_true(world.given.len > n);
	assert_memory_equal(world.given.data, magic, n);
	assert_int_equal(answer->length, world.given.len);
}

static inline void
begin(trl_ctx *ctx, void *arg)
{
	struct media *self = world.self;
	media_file *file = media_v1_file_new(ctx);
	trl_batch *work;

	ctx->tenant = home;
	ctx->service = "media";
	assert_int_equal(file_find(self, ctx, *(struct trl_id *)arg, file), TRL_OK);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(home));
	assert_int_equal(
	    variant_begin(self, file, work), strcmp(file->collection, "pictures") == 0);
	assert_int_equal(trl_batch_write_unrecorded(work), TRL_OK);
}

static inline void
run_job(struct trl_id id)
{
	world_act(begin, &id);
	files_wait("variants");
}
