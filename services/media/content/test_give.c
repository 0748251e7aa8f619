/* Bytes as answers: the whole, parts, none, for whom, and under which names; from a
 * store in a folder. (Over 400 lines: one rule of answers after the other.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "content/content.h"
#include "file/file.h"
#include "test_service.h"

#define SHA256_OF_TEN "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
#define TEN "0123456789"

static struct world_person ann = { .verified = true }, bob = { .verified = true };
static struct trl_id tenant;
static Media__V1__ContentBytes *answer;
static uint8_t role = TRL_MEMBER; /* of whoever asks */

static int
open_world(void **state)
{
	(void)state;
	ann.account = trl_id_new();
	bob.account = trl_id_new();
	tenant = trl_id_new();
	return world_open_one(&media_service);
}

static void
put(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { tenant, *(struct trl_id *)arg, "" };
	struct media *self = world.self;

	assert_int_equal(store_put(ctx, self->store, &object, TEN, 10), TRL_OK);
}

/* A row of ten bytes; with them in the store. */
static struct trl_id
keep(const char *collection, const char *state, const char *name, const char *type)
{
	struct trl_id id = trl_id_new();

	world_sql("insert into media.file (tenant_id, id, version, collection, name, "
		  "type, size, sha256, state, maker, created_at, updated_at) "
		  "values ('%s', '%s', 1, '%s', '%s', '%s', 10, '%s', '%s', '%s', "
		  "'2026-01-02T03:04:05.6Z', now())",
	    world_id_text(tenant), world_id_text(id), collection, name, type,
	    SHA256_OF_TEN, state, world_id_text(ann.account));
	world_act(put, &id);
	return id;
}

static struct trl_id
ten(void)
{
	return keep("files", "ready", "ten.txt", "text/plain");
}

static char found_path[512];

static int
look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)ftw;
	if (type != FTW_F || !strstr(path, found_path))
		return 0;
	strcpy(found_path, path);
	return 1;
}

/* Where the store has its bytes. */
static const char *
path_of(struct trl_id id)
{
	strcpy(found_path, world_id_text(id));
	assert_int_equal(
	    nftw(getenv("TRELLIS_MEDIA_FOLDER"), look_at, 16, FTW_PHYS), 1);
	return found_path;
}

static void
remove_bytes(struct trl_id id)
{
	assert_int_equal(unlink(path_of(id)), 0);
}

static enum trl_code
ask_by(const char *verb, const struct world_person *person, struct trl_id id,
    const char *range, const char *if_none_match)
{
	struct world_caller who = { .person = person, .tenant = tenant, .role = role };
	Media__V1__GetContentRequest in = MEDIA__V1__GET_CONTENT_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&id));
	in.verb = (char *)(uintptr_t)verb;
	in.range = (char *)(uintptr_t)range;
	in.if_none_match = (char *)(uintptr_t)if_none_match;
	return world_call(&who, &media_v1_get_content, &in.base, &answer);
}

static enum trl_code
ask(const struct world_person *person, struct trl_id id, const char *range,
    const char *if_none_match)
{
	return ask_by("GET", person, id, range, if_none_match);
}

static void
given(const char *wanted)
{
	assert_int_equal(world.given.len, strlen(wanted));
	assert_memory_equal(world.given.data, wanted, world.given.len);
}

static void
the_whole_comes_with_all_that_is_known_of_it(void **state)
{
	struct trl_id id = ten();

	(void)state;
	assert_int_equal(ask(&ann, id, NULL, NULL), TRL_OK);
	given(TEN);
	assert_false(answer->has_status);
	assert_int_equal(answer->length, 10);
	assert_string_equal(answer->type, "text/plain");
	assert_string_equal(answer->etag, "\"" SHA256_OF_TEN "\"");
	assert_string_equal(answer->cache, "private, no-cache");
	assert_string_equal(answer->disposition, "attachment; filename=\"ten.txt\"");
	assert_string_equal(answer->ranges, "bytes");
	assert_string_equal(
	    answer->digest, "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:");
	assert_string_equal(answer->vary, "Origin");
	assert_int_equal(answer->modified_at->seconds, 1767323045);
}

