/* Uploads by tus 1.0.0, a request after the other: what they answer, what becomes of
 * rows, bytes and room. (Over 400 lines: one rule of the protocol after the other.) */
#include "upload/test_tus.h"

enum { SMALL = 1000, LARGE = 3 << 20 };

static void
what_is_sent_becomes_a_file(void **state)
{
	const uint8_t *data = bytes_of(LARGE, 1);
	struct trl_id id;
	media_file *file;
	uint64_t offset;

	(void)state;
	id = tus_begin(&(struct tus_post){
	    .length = LARGE, .metadata = "filename w6kucGRm,private_key c2VjcmV0" });
	assert_int_equal(tus_offset(id), 0);
	assert_string_equal(storage(), "0 3145728");
	assert_int_equal(
	    tus_patch(
		&ann, id, &(struct tus_patch){ .body = data, .len = SMALL }, &offset),
	    TRL_OK);
	assert_int_equal(offset, SMALL);
	assert_int_equal(tus_offset(id), SMALL);
	assert_string_equal(column(id, "holder is null and generation = 1"), "t");
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .offset = SMALL, .body = data + SMALL, .len = LARGE - SMALL },
		&offset),
	    TRL_OK);
	assert_int_equal(offset, LARGE);
	assert_int_equal(tus_offset(id), LARGE);
	file = file_that(id);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_int_equal(file->size, LARGE);
	assert_string_equal(file->name, "é.pdf");
	assert_string_equal(file->sha256, hash_of(data, LARGE));
	assert_string_equal(file->collection, "files");
	assert_string_equal(storage(), "3145728 0");
	assert_string_equal(events_of(id), "media.file.ready");
	must_lie_there(id, data, LARGE);
}

static void
no_bytes_are_a_file_at_once(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 0 });
	media_file *file = file_that(id);

	(void)state;
	assert_int_equal(file->size, 0);
	assert_string_equal(events_of(id), "media.file.ready");
	assert_string_equal(file->sha256,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(storage(), "0 0");
	must_lie_there(id, "", 0);
	assert_int_equal(tus_offset(id), 0);
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .len = 0 }, NULL), TRL_OK);
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "a", .len = 1 }, NULL),
	    TRL_TOO_LARGE);
}

struct refused_post {
	struct tus_post post;
	enum trl_code rc;
	const char *says;
};
static const struct refused_post refused_posts[] = {
	{ { .no_length = true }, TRL_MALFORMED, "One of Upload-Length" },
	{ { .length = 3, .defer = "1" }, TRL_MALFORMED, "One of Upload-Length" },
	{ { .no_length = true, .defer = "0" }, TRL_MALFORMED, "only be 1" },
	{ { .no_length = true, .defer = "2" }, TRL_MALFORMED, "only be 1" },
	{ { .length = 3, .metadata = "a !" }, TRL_MALFORMED, "not base64" },
	{ { .length = 3, .metadata = "a,a" }, TRL_MALFORMED, "twice" },
	{ { .length = 3, .metadata = "filename" }, TRL_INVALID, "" },
	{ { .length = 3, .metadata = "filename YQBi" }, TRL_INVALID, "zero bytes" },
	{ { .length = 3, .metadata = "filename /w==" }, TRL_INVALID, "" },
	{ { .length = 3, .metadata = "collection bm9uZQ==" }, TRL_INVALID,
	    "no such collection" },
	{ { .length = 3, .metadata = "filetype cnViYmlzaA==" },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "not a media type" },
	{ { .length = 3, .metadata = "filetype aW1hZ2UvcG5nLCBhL2I=" },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "not a media type" },
	{ { .length = 3,
	      .metadata = "collection cGljdHVyZXM=,filetype dGV4dC9wbGFpbg==" },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "text/plain" },
	{ { .length = 27 << 20, .metadata = "collection cGljdHVyZXM=" }, TRL_TOO_LARGE,
	    "pictures can have" },
	{ { .length = UINT64_MAX }, TRL_TOO_LARGE, "files can have" },
	{ { .length = 3, .body = "abcd", .body_len = 4 }, TRL_TOO_LARGE,
	    "Upload-Length says" },
	{ { .length = 3, .concat = "all" }, TRL_MALFORMED, "Upload-Concat" },
	{ { .length = 3, .checksum = "md5 AAAA", .body = "abc", .body_len = 3 },
	    TRL_MALFORMED, "sha1 and sha256" },
};

