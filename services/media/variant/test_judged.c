/* test_judged.c - what becomes of a picture that is wrong, too large, or that the
 * renderer ends of; and what is never held against one. */
#include "test_files.h"

#include "variant/test_killing.h"
#include "variant/test_pictures.h"

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

/* As a file of parts is, whose looks begin a moment before its hash is written. */
static void
a_picture_without_a_hash_is_not_ready(void **state)
{
	struct trl_id id;

	(void)state;
	draw(100, 60, true);
	id = keep("pictures", "processing");
	world_sql("update media.file set sha256 = null");
	run_job(id);
	assert_int_equal(file_now(id)->state, MEDIA__V1__FILE__STATE__processing);
	assert_int_equal(files_rows("rendition"), 0);
	world_sql("update media.file set sha256 = '00'");
	world_sql("update media.job set run_at = now() - interval '1 s' where "
		  "kind = 'variants'");
	files_wait("variants");
	assert_int_equal(file_now(id)->state, MEDIA__V1__FILE__STATE__ready);
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

/* Attempts count the deaths of media, too. */
static void
only_what_the_renderer_ended_of_is_held_against_a_picture(void **state)
{
	pthread_t thread;
	struct trl_id id;

	(void)state;
	draw(4000, 2500, true); /* or it is rendered before it is killed */
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

/* AVIF is the dearest, and what takes longest: only that is not there. */
static void
an_avif_that_the_renderer_ends_of_is_webp_and_no_fault_of_the_picture(void **state)
{
	pthread_t thread;
	struct trl_id id;

	(void)state;
	draw(4000, 2500, true);
	id = keep("files", "ready");
	run_job(id);
	world_sql("delete from media.rendition where type = 'image/avif'");
	world_act(know_it, NULL);
	kill_on(&thread);
	world_act(begin, &id);
	for (int i = 0; i < 3; i++) {
		world_sql("update media.job set run_at = now() where kind = "
			  "'variants'");
		files_wait("variants");
	}
	kill_no_more(thread);
	assert_int_equal(file_now(id)->state, MEDIA__V1__FILE__STATE__ready);
	assert_null(file_now(id)->reason);
	for (int i = 0; i < 2; i++) { /* nobody who waits has it made */
		assert_int_equal(get(id, "small", "image/avif", NULL), TRL_OK);
		assert_string_equal(answer->type, "image/webp");
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_picture_over_the_limits_is_rejected_where_only_pictures_are_taken),
		T(a_good_picture_becomes_ready_where_only_pictures_are_taken),
		T(a_picture_without_a_hash_is_not_ready),
		T(a_picture_is_judged_by_what_it_is_and_not_by_an_outage),
		T(one_that_is_too_large_is_not_even_fetched),
		T(only_what_the_renderer_ended_of_is_held_against_a_picture),
		T(an_avif_that_the_renderer_ends_of_is_webp_and_no_fault_of_the_picture),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
