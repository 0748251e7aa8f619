/* test_variant.c - the sizes that a collection names: made by job or when they are
 * asked for, by the real process, and kept in a folder. */
#include "test_files.h"

#include "file/file.h"
#include "variant/test_pictures.h"
#include "variant/variant.h"

/* By what the client accepts. */
static bool
varies(void)
{
	return answer->vary && strstr(answer->vary, "Accept");
}
#define ASSERT_PNG() assert_gives("image/png", "\x89PNG", 4)
#define ASSERT_WEBP() assert_gives("image/webp", "RIFF", 4)

static void
a_named_one_is_made_when_it_is_asked_for_and_kept(void **state)
{
	const struct trl_id id = picture();
	char etag[64];

	(void)state;
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_OK);
	ASSERT_PNG();
	assert_int_equal(world.given.data[19], 32); /* width, then height */
	assert_int_equal(world.given.data[23], 19);
	assert_string_equal(answer->cache, "private, no-cache");
	assert_false(varies());
	assert_non_null(strstr(answer->disposition, "cat.jpeg.png"));
	assert_non_null(strstr(answer->disposition, "inline"));
	strcpy(etag, answer->etag);
	assert_int_equal(files_rows("rendition"), 1);
	assert_int_equal(get(id, "thumb", "image/webp", etag), TRL_OK);
	assert_int_equal(answer->status, 304);
	assert_int_equal(get(id, "card", NULL, NULL), TRL_OK);
	ASSERT_WEBP();
	assert_string_not_equal(answer->etag, etag);
	assert_non_null(strstr(answer->disposition, "cat.jpeg.webp"));
	assert_int_equal(files_rows("rendition"), 2);
}

static void
what_is_no_picture_or_no_name_is_not_there(void **state)
{
	struct trl_id id = picture();

	(void)state;
	assert_int_equal(get(id, "poster", NULL, NULL), TRL_NOT_FOUND);
	assert_int_equal(get(id, "w_100", NULL, NULL), TRL_NOT_FOUND); /* unsigned */
	assert_int_equal(get(id, "..", NULL, NULL), TRL_NOT_FOUND);
	id = files_make((struct files_new){ .size = 10 });
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_NOT_FOUND);
	id = files_make((struct files_new){ .size = 10, .type = "image/svg+xml" });
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_NOT_FOUND);
	id = files_make((struct files_new){ .size = 10, .type = "image/heic" });
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_NOT_FOUND);
	id = keep("private", "ready"); /* which names none */
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_NOT_FOUND);
	id = keep("files", "processing");
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_CONFLICT);
	assert_int_equal(files_rows("rendition"), 0);
}

static void
accept_decides_only_where_the_collection_says_so(void **state)
{
	const struct trl_id id = picture();

	(void)state;
	assert_int_equal(get(id, "any", "image/webp,*/*", NULL), TRL_OK);
	ASSERT_WEBP();
	assert_true(varies());
	assert_int_equal(get(id, "any", "*/*", NULL), TRL_OK);
	ASSERT_PNG();
	assert_true(varies());
	assert_int_equal(get(id, "thumb", "image/webp", NULL), TRL_OK);
	ASSERT_PNG();
	assert_false(varies());
}

/* Of four by four pixels: one that is transparent in a corner, one that is not, and one
 * that goes from the first to a green one. */
static const uint8_t clear_webp[] = { 0x52, 0x49, 0x46, 0x46, 0x1e, 0x00, 0x00, 0x00,
	0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x4c, 0x12, 0x00, 0x00, 0x00, 0x2f,
	0x03, 0xc0, 0x00, 0x10, 0x0f, 0x10, 0xf3, 0x1f, 0xf3, 0x1f, 0x8c, 0x3b, 0x3c,
	0x44, 0xf4, 0x3f, 0x1c };
static const uint8_t full_webp[] = { 0x52, 0x49, 0x46, 0x46, 0x1c, 0x00, 0x00, 0x00,
	0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x4c, 0x0f, 0x00, 0x00, 0x00, 0x2f,
	0x03, 0xc0, 0x00, 0x00, 0x07, 0x10, 0xfd, 0x8f, 0xfe, 0x07, 0x22, 0xa2, 0xff,
	0x01, 0x00 };