static void
a_post_that_cannot_be_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(refused_posts); i++) {
		const struct refused_post *c = &refused_posts[i];

		assert_int_equal(tus_post(&ann, &c->post, NULL), c->rc);
		assert_non_null(strstr(world.err.message, c->says));
	}
	assert_string_equal(
	    world_sql("select count(*) from upload where tenant_id = '%s'",
		world_id_text(ann.tenant)),
	    "0");
	assert_string_equal(storage(), "0 0");
}

struct refused_patch {
	struct tus_patch patch;
	enum trl_code rc;
};
static const struct refused_patch refused_patches[] = {
	{ { .offset = 0, .body = "xyz", .len = 3 }, TRL_CONFLICT },
	{ { .offset = 4, .body = "xyz", .len = 3 }, TRL_CONFLICT },
	{ { .offset = UINT64_MAX, .body = "xyz", .len = 3 }, TRL_TOO_LARGE },
	{ { .offset = INT64_MAX, .body = "xyz", .len = 3 }, TRL_TOO_LARGE },
	{ { .offset = 3, .body = "defghijk", .len = 8 }, TRL_TOO_LARGE },
	{ { .offset = 3, .body = "defghijk", .len = 8, .untold = true },
	    TRL_TOO_LARGE },
	{ { .offset = 3, .body = "def", .len = 3, .said = UINT64_MAX }, TRL_TOO_LARGE },
	{ { .no_offset = true, .body = "xyz", .len = 3 }, TRL_MALFORMED },
	{ { .offset = 3, .body = "def", .len = 3, .has_length = true, .length = 11 },
	    TRL_MALFORMED },
	{ { .offset = 3, .body = "def", .len = 3, .checksum = "crc32 AAAA" },
	    TRL_MALFORMED },
	{ { .offset = 3,
	      .body = "def",
	      .len = 3,
	      .checksum = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" },
	    TRL_CHECKSUM },
	{ { .offset = 3,
	      .body = "def",
	      .len = 3,
	      .digest = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:" },
	    TRL_MALFORMED },
};

static void
a_patch_that_cannot_be_changes_nothing(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 10 });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	for (size_t i = 0; i < TRL_COUNT(refused_patches); i++) {
		assert_int_equal(tus_patch(&ann, id, &refused_patches[i].patch, NULL),
		    refused_patches[i].rc);
		assert_int_equal(tus_offset(id), 3);
		assert_string_equal(column(id, "holder is null"), "t");
	}
	/* sent again it fits */
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .offset = 3,
				 .body = "def",
				 .len = 3,
				 .checksum = "sha1 WJwiM1o4HxItEpIl9cC6MFbtWBE=" },
			     NULL),
	    TRL_OK);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .offset = 6, .body = "ghij", .len = 4, .untold = true },
		NULL),
	    TRL_OK);
	must_lie_there(id, "abcdefghij", 10);
	assert_string_equal(file_that(id)->sha256, hash_of("abcdefghij", 10));
}

/* With a checksum nothing stays of a body that is another, however much came. */
static void
of_a_large_body_with_a_wrong_checksum_nothing_stays(void **state)
{
	const size_t len = 20 << 20;
	const uint8_t *data = bytes_of(len, 3);
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = len });
	uint8_t hash[32];

	(void)state;
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .body = data,
				 .len = len,
				 .checksum = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" },
			     NULL),
	    TRL_CHECKSUM);
	assert_int_equal(tus_offset(id), 0);
	crypto_hash_sha256(hash, data, len);
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .body = data,
				 .len = len,
				 .checksum = trl_arena_printf(
				     world.arena, "sha256 %s", base64_of(hash, 32)),
				 .digest = trl_arena_printf(world.arena,
				     "sha-256=:%s:", base64_of(hash, 32)) },
			     NULL),
	    TRL_OK);
	must_lie_there(id, data, len);
}

