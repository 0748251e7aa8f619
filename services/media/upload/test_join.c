/* Uploads that are made of others: what becomes of parts and of wholes. */
#include "upload/end.h"
#include "upload/test_finals.h"

static void
parts_become_one_file(void **state)
{
	const uint8_t *data = bytes_of(2 * PART + 5, 1);
	Media__V1__UploadProgress *head;
	struct trl_id parts[3], id, again;
	const char *concat;
	media_file *file;

	(void)state;
	parts[0] = part_of(data, PART);
	parts[1] = part_of(data + PART, PART);
	parts[2] = part_of(data + 2 * PART, 5);
	assert_string_equal(storage(), "0 600005");
	assert_string_equal(
	    world_sql("select count(*) from file where tenant_id = '%s'",
		world_id_text(ann.tenant)),
	    "0");
	concat = final_of(parts, 3);
	assert_int_equal(join(&ann, concat, "filename YS5iaW4=", &id), TRL_OK);
	await_file(id);
	file = file_that(id);
	assert_string_equal(file->sha256, hash_of(data, 2 * PART + 5));
	assert_int_equal(file->size, 2 * PART + 5);
	assert_int_equal(file->version, 2);
	assert_string_equal(events_of(id), "media.file.ready");
	assert_string_equal(file->name, "a.bin");
	must_lie_there(id, data, 2 * PART + 5);
	assert_string_equal(storage(), "600005 0");
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_int_equal(head->upload_offset, 2 * PART + 5);
	assert_int_equal(head->upload_length, 2 * PART + 5);
	assert_string_equal(head->upload_concat, concat);
	/* The parts have gone, and with them nothing of the file. */
	await_jobs();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(tus_head_as(&ann, parts[i], NULL), TRL_NOT_FOUND);
		must_not_lie_there(parts[i]);
	}
	assert_string_equal(storage(), "600005 0");
	assert_int_equal(join(&ann, concat, "filename YS5iaW4=", &again), TRL_OK);
	assert_true(trl_id_eq(id, again));
	assert_int_equal(join(&ann, concat, "filename Yg==", &again), TRL_NOT_FOUND);
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	must_lie_there(id, data, 2 * PART + 5);
}

static void
asked_for_again_it_is_the_same(void **state)
{
	struct trl_id parts[2], ids[4];
	const char *concat;

	(void)state;
	parts[0] = part_of("abc", 3);
	parts[1] = part_of("def", 3);
	concat = final_of(parts, 2);
	hold();
	assert_int_equal(join(&ann, concat, "filename YQ==", &ids[0]), TRL_OK);
	assert_int_equal(join(&ann, concat, "filename YQ==", &ids[1]), TRL_OK);
	assert_true(trl_id_eq(ids[0], ids[1]));
	assert_string_equal(storage(), "6 0");
	/* under another name, in another order it is another, and takes room */
	assert_int_equal(join(&ann, concat, "filename Yg==", &ids[2]), TRL_OK);
	assert_false(trl_id_eq(ids[0], ids[2]));
	assert_string_equal(storage(), "12 0");
	parts[1] = parts[0];
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, &ids[3]), TRL_OK);
	assert_string_equal(storage(), "18 0");
	await_waiting(3);
	let_go();
	for (size_t i = 0; i < 4; i++)
		await_file(ids[i]);
	must_lie_there(ids[2], "abcdef", 6);
	must_lie_there(ids[3], "abcabc", 6);
}

static void
parts_without_bytes_make_a_file_without_bytes(void **state)
{
	struct trl_id parts[2], id;

	(void)state;
	parts[0] = part_of("", 0);
	parts[1] = part_of("", 0);
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, &id), TRL_OK);
	await_file(id);
	await_jobs();
	assert_int_equal(file_that(id)->size, 0);
	assert_string_equal(file_that(id)->sha256, hash_of("", 0));
	must_lie_there(id, "", 0);
	assert_int_equal(tus_offset(id), 0);
	assert_string_equal(storage(), "0 0");
}

/* By tus 1.0.0 a final upload has no offset before it is put together. */
static void
it_has_an_offset_once_it_is_put_together(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	const char *concat = final_of(&part, 1);
	Media__V1__UploadProgress *head;
	struct trl_id id;

	(void)state;
	hold();
	assert_int_equal(join(&ann, concat, NULL, &id), TRL_OK);
	await_waiting(1);
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_false(head->has_upload_offset);
	assert_int_equal(head->upload_length, 3);
	assert_string_equal(head->upload_concat, concat);
	let_go();
	await_file(id);
	assert_int_equal(tus_offset(id), 3);
}

