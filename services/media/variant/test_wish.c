/* test_wish.c - sizes that somebody wishes for by a signed URL: which may be, how many,
 * and that nobody alters one. */
#include "variant/test_pictures.h"

#include "store/inside.h"

static enum trl_code
get_signed_as(struct trl_id id, const char *options, const char *accept)
{
	Media__V1__GetSignedRequest in;
	char url[512];

	assert_int_equal(link_to(id, options, url), TRL_OK);
	in = signed_request(url);
	in.accept = (char *)(uintptr_t)accept;
	return world_call(NULL, &media_v1_get_signed, &in.base, &answer);
}

static enum trl_code
get_signed(struct trl_id id, const char *options)
{
	return get_signed_as(id, options, NULL);
}

static bool
is_made(const char *key)
{
	return strcmp(world_sql(
			  "select count(*) from media.rendition where key = '%s'", key),
		   "1") == 0;
}

struct made_of {
	struct trl_id file;
	const char *options;
	enum trl_code rc;
};

static void
look_for_bytes(trl_ctx *ctx, void *arg)
{
	struct made_of *what = arg;
	struct media *self = world.self;
	struct options options;
	char key[OPTIONS_TEXT_MAX];
	uint64_t size;

	assert_null(options_read(what->options, &options));
	options = options_decided(
	    &options, &(struct options_picture){ .type = "image/png" }, NULL);
	options_key(&options, key);
	what->rc = store_size(
	    ctx, self->store, &(struct store_object){ home, what->file, key }, &size);
	trl_err_clear(ctx);
}

/* Whether the store has what was made so of a PNG. */
static bool
has_bytes(struct trl_id id, const char *options)
{
	struct made_of what = { id, options, TRL_INTERNAL };

	world_act(look_for_bytes, &what);
	assert_true(what.rc == TRL_OK || what.rc == TRL_NOT_FOUND);
	return what.rc == TRL_OK;
}

/* They count for no storage. */
static void
so_many_wishes_are_kept_of_one_picture_and_what_is_named_always(void **state)
{
	const struct trl_id id = picture();

	(void)state;
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) select '%s', '%s', 'k' || n, "
		  "'image/png', 1, 1, 1, '\"e\"', now() - n * interval '1 minute' "
		  "from generate_series(1, 63) n",
	    world_id_text(home), world_id_text(id));
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_OK);
	assert_int_equal(get_signed(id, "w_50"), TRL_OK); /* the named do not count */
	assert_int_equal(files_rows("rendition"), 65);
	assert_true(is_made("k63"));
	assert_int_equal(get_signed(id, "w_51"), TRL_OK);
	assert_int_equal(files_rows("rendition"), 65);
	assert_false(is_made("k63")); /* the oldest has made room */
	assert_int_equal(get_signed(id, "w_50"), TRL_OK);
	assert_true(is_made("k62"));
	assert_int_equal(get(id, "card", NULL, NULL), TRL_OK);
	run_job(id);
	assert_int_equal(files_rows("rendition"), 64 + 5);
}

/* What has made room is made again. */
static void
a_wish_that_made_room_is_there_when_it_is_asked_for(void **state)
{
	const struct trl_id id = picture();

	(void)state;
	assert_int_equal(get_signed(id, "w_50"), TRL_OK);
	world_sql("update media.rendition set created_at = '2000-01-01'");
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) select '%s', '%s', 'k' || n, "
		  "'image/png', 1, 1, 1, '\"e\"', now() from generate_series(1, 63) n",
	    world_id_text(home), world_id_text(id));
	assert_true(has_bytes(id, "w_50"));
	assert_int_equal(get_signed(id, "w_51"), TRL_OK);
	assert_int_equal(files_rows("rendition"), 64);
	assert_false(has_bytes(id, "w_50"));
	assert_int_equal(get_signed(id, "w_50"), TRL_OK);
	assert_gives("image/png", "\x89PNG", 4);
	assert_int_equal(files_rows("rendition"), 64);
}

static const struct store_way *usual;

/* While it was made others have been, and, elsewhere, the same. */
static enum trl_code
put_late(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const void *data, size_t len)
{
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) select '%s', '%s', key, "
		  "'image/png', 1, 1, 1, '\"e\"', at from (values ('late', now()), "
		  "('%s', '2000-01-01')) made (key, at)",
	    world_id_text(home), world_id_text(object->file), object->part);
	return usual->put(ctx, store, object, data, len);
}