static const uint8_t moving_webp[] = { 0x52, 0x49, 0x46, 0x46, 0x86, 0x00, 0x00, 0x00,
	0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x58, 0x0a, 0x00, 0x00, 0x00, 0x12,
	0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x00, 0x41, 0x4e, 0x49, 0x4d,
	0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x41, 0x4e, 0x4d,
	0x46, 0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00,
	0x00, 0x03, 0x00, 0x00, 0x64, 0x00, 0x00, 0x02, 0x56, 0x50, 0x38, 0x4c, 0x12,
	0x00, 0x00, 0x00, 0x2f, 0x03, 0xc0, 0x00, 0x10, 0x0f, 0x10, 0xf3, 0x1f, 0xf3,
	0x1f, 0x8c, 0x3b, 0x3c, 0x44, 0xf4, 0x3f, 0x1c, 0x41, 0x4e, 0x4d, 0x46, 0x28,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
	0x00, 0x00, 0x64, 0x00, 0x00, 0x00, 0x56, 0x50, 0x38, 0x4c, 0x0f, 0x00, 0x00,
	0x00, 0x2f, 0x03, 0xc0, 0x00, 0x00, 0x07, 0xd0, 0xff, 0x88, 0xfe, 0x07, 0x22,
	0xa2, 0xff, 0x01, 0x00 };

static struct trl_id
webp(const uint8_t *bytes, size_t len)
{
	struct trl_id id;

	trl_buf_clear(&png);
	trl_buf_add(&png, bytes, len);
	id = keep("files", "ready");
	world_sql("update media.file set type = 'image/webp' where id = '%s'",
	    world_id_text(id));
	return id;
}

/* For a client that does not say that it knows WebP. */
static void
assert_is_for_everybody(const uint8_t *bytes, size_t len, const char *type)
{
	const struct trl_id id = webp(bytes, len);

	run_job(id);
	assert_int_equal(files_rows("rendition"), 5);
	assert_int_equal(get(id, "any", "*/*", NULL), TRL_OK);
	assert_string_equal(answer->type, type);
	assert_int_equal(get(id, "any", "image/webp", NULL), TRL_OK);
	assert_string_equal(answer->type, "image/webp");
	assert_int_equal(files_rows("rendition"), 5); /* by the job */
	world_sql("delete from media.rendition");
}

static void
a_webp_loses_nothing_for_those_who_do_not_take_webp(void **state)
{
	(void)state;
	assert_is_for_everybody(clear_webp, sizeof clear_webp, "image/png");
	assert_is_for_everybody(full_webp, sizeof full_webp, "image/jpeg");
	assert_is_for_everybody(moving_webp, sizeof moving_webp, "image/gif");
}

static void
assert_is_given(
    const char *url, const char *accept, const char *type, const char *cache)
{
	Media__V1__GetSignedRequest in;
	char text[512];

	snprintf(text, sizeof text, "%s", url);
	in = signed_request(text);
	in.accept = (char *)(uintptr_t)accept;
	assert_int_equal(
	    world_call(NULL, &media_v1_get_signed, &in.base, &answer), TRL_OK);
	assert_string_equal(answer->type, type);
	assert_string_equal(answer->cache, cache);
}

/* What is not known of it yet may decide otherwise; of a PNG there is nothing to know.
 */
static void
what_may_be_another_soon_is_not_kept_by_its_clients(void **state)
{
	struct trl_id id = webp(clear_webp, sizeof clear_webp);
	char url[512];

	(void)state;
	assert_int_equal(link_to(id, "any", url), TRL_OK);
	assert_is_given(url, "image/webp", "image/webp", "private, max-age=5");
	assert_is_given(url, "*/*", "image/jpeg", "private, no-cache");
	run_job(id);
	assert_is_given(url, "*/*", "image/png", "private, max-age=5");
	id = picture();
	assert_int_equal(link_to(id, "any", url), TRL_OK);
	assert_is_given(url, "*/*", "image/png", "private, max-age=5");
}

static void
the_job_looks_at_it_and_makes_all_that_is_named(void **state)
{
	const struct trl_id id = picture();
	media_file *file = file_now(id);

	(void)state;
	assert_int_equal(file->n_variants, 4);
	assert_string_equal(file->variants[0]->name, "thumb");
	assert_false(file->variants[0]->made);
	run_job(id);
	file = file_now(id);
	assert_int_equal(file->width, 100);
	assert_int_equal(file->height, 60);
	assert_int_equal(file->frames, 1);
	assert_in_range(strlen(file->thumb_hash), 20, 40);
	for (size_t i = 0; i < file->n_variants; i++) {
		assert_true(file->variants[i]->made);
		assert_in_range(file->variants[i]->width, 16, 32);
		assert_true(file->variants[i]->size > 20);
		assert_non_null(strstr(file->variants[i]->url, "/variants/"));
	}
	assert_string_equal(file->variants[3]->type, "image/avif");
	assert_int_equal(files_rows("rendition"), 5); /* "any" has two */
	assert_int_equal(get(id, "small", NULL, NULL), TRL_OK);
	assert_gives("image/avif", "\0\0\0", 3);
	run_job(id);
	assert_int_equal(file_now(id)->version, file->version);
	assert_int_equal(files_rows("rendition"), 5);
	assert_int_equal(files_used(), png.len); /* what is made counts for nothing */
}

