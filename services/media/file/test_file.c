/* Files as people see, rename, delete and restore them, who may do so, and what is left
 * when they are gone. */
#include "file/file.h"
#include "file/test_ask.h"

static const char *
events_of(struct trl_id file)
{
	return world_sql("select coalesce(string_agg(type, ' ' order by id), '') from "
			 "media.outbox where subject_id = '%s'",
	    world_id_text(file));
}

static void
a_name_is_kept_byte_for_byte(void **state)
{
	static const char *const names[] = {
		"Отчёт 東京 🎉 é.pdf", /* as it comes */
		"e\xcc\x81.txt",      /* NFD stays NFD */
		"../../etc/passwd",
		"..",
		".",
		"con",
		"a.",
		" ",
		"a/b\\c:d",
		"quote\"s and 'more'.txt",
		"right\xe2\x80\xae gpj.exe",
		"%00%0d%0a",
		"a; filename=b",
	};
	struct trl_id id = files_make((struct files_new){ .name = "a" });
	media_file *file;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(names); i++) {
		assert_int_equal(
		    rename_to(as(ann, TRL_MEMBER), id, names[i], &file), TRL_OK);
		assert_string_equal(file->name, names[i]);
		assert_int_equal(get(as(ann, TRL_MEMBER), id, &file), TRL_OK);
		assert_string_equal(file->name, names[i]);
	}
}

static void
a_name_that_is_none_is_refused(void **state)
{
	static const char *const names[] = { "", "a\r\nSet-Cookie: b", "a\nb", "a\tb",
		"a\x01", "\x7f", "\xc2\x85", "\xc2\x9f" };
	struct trl_id id = files_make((struct files_new){ .name = "a" });
	char long_name[300];
	media_file *file;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(names); i++)
		assert_int_equal(
		    rename_to(as(ann, TRL_MEMBER), id, names[i], NULL), TRL_INVALID);
	memset(long_name, 'x', sizeof long_name);
	long_name[256] = '\0';
	assert_int_equal(
	    rename_to(as(ann, TRL_MEMBER), id, long_name, NULL), TRL_INVALID);
	/* 128 characters of two bytes. */
	for (size_t i = 0; i < 256; i += 2)
		memcpy(long_name + i, "\xc3\xa9", 2);
	assert_int_equal(
	    rename_to(as(ann, TRL_MEMBER), id, long_name, NULL), TRL_INVALID);
	assert_string_equal(world.err.message, "A file's name has at most 255 bytes.");
	long_name[254] = '\0';
	assert_int_equal(rename_to(as(ann, TRL_MEMBER), id, long_name, &file), TRL_OK);
	assert_string_equal(file->name, long_name);
}

/* Nobody's If-Match fails for a change that was none, and nobody is told of one. */
static void
a_change_to_what_is_there_is_none(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 3, .name = "a" });
	struct world_caller who = as(ann, TRL_MEMBER);
	media_file *before, *file;

	(void)state;
	assert_int_equal(get(who, id, &before), TRL_OK);
	trl_set(&who, if_version, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rename_to(who, id, i ? "a" : NULL, &file), TRL_OK);
		assert_int_equal(file->version, 1);
		assert_string_equal(file->name, "a");
		assert_int_equal(trl_value_time_us(file->updated_at),
		    trl_value_time_us(before->updated_at));
		assert_string_equal(events_of(id), "");
		assert_false(file->has_maker || file->has_kept_state);
	}
	assert_int_equal(rename_to(as(ben, TRL_MEMBER), id, "a", NULL), TRL_DENIED);
	assert_int_equal(rename_to(who, id, "b", &file), TRL_OK);
	assert_int_equal(file->version, 2);
	assert_string_equal(events_of(id), "media.file.updated");
}

static void
a_stale_change_is_refused(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 3 });
	struct world_caller late = as(ann, TRL_MEMBER);

	(void)state;
	assert_int_equal(rename_to(as(ann, TRL_MEMBER), id, "b", NULL), TRL_OK);
	late.has_if_version = true;
	late.if_version = 1;
	assert_int_equal(rename_to(late, id, "c", NULL), TRL_PRECONDITION);
	assert_int_equal(delete (late, id, NULL), TRL_PRECONDITION);
	late.if_version = 2;
	assert_int_equal(delete (late, id, NULL), TRL_OK);
	assert_int_equal(restore(late, id, NULL), TRL_PRECONDITION);
	assert_int_equal(purge(as(ann, TRL_ADMIN), id), TRL_OK);
}