static void
an_empty_patch_writes_no_row(void **state)
{
	static const char records[] = "select count(*) from idempotency";
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 10 });
	const char *before = column(id, "xmin"), *recorded = world_sql(records);

	(void)state;
	for (int i = 0; i < 50; i++) { /* some clients send them without end */
		uint64_t offset = 9;

		assert_int_equal(
		    tus_patch(&ann, id, &(struct tus_patch){ .len = 0 }, &offset),
		    TRL_OK);
		assert_int_equal(offset, 0);
	}
	assert_int_equal(tus_patch(&ann, id, &(struct tus_patch){ .offset = 1 }, NULL),
	    TRL_CONFLICT);
	assert_string_equal(column(id, "xmin"), before);
	assert_string_equal(world_sql(records), recorded);
	/* What stops them is the limit that all requests for bytes count against. */
	assert_string_equal(media_v1_patch_upload.rate, "bytes");
}

#define SHA1_OF_NOTHING "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="
#define SHA1_OF_OTHERS "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
#define SHA256_OF_OTHERS "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"

/* Also a body of no bytes has a checksum. */
static void
a_wrong_checksum_of_nothing_is_refused(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 10 });
	const struct tus_patch right = { .checksum = SHA1_OF_NOTHING };
	struct tus_patch wrong = { .checksum = SHA1_OF_OTHERS };

	(void)state;
	assert_int_equal(tus_patch(&ann, id, &right, NULL), TRL_OK);
	for (int untold = 0; untold < 2; untold++) {
		wrong.untold = untold;
		assert_int_equal(tus_patch(&ann, id, &wrong, NULL), TRL_CHECKSUM);
	}
	wrong = (struct tus_patch){ .digest = SHA256_OF_OTHERS };
	assert_int_equal(tus_patch(&ann, id, &wrong, NULL), TRL_MALFORMED);
	assert_int_equal(
	    tus_post(&ann,
		&(struct tus_post){ .length = 3, .checksum = SHA1_OF_OTHERS }, NULL),
	    TRL_CHECKSUM);
	assert_int_equal(tus_offset(id), 0);
}

static void
a_zero_byte_cuts_no_name_of_a_collection_or_type(void **state)
{
	static const char *const metadata[] = { "collection cHJpdmF0ZQB4eA==",
		"filetype dGV4dC9wbGFpbgB4eA==" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(metadata); i++)
		assert_int_equal(
		    tus_post(&ann,
			&(struct tus_post){ .length = 3, .metadata = metadata[i] },
			NULL),
		    TRL_MALFORMED);
}

static void
without_a_length_the_plan_is_asked_as_it_grows(void **state)
{
	const uint8_t *data = bytes_of(LARGE, 6);
	struct trl_id id;

	(void)state;
	begin_with(SMALL);
	id = tus_begin(&(struct tus_post){ .no_length = true, .defer = "1" });
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .body = data, .len = LARGE }, NULL),
	    TRL_TOO_LARGE);
	assert_string_equal(world.err.quota.plan, "team");
	assert_int_equal(world.err.quota.limit, SMALL);
	assert_int_equal(world.err.quota.used, 0);
	assert_int_equal(world.err.quota.reserved, 0);
	assert_int_equal(tus_offset(id), 0);
	assert_int_equal(tus_patch(&ann, id,
			     &(struct tus_patch){ .body = data, .len = SMALL }, NULL),
	    TRL_OK);
	assert_string_equal(storage(), "0 1000");
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	assert_string_equal(storage(), "0 0");
}

static void
a_body_may_come_with_the_upload(void **state)
{
	const uint8_t *data = bytes_of(LARGE, 7);
	Media__V1__CreatedUpload *out;
	struct trl_id id;

	(void)state;
	for (int untold = 0; untold < 2; untold++) {
		assert_int_equal(tus_post(&ann,
				     &(struct tus_post){ .length = LARGE,
					 .body = data,
					 .body_len = LARGE - 1,
					 .untold = untold },
				     &out),
		    TRL_OK);
		assert_int_equal(out->upload_offset, LARGE - 1);
		id = id_of(out->location);
		assert_int_equal(tus_offset(id), LARGE - 1);
		assert_int_equal(
		    tus_patch(&ann, id,
			&(struct tus_patch){
			    .offset = LARGE - 1, .body = data + LARGE - 1, .len = 1 },
			NULL),
		    TRL_OK);
		must_lie_there(id, data, LARGE);
	}
	assert_int_equal(
	    tus_post(&ann,
		&(struct tus_post){ .length = 3, .body = "abc", .body_len = 3 }, &out),
	    TRL_OK);
	assert_string_equal(file_that(id_of(out->location))->sha256, hash_of("abc", 3));
	/* none comes, and that was not told */
	id = tus_begin(&(struct tus_post){ .length = 3, .untold = true });
	assert_string_equal(column(id, "holder is null and generation = 0"), "t");
}