/* R3, R6 */
static void
parts_are_206(void **state)
{
	struct trl_id id = ten();
	char wanted[400];
	const char *boundary;

	(void)state;
	assert_int_equal(ask(&ann, id, "bytes=0-0", NULL), TRL_OK);
	assert_int_equal(answer->status, 206);
	assert_string_equal(answer->range, "bytes 0-0/10");
	assert_int_equal(answer->length, 1);
	given("0");
	assert_int_equal(ask(&ann, id, "bytes=-3", NULL), TRL_OK);
	assert_string_equal(answer->range, "bytes 7-9/10");
	given("789");
	assert_int_equal(ask(&ann, id, "bytes=0-0,8-", NULL), TRL_OK);
	assert_int_equal(answer->status, 206);
	assert_null(answer->range);
	assert_memory_equal(answer->type, "multipart/byteranges; boundary=", 31);
	boundary = answer->type + 31;
	(void)snprintf(wanted, sizeof wanted,
	    "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
	    "\r\n--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes "
	    "8-9/10\r\n\r\n89\r\n--%s--\r\n",
	    boundary, boundary, boundary);
	given(wanted);
	assert_int_equal(answer->length, strlen(wanted));
}

static void
what_is_not_there_says_how_much_is(void **state)
{
	struct trl_id id = ten();

	(void)state;
	assert_int_equal(ask(&ann, id, "bytes=10-", NULL), TRL_RANGE);
	assert_int_equal(world.err.quota.limit, 10);
	assert_int_equal(ask(&ann, id, "bytes=9-5", NULL), TRL_OK);
	assert_false(answer->has_status);
	given(TEN);
}

/* R5 */
static void
a_thousand_ranges_are_the_whole_once(void **state)
{
	struct trl_id id = ten();
	struct trl_buf text = { 0 };

	(void)state;
	trl_buf_adds(&text, "bytes=0-");
	for (int i = 0; i < 1000; i++)
		trl_buf_adds(&text, ",0-");
	trl_buf_add(&text, "", 1);
	assert_int_equal(ask(&ann, id, (const char *)text.data, NULL), TRL_OK);
	assert_false(answer->has_status);
	given(TEN);
	trl_buf_fini(&text);
}

/* R8: and before a part is thought of. */
static void
who_has_it_is_given_none(void **state)
{
	struct trl_id id = ten();

	(void)state;
	assert_int_equal(ask(&ann, id, "bytes=0-0", "W/\"" SHA256_OF_TEN "\""), TRL_OK);
	assert_int_equal(answer->status, 304);
	assert_false(answer->has_length);
	assert_null(answer->type);
	assert_string_equal(answer->etag, "\"" SHA256_OF_TEN "\"");
	assert_string_equal(answer->cache, "private, no-cache");
	assert_string_equal(answer->vary, "Origin");
	given("");
}

static void
conditions_and_head(void **state)
{
	struct world_caller who = { .person = &ann, .tenant = tenant };
	Media__V1__GetContentRequest in = MEDIA__V1__GET_CONTENT_REQUEST__INIT;
	struct trl_id id = ten();

	(void)state;
	trl_set(&in, file_id, world_bytes(&id));
	in.if_match = (char *)"\"another\"";
	assert_int_equal(
	    world_call(&who, &media_v1_get_content, &in.base, NULL), TRL_PRECONDITION);
	in.if_match = NULL;
	in.range = (char *)"bytes=0-0";
	in.if_range = (char *)"W/\"" SHA256_OF_TEN "\"";
	assert_int_equal(
	    world_call(&who, &media_v1_get_content, &in.base, &answer), TRL_OK);
	given(TEN);
	/* The store is not asked for what nobody reads. */
	remove_bytes(id);
	in.if_range = NULL;
	in.verb = (char *)"HEAD";
	assert_int_equal(
	    world_call(&who, &media_v1_get_content, &in.base, &answer), TRL_OK);
	assert_false(answer->has_status);
	assert_int_equal(answer->length, 10);
	given("");
}

