/* What is past its time goes: uploads, links, deleted files, organisations. */
#include "sweep/test_sweep.h"

static void
make_upload(int hours, bool finished)
{
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at, "
		  "finished_at) values ('%s', '%s', 'files', 'a', 50, %d, %d, 1, '%s', "
		  "now(), now() + interval '%d hours', %s)",
	    world_id_text(home), world_id_text(trl_id_new()), finished ? 50 : 20,
	    finished ? 0 : 50, world_id_text(ann->account), hours,
	    finished ? "now()" : "null");
}

static void
uploads_past_their_time_go_and_their_room_is_free(void **state)
{
	(void)state;
	make_upload(-1, false);
	make_upload(-2, false);
	make_upload(-2, true);
	make_upload(1, false);
	make_upload(1, true);
	world_sql(
	    "insert into media.storage values ('%s', 100, 150)", world_id_text(home));
	sweep(true);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(BYTES(upload), 40);
	assert_int_equal(files_rows("upload"), 5);
	sweep(false);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(found_in_all(), 2);
	assert_int_equal(files_rows("upload"), 2);
	assert_string_equal(
	    world_sql("select used || ' ' || reserved from media.storage where "
		      "tenant_id = '%s'",
		world_id_text(home)),
	    "100 50");
}

/* It has all of its bytes, and no final one came for it. */
static void
a_part_past_its_time_is_told_and_its_room_is_free(void **state)
{
	(void)state;
	make_upload(-1, true);
	world_sql("update media.upload set concat = 'partial', reserved = 50 where "
		  "tenant_id = '%s'",
	    world_id_text(home));
	world_sql(
	    "insert into media.storage values ('%s', 0, 50)", world_id_text(home));
	sweep(true);
	assert_int_equal(FOUND(upload), 1);
	assert_int_equal(BYTES(upload), 50);
	sweep(false);
	assert_int_equal(FOUND(upload), 1);
	assert_int_equal(files_rows("upload"), 0);
	assert_string_equal(world_sql("select reserved from media.storage where "
				      "tenant_id = '%s'",
				world_id_text(home)),
	    "0");
}

/* Every byte was acknowledged; whoever should have finished it has died. */
static void
an_upload_of_which_all_has_come_becomes_a_file(void **state)
{
	struct trl_id id = trl_id_new();

	(void)state;
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at) "
		  "values ('%s', '%s', 'files', 'empty', 0, 0, 0, 1, '%s', now(), "
		  "now() - interval '1 hour')",
	    world_id_text(home), world_id_text(id), world_id_text(ann->account));
	sweep(true);
	assert_int_equal(found_in_all(), 0);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_string_equal(
	    world_sql("select state || ' ' || name from media.file where id = '%s'",
		world_id_text(id)),
	    "ready empty");
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_rows("file"), 1);
}

static void
make_stuck(const char *collection, int bytes, int days)
{
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at) "
		  "values ('%s', '%s', '%s', 'a', %d, %d, 50, 1, '%s', now(), now() - "
		  "interval '%d days')",
	    world_id_text(home), world_id_text(trl_id_new()), collection, bytes, bytes,
	    world_id_text(ann->account), days);
}

/* Its bytes are not there, or nobody knows its collection any more. */
static void
an_upload_that_cannot_be_finished_goes_after_a_month(void **state)
{
	(void)state;
	world_sql(
	    "insert into media.storage values ('%s', 0, 200)", world_id_text(home));
	for (int days = 29; days <= 31; days += 2) {
		make_stuck("files", 50, days);
		make_stuck("renamed", 0, days);
	}
	sweep(false);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(found_in_all(), 2);
	assert_string_equal(
	    world_sql("select count(*) from media.upload where expires_at > now() - "
		      "interval '30 days'"),
	    "2");
	assert_int_equal(files_rows("upload"), 2);
	assert_string_equal(
	    world_sql("select reserved from media.storage where tenant_id = '%s'",
		world_id_text(home)),
	    "100");
}

static void
make_link(struct trl_id file, int days)
{
	world_sql(
	    "insert into media.link (tenant_id, id, version, file_id, options, "
	    "download, created_at, updated_at, expires_at) values ('%s', '%s', 1, "
	    "'%s', '-', false, now(), now(), now() + interval '%d days')",
	    world_id_text(home), world_id_text(trl_id_new()), world_id_text(file),
	    days);
}

