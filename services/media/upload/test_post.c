/* Files in one request, raw or as a form: what they are called, what they are, which
 * are refused and what then stays of them, which is nothing. (Over 400 lines:
 * half of them are what is sent.) */
#include <trl/stream.h>

#include "upload/test_tus.h"

enum { MIB = 1 << 20 };

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0\x1f\x15\xc4\x89"
#define FORM_TYPE "multipart/form-data; boundary=XX"
#define FIELD(name, value)                                                             \
	"--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r" \
	"\n"
#define FILE_HEAD(name, type)                                                          \
	"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" name      \
	"\"\r\nContent-Type: " type "\r\n\r\n"
#define END "\r\n--XX--\r\n"

struct sent {
	const char *type, *disposition, *metadata, *digest, *key;
	const void *body;
	size_t len;
	bool untold; /* in chunks */
};

static void
fill(Media__V1__CreateFileRequest *in, const struct sent *sent)
{
	media__v1__create_file_request__init(in);
	in->content_type = (char *)(uintptr_t)sent->type;
	in->content_disposition = (char *)(uintptr_t)sent->disposition;
	in->upload_metadata = (char *)(uintptr_t)sent->metadata;
	in->content_digest = (char *)(uintptr_t)sent->digest;
	if (!sent->untold)
		trl_set(in, content_length, sent->len);
}

static enum trl_code
post(const struct sent *sent, media_file **out)
{
	Media__V1__CreateFileRequest in;
	struct world_caller who = ann;

	fill(&in, sent);
	who.body = sent->body ? sent->body : "";
	who.body_len = sent->len;
	who.idempotency_key = sent->key;
	return world_call(&who, &media_v1_create_file, &in.base, out);
}

static const media_file *
must(struct sent sent)
{
	media_file *out;
	const enum trl_code rc = post(&sent, &out);

	if (rc != TRL_OK)
		print_error("%s\n", world.err.message);
	assert_int_equal(rc, TRL_OK);
	return out;
}

/* No row, no bytes, no room. */
static void
must_be_nothing(void)
{
	char command[192], text[32] = "";
	FILE *found;

	world_until(is_quiet, NULL);
	assert_string_equal(
	    world_sql("select (select count(*) from upload where tenant_id = '%s') + "
		      "(select count(*) from file where tenant_id = '%s')",
		world_id_text(ann.tenant), world_id_text(ann.tenant)),
	    "0");
	assert_string_equal(storage(), "0 0");
	(void)snprintf(command, sizeof command, "find %s -path '*%s*' -type f | wc -l",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(ann.tenant));
	found = popen(command, "r");
	assert_non_null(found);
	assert_non_null(fgets(text, sizeof text, found));
	pclose(found);
	assert_string_equal(text, "0\n");
}

static struct sent
text(const char *body)
{
	return (struct sent){ .type = "text/plain", .body = body, .len = strlen(body) };
}

static struct sent
form_of(const char *body)
{
	return (struct sent){ .type = FORM_TYPE, .body = body, .len = strlen(body) };
}

static void
a_raw_body_is_a_file(void **state)
{
	struct sent sent = text("hello");
	const media_file *file;

	(void)state;
	sent.disposition =
	    "attachment; filename=\"e.txt\"; filename*=UTF-8''%C3%A9.txt";
	file = must(sent);
	assert_string_equal(file->name, "é.txt");
	assert_string_equal(file->type, "text/plain");
	assert_string_equal(file->collection, "files");
	assert_int_equal(file->size, 5);
	assert_int_equal(file->state, MEDIA__V1__FILE__STATE__ready);
	assert_string_equal(file->sha256, hash_of("hello", 5));
	must_lie_there(trl_value_id(file->id), "hello", 5);
	assert_string_equal(storage(), "5 0");
	/* In chunks, without a word about it, by what tus says of names. */
	sent = (struct sent){ .body = PNG,
		.len = sizeof PNG - 1,
		.untold = true,
		.metadata = "filename YS5wbmc=,collection cGljdHVyZXM=" };
	file = must(sent);
	assert_string_equal(file->name, "a.png");
	assert_string_equal(file->type, "image/png");
	assert_string_equal(file->collection, "pictures");
	/* As curl sends what it is not told of. */
	sent.type = "application/x-www-form-urlencoded";
	file = must(sent);
	assert_string_equal(file->type, "image/png");
}

