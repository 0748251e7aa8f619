/* A POST that comes with its body, under an Idempotency-Key, and whose process is
 * killed: in the middle, with the last byte, after the file was made. The same request
 * again finds nothing of it in its way, and makes nothing twice. */
#include "upload/test_sender.h"

#define OTHER "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"

/* What requests are named in rows. */
static int
open_watched(void **state)
{
	if (open_world(state) != 0)
		return -1;
	world_sql("create table seen (key bytea, id uuid, at bigserial);"
		  "create function see() returns trigger language plpgsql security "
		  "definer as $$ begin insert into media.seen values "
		  "(new.request_key, new.id); return new; end $$;"
		  "create trigger see after insert on upload for each row execute "
		  "function see()");
	return 0;
}

static enum trl_code
post_file(const char *key, const char *body, media_file **out)
{
	Media__V1__CreateFileRequest in = MEDIA__V1__CREATE_FILE_REQUEST__INIT;
	struct world_caller who = ann;

	in.content_type = (char *)(uintptr_t) "text/plain";
	trl_set(&in, content_length, strlen(body));
	who.body = body;
	who.body_len = strlen(body);
	who.idempotency_key = key;
	return world_call(&who, &media_v1_create_file, &in.base, out);
}

static struct trl_id
post_upload(const char *key, uint64_t length)
{
	Media__V1__CreatedUpload *out;
	const struct tus_post post = {
		.length = length, .key = key, .body = "abc", .body_len = 3
	};

	assert_int_equal(tus_post(&ann, &post, &out), TRL_OK);
	assert_int_equal(out->upload_offset, 3);
	return id_of(out->location);
}

/* As a kill leaves it: nothing was recorded, and the row still has its request. */
static void
forget_answer(struct trl_id id)
{
	world_sql("delete from media.idempotency");
	world_sql(
	    "update upload set request_key = (select key from seen where id = '%s' "
	    "order by at desc limit 1) where id = '%s'",
	    world_id_text(id), world_id_text(id));
	assert_string_equal(column(id, "request_key is not null"), "t");
}

/* All of its bytes were durable, and its file was not made. */
static void
unmake(struct trl_id id)
{
	forget_answer(id);
	world_sql("delete from file where id = '%s'", world_id_text(id));
	world_sql("update upload set finished_at = null, reserved = 3, holder = '" OTHER
		  "' where id = '%s'",
	    world_id_text(id));
	world_sql("update storage set used = used - 3, reserved = reserved + 3 where "
		  "tenant_id = '%s'",
	    world_id_text(ann.tenant));
}

static const char *
rows(const char *table)
{
	return world_sql("select count(*) from %s where tenant_id = '%s'", table,
	    world_id_text(ann.tenant));
}

static void
what_an_answer_was_recorded_of_names_no_request(void **state)
{
	media_file *file;
	const struct trl_id id = post_upload("told-1", 3);

	(void)state;
	assert_string_equal(column(id, "request_key is null"), "t");
	assert_string_equal(
	    column(post_upload("told-2", 9), "request_key is null"), "t");
	assert_int_equal(post_file("told-3", "hello", &file), TRL_OK);
	assert_string_equal(column(trl_value_id(file->id), "request_key is null"), "t");
	assert_string_equal(world_sql("select count(distinct key) from seen"), "3");
	/* Nobody asks for one again that had no body: it was recorded at once. */
	(void)tus_begin(&(struct tus_post){ .length = 9, .key = "told-4" });
	assert_string_equal(world_sql("select count(distinct key) from seen"), "3");
}

static void
a_kill_before_the_file_makes_no_second_one(void **state)
{
	struct trl_id first, second;
	media_file *file;

	(void)state;
	first = post_upload("killed-1", 3);
	unmake(first);
	second = post_upload("killed-1", 3);
	assert_false(trl_id_eq(first, second));
	assert_string_equal(rows("upload"), "1");
	assert_string_equal(rows("file"), "1");
	assert_string_equal(storage(), "3 0");
	must_not_lie_there(first);
	must_lie_there(second, "abc", 3);
	assert_int_equal(post_file("killed-2", "abc", &file), TRL_OK);
	first = trl_value_id(file->id);
	unmake(first);
	assert_int_equal(post_file("killed-2", "abc", &file), TRL_OK);
	assert_string_equal(rows("upload"), "2");
	assert_string_equal(rows("file"), "2");
	assert_string_equal(storage(), "6 0");
	must_not_lie_there(first);
	must_lie_there(trl_value_id(file->id), "abc", 3);
}