static void
a_deleted_file_can_be_restored_and_counts(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 7 });
	media_file *file;

	(void)state;
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, &file), TRL_OK);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__deleted);
	assert_int_equal(
	    trl_value_time_us(file->purge_at) - trl_value_time_us(file->deleted_at),
	    INT64_C(30) * 86400 * 1000000);
	assert_false(file->has_kept_state || file->has_maker);
	assert_int_equal(get(as(ann, TRL_MEMBER), id, NULL), TRL_NOT_FOUND);
	assert_int_equal(rename_to(as(ann, TRL_MEMBER), id, "b", NULL), TRL_NOT_FOUND);
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_NOT_FOUND);
	assert_int_equal(files_used(), 7);
	assert_int_equal(restore(as(ann, TRL_MEMBER), id, &file), TRL_OK);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_null(file->deleted_at);
	assert_null(file->purge_at);
	assert_int_equal(get(as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	assert_int_equal(restore(as(ann, TRL_MEMBER), id, NULL), TRL_CONFLICT);
	assert_int_equal(purge(as(ann, TRL_ADMIN), id), TRL_CONFLICT);
	assert_int_equal(files_in_folder(), 1);
	assert_string_equal(world_sql("select count(*) from media.job where kind = "
				      "'purge_file' and tenant_id = '%s' and state <> "
				      "'cancelled'",
				world_id_text(home)),
	    "0");
	assert_string_equal(events_of(id), "media.file.deleted media.file.restored");
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	assert_int_equal(purge(as(ann, TRL_ADMIN), id), TRL_OK);
	files_wait("purge_file");
}

static void
a_purged_file_leaves_nothing(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 7 });

	(void)state;
	world_sql(
	    "insert into media.rendition values ('%s', '%s', 'w_1', 'image/png', 1, "
	    "1, 1, 'x', now())",
	    world_id_text(home), world_id_text(id));
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	assert_int_equal(purge(as(ben, TRL_MEMBER), id), TRL_DENIED);
	assert_int_equal(purge(as(ben, TRL_ADMIN), id), TRL_OK);
	assert_int_equal(files_used(), 0);
	assert_int_equal(restore(as(ann, TRL_MEMBER), id, NULL), TRL_NOT_FOUND);
	assert_int_equal(files_rows("file"), 0);
	assert_int_equal(files_rows("rendition"), 0);
	world_until(is_gone, NULL);
	assert_string_equal(events_of(id), "media.file.deleted media.file.purged");
}

static void
what_was_deleted_is_purged_when_its_time_is_over(void **state)
{
	struct media_config *config = world.config;
	struct trl_id id = files_make((struct files_new){ .size = 7 });

	(void)state;
	config->trash_days = 0;
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	config->trash_days = 30;
	world_until(is_gone, NULL);
	assert_int_equal(files_used(), 0);
	assert_int_equal(files_rows("file"), 0);
	assert_string_equal(events_of(id), "media.file.deleted media.file.purged");
}

struct settling {
	struct trl_id file;
	struct file_verdict verdict;
	enum trl_code rc;
};

static void
settle_in_actor(trl_ctx *ctx, void *arg)
{
	struct settling *settling = arg;

	ctx->tenant = home;
	settling->rc = file_settle(world.self, ctx, settling->file, &settling->verdict);
}

static void
settle(struct trl_id file, struct file_verdict verdict)
{
	struct settling settling = { .file = file, .verdict = verdict };

	world_act(settle_in_actor, &settling);
	assert_int_equal(settling.rc, TRL_OK);
}

static void
a_file_that_was_looked_at_is_ready_or_rejected(void **state)
{
	struct trl_id good =
	    files_make((struct files_new){ .size = 3, .state = "processing" });
	struct trl_id bad =
	    files_make((struct files_new){ .size = 5, .state = "processing" });
	const struct file_verdict ready = {
		.state = MEDIA__V1__FILE__STATE__ready, .width = 4, .height = 2
	};
	const struct file_verdict rejected = {
		.state = MEDIA__V1__FILE__STATE__rejected, .reason = "It is broken."
	};
	media_file *file;

	(void)state;
	settle(good, ready);
	settle(good, ready); /* the job came again */
	settle(bad, rejected);
	settle(bad, rejected);
	settle(bad, ready);
	assert_int_equal(get(as(ann, TRL_MEMBER), good, &file), TRL_OK);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_int_equal(file->width, 4);
	assert_string_equal(events_of(good), "media.file.ready");
	assert_int_equal(get(as(ann, TRL_MEMBER), bad, &file), TRL_OK);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__rejected);
	assert_string_equal(file->reason, "It is broken.");
	assert_string_equal(events_of(bad), "media.file.rejected");
	/* It counts no more, and its bytes are gone; once it is purged, too. */
	assert_int_equal(files_used(), 3);
	files_wait("purge_file");
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(delete (as(ann, TRL_MEMBER), bad, NULL), TRL_OK);
	assert_int_equal(purge(as(ann, TRL_ADMIN), bad), TRL_OK);
	assert_int_equal(files_used(), 3);
	assert_int_equal(delete (as(ann, TRL_MEMBER), good, NULL), TRL_OK);
	assert_int_equal(purge(as(ann, TRL_ADMIN), good), TRL_OK);
	assert_int_equal(files_used(), 0);
	world_until(is_gone, NULL);
}