static void
no_bytes_are_a_file(void **state)
{
	static const char nothing[] =
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct sent rows[] = { text(""), text(""),
		form_of(FILE_HEAD("a.txt", "text/plain") END) };

	(void)state;
	rows[1].untold = true;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const media_file *file = must(rows[i]);

		assert_int_equal(file->size, 0);
		assert_string_equal(file->sha256, nothing);
		assert_string_equal(file->type, "text/plain");
		must_lie_there(trl_value_id(file->id), "", 0);
	}
	assert_string_equal(storage(), "0 0");
}

static void
a_form_is_a_file(void **state)
{
	const media_file *file =
	    must(form_of(FILE_HEAD("Отчёт 東京.csv", "text/csv") "a,b\r\n1,2\r\n" END));

	(void)state;
	assert_string_equal(file->name, "Отчёт 東京.csv");
	assert_string_equal(file->type, "text/csv");
	assert_int_equal(file->size, 10);
	must_lie_there(trl_value_id(file->id), "a,b\r\n1,2\r\n", 10);
	file = must(form_of(FIELD("name", "other.txt") FIELD("collection", "private")
		FILE_HEAD("a.txt", "application/octet-stream") "hello" END));
	assert_string_equal(file->name, "other.txt");
	assert_string_equal(file->collection, "private");
	assert_string_equal(file->type, "text/plain");
	assert_string_equal(storage(), "15 0");
}

static void
large_ones_are_whole_however_they_come(void **state)
{
	const size_t len = 9 * MIB + 77;
	const uint8_t *data = bytes_of(len, 5);
	struct trl_buf form = { 0 };
	struct sent sent = {
		.type = "application/vnd.acme.plan", .body = data, .len = len
	};
	const media_file *file;

	(void)state;
	file = must(sent);
	must_lie_there(trl_value_id(file->id), data, len);
	sent.untold = true;
	file = must(sent);
	must_lie_there(trl_value_id(file->id), data, len);
	trl_buf_adds(&form, FILE_HEAD("a", "application/vnd.acme.plan"));
	trl_buf_add(&form, data, len);
	trl_buf_adds(&form, END);
	file = must(
	    (struct sent){ .type = FORM_TYPE, .body = form.data, .len = form.len });
	trl_buf_fini(&form);
	must_lie_there(trl_value_id(file->id), data, len);
	assert_int_equal(file->size, len);
	assert_string_equal(file->type, "application/vnd.acme.plan");
	assert_string_equal(storage(), trl_arena_printf(world.arena, "%zu 0", 3 * len));
}

struct refused {
	struct sent sent;
	enum trl_code rc;
	const char *says;
};

#define BODY(text_) .body = (text_), .len = sizeof(text_) - 1
#define FORM(text_)                                                                    \
	{                                                                              \
		.type = FORM_TYPE, BODY(text_)                                         \
	}