/* X6: what could act in a browser is kept as a file. */
static void
only_what_is_harmless_is_shown_in_place(void **state)
{
	static const struct {
		const char *type, *kind;
	} rows[] = { { "image/png", "inline" }, { "image/jpeg", "inline" },
		{ "image/webp", "inline" }, { "audio/mpeg", "inline" },
		{ "video/mp4", "inline" }, { "text/html", "attachment" },
		{ "image/svg+xml", "attachment" }, { "image/svg+xml; x", "attachment" },
		{ "text/xml", "attachment" }, { "application/xhtml+xml", "attachment" },
		{ "message/rfc822", "attachment" }, { "application/pdf", "attachment" },
		{ "text/plain", "attachment" }, { "unknown/type", "attachment" } };
	char wanted[80];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id id = keep("files", "ready", "a.b", rows[i].type);

		assert_int_equal(ask(&ann, id, NULL, NULL), TRL_OK);
		(void)snprintf(
		    wanted, sizeof wanted, "%s; filename=\"a.b\"", rows[i].kind);
		assert_string_equal(answer->disposition, wanted);
	}
}

static void
who_does_not_see_a_file_gets_no_byte(void **state)
{
	static const struct {
		const char *collection, *state;
		enum trl_code anns, bobs;
	} rows[] = { { "files", "ready", TRL_OK, TRL_OK },
		{ "pictures", "ready", TRL_OK, TRL_OK },
		{ "private", "ready", TRL_OK, TRL_NOT_FOUND },
		{ "no-longer-there", "ready", TRL_OK, TRL_NOT_FOUND },
		{ "files", "processing", TRL_CONFLICT, TRL_CONFLICT },
		{ "private", "processing", TRL_CONFLICT, TRL_NOT_FOUND },
		{ "files", "rejected", TRL_NOT_FOUND, TRL_NOT_FOUND },
		{ "files", "quarantined", TRL_NOT_FOUND, TRL_NOT_FOUND },
		{ "files", "deleted", TRL_NOT_FOUND, TRL_NOT_FOUND } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id id =
		    keep(rows[i].collection, rows[i].state, "a", "text/plain");

		assert_int_equal(ask(&ann, id, NULL, NULL), rows[i].anns);
		if (rows[i].anns == TRL_CONFLICT)
			assert_int_equal(world.err.retry_after_ms, 2000);
		assert_int_equal(ask(&bob, id, NULL, NULL), rows[i].bobs);
	}
}

/* Q8: beyond 32 bits; the file is a hole but for its begin. */
static void
parts_lie_beyond_four_gibibytes(void **state)
{
	static const struct {
		uint64_t size;
		const char *part; /* of bytes=4294967295-4294967296; NULL: none is */
		size_t len;
	} rows[] = { { 4294967295, NULL, 0 },
		{ 4294967296, "bytes 4294967295-4294967295/4294967296", 1 },
		{ 4294967297, "bytes 4294967295-4294967296/4294967297", 2 } };
	struct trl_id id = ten();
	int fd = open(path_of(id), O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "xyz", 3, 4294967294), 3);
	for (size_t i = TRL_COUNT(rows); i-- > 0;) {
		const uint64_t size = rows[i].size;

		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		world_sql("update media.file set size = %llu where id = '%s'",
		    (unsigned long long)size, world_id_text(id));
		assert_int_equal(ask_by("HEAD", &ann, id, NULL, NULL), TRL_OK);
		assert_int_equal(answer->length, size);
		assert_int_equal(world.given.len, 0);
		assert_int_equal(ask(&ann, id, "bytes=4294967295-4294967296", NULL),
		    rows[i].part ? TRL_OK : TRL_RANGE);
		if (rows[i].part) {
			assert_string_equal(answer->range, rows[i].part);
			given(rows[i].len == 2 ? "yz" : "y");
		} else {
			assert_true(world.err.quota.limit == (int64_t)size);
		}
		assert_int_equal(ask(&ann, id, "bytes=-1", NULL), TRL_OK);
		assert_int_equal(world.given.data[0], "xyz"[i]);
		assert_int_equal(ask(&ann, id,
				     trl_arena_printf(world.arena, "bytes=%llu-",
					 (unsigned long long)size),
				     NULL),
		    TRL_RANGE);
	}
	close(fd);
}

