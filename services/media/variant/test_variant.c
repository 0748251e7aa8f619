/* test_variant.c - pictures in other sizes, by name, by job and by signed URL; rendered
 * by the real process, kept in a folder. (Over 400 lines: its cases share one small
 * world.) */
#include "test_files.h"

#include "file/file.h"
#include "variant/test_killing.h"
#include "variant/test_pictures.h"
#include "variant/variant.h"

static enum trl_code
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

static void
assert_gives(const char *type, const char *magic, size_t n)
{
	assert_string_equal(answer->type, type);
	assert_true(world.given.len > n);
	assert_memory_equal(world.given.data, magic, n);
	assert_int_equal(answer->length, world.given.len);
}
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

static void
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

static void
run_job(struct trl_id id)
{
	world_act(begin, &id);
	files_wait("variants");
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

	(void)state;
	assert_int_equal(get(id, "small", NULL, NULL), TRL_OK);
	ASSERT_WEBP();
	assert_string_equal(answer->cache, "private, no-cache");
}

static void
a_picture_over_the_limits_is_rejected_where_only_pictures_are_taken(void **state)
{
	static const char sentence[] =
	    "The picture is 64250 x 64250 pixels; a side may have 16383.";
	struct trl_id id;
	media_file *file;

	(void)state;
	draw(64250, 64250, false);
	id = keep("pictures", "processing");
	run_job(id);
	file = file_now(id);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__rejected);
	assert_string_equal(file->reason, sentence);
	assert_int_equal(files_used(), 0);
	id = keep("files", "ready");
	run_job(id);
	file = file_now(id);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_string_equal(file->reason, sentence);
	assert_int_equal(file->n_variants, 0);
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_INVALID);
	assert_string_equal(world.err.message, sentence);
	assert_int_equal(files_rows("rendition"), 0);
	draw(100, 60, true);
	png.len -= 500; /* broken off */
	id = keep("pictures", "processing");
	run_job(id);
	assert_string_equal(
	    file_now(id)->reason, "The picture is broken: it cannot be decoded.");
}

static void
a_good_picture_becomes_ready_where_only_pictures_are_taken(void **state)
{
	struct trl_id id;
	media_file *file;

	(void)state;
	draw(100, 60, true);
	id = keep("pictures", "processing");
	run_job(id);
	file = file_now(id);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_int_equal(file->width, 100);
	assert_true(file->variants[0]->made);
	assert_non_null(strstr(file->url, "/m/"));
	assert_non_null(strstr(file->variants[0]->url, "/m/"));
}

static void
take_bytes(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { home, *(struct trl_id *)arg, "" };
	struct media *self = world.self;

	assert_int_equal(store_remove(ctx, self->store, &object), TRL_OK);
}

/* Whatever else is wrong (here: the store does not have it) judges no picture. */
static void
a_picture_is_judged_by_what_it_is_and_not_by_an_outage(void **state)
{
	struct trl_id id;

	(void)state;
	draw(100, 60, true);
	id = keep("pictures", "processing");
	world_act(take_bytes, &id);
	for (int i = 0; i < 6; i++) {
		run_job(id);
		world_sql("update media.job set run_at = now() - interval '1 s' where "
			  "kind = 'variants'");
	}
	assert_int_equal(file_now(id)->state, MEDIA__V1__FILE__STATE__processing);
	assert_null(file_now(id)->reason);
	world_act(put_png, &id);
	run_job(id);
	assert_int_equal(file_now(id)->state, MEDIA__V1__FILE__STATE__ready);
}

/* From its row, so not a byte is fetched (there are none). */
static void
one_that_is_too_large_is_not_even_fetched(void **state)
{
	struct trl_id id;

	(void)state;
	draw(100, 60, true);
	id = keep("files", "ready");
	world_act(take_bytes, &id);
	world_sql("update media.file set size = 107374182400 where id = '%s'",
	    world_id_text(id));
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_INVALID);
	run_job(id);
	assert_string_equal(
	    file_now(id)->reason, "A picture may have 100 MiB; the file has 102400.");
}

static enum trl_code
get_signed(struct trl_id id, const char *options)
{
	Media__V1__GetSignedRequest in;
	char url[512];

	assert_int_equal(link_to(id, options, url), TRL_OK);
	in = signed_request(url);
	return world_call(NULL, &media_v1_get_signed, &in.base, &answer);
}

/* They count for no storage. */
static void
so_many_wishes_are_made_of_one_picture_and_what_is_named_always(void **state)
{
	const struct trl_id id = picture();

	(void)state;
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) select '%s', '%s', 'k' || n, "
		  "'image/png', 1, 1, 1, '\"e\"', now() from generate_series(1, 31) n",
	    world_id_text(home), world_id_text(id));
	assert_int_equal(get(id, "thumb", NULL, NULL), TRL_OK);
	assert_int_equal(get_signed(id, "w_50"), TRL_OK); /* the named do not count */
	assert_int_equal(get_signed(id, "w_51"), TRL_INVALID);
	assert_int_equal(get_signed(id, "w_50"), TRL_OK);
	assert_int_equal(files_rows("rendition"), 33);
	assert_int_equal(get(id, "card", NULL, NULL), TRL_OK);
	run_job(id);
	assert_int_equal(files_rows("rendition"), 32 + 5);
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

/* Attempts count the deaths of media, too. */
static void
only_what_the_renderer_ended_of_is_held_against_a_picture(void **state)
{
	pthread_t thread;
	struct trl_id id;

	(void)state;
	draw(100, 60, true);
	id = keep("pictures", "processing");
	world_act(know_it, NULL);
	kill_on(&thread);
	world_act(begin, &id);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    file_now(id)->state, MEDIA__V1__FILE__STATE__processing);
		world_sql(
		    "update media.job set run_at = now(), attempt = 40 where kind "
		    "= 'variants'");
		files_wait("variants");
	}
	kill_no_more(thread);
	assert_string_equal(file_now(id)->reason, "The picture could not be rendered.");
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
		T(the_job_looks_at_it_and_makes_all_that_is_named),
		T(avif_is_webp_until_the_job_has_made_it),
		T(a_picture_over_the_limits_is_rejected_where_only_pictures_are_taken),
		T(a_good_picture_becomes_ready_where_only_pictures_are_taken),
		T(a_picture_is_judged_by_what_it_is_and_not_by_an_outage),
		T(one_that_is_too_large_is_not_even_fetched),
		T(only_what_the_renderer_ended_of_is_held_against_a_picture),
		T(so_many_wishes_are_made_of_one_picture_and_what_is_named_always),
		T(a_signed_size_is_made_and_one_that_was_altered_is_not),
		T(a_link_to_what_cannot_be_made_is_refused),
		T(what_the_store_lost_is_made_again),
		T(another_organisation_sees_none),
		T(a_collection_with_wrong_options_does_not_start),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