static const struct refused refused[] = {
	/* Forms. */
	{ { .type = "multipart/form-data", BODY("x") }, TRL_MALFORMED, "boundary" },
	{ { .type = "multipart/form-data; boundary=\"a\r\nb\"", BODY("x") },
	    TRL_MALFORMED, "boundary" },
	{ FORM("x"), TRL_MALFORMED, "before its end" },
	{ FORM(""), TRL_MALFORMED, "before its end" },
	{ FORM(FILE_HEAD("a", "text/plain") "hello"), TRL_MALFORMED, "before its end" },
	{ FORM(FILE_HEAD("a", "text/plain") "hello\r\n" FILE_HEAD(
	      "b", "text/plain") "hello" END),
	    TRL_MALFORMED, "more after its file" },
	{ FORM(FILE_HEAD("a", "text/plain") "hello\r\n" FIELD("name", "b") "--XX--"),
	    TRL_MALFORMED, "more after its file" },
	{ FORM(FIELD("name", "b") "--XX--"), TRL_MALFORMED, "no file" },
	{ FORM(FIELD("role", "admin") FILE_HEAD("a", "text/plain") "x" END),
	    TRL_MALFORMED, "\"role\"" },
	{ FORM(FIELD("name", "a") FIELD("name", "b") FILE_HEAD("a", "text/plain") END),
	    TRL_MALFORMED, "twice" },
	{ FORM(FIELD("name", "\xff") FILE_HEAD("a", "text/plain") END), TRL_MALFORMED,
	    "UTF-8" },
	{ FORM(FIELD("collection", "none") FILE_HEAD("a", "text/plain") END),
	    TRL_INVALID, "no such collection" },
	/* Names. */
	{ FORM(FILE_HEAD("", "text/plain") "x" END), TRL_INVALID, "not empty" },
	{ FORM(FIELD("name", "a\tb") FILE_HEAD("a", "text/plain") END), TRL_INVALID,
	    "" },
	{ { .disposition = "attachment; filename=\"\"", BODY("x") }, TRL_INVALID,
	    "not empty" },
	{ { .disposition = "attachment; filename*=UTF-8''a%0Ab", BODY("x") },
	    TRL_INVALID, "" },
	{ { .disposition = "attachment; filename", BODY("x") }, TRL_MALFORMED,
	    "Content-Disposition" },
	{ { .metadata = "filename !", BODY("x") }, TRL_MALFORMED, "base64" },
	{ { .metadata = "collection bm9uZQ==", BODY("x") }, TRL_INVALID,
	    "no such collection" },
	/* Types: what is declared, and what is found. */
	{ { .type = "image/png", BODY("<!DOCTYPE html><html>") },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "image/png and looks like text/html" },
	{ { .type = "png", BODY("x") }, TRL_UNSUPPORTED_MEDIA_TYPE,
	    "not a media type" },
	{ { .type = "text/plain",
	      .metadata = "collection cGljdHVyZXM=",
	      BODY("hello") },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "text/plain" },
	{ { .metadata = "collection cGljdHVyZXM=", BODY("hello") },
	    TRL_UNSUPPORTED_MEDIA_TYPE, "text/plain" },
	{ FORM(FIELD("collection", "pictures")
		  FILE_HEAD("a.svg", "image/svg+xml") "<svg/>" END),
	    TRL_UNSUPPORTED_MEDIA_TYPE, "image/svg+xml" },
	/* Digests: of all of the body. */
	{ { .digest = "sha-256=:AAAA:", BODY("hello") }, TRL_MALFORMED, "length" },
	{ { .digest = "md5=:AAAA:", BODY("hello") }, TRL_MALFORMED, "takes sha-256" },
	{ { .digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
	      BODY("hello") },
	    TRL_MALFORMED, "digest is not" },
	{ { .type = FORM_TYPE,
	      .digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
	      BODY(FILE_HEAD("a", "text/plain") "hello" END) },
	    TRL_MALFORMED, "digest is not" },
};

static void
what_is_refused_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(refused); i++)
		for (int untold = 0; untold < 2; untold++) {
			struct sent sent = refused[i].sent;
			enum trl_code rc;

			sent.untold = untold;
			rc = post(&sent, NULL);
			if (rc != refused[i].rc ||
			    !strstr(world.err.message, refused[i].says))
				print_error("%zu: %s\n", i, world.err.message);
			assert_int_equal(rc, refused[i].rc);
			assert_non_null(strstr(world.err.message, refused[i].says));
			must_be_nothing();
		}
}

static void
a_digest_that_fits_is_fine(void **state)
{
	struct sent sent = text("hello");

	(void)state;
	sent.digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
	must(sent);
	/* Beside one that nobody knows. */
	sent.digest =
	    "md5=:AAAA:, sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
	must(sent);
}

/* A body that comes in part, or is not asked for. */
struct cut {
	struct sent sent;
	size_t goes; /* so much of it is sent; then the client goes */
	bool wanted;
	enum trl_code rc;
};

static void
enter(trl_ctx *ctx)
{
	static uint32_t may[512];
	size_t n = 0;

	for (size_t i = 0; i < trl_permissions_count && n < TRL_COUNT(may); i++)
		may[n++] = trl_permissions[i].id;
	ctx->service = ctx->caller = "test";
	ctx->tenant = ann.tenant;
	ctx->method = &media_v1_create_file;
	ctx->principal = (struct trl_principal){ .kind = TRL_PERSON,
		.account = ann.person->account,
		.session = trl_id_random(),
		.verified = true,
		.address = "192.0.2.1",
		.user_agent = "cmocka",
		.role = TRL_OWNER,
		.permissions = may,
		.n_permissions = n };
	ctx->idempotency.key = "cut";
}