/* Who tidies up does not wait for the job. */
static void
parts_that_end_before_they_are_read_are_read(void **state)
{
	struct trl_id parts[2], id;

	(void)state;
	parts[0] = part_of("abc", 3);
	parts[1] = part_of("def", 3);
	id = join_held(parts, 2);
	assert_int_equal(tus_delete(&ann, parts[0]), TRL_OK);
	assert_int_equal(tus_head_as(&ann, parts[0], NULL), TRL_NOT_FOUND);
	must_lie_there(parts[0], "abc", 3);
	assert_int_equal(tus_delete(&ann, id), TRL_CONFLICT);
	assert_string_equal(world.err.message,
	    "Its file is still being assembled; delete the file afterwards.");
	let_go();
	await_file(id);
	await_jobs();
	must_lie_there(id, "abcdef", 6);
	for (size_t i = 0; i < 2; i++)
		must_not_lie_there(parts[i]);
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
}

/* One at a time: the first one's job tidies up, and the second one's still finds all
 * that it needs. */
static void
parts_of_two_are_there_until_both_are_made(void **state)
{
	struct trl_id parts[2], ids[2];
	const char *concat;

	(void)state;
	parts[0] = part_of("abc", 3);
	parts[1] = part_of("def", 3);
	concat = final_of(parts, 2);
	hold();
	assert_int_equal(join(&ann, concat, "filename YQ==", &ids[0]), TRL_OK);
	assert_int_equal(join(&ann, concat, "filename Yg==", &ids[1]), TRL_OK);
	assert_int_equal(tus_delete(&ann, parts[0]), TRL_OK);
	await_waiting(2);
	let_go();
	for (size_t i = 0; i < 2; i++) {
		await_file(ids[i]);
		assert_string_equal(file_that(ids[i])->sha256, hash_of("abcdef", 6));
	}
	await_jobs();
	for (size_t i = 0; i < 2; i++)
		must_not_lie_there(parts[i]);
	assert_string_equal(column(parts[1], "count(*)"), "0");
}

static void
remove_as_read_before(trl_ctx *ctx, void *arg)
{
	const struct trl_id part = *(struct trl_id *)arg;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);

	ctx->tenant = ann.tenant;
	assert_int_equal(upload_find(world.self, ctx, part, row), TRL_OK);
	trl_set(row, generation, row->generation - 1);
	assert_int_equal(upload_remove(world.self, ctx, row, NULL), TRL_CONFLICT);
}

/* Whoever has read a part before it was named again, to end it, reads it anew. */
static void
each_final_one_is_seen_by_whoever_ends_a_part(void **state)
{
	struct trl_id part = part_of("abc", 3);
	const int64_t before = atol(column(part, "generation"));

	(void)state;
	hold();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    join(&ann, final_of(&part, 1), i ? NULL : "filename YQ==", NULL),
		    TRL_OK);
		assert_int_equal(atol(column(part, "generation")), before + i + 1);
	}
	world_act(remove_as_read_before, &part);
	assert_string_equal(column(part, "count(*)"), "1");
	await_waiting(2);
	let_go();
	await_jobs();
}

/* Each death of a process is an attempt. */
static void
processes_that_die_cost_no_file(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	struct trl_id id;

	(void)state;
	id = join_held(&part, 1);
	world_sql("update job set state = 'running', attempt = 100, lease_token = "
		  "gen_random_uuid(), lease_until = now() - interval '1 minute' where "
		  "kind = 'join_upload' and tenant_id = '%s'",
	    world_id_text(ann.tenant));
	await_waiting(1);
	let_go();
	await_file(id);
	must_lie_there(id, "abc", 3);
}

/* The same final upload, asked for again after its file met change. */
static void
is_made_anew_after(const char *change)
{
	const struct trl_id part = part_of("abc", 3);
	const char *concat = final_of(&part, 1);
	struct trl_id ids[2];

	hold();
	assert_int_equal(join(&ann, concat, NULL, &ids[0]), TRL_OK);
	await_waiting(1);
	world_sql("%s where id = '%s'", change, world_id_text(ids[0]));
	assert_int_equal(join(&ann, concat, NULL, &ids[1]), TRL_OK);
	assert_false(trl_id_eq(ids[0], ids[1]));
	await_waiting(2);
	let_go();
	await_file(ids[1]);
	must_lie_there(ids[1], "abc", 3);
}

static void
what_was_rejected_may_be_asked_for_again(void **state)
{
	(void)state;
	is_made_anew_after("update file set state = 'rejected'");
}

/* It is not said to be there when its file is gone for good. */
static void
what_was_purged_is_made_anew(void **state)
{
	(void)state;
	is_made_anew_after("delete from file");
}