static void
avif_is_webp_until_the_job_has_made_it(void **state)
{
	const struct trl_id id = picture();
	char url[512];
	Media__V1__GetSignedRequest in;

	(void)state;
	assert_int_equal(get(id, "small", NULL, NULL), TRL_OK);
	ASSERT_WEBP();
	assert_string_equal(answer->cache, "private, no-cache");
	assert_int_equal(link_to(id, "small", url), TRL_OK);
	assert_non_null(strstr(url, "/w_16,f_avif/"));
	in = signed_request(url);
	assert_int_equal(
	    world_call(NULL, &media_v1_get_signed, &in.base, &answer), TRL_OK);
	ASSERT_WEBP();
	assert_int_equal(files_rows("rendition"), 1);
}

static void
forget_bytes(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { home, *(struct trl_id *)arg,
		"w_32-h_32-f_png" };
	struct media *self = world.self;

	assert_int_equal(store_remove(ctx, self->store, &object), TRL_OK);
}

static void
what_the_store_lost_is_made_again(void **state)
{
	struct trl_id id = picture();

	(void)state;
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_OK);
	world_act(forget_bytes, &id);
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_UNAVAILABLE);
	assert_int_equal(world.err.retry_after_ms, 1000);
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_OK);
	ASSERT_PNG();
	assert_int_equal(files_rows("rendition"), 1);
}

/* Another's file is not there, and nothing is made of it. */
static void
another_organisation_sees_none(void **state)
{
	const struct trl_id id = picture();
	const struct world_caller other = { .person = ben, .tenant = trl_id_new() };
	Media__V1__GetVariantRequest in = MEDIA__V1__GET_VARIANT_REQUEST__INIT;

	(void)state;
	trl_set(&in, file_id, world_bytes(&id));
	in.variant = (char *)(uintptr_t) "thumb";
	in.verb = (char *)(uintptr_t) "GET";
	assert_int_equal(world_call(&other, &media_v1_get_variant, &in.base, &answer),
	    TRL_NOT_FOUND);
	assert_int_equal(files_rows("rendition"), 0);
}

struct made_of {
	struct trl_id file;
	enum trl_code rc;
};

static void
look_for_card(trl_ctx *ctx, void *arg)
{
	struct made_of *what = arg;
	struct media *self = world.self;
	struct options options;
	char key[OPTIONS_TEXT_MAX];
	uint64_t size;

	assert_null(options_read("w_20,h_20,fit_cover,f_webp,q_70", &options));
	options_key(&options, key);
	what->rc = store_size(
	    ctx, self->store, &(struct store_object){ home, what->file, key }, &size);
}

/* Its row goes when the bytes of the rendition are stored already. */
static void
of_a_picture_that_is_purged_meanwhile_nothing_made_is_left(void **state)
{
	struct made_of kept = { .file = picture() }, purged = { .file = picture() };

	(void)state;
	assert_int_equal(get(kept.file, "card", NULL, NULL), TRL_OK);
	world_act(look_for_card, &kept);
	assert_int_equal(kept.rc, TRL_OK);
	world_sql("create function media.purge() returns trigger language plpgsql "
		  "security definer as $$ begin delete from media.file where id = "
		  "new.file_id; return new; end $$;"
		  "create trigger purge before insert on media.rendition for each row "
		  "execute function media.purge()");
	assert_int_equal(get(purged.file, "card", NULL, NULL), TRL_NOT_FOUND);
	world_sql("drop trigger purge on media.rendition");
	world_act(look_for_card, &purged);
	assert_int_equal(purged.rc, TRL_NOT_FOUND);
	assert_int_equal(files_rows("rendition"), 1);
}

static void
a_collection_with_wrong_options_does_not_start(void **state)
{
	collections *all = NULL;

	(void)state;
	assert_true(collections_read(
	    "{\"collections\": [{\"name\": \"files\", \"visibility\": \"tenant\","
	    " \"max_bytes\": 1, \"variants\": [{\"name\": \"thumb\","
	    " \"options\": \"w_0\"}]}]}",
	    &all));
	assert_false(variants_check(all));
	collections_free(&all);
}

#define T(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_named_one_is_made_when_it_is_asked_for_and_kept),
		T(what_is_no_picture_or_no_name_is_not_there),
		T(accept_decides_only_where_the_collection_says_so),
		T(a_webp_loses_nothing_for_those_who_do_not_take_webp),
		T(what_may_be_another_soon_is_not_kept_by_its_clients),
		T(the_job_looks_at_it_and_makes_all_that_is_named),
		T(avif_is_webp_until_the_job_has_made_it),
		T(what_the_store_lost_is_made_again),
		T(of_a_picture_that_is_purged_meanwhile_nothing_made_is_left),
		T(another_organisation_sees_none),
		T(a_collection_with_wrong_options_does_not_start),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