/* Another process had finished it, and nobody was told. */
static void
a_kill_after_the_file_is_answered_with_it(void **state)
{
	struct trl_id id = post_upload("late-1", 3);
	media_file *file, *again;

	(void)state;
	forget_answer(id);
	assert_true(trl_id_eq(post_upload("late-1", 3), id));
	assert_false(world.replayed);
	assert_true(trl_id_eq(post_upload("late-1", 3), id));
	assert_true(world.replayed);
	assert_int_equal(post_file("late-2", "abc", &file), TRL_OK);
	forget_answer(trl_value_id(file->id));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(post_file("late-2", "abc", &again), TRL_OK);
		assert_int_equal(world.replayed, i);
		assert_true(trl_id_eq(trl_value_id(again->id), trl_value_id(file->id)));
		assert_string_equal(again->sha256, hash_of("abc", 3));
	}
	assert_string_equal(rows("upload"), "2");
	assert_string_equal(rows("file"), "2");
	assert_string_equal(storage(), "6 0");
}

/* Part of its bytes were durable, which nobody was told. */
static void
a_kill_in_the_middle_holds_no_room_for_a_day(void **state)
{
	const struct trl_id first = post_upload("half", 9);
	struct trl_id second;

	(void)state;
	forget_answer(first);
	second = post_upload("half", 9);
	assert_false(trl_id_eq(first, second));
	assert_string_equal(rows("upload"), "1");
	assert_string_equal(storage(), "0 9");
	assert_int_equal(tus_offset(second), 3);
	must_not_lie_there(first);
}

/* Another request under the key is another one, and so is another's key. */
static void
only_the_same_request_is_found(void **state)
{
	const struct trl_id first = post_upload("same", 9);
	struct world_caller bob = { .person = world_person_new("bob", true),
		.tenant = ann.tenant };
	const struct tus_post post = {
		.length = 9, .key = "same", .body = "abc", .body_len = 3
	};

	(void)state;
	forget_answer(first);
	(void)post_upload("same", 8);
	assert_int_equal(tus_post(&bob, &post, NULL), TRL_OK);
	assert_string_equal(rows("upload"), "3");
	assert_int_equal(tus_offset(first), 3);
}

struct poster {
	bool over;
	enum trl_code rc;
	struct trl_ticket ticket;
	bool sends;
};

static void
run_poster(trl_ctx *ctx, void *arg)
{
	struct poster *self = arg;
	Media__V1__CreateFileRequest in = MEDIA__V1__CREATE_FILE_REQUEST__INIT;
	struct trl_stream_terms terms = { .whole = false };
	trl_stream *stream = NULL;
	ProtobufCMessage *out;
	bool wanted = false;

	enter(ctx);
	ctx->method = &media_v1_create_file;
	ctx->idempotency.key = "live";
	ctx->idempotency.from_client = true;
	memcpy(ctx->idempotency.scope, ctx->principal.account.bytes, 16);
	trl_set(&in, content_length, 5);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), &media_v1_create_file, &in.base, &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &wanted);
	if (self->rc == TRL_OK && self->sends)
		self->rc = trl_stream_write(ctx, stream, "hello", 5);
	if (self->rc == TRL_OK && self->sends)
		self->rc = trl_stream_end(ctx, stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_reply(ctx, stream, &out);
	trl_stream_close(&stream);
	self->over = true;
}

static bool
is_posted(void *arg)
{
	return ((struct poster *)arg)->over;
}

static bool
has_row(void *arg)
{
	(void)arg;
	return strcmp(rows("upload"), "1") == 0;
}

static void
begin_poster(struct poster *self)
{
	const struct trl_spawn spawn = {
		.name = "poster", .run = run_poster, .arg = self, .timeout_ms = 60000
	};

	(void)world_bus("edge");
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
}

/* A client that waits no longer, and sends it again, is not held up by itself. */
static void
one_that_stands_still_is_overtaken(void **state)
{
	struct poster first = { .sends = false }, second = { .sends = true };

	(void)state;
	begin_poster(&first);
	must(has_row, NULL);
	begin_poster(&second);
	must(is_posted, &second);
	assert_int_equal(second.rc, TRL_OK);
	must(is_posted, &first);
	assert_int_equal(first.rc, TRL_CONFLICT);
	must(is_quiet, NULL);
	assert_string_equal(rows("upload"), "1");
	assert_string_equal(rows("file"), "1");
	assert_string_equal(storage(), "5 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(what_an_answer_was_recorded_of_names_no_request),
		TUS(a_kill_before_the_file_makes_no_second_one),
		TUS(a_kill_after_the_file_is_answered_with_it),
		TUS(a_kill_in_the_middle_holds_no_room_for_a_day),
		TUS(only_the_same_request_is_found),
		TUS(one_that_stands_still_is_overtaken),
	};

	return cmocka_run_group_tests(tests, open_watched, world_close);
}