static void
links_past_their_time_go(void **state)
{
	struct trl_id file = files_make((struct files_new){ .size = 1 });

	(void)state;
	make_link(file, 1);
	make_link(file, 0); /* for whoever asks what became of it */
	make_link(file, -2);
	make_link(file, -3);
	sweep(true);
	assert_int_equal(FOUND(link), 2);
	assert_int_equal(files_rows("link"), 4);
	sweep(false);
	assert_int_equal(FOUND(link), 2);
	assert_int_equal(files_rows("link"), 2);
}

static void
erase(trl_ctx *ctx, void *arg)
{
	trl_set_deadline(ctx, trl_mono_us() + 60000000); /* as the job's */
	*(enum trl_code *)arg = media_service.erase_tenant(world.self, ctx, home);
}

static void
an_erased_organisation_leaves_no_bytes(void **state)
{
	struct trl_id others = trl_id_new(), mine = home;
	enum trl_code rc;

	(void)state;
	make_rendition(files_make((struct files_new){ .size = 5 }), "w_1", true);
	files_make((struct files_new){ .size = 5, .tenant = others });
	for (unsigned i = 0; i < 2; i++) { /* it may be called again */
		world_act(erase, &rc);
		assert_int_equal(rc, TRL_OK);
	}
	assert_int_equal(files_in_folder(), 0);
	home = others;
	assert_int_equal(files_in_folder(), 1);
	home = mine;
}

static enum trl_code
remove_file(struct trl_id id, bool purge)
{
	struct world_caller who = as(ann, TRL_ADMIN);
	Media__V1__DeleteFileRequest to_trash = MEDIA__V1__DELETE_FILE_REQUEST__INIT;
	Media__V1__PurgeFileRequest for_good = MEDIA__V1__PURGE_FILE_REQUEST__INIT;

	trl_set(&to_trash, file_id, world_bytes(&id));
	trl_set(&for_good, file_id, world_bytes(&id));
	return purge ? world_call(&who, &media_v1_purge_file, &for_good.base, NULL)
		     : world_call(&who, &media_v1_delete_file, &to_trash.base, NULL);
}

static bool
folder_is_empty(void *arg)
{
	(void)arg;
	return files_in_folder() == 0;
}

/* Nothing else would look for it. */
static void
a_deleted_file_whose_job_is_gone_is_purged(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 5 });

	(void)state;
	files_make((struct files_new){ .size = 7 });
	assert_int_equal(remove_file(id, false), TRL_OK);
	world_sql("update media.file set purge_at = now() - interval '2 hours' where "
		  "id = '%s'",
	    world_id_text(id));
	world_sql("delete from media.job where kind = 'purge_file'");
	sweep(true);
	assert_int_equal(FOUND(overdue), 1);
	assert_int_equal(BYTES(overdue), 5);
	files_wait("purge_file");
	assert_int_equal(files_rows("file"), 2);
	sweep(false);
	assert_int_equal(FOUND(overdue), 1);
	files_wait("purge_file");
	assert_int_equal(files_rows("file"), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(files_used(), 7);
}

static uint64_t
sum_of_files(void)
{
	return strtoull(world_sql("select coalesce(sum(size), 0) from media.file where "
				  "tenant_id = '%s'",
			    world_id_text(home)),
	    NULL, 10);
}

/* 10,000 of them with TRELLIS_TEST_FILES=10000. */
static void
files_that_come_and_go_leave_nothing(void **state)
{
	const char *wanted = getenv("TRELLIS_TEST_FILES");
	const unsigned many = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 60;

	(void)state;
	for (unsigned i = 0; i < many; i++) {
		struct trl_id id = files_make((struct files_new){ .size = i % 97 });

		assert_int_equal(remove_file(id, false), TRL_OK);
		if (i % 10 == 0)
			assert_int_equal(files_used(), sum_of_files());
		assert_int_equal(remove_file(id, true), TRL_OK);
		world_forget(NULL);
	}
	world_until(folder_is_empty, NULL);
	assert_int_equal(files_used(), 0);
	assert_int_equal(files_rows("file"), 0);
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    uploads_past_their_time_go_and_their_room_is_free, begin),
		cmocka_unit_test_setup(
		    a_part_past_its_time_is_told_and_its_room_is_free, begin),
		cmocka_unit_test_setup(
		    an_upload_of_which_all_has_come_becomes_a_file, begin),
		cmocka_unit_test_setup(
		    an_upload_that_cannot_be_finished_goes_after_a_month, begin),
		cmocka_unit_test_setup(links_past_their_time_go, begin),
		cmocka_unit_test_setup(an_erased_organisation_leaves_no_bytes, begin),
		cmocka_unit_test_setup(
		    a_deleted_file_whose_job_is_gone_is_purged, begin),
		cmocka_unit_test_setup(files_that_come_and_go_leave_nothing, begin),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
