/* Final uploads of many small parts: what the request looks at, and what happens to the
 * parts while it does. */
#include "upload/finish.h"
#include "upload/test_finals.h"

enum { MANY = 32 };

/* What requests for a final upload have of the store: each is a request to its server.
 */
static unsigned asked;
static struct trl_ticket ticket;
static bool stops, stands;

static enum trl_code
count(trl_ctx *ctx, media_store *store, const struct store_object *object,
    uint64_t offset, uint64_t len, store_reader **out)
{
	enum trl_code rc = TRL_OK;

	if (ctx->method == &media_v1_create_upload) {
		asked++;
		if (stops && !stands) {
			stands = true;
			ticket = trl_park_begin(ctx);
			rc = trl_park(ctx, ticket, "the test");
		}
	}
	return rc == TRL_OK ? usual->reader_open(ctx, store, object, offset, len, out)
			    : rc;
}

static int
begin_counted(void **state)
{
	if (!usual)
		usual = store_of_media()->way;
	held = *usual;
	held.reader_open = count;
	store_of_media()->way = &held;
	asked = 0;
	stops = stands = false;
	return begin(state);
}

static int
end_counted(void **state)
{
	store_of_media()->way = usual;
	return world_forget(state);
}

/* Parts of each bytes, which make data. */
static const char *
cut(const uint8_t *data, size_t len, size_t each, struct trl_id *parts)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += each, n++)
		parts[n] = part_of(data + at, len - at < each ? len - at : each);
	asked = 0; /* what the parts had of the store is theirs */
	return final_of(parts, n);
}

static void
small_parts_are_not_read_one_by_one(void **state)
{
	uint8_t *data = bytes_of(3 * MANY, 1);
	struct trl_id parts[MANY], id;
	const char *concat;

	(void)state;
	memcpy(data, "<!DOCTYPE html><html><head>", 27);
	concat = cut(data, 3 * MANY, 3, parts);
	assert_int_equal(join(&ann, concat, "filetype aW1hZ2UvcG5n", NULL),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(join(&ann, concat, "filetype dGV4dC9odG1s", &id), TRL_OK);
	assert_int_equal(asked, 0);
	await_file(id);
	must_lie_there(id, data, 3 * MANY);
	assert_string_equal(file_that(id)->type, "text/html");
}

static void
parts_without_bytes_are_not_read(void **state)
{
	struct trl_id parts[3];

	(void)state;
	parts[0] = parts[1] = part_of("", 0);
	parts[2] = part_of("abc", 3);
	asked = 0;
	assert_int_equal(join(&ann, final_of(parts, 3), NULL, NULL), TRL_OK);
	assert_int_equal(asked, 0);
	await_jobs();
}

static void
others_are_read_as_far_as_the_type_needs(void **state)
{
	const size_t len = 12 * (UPLOAD_HEAD_KEPT + 1);
	struct trl_id parts[12], id;
	uint8_t *data = bytes_of(len, 1);

	(void)state;
	assert_int_equal(
	    join(&ann, cut(data, len, UPLOAD_HEAD_KEPT + 1, parts), NULL, &id), TRL_OK);
	assert_int_equal(asked, KINDS_HEAD_MAX / UPLOAD_HEAD_KEPT);
	await_file(id);
	must_lie_there(id, data, len);
}

/* The release before has not kept them. */
static void
small_parts_without_kept_bytes_are_read(void **state)
{
	static const char html[] = "<!DOCTYPE html><html><head>";
	struct trl_id parts[9];
	const char *concat = cut((const uint8_t *)html, 27, 3, parts);

	(void)state;
	world_sql("update upload set head = null where tenant_id = '%s'",
	    world_id_text(ann.tenant));
	assert_int_equal(join(&ann, concat, "filetype aW1hZ2UvcG5n", NULL),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(asked, 9);
}

/* A request that stands before it reads. */
static void
start(const char *concat, struct world_run *run)
{
	static Media__V1__CreateUploadRequest in;

	media__v1__create_upload_request__init(&in);
	in.tus_resumable = (char *)"1.0.0";
	in.upload_concat = (char *)(uintptr_t)concat;
	*run = (struct world_run){
		.who = ann, .method = &media_v1_create_upload, .in = &in.base
	};
	stops = true;
	world_start(run);
	world_until(is_set, &stands);
}

static void
go_on(struct world_run *run)
{
	struct world_run *all = run;

	(void)trl_wake(ticket);
	world_wait(&all, 1);
}

static void
a_part_that_ends_meanwhile_is_not_there(void **state)
{
	const struct trl_id part = part_of(bytes_of(PART, 1), PART);
	struct world_run run;

	(void)state;
	start(final_of(&part, 1), &run);
	assert_int_equal(tus_delete(&ann, part), TRL_OK);
	go_on(&run);
	assert_int_equal(run.rc, TRL_NOT_FOUND);
	assert_non_null(strstr(run.err.message, "Part 1"));
	assert_string_equal(storage(), "0 0");
}

static void
the_same_one_that_was_made_meanwhile_is_it(void **state)
{
	const struct trl_id part = part_of(bytes_of(PART, 1), PART);
	const char *concat = final_of(&part, 1);
	struct world_run run;
	struct trl_id id;

	(void)state;
	start(concat, &run);
	assert_int_equal(join(&ann, concat, NULL, &id), TRL_OK);
	await_file(id);
	await_jobs();
	go_on(&run);
	assert_int_equal(run.rc, TRL_OK);
	assert_true(trl_id_eq(
	    id, id_of(((Media__V1__CreatedUpload *)(void *)run.out)->location)));
	assert_string_equal(storage(), "300000 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define MANY_PARTS(test)                                                               \
	cmocka_unit_test_setup_teardown(test, begin_counted, end_counted)
		MANY_PARTS(small_parts_are_not_read_one_by_one),
		MANY_PARTS(parts_without_bytes_are_not_read),
		MANY_PARTS(others_are_read_as_far_as_the_type_needs),
		MANY_PARTS(small_parts_without_kept_bytes_are_read),
		MANY_PARTS(a_part_that_ends_meanwhile_is_not_there),
		MANY_PARTS(the_same_one_that_was_made_meanwhile_is_it),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