/* Whatever happens to the file meanwhile: they count no more. */
static void
the_bytes_of_a_rejected_file_go_at_once(void **state)
{
	const struct file_verdict rejected = {
		.state = MEDIA__V1__FILE__STATE__rejected, .reason = "It is broken."
	};
	struct trl_id id =
	    files_make((struct files_new){ .size = 5, .state = "processing" });

	(void)state;
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	settle(id, rejected);
	assert_int_equal(restore(as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	world_until(is_gone, NULL);
	assert_int_equal(files_used(), 0);
	assert_int_equal(files_rows("file"), 1);
	files_wait("purge_file");
	/* It still is purged when its time has come. */
	assert_string_equal(world_sql("select count(*) > 0 from media.job where kind = "
				      "'purge_file' and tenant_id = '%s' and run_at > "
				      "now() + interval '29 days'",
				world_id_text(home)),
	    "t");
	assert_int_equal(purge(as(ann, TRL_ADMIN), id), TRL_OK);
	assert_int_equal(files_used(), 0);
}

/* It was deleted while it was looked at. */
static void
a_deleted_file_goes_on_becoming_what_it_becomes(void **state)
{
	struct trl_id id =
	    files_make((struct files_new){ .size = 3, .state = "processing" });
	media_file *file;

	(void)state;
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	settle(id, (struct file_verdict){ .state = MEDIA__V1__FILE__STATE__ready });
	assert_int_equal(get(as(ann, TRL_MEMBER), id, NULL), TRL_NOT_FOUND);
	assert_int_equal(restore(as(ann, TRL_MEMBER), id, &file), TRL_OK);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_int_equal(delete (as(ann, TRL_MEMBER), id, NULL), TRL_OK);
	assert_int_equal(purge(as(ann, TRL_ADMIN), id), TRL_OK);
	world_until(is_gone, NULL);
}

static void
how_much_is_stored_is_told_once_for_all_that_changed(void **state)
{
	struct trl_id ids[5];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(ids); i++) {
		ids[i] = files_make((struct files_new){ .size = 10 });
		assert_int_equal(delete (as(ann, TRL_MEMBER), ids[i], NULL), TRL_OK);
		if (i > 0)
			assert_int_equal(purge(as(ann, TRL_ADMIN), ids[i]), TRL_OK);
	}
	assert_string_equal(world_sql("select count(*) from media.job where kind = "
				      "'tell_storage' and tenant_id = '%s'",
				world_id_text(home)),
	    "1");
	world_until_sql("select count(*) = 1 from media.outbox where type = "
			"'media.storage.changed' and tenant_id = '%s'",
	    world_id_text(home));
	assert_int_equal(files_used(), 10);
	assert_int_equal(purge(as(ann, TRL_ADMIN), ids[0]), TRL_OK);
	world_until(is_gone, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_name_is_kept_byte_for_byte, files_found),
		cmocka_unit_test_setup(a_name_that_is_none_is_refused, files_found),
		cmocka_unit_test_setup(a_change_to_what_is_there_is_none, files_found),
		cmocka_unit_test_setup(a_stale_change_is_refused, files_found),
		cmocka_unit_test_setup(
		    a_deleted_file_can_be_restored_and_counts, files_found),
		cmocka_unit_test_setup(a_purged_file_leaves_nothing, files_found),
		cmocka_unit_test_setup(
		    what_was_deleted_is_purged_when_its_time_is_over, files_found),
		cmocka_unit_test_setup(
		    a_file_that_was_looked_at_is_ready_or_rejected, files_found),
		cmocka_unit_test_setup(
		    the_bytes_of_a_rejected_file_go_at_once, files_found),
		cmocka_unit_test_setup(
		    a_deleted_file_goes_on_becoming_what_it_becomes, files_found),
		cmocka_unit_test_setup(
		    how_much_is_stored_is_told_once_for_all_that_changed, files_found),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