static void
nothing_has_no_bytes(void **state)
{
	struct trl_id id = ten();

	(void)state;
	world_sql("update media.file set size = 0 where id = '%s'", world_id_text(id));
	assert_int_equal(ask(&ann, id, NULL, NULL), TRL_OK);
	assert_true(answer->has_length && answer->length == 0);
	given("");
	assert_int_equal(ask(&ann, id, "bytes=0-", NULL), TRL_RANGE);
}

/* It is nobody's fault who asks, and not as if there were none. */
static void
a_row_without_bytes_is_a_fault(void **state)
{
	struct trl_id id = ten();

	(void)state;
	remove_bytes(id);
	assert_int_equal(ask(&ann, id, NULL, NULL), TRL_INTERNAL);
}

/* So that the edge ends it for whoever holds that no more. */
static void
what_only_an_admin_is_given_is_so_by_that_permission(void **state)
{
	const struct trl_id own = keep("private", "ready", "a", "b/c");

	(void)state;
	role = TRL_ADMIN;
	assert_int_equal(ask(&bob, own, NULL, NULL), TRL_OK);
	assert_int_equal(answer->permission, TRL_MAY_MEDIA_FILE_MANAGE);
	assert_int_equal(ask(&ann, own, NULL, NULL), TRL_OK);
	assert_false(answer->has_permission);
	assert_int_equal(ask(&bob, ten(), NULL, NULL), TRL_OK);
	assert_false(answer->has_permission);
	role = TRL_MEMBER;
}

struct judged {
	struct trl_id id;
	enum trl_code rc;
};

static void
judge(trl_ctx *ctx, void *arg)
{
	struct judged *what = arg;

	ctx->tenant = tenant;
	what->rc = trl_fail(ctx, TRL_NOT_FOUND, "These bytes are missing.");
	what->rc = file_judge_bytes(world.self, ctx, what->id, what->rc);
}

/* Between the row and its bytes: whoever asks is told that there is no such file. */
static void
one_that_was_purged_meanwhile_is_not_there(void **state)
{
	struct judged lost = { .id = ten() }, purged = { .id = trl_id_new() },
		      rejected = { .id = keep("files", "rejected", "a", "b/c") };

	(void)state;
	world_act(judge, &lost);
	world_act(judge, &purged);
	world_act(judge, &rejected);
	assert_int_equal(lost.rc, TRL_INTERNAL);
	assert_int_equal(purged.rc, TRL_NOT_FOUND);
	assert_int_equal(rejected.rc, TRL_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    the_whole_comes_with_all_that_is_known_of_it, world_forget),
		cmocka_unit_test_teardown(parts_are_206, world_forget),
		cmocka_unit_test_teardown(
		    what_is_not_there_says_how_much_is, world_forget),
		cmocka_unit_test_teardown(
		    a_thousand_ranges_are_the_whole_once, world_forget),
		cmocka_unit_test_teardown(who_has_it_is_given_none, world_forget),
		cmocka_unit_test_teardown(conditions_and_head, world_forget),
		cmocka_unit_test_teardown(
		    only_what_is_harmless_is_shown_in_place, world_forget),
		cmocka_unit_test_teardown(
		    who_does_not_see_a_file_gets_no_byte, world_forget),
		cmocka_unit_test_teardown(
		    parts_lie_beyond_four_gibibytes, world_forget),
		cmocka_unit_test_teardown(nothing_has_no_bytes, world_forget),
		cmocka_unit_test_teardown(a_row_without_bytes_is_a_fault, world_forget),
		cmocka_unit_test_teardown(
		    what_only_an_admin_is_given_is_so_by_that_permission, world_forget),
		cmocka_unit_test_teardown(
		    one_that_was_purged_meanwhile_is_not_there, world_forget),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