static void
run_cut(trl_ctx *ctx, void *arg)
{
	struct cut *self = arg;
	struct trl_stream_terms terms = { .whole = false };
	Media__V1__CreateFileRequest in;
	ProtobufCMessage *out;
	trl_stream *stream = NULL;

	enter(ctx);
	fill(&in, &self->sent);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), &media_v1_create_file, &in.base, &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &self->wanted);
	if (self->rc == TRL_OK && self->wanted)
		self->rc = trl_stream_write(ctx, stream, self->sent.body, self->goes);
	else if (self->rc == TRL_OK)
		self->rc = trl_stream_reply(ctx, stream, &out);
	trl_stream_close(&stream);
}

static void
a_body_that_breaks_off_leaves_nothing(void **state)
{
	const uint8_t *data = bytes_of(10 * MIB, 3);
	static const size_t goes[] = { 1, 70000, 9 * MIB };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(goes); i++)
		for (int untold = 0; untold < 2; untold++) {
			struct cut cut = { .sent = { .body = data,
					       .len = 10 * MIB,
					       .untold = untold },
				.goes = goes[i] };

			world_act(run_cut, &cut);
			assert_true(cut.wanted);
			must_be_nothing();
		}
	{
		struct cut cut = { .sent =
				       form_of(FILE_HEAD("a", "text/plain") "hello"),
			.goes = strlen(FILE_HEAD("a", "text/plain") "hello") };

		world_act(run_cut, &cut);
		must_be_nothing();
	}
}

static void
what_cannot_be_is_refused_before_the_body_is_asked_for(void **state)
{
	struct cut rows[] = {
		{ .sent = { .len = (size_t)6 << 40 } },
		{ .sent = { .len = 26 * MIB, .metadata = "collection cGljdHVyZXM=" } },
		{ .sent = { .len = 4000001 } }, /* the plan's */
		{ .sent = { .len = 5,
		      .type = "text/html",
		      .metadata = "collection cGljdHVyZXM=" } },
		{ .sent = { .len = 5, .metadata = "collection bm9uZQ==" } },
		{ .sent = { .len = 5, .digest = "sha-256=::" } },
		{ .sent = { .len = 5, .type = "multipart/form-data" } },
	};

	(void)state;
	begin_with(4000000);
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		world_act(run_cut, &rows[i]);
		assert_false(rows[i].wanted);
		assert_int_not_equal(rows[i].rc, TRL_OK);
		must_be_nothing();
	}
	assert_int_equal(rows[0].rc, TRL_TOO_LARGE);
	assert_int_equal(rows[1].rc, TRL_TOO_LARGE);
	assert_int_equal(rows[2].rc, TRL_TOO_LARGE);
}

/* A form's file is as large as it is; in chunks nobody says so before. */
static void
no_more_than_there_is_room_for(void **state)
{
	const uint8_t *data = bytes_of(12 * MIB, 3);
	struct sent raw = { .body = data, .len = 9 * MIB, .untold = true };
	struct trl_buf form = { 0 };
	struct sent sent;

	(void)state;
	begin_with(9 * MIB - 1);
	assert_int_equal(post(&raw, NULL), TRL_TOO_LARGE);
	must_be_nothing();
	trl_buf_adds(&form, FILE_HEAD("a", "application/vnd.acme.plan"));
	trl_buf_add(&form, data, 9 * MIB);
	trl_buf_adds(&form, END);
	sent = (struct sent){ .type = FORM_TYPE, .body = form.data, .len = form.len };
	assert_int_equal(post(&sent, NULL), TRL_TOO_LARGE);
	must_be_nothing();
	begin_with(9 * MIB);
	must(raw);
	assert_int_equal(post(&raw, NULL), TRL_TOO_LARGE);
	begin_with(9 * MIB);
	must(sent);
	trl_buf_fini(&form);
	assert_string_equal(storage(), "9437184 0");
}