static void
room_is_made_for_what_is_there_in_the_end(void **state)
{
	const struct trl_id id = picture();
	media_store *store = ((struct media *)world.self)->store;
	struct store_way late;

	(void)state;
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) select '%s', '%s', 'o' || n, "
		  "'image/png', 1, 1, 1, '\"e\"', now() - n * interval '1 minute' "
		  "from generate_series(1, 63) n",
	    world_id_text(home), world_id_text(id));
	usual = store->way;
	late = *usual;
	late.put = put_late;
	store->way = &late;
	assert_int_equal(get_signed(id, "w_50"), TRL_OK);
	store->way = usual;
	assert_int_equal(files_rows("rendition"), 64);
	assert_false(is_made("o63"));
	assert_true(is_made("late"));
}

static void
links_ask_for_so_many_sizes_of_a_picture(void **state)
{
	const struct trl_id id = picture();
	char url[512], options[16];

	(void)state;
	for (int i = 1; i <= 32; i++) {
		snprintf(options, sizeof options, "w_%d", i);
		assert_int_equal(link_to(id, options, url), TRL_OK);
	}
	assert_int_equal(link_to(id, "w_33", url), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "32 other sizes"));
	assert_int_equal(link_to(id, "w_7", url), TRL_OK);
	world_sql("update media.link set expires_at = '2000-01-01' "
		  "where options = 'w_1'");
	assert_int_equal(link_to(id, "w_33", url), TRL_OK);
}

/* One is WebP for those who take that, and PNG for the others. */
static void
what_links_ask_for_is_all_kept_in_both_formats(void **state)
{
	const struct trl_id id = picture();
	char options[32];

	(void)state;
	for (int i = 1; i <= 32; i++) {
		snprintf(options, sizeof options, "w_%d,f_auto", i);
		assert_int_equal(get_signed_as(id, options, "image/webp"), TRL_OK);
		assert_string_equal(answer->type, "image/webp");
		assert_int_equal(get_signed(id, options), TRL_OK);
		assert_string_equal(answer->type, "image/png");
	}
	assert_int_equal(files_rows("rendition"), 64);
}

static void
a_signed_size_is_made_and_one_that_was_altered_is_not(void **state)
{
	const struct trl_id id = picture();
	Media__V1__GetSignedRequest in;
	char url[512], copy[512];

	(void)state;
	assert_int_equal(link_to(id, "q_60,f_jpeg,w_50", url), TRL_OK);
	assert_non_null(strstr(url, "/w_50,f_jpeg,q_60/"));
	strcpy(copy, url);
	in = signed_request(copy);
	in.options[2] = '4'; /* w_40 */
	assert_int_equal(
	    world_call(NULL, &media_v1_get_signed, &in.base, &answer), TRL_DENIED);
	assert_int_equal(files_rows("rendition"), 0);
	in.options[2] = '5';
	assert_int_equal(
	    world_call(NULL, &media_v1_get_signed, &in.base, &answer), TRL_OK);
	assert_gives("image/jpeg", "\xff\xd8\xff", 3);
	assert_int_equal(files_rows("rendition"), 1);
}

static void
a_link_to_what_cannot_be_made_is_refused(void **state)
{
	const struct trl_id id = picture(),
			    text = files_make((struct files_new){ .size = 10 });
	static const char *const wrong[] = { "w_0", "w_9,f_avif", "poster", "w_9,h" };
	char url[512];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		assert_int_equal(link_to(id, wrong[i], url), TRL_INVALID);
	assert_int_equal(link_to(text, "w_9", url), TRL_INVALID);
	assert_int_equal(link_to(id, "card", url), TRL_OK);
	assert_non_null(strstr(url, "/w_20,h_20,fit_cover,f_webp,q_70/"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(so_many_wishes_are_kept_of_one_picture_and_what_is_named_always),
		T(a_wish_that_made_room_is_there_when_it_is_asked_for),
		T(room_is_made_for_what_is_there_in_the_end),
		T(links_ask_for_so_many_sizes_of_a_picture),
		T(what_links_ask_for_is_all_kept_in_both_formats),
		T(a_signed_size_is_made_and_one_that_was_altered_is_not),
		T(a_link_to_what_cannot_be_made_is_refused),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
