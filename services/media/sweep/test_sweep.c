/* Bytes in the store that belong to nothing are found, and what belongs to something,
 * or may be on its way, is left alone; as are rows without bytes. */
#include "sweep/test_sweep.h"

static void
bytes_without_rows_go_once_they_are_older_than_a_day(void **state)
{
	struct trl_id kept, lost;

	(void)state;
	kept = files_make((struct files_new){ .size = 5 });
	lost = files_make((struct files_new){ .size = 7 });
	make_rendition(kept, "w_1", true);
	make_rendition(kept, "w_2", false);
	make_rendition(lost, "w_1", false);
	world_sql("delete from media.file where id = '%s'", world_id_text(lost));
	sweep(false);
	assert_int_equal(found_in_all(), 0); /* they may be on their way */
	assert_int_equal(files_in_folder(), 5);
	age();
	sweep(true);
	assert_int_equal(files_in_folder(), 5);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(BYTES(orphan), 7);
	assert_int_equal(FOUND(rendition), 2);
	assert_int_equal(BYTES(rendition), 6);
	sweep(false);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(FOUND(rendition), 2);
	assert_int_equal(found_in_all(), 3);
	assert_int_equal(files_in_folder(), 2);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
}

static void
what_a_file_refers_to_stays_in_each_state(void **state)
{
	static const char *const states[] = { "ready", "processing", "quarantined" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(states); i++)
		files_make((struct files_new){ .size = 1, .state = states[i] });
	files_make((struct files_new){ .size = 1 });
	world_sql("update media.file set kept_state = 'ready', state = 'deleted', "
		  "deleted_at = now(), purge_at = now() + interval '1 day' where id = "
		  "(select id from media.file where state = 'ready' limit 1)");
	files_make((struct files_new){ .size = 9, .state = "rejected" });
	age();
	sweep(false);
	assert_int_equal(FOUND(orphan), 1); /* the rejected one's */
	assert_int_equal(BYTES(orphan), 9);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_in_folder(), TRL_COUNT(states) + 1);
}

/* Its own upload is gone; the job of a final one is still to read it. */
static void
a_part_stays_until_the_whole_is_made(void **state)
{
	struct trl_id part = files_make((struct files_new){ .size = 5 }),
		      whole = files_make(
			  (struct files_new){ .size = 3, .state = "processing" });

	(void)state;
	world_sql("delete from media.file where id = '%s'", world_id_text(part));
	world_sql("update media.file set sha256 = null where id = '%s'",
	    world_id_text(whole));
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, concat, parts, uploader, "
		  "created_at, expires_at, finished_at) values ('%s', '%s', 'files', "
		  "'a', 5, 5, 0, 0, 'final;', array['%s'::uuid], '%s', now(), now() + "
		  "interval '1 hour', now())",
	    world_id_text(home), world_id_text(whole), world_id_text(part),
	    world_id_text(ann->account));
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_in_folder(), 2);
	world_sql("update media.file set state = 'ready', sha256 = 'x'");
	sweep(false);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(files_in_folder(), 1);
}

static void
rows_without_bytes_are_said_and_nothing_else(void **state)
{
	char command[160];
	struct trl_id gone = files_make((struct files_new){ .size = 11 });

	(void)state;
	files_make((struct files_new){ .size = 5 });
	snprintf(command, sizeof command, "find %s -name '*%s*' -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(gone));
	assert_int_equal(system(command), 0);
	sweep(false);
	assert_int_equal(FOUND(missing), 1);
	assert_int_equal(BYTES(missing), 11);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_rows("file"), 2);
	sweep(false);
	assert_int_equal(FOUND(missing), 1); /* until somebody does something */
}

/* The folder may be in others' hands, too. */
static void
what_is_not_ours_is_left_alone(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof command,
	    "mkdir -p %s/photos && echo x >%s/photos/a.jpg",
	    getenv("TRELLIS_MEDIA_FOLDER"), getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	snprintf(command, sizeof command, "test -e %s/photos/a.jpg && rm -r %s/photos",
	    getenv("TRELLIS_MEDIA_FOLDER"), getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
}

/* A call that has little time does one page. */
static void
a_long_sweep_goes_on_from_call_to_call(void **state)
{
	enum { MANY = SWEEP_PAGE + 5 };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		files_make((struct files_new){ .size = 1 });
	world_sql(
	    "delete from media.file where id in (select id from media.file order by "
	    "id limit 15)");
	age();
	time_ms = 2000;
	sweep(false);
	assert_int_equal(FOUND(orphan), 15);
	assert_int_equal(found_in_all(), 15);
	assert_int_equal(files_in_folder(), MANY - 15);
}

/* "files" has the variant thumb. */
static void
what_somebody_wished_for_goes_after_a_month_and_what_is_named_stays(void **state)
{
	struct trl_id file =
	    files_make((struct files_new){ .size = 1, .type = "image/png" });
	struct options named;
	char key[OPTIONS_TEXT_MAX];

	(void)state;
	assert_null(options_read(
	    collections_find(((struct media *)world.self)->collections, "files")
		->variants[0]
		.options,
	    &named));
	named = options_decided(
	    &named, &(struct options_picture){ .type = "image/png" }, "image/webp");
	options_key(&named, key);
	make_rendition(file, key, true);
	make_rendition(file, "w-7-f-png", true);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	world_sql("update media.rendition set created_at = now() - interval '31 days'");
	make_rendition(file, "w-8-f-png", true);
	sweep(true);
	assert_int_equal(FOUND(old_rendition), 1);
	assert_int_equal(files_in_folder(), 4);
	sweep(false);
	assert_int_equal(FOUND(old_rendition), 1);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_in_folder(), 3);
	assert_int_equal(files_rows("rendition"), 2);
}

/* It is rather the database that is another. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    bytes_without_rows_go_once_they_are_older_than_a_day, begin),
		cmocka_unit_test_setup(
		    what_a_file_refers_to_stays_in_each_state, begin),
		cmocka_unit_test_setup(a_part_stays_until_the_whole_is_made, begin),
		cmocka_unit_test_setup(
		    rows_without_bytes_are_said_and_nothing_else, begin),
		cmocka_unit_test_setup(what_is_not_ours_is_left_alone, begin),
		cmocka_unit_test_setup(a_long_sweep_goes_on_from_call_to_call, begin),
		cmocka_unit_test_setup(
		    what_somebody_wished_for_goes_after_a_month_and_what_is_named_stays,
		    begin),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