/* One that has expired protects its parts for as long as it is not made. */
static void
a_pending_one_is_in_nobodys_way_and_stays(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	const char *concat = final_of(&part, 1);
	struct trl_id ids[2];

	(void)state;
	hold();
	assert_int_equal(join(&ann, concat, NULL, &ids[0]), TRL_OK);
	world_sql("update upload set expires_at = now() - interval '1 hour' where id = "
		  "'%s'",
	    world_id_text(ids[0]));
	assert_int_equal(join(&ann, concat, NULL, &ids[1]), TRL_OK);
	assert_true(trl_id_eq(ids[0], ids[1]));
	await_waiting(1);
	let_go();
	await_file(ids[0]);
}

static void
parts_of_others_are_not_there(void **state)
{
	const struct world_caller mine = ann;
	struct trl_id parts[2];

	(void)state;
	parts[0] = part_of("abc", 3);
	begin_with(1000);
	parts[1] = part_of("def", 3);
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, NULL), TRL_NOT_FOUND);
	ann.tenant = mine.tenant; /* a colleague */
	assert_int_equal(join(&ann, final_of(parts, 1), NULL, NULL), TRL_NOT_FOUND);
	ann = mine;
	parts[1] = trl_id_new();
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, NULL), TRL_NOT_FOUND);
	/* a whole upload is no part */
	parts[1] =
	    tus_begin(&(struct tus_post){ .length = 3, .body = "abc", .body_len = 3 });
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, NULL), TRL_NOT_FOUND);
	assert_string_equal(storage(), "3 3");
}

static void
parts_that_are_not_whole_are_refused(void **state)
{
	struct trl_id parts[2];

	(void)state;
	parts[0] = part_of("abc", 3);
	parts[1] = tus_begin(&(struct tus_post){ .length = 3, .concat = "partial" });
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, NULL), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "Part 2"));
	assert_string_equal(storage(), "0 6");
}

static void
a_final_upload_has_no_bytes_of_its_own(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	const char *concat = final_of(&part, 1);
	struct trl_id id;

	(void)state;
	assert_int_equal(
	    tus_post(&ann, &(struct tus_post){ .length = 3, .concat = concat }, NULL),
	    TRL_MALFORMED);
	assert_int_equal(
	    tus_post(&ann,
		&(struct tus_post){
		    .no_length = true, .concat = concat, .body = "a", .body_len = 1 },
		NULL),
	    TRL_MALFORMED);
	assert_int_equal(join(&ann, "final;/api/v1/uploads/../uploads/x", NULL, NULL),
	    TRL_MALFORMED);
	assert_int_equal(join(&ann, concat, NULL, &id), TRL_OK);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .body = "d", .len = 1 }, NULL),
	    TRL_DENIED);
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .offset = 3 }, NULL), TRL_DENIED);
	await_file(id);
}

static void
what_is_made_of_parts_fits_plan_and_collection(void **state)
{
	static const char html[] = "<!DOCTYPE html><html>";
	const struct trl_id part = part_of(html, sizeof html - 1);
	struct trl_id parts[2], id;

	(void)state;
	assert_int_equal(join(&ann, final_of(&part, 1), "filetype aW1hZ2UvcG5n", NULL),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(
	    join(&ann, final_of(&part, 1), "collection cGljdHVyZXM=", NULL),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	begin_with(10);
	parts[0] = parts[1] = part_of("abcdef", 6);
	/* what it reserved is there, and not once more */
	assert_int_equal(join(&ann, final_of(parts, 2), NULL, NULL), TRL_TOO_LARGE);
	assert_string_equal(storage(), "0 6");
	assert_int_equal(join(&ann, final_of(parts, 1), NULL, &id), TRL_OK);
	assert_string_equal(storage(), "6 0");
	await_file(id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(parts_become_one_file),
		TUS(asked_for_again_it_is_the_same),
		TUS(parts_without_bytes_make_a_file_without_bytes),
		TUS(it_has_an_offset_once_it_is_put_together),
		TUS(parts_that_end_before_they_are_read_are_read),
		TUS(parts_of_two_are_there_until_both_are_made),
		TUS(each_final_one_is_seen_by_whoever_ends_a_part),
		TUS(processes_that_die_cost_no_file),
		TUS(what_was_rejected_may_be_asked_for_again),
		TUS(what_was_purged_is_made_anew),
		TUS(a_pending_one_is_in_nobodys_way_and_stays),
		TUS(parts_of_others_are_not_there),
		TUS(parts_that_are_not_whole_are_refused),
		TUS(a_final_upload_has_no_bytes_of_its_own),
		TUS(what_is_made_of_parts_fits_plan_and_collection),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
