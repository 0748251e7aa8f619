/* The length of an upload that was begun without one: when it may come, what it
 * reserves, and that a request which is refused has fixed none. */
#include "upload/test_sender.h"

enum { LARGE = 3 << 20 };

static void
a_length_may_come_later(void **state)
{
	const uint8_t *data = bytes_of(LARGE, 5);
	Media__V1__UploadProgress *head;
	struct trl_id id;
	uint64_t offset;

	(void)state;
	id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	assert_string_equal(storage(), "0 0");
	assert_int_equal(
	    tus_patch(
		&ann, id, &(struct tus_patch){ .body = data, .len = LARGE }, &offset),
	    TRL_OK);
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_false(head->has_upload_length);
	assert_string_equal(head->upload_defer_length, "1");
	assert_string_equal(storage(), "0 3145728");
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = LARGE, .has_length = true, .length = 5 },
		NULL),
	    TRL_MALFORMED);
	/* An empty PATCH only brings the length. */
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){
				 .offset = LARGE, .has_length = true, .length = LARGE },
			     &offset),
	    TRL_OK);
	assert_string_equal(file_that(id)->sha256, hash_of(data, LARGE));
	assert_string_equal(storage(), "3145728 0");
}

static void
a_late_length_is_reserved_and_final(void **state)
{
	struct trl_id id;
	Media__V1__UploadProgress *head;

	(void)state;
	begin_with(100);
	id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .body = "abc", .len = 3, .has_length = true, .length = 101 },
		NULL),
	    TRL_TOO_LARGE);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .body = "abc", .len = 3, .has_length = true, .length = 50 },
		NULL),
	    TRL_OK);
	assert_string_equal(storage(), "0 50");
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .offset = 3,
				 .body = "d",
				 .len = 1,
				 .has_length = true,
				 .length = 51 },
			     NULL),
	    TRL_MALFORMED);
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_int_equal(head->upload_length, 50);
	assert_null(head->upload_defer_length);
}

static void
a_body_that_is_refused_fixes_no_length(void **state)
{
	Media__V1__UploadProgress *head;
	struct tus_patch patch = {
		.offset = 3, .body = "xyz", .len = 3, .has_length = true, .length = 4
	};
	struct trl_id id;

	(void)state;
	id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	assert_int_equal(tus_patch(&ann, id, &patch, NULL), TRL_TOO_LARGE);
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_string_equal(head->upload_defer_length, "1");
	patch.length = 6;
	assert_int_equal(tus_patch(&ann, id, &patch, NULL), TRL_OK);
	must_lie_there(id, "abcxyz", 6);
}

/* The same where it is known only at the end of the body: in chunks that go on beyond
 * it, and where the checksum is another. */
static void
a_length_does_not_stay_where_its_body_is_refused(void **state)
{
	const struct tus_patch wrong[] = {
		{ .offset = 3,
		    .body = "xyz",
		    .len = 3,
		    .has_length = true,
		    .length = 4,
		    .untold = true },
		{ .offset = 3,
		    .body = "xyz",
		    .len = 3,
		    .has_length = true,
		    .length = 9,
		    .checksum = "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
		{ .offset = 3,
		    .body = "xyz",
		    .len = 3,
		    .has_length = true,
		    .length = 9,
		    .digest =
			"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" },
	};
	static const enum trl_code codes[] = { TRL_TOO_LARGE, TRL_CHECKSUM,
		TRL_MALFORMED };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		Media__V1__UploadProgress *head;
		struct tus_patch right = { .offset = 3,
			.body = "xyz",
			.len = 3,
			.has_length = true,
			.length = 6 };
		struct trl_id id =
		    tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });

		assert_int_equal(
		    tus_patch(
			&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
		    TRL_OK);
		assert_int_equal(tus_patch(&ann, id, &wrong[i], NULL), codes[i]);
		assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
		assert_string_equal(head->upload_defer_length, "1");
		assert_int_equal(head->upload_offset, 3);
		assert_string_equal(column(id, "reserved"), "3");
		assert_int_equal(tus_patch(&ann, id, &right, NULL), TRL_OK);
		must_lie_there(id, "abcxyz", 6);
	}
	assert_string_equal(storage(), "18 0");
}

/* The process is killed before the file is made: nobody has to ask. */
static void
a_length_that_is_reached_already_has_a_job(void **state)
{
	struct trl_id id =
	    tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	char *text = trl_arena_strdup(world.arena, world_id_text(id));

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	assert_string_equal(
	    world_sql("select count(*) from job where key = '%s'", text), "0");
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .has_length = true, .length = 3 },
		NULL),
	    TRL_OK);
	assert_string_equal(
	    world_sql("select kind from job where key = '%s'", text), "finish_upload");
	must_lie_there(id, "abc", 3);
}

/* Whoever writes it stands still: it has to go, and the file is made. */
static void
a_length_at_the_offset_of_a_running_patch_takes_over(void **state)
{
	struct sender first = { .data = bytes_of(15, 9), .len = 15 };
	const struct tus_patch rest = { .offset = 5, .has_length = true, .length = 5 };
	const uint64_t from_us = trl_mono_us();
	uint64_t offset = 0;

	(void)state;
	first.id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	start(&first);
	send_to(&first, 5);
	assert_int_equal(tus_patch(&ann, first.id, &rest, &offset), TRL_OK);
	assert_int_equal(offset, 5);
	assert_true(trl_mono_us() - from_us < 2000000);
	world_until(is_over, &first);
	assert_int_equal(first.rc, TRL_CONFLICT);
	world_until(is_quiet, NULL);
	must_lie_there(first.id, first.data, 5);
	assert_string_equal(storage(), "5 0");
}

/* The same where another process writes it: its commits count no more. */
static void
a_late_length_ends_what_another_process_writes(void **state)
{
	struct sender first = { .data = bytes_of(15, 9), .len = 15 };

	(void)state;
	first.id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	start(&first);
	send_to(&first, 5);
	assert_int_equal(tus_offset(first.id), 5);
	world_sql("update upload set length = 5, generation = generation + 1, holder = "
		  "null where id = '%s'",
	    world_id_text(first.id));
	send_to(&first, 15);
	end(&first);
	assert_int_equal(first.rc, TRL_CONFLICT);
	assert_string_equal(column(first.id, "received"), "5");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(a_length_may_come_later),
		TUS(a_late_length_is_reserved_and_final),
		TUS(a_body_that_is_refused_fixes_no_length),
		TUS(a_length_does_not_stay_where_its_body_is_refused),
		TUS(a_length_that_is_reached_already_has_a_job),
		TUS(a_length_at_the_offset_of_a_running_patch_takes_over),
		TUS(a_late_length_ends_what_another_process_writes),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