static void
an_upload_whose_first_body_is_wrong_is_not_there(void **state)
{
	static const struct tus_post posts[] = {
		{ .length = 3,
		    .body = "abd",
		    .body_len = 3,
		    .checksum = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" },
		{ .length = 3,
		    .body = "abd",
		    .body_len = 3,
		    .digest =
			"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:" },
		{ .length = 3, .body = "abcd", .body_len = 4, .untold = true },
		{ .length = 3, .checksum = SHA1_OF_OTHERS, .untold = true }, /* none */
	};
	static const enum trl_code codes[] = { TRL_CHECKSUM, TRL_MALFORMED,
		TRL_TOO_LARGE, TRL_CHECKSUM };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(posts); i++) {
		assert_int_equal(tus_post(&ann, &posts[i], NULL), codes[i]);
		world_until(is_quiet, NULL);
		assert_string_equal(
		    world_sql("select count(*) from upload where tenant_id = '%s'",
			world_id_text(ann.tenant)),
		    "0");
		assert_string_equal(storage(), "0 0");
	}
}

static void
a_key_that_is_known_gives_the_same_upload(void **state)
{
	const struct tus_post post = { .length = 5, .key = "tus-once" };
	const struct tus_post with_body = {
		.length = 5, .key = "tus-body", .body = "abc", .body_len = 3
	};
	Media__V1__CreatedUpload *one, *two;

	(void)state;
	assert_int_equal(tus_post(&ann, &post, &one), TRL_OK);
	assert_int_equal(tus_post(&ann, &post, &two), TRL_OK);
	assert_true(world.replayed);
	assert_string_equal(one->location, two->location);
	assert_string_equal(storage(), "0 5");
	assert_int_equal(tus_post(&ann, &with_body, &one), TRL_OK);
	assert_int_equal(tus_post(&ann, &with_body, &two), TRL_OK);
	assert_true(world.replayed);
	assert_string_equal(one->location, two->location);
	assert_int_equal(two->upload_offset, 3);
	assert_string_equal(storage(), "0 10");
}

static void
the_plan_limits_what_is_begun(void **state)
{
	(void)state;
	begin_with(10);
	(void)tus_begin(&(struct tus_post){ .length = 6 });
	assert_int_equal(
	    tus_post(&ann, &(struct tus_post){ .length = 5 }, NULL), TRL_TOO_LARGE);
	(void)tus_begin(&(struct tus_post){ .length = 4 });
	assert_string_equal(storage(), "0 10");
}

static void
what_head_says_is_what_was_said(void **state)
{
	static const char metadata[] =
	    "filename 0J7RgtGH0ZHRgi5wZGY=,relativePath bnVsbA==,flag,other ";
	Media__V1__UploadProgress *head;
	struct trl_id id;

	(void)state;
	id = tus_begin(&(struct tus_post){
	    .length = 7, .metadata = metadata, .concat = "partial" });
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_string_equal(head->upload_metadata, metadata);
	assert_string_equal(head->upload_concat, "partial");
	assert_int_equal(head->upload_length, 7);
	assert_non_null(head->upload_expires);
	id = tus_begin(&(struct tus_post){ .length = 7 });
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_null(head->upload_metadata);
	assert_null(head->upload_concat);
}

