/* test_variant.c - pictures in other sizes, by name, by job and by signed URL; rendered
 * by the real process, kept in a folder. (Over 400 lines: its cases share one small
 * world.) */
#include "test_files.h"

#include "file/file.h"
#include "variant/test_killing.h"
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

static int
open_world(void **state)
{
	setenv("TRELLIS_MEDIA_COLLECTIONS", collections_json, 1);
	return files_open(state);
}

static void
put_png(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { home, *(struct trl_id *)arg, "" };
	struct media *self = world.self;

	assert_int_equal(
	    store_put(ctx, self->store, &object, png.data, png.len), TRL_OK);
}

/* What was drawn, as a file that has just come. */
static struct trl_id
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

static struct trl_id
picture(void)
{
	draw(100, 60, true);
	return keep("files", "ready");
}

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

static media_file *
file_now(struct trl_id id)
{
	const struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__GetFileRequest in = MEDIA__V1__GET_FILE_REQUEST__INIT;
	media_file *file = NULL;

	trl_set(&in, file_id, world_bytes(&id));
	assert_int_equal(world_call(&who, &media_v1_get_file, &in.base, &file), TRL_OK);
	return file;
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
static Media__V1__GetSignedRequest
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

/* Keeps the only renderer until told. */
static struct holding {
	bool has_it, end, ended;
} holding;

static void
hold(trl_ctx *ctx, void *arg)
{
	struct holding *me = arg;
	struct media *self = world.self;
	trl_child *child;

	assert_int_equal(turns_take(ctx, self->variants->turns, &child), TRL_OK);
	me->has_it = true;
	while (!me->end)
		assert_int_equal(trl_sleep(ctx, 1), TRL_OK);
	turns_leave(self->variants->turns, child);
	me->ended = true;
}

static bool
is_held(void *unused)
{
	(void)unused;
	return holding.has_it;
}

static void
hold_it(void)
{
	const struct trl_spawn spawn = {
		.name = "hold", .run = hold, .arg = &holding, .timeout_ms = 60000
	};

	holding = (struct holding){ 0 };
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(world.loop, is_held, NULL, 20000));
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

/* Of 120 that come while nothing is rendered 40, and one more, want the same. */
enum { MANY = 120, SAME = 40, REFUSED = MANY - (SAME + TURN_OF_TENANT_MAX) };

static bool
are_refused(void *arg)
{
	const struct world_run *runs = arg;
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		n += runs[i].done;
	return n == REFUSED;
}

static bool
is_being_made(void *media)
{
	return ((struct media *)media)->variants->first != NULL;
}

static void
a_flood_is_bounded_and_each_is_made_once(void **state)
{
	static struct world_run runs[MANY], *all[MANY];
	static Media__V1__GetSignedRequest in[MANY];
	static char urls[MANY][512];
	size_t fine = 0, same = 0;
	struct trl_id id;

	(void)state;
	id = picture();
	for (size_t i = 0; i < MANY; i++) {
		char options[16];

		snprintf(
		    options, sizeof options, "w_%zu", i < SAME ? 60 : i - SAME + 1);
		assert_int_equal(link_to(id, options, urls[i]), TRL_OK);
		in[i] = signed_request(urls[i]);
	}
	hold_it();
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .method = &media_v1_get_signed,
			.in = &in[i].base };
		all[i] = &runs[i];
		world_start(&runs[i]);
		if (i == 0) /* so it is not one that the crowd keeps out */
			assert_true(trl_loop_run_until(
			    world.loop, is_being_made, world.self, 20000));
	}
	assert_true(trl_loop_run_until(world.loop, are_refused, runs, 20000));
	assert_non_null(file_now(id));
	holding.end = true;
	world_wait(all, MANY);
	for (size_t i = 0; i < MANY; i++) {
		fine += runs[i].rc == TRL_OK;
		same += runs[i].rc == TRL_OK && i < SAME;
		if (runs[i].rc != TRL_OK) {
			assert_int_equal(runs[i].rc, TRL_BUSY);
			assert_int_equal(runs[i].err.retry_after_ms, 2000);
		}
		trl_buf_fini(&runs[i].given);
	}
	assert_int_equal(same, SAME); /* they cost one turn */
	assert_int_equal(fine, MANY - REFUSED);
	assert_int_equal(files_rows("rendition"), TURN_OF_TENANT_MAX);
}

static bool
is_made(void *unused)
{
	(void)unused;
	return files_rows("rendition") == 1;
}

static void
who_asked_may_leave_and_it_is_made_all_the_same(void **state)
{
	const struct trl_id id = picture();
	struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__GetVariantRequest in = MEDIA__V1__GET_VARIANT_REQUEST__INIT;

	(void)state;
	hold_it();
	who.timeout_ms = 1000;
	trl_set(&in, file_id, world_bytes(&id));
	in.variant = (char *)(uintptr_t) "thumb";
	in.verb = (char *)(uintptr_t) "GET";
	assert_int_equal(
	    world_call(&who, &media_v1_get_variant, &in.base, &answer), TRL_BUSY);
	assert_int_not_equal(world.err.retry_after_ms, 0);
	assert_int_equal(files_rows("rendition"), 0);
	holding.end = true;
	assert_true(trl_loop_run_until(world.loop, is_made, NULL, 20000));
	assert_true(holding.ended);
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
		T(a_flood_is_bounded_and_each_is_made_once),
		T(who_asked_may_leave_and_it_is_made_all_the_same),
		T(what_the_store_lost_is_made_again),
		T(another_organisation_sees_none),
		T(a_collection_with_wrong_options_does_not_start),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