static void
a_known_key_is_answered_as_before(void **state)
{
	struct sent sent = text("hello");
	const media_file *first;
	media_file *second;

	(void)state;
	sent.key = "once";
	first = must(sent);
	assert_int_equal(post(&sent, &second), TRL_OK);
	assert_true(world.replayed);
	assert_memory_equal(first->id.data, second->id.data, 16);
	assert_string_equal(second->sha256, first->sha256);
	assert_string_equal(
	    world_sql("select count(*) from file where tenant_id = '%s'",
		world_id_text(ann.tenant)),
	    "1");
	assert_string_equal(storage(), "5 0");
	assert_string_equal(
	    world_sql("select count(*) from outbox where tenant_id = '%s' and type = "
		      "'media.file.ready'",
		world_id_text(ann.tenant)),
	    "1");
}

#define WITH(test_) cmocka_unit_test_setup_teardown(test_, begin, world_forget)

struct asking {
	const struct sent *sent;
	bool wanted;
	enum trl_code rc;
	struct trl_quota quota;
};

/* Only the head is sent. */
static void
run_asking(trl_ctx *ctx, void *arg)
{
	struct asking *self = arg;
	const struct trl_stream_terms terms = { .whole = false };
	Media__V1__CreateFileRequest in;
	trl_stream *stream = NULL;
	ProtobufCMessage *out;
	static unsigned keys;

	ctx->service = ctx->caller = "test";
	ctx->tenant = ann.tenant;
	ctx->method = &media_v1_create_file;
	ctx->principal = (struct trl_principal){ .kind = TRL_PERSON,
		.account = ann.person->account,
		.verified = true,
		.role = TRL_OWNER,
		.permissions = &media_v1_create_file.permission,
		.n_permissions = 1 };
	ctx->idempotency.key = trl_arena_printf(ctx->arena, "ask-%u", ++keys);
	fill(&in, self->sent);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), &media_v1_create_file, &in.base, &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &self->wanted);
	if (self->rc == TRL_OK && !self->wanted)
		self->rc = trl_stream_reply(ctx, stream, &out);
	self->quota = ctx->err.quota;
	trl_stream_close(&stream);
}

static struct asking
ask(struct sent sent)
{
	struct asking asking = { .sent = &sent };

	(void)world_bus("edge");
	world_act(run_asking, &asking);
	return asking;
}

static void
a_form_is_judged_before_its_body_is_asked_for(void **state)
{
	struct sent sent = { .type = FORM_TYPE, .len = 32 * MIB };
	struct asking asked;

	(void)state;
	asked = ask(sent);
	assert_true(asked.rc == TRL_OK && asked.wanted);
	must_be_nothing();
	begin_with(10 * MIB);
	(void)tus_begin(&(struct tus_post){ .length = 4 * MIB });
	asked = ask(sent);
	assert_false(asked.wanted);
	assert_int_equal(asked.rc, TRL_TOO_LARGE);
	assert_string_equal(asked.quota.plan, "team");
	assert_int_equal(asked.quota.limit, 10 * MIB);
	assert_int_equal(asked.quota.used, 0);
	assert_int_equal(asked.quota.reserved, 4 * MIB);
	/* It may be that it fits: a form has more bytes than its file. */
	sent.len = 6 * MIB + 100;
	assert_true(ask(sent).wanted);
	world_until(is_quiet, NULL);
	assert_string_equal(storage(), "0 4194304");
	/* The collection is known, or none takes as much. */
	begin_with(INT64_C(1) << 50);
	sent.metadata = "collection cGljdHVyZXM=";
	sent.len = 26 * MIB;
	asked = ask(sent);
	assert_true(asked.rc == TRL_TOO_LARGE && !asked.wanted);
	sent.metadata = NULL;
	sent.len = (size_t)6 << 40;
	asked = ask(sent);
	assert_true(asked.rc == TRL_TOO_LARGE && !asked.wanted);
	must_be_nothing();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_raw_body_is_a_file),
		WITH(no_bytes_are_a_file),
		WITH(a_form_is_a_file),
		WITH(large_ones_are_whole_however_they_come),
		WITH(what_is_refused_leaves_nothing),
		WITH(a_digest_that_fits_is_fine),
		WITH(a_body_that_breaks_off_leaves_nothing),
		WITH(what_cannot_be_is_refused_before_the_body_is_asked_for),
		WITH(no_more_than_there_is_room_for),
		WITH(a_known_key_is_answered_as_before),
		WITH(a_form_is_judged_before_its_body_is_asked_for),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