static void
others_do_not_find_it(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 3 });
	const struct tus_patch patch = { .body = "abc", .len = 3 };
	const struct world_caller others[] = {
		{ .person = world_person_new("bob", true),
		    .tenant = ann.tenant,
		    .role = TRL_MEMBER },
		{ .person = ann.person, .tenant = trl_id_new() },
		{ .person = ann.person,
		    .tenant = ann.tenant,
		    .key = true,
		    .role = TRL_MEMBER },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(others); i++) {
		assert_int_equal(tus_head_as(&others[i], id, NULL), TRL_NOT_FOUND);
		assert_int_equal(
		    tus_patch(&others[i], id, &patch, NULL), TRL_NOT_FOUND);
		assert_int_equal(tus_delete(&others[i], id), TRL_NOT_FOUND);
	}
	assert_int_equal(tus_head_as(&ann, trl_id_new(), NULL), TRL_NOT_FOUND);
	assert_int_equal(tus_offset(id), 0);
}

static void
an_upload_ends_with_all_that_it_had(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 10 });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_NOT_FOUND);
	assert_int_equal(tus_delete(&ann, id), TRL_NOT_FOUND);
	assert_int_equal(tus_patch(&ann, id, &(struct tus_patch){ .offset = 3 }, NULL),
	    TRL_NOT_FOUND);
	assert_string_equal(storage(), "0 0");
	must_not_lie_there(id);
}

static void
the_file_stays_where_its_upload_ends(void **state)
{
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 3, .body = "abc", .body_len = 3 });

	(void)state;
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	assert_int_equal(file_that(id)->size, 3);
	must_lie_there(id, "abc", 3);
	assert_string_equal(storage(), "3 0");
}

static void
expire(trl_ctx *ctx, void *arg)
{
	struct media *self = world.self;
	const struct trl_id *id = arg;
	upload_row *row = media_v1_upload_row_new(ctx);

	ctx->tenant = ann.tenant;
	assert_int_equal(upload_find(self, ctx, *id, row), TRL_OK);
	assert_int_equal(upload_expire(self, ctx, row), TRL_OK);
}

static void
an_upload_that_expired_is_gone(void **state)
{
	struct trl_id id = tus_begin(&(struct tus_post){ .length = 10 });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	world.now_us = trl_wall_us() + 24ll * 3600 * 1000000 + 1000000;
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_GONE);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .body = "d", .len = 1 }, NULL),
	    TRL_GONE);
	assert_int_equal(tus_delete(&ann, id), TRL_GONE);
	assert_string_equal(storage(), "0 10");
	world_act(expire, &id);
	assert_string_equal(storage(), "0 0");
	must_not_lie_there(id);
	world.now_us = 0;
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_NOT_FOUND);
}

/* Its bytes say what it is, and only the last request knows them all. */
static void
a_lie_about_the_type_ends_the_upload(void **state)
{
	static const char html[] = "<!DOCTYPE html><html><body>hi</body></html>";
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = sizeof html - 1,
		.metadata = "filetype aW1hZ2UvcG5n,filename YS5wbmc=" });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = html, .len = 10 }, NULL),
	    TRL_OK);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .offset = 10, .body = html + 10, .len = sizeof html - 11 },
		NULL),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_NOT_FOUND);
	assert_string_equal(storage(), "0 0");
	must_not_lie_there(id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(what_is_sent_becomes_a_file),
		TUS(no_bytes_are_a_file_at_once),
		TUS(a_post_that_cannot_be_leaves_nothing),
		TUS(a_patch_that_cannot_be_changes_nothing),
		TUS(of_a_large_body_with_a_wrong_checksum_nothing_stays),
		TUS(an_empty_patch_writes_no_row),
		TUS(a_wrong_checksum_of_nothing_is_refused),
		TUS(a_zero_byte_cuts_no_name_of_a_collection_or_type),
		TUS(without_a_length_the_plan_is_asked_as_it_grows),
		TUS(a_body_may_come_with_the_upload),
		TUS(an_upload_whose_first_body_is_wrong_is_not_there),
		TUS(a_key_that_is_known_gives_the_same_upload),
		TUS(the_plan_limits_what_is_begun),
		TUS(what_head_says_is_what_was_said),
		TUS(others_do_not_find_it),
		TUS(an_upload_ends_with_all_that_it_had),
		TUS(the_file_stays_where_its_upload_ends),
		TUS(an_upload_that_expired_is_gone),
		TUS(a_lie_about_the_type_ends_the_upload),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
