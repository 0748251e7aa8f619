/* A POST that comes with its body, under an Idempotency-Key, and the same again: beside
 * it, or after its process was killed in the middle, with the last byte, after the file
 * was made. Nothing of it is in its own way, and nothing is made twice. (Over 400
 * lines: half of it is whoever posts.) */
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
	world_sql("update upload set holder = '" OTHER "' where id = '%s'",
	    world_id_text(first));
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

/* A POST whose body of so many bytes the test lets go on. */
struct poster {
	const struct trl_method *method;
	const char *type, *head, *tail; /* a form's; head is sent at once */
	size_t len;
	bool goes_on, over;
	enum trl_code rc;
	uint32_t again_ms;
	struct trl_ticket ticket;
};

static const ProtobufCMessage *
request_of(const struct poster *self)
{
	static Media__V1__CreateFileRequest file;
	static Media__V1__CreateUploadRequest upload;

	media__v1__create_file_request__init(&file);
	media__v1__create_upload_request__init(&upload);
	file.content_type = (char *)(uintptr_t)self->type;
	trl_set(&file, content_length, self->len);
	upload.tus_resumable = (char *)"1.0.0";
	trl_set(&upload, upload_length, self->len);
	trl_set(&upload, content_length, self->len);
	return self->method == &media_v1_create_upload ? &upload.base : &file.base;
}

static enum trl_code
send_all(trl_ctx *ctx, struct poster *self, trl_stream *stream)
{
	const size_t head = self->head ? strlen(self->head) : 0;
	const size_t tail = self->tail ? strlen(self->tail) : 0;
	enum trl_code rc = TRL_OK;

	if (head > 0)
		rc = trl_stream_write(ctx, stream, self->head, head);
	while (rc == TRL_OK && !self->goes_on) {
		trl_set_deadline(ctx, trl_mono_us() + 60000000);
		self->ticket = trl_park_begin(ctx);
		rc = trl_park(ctx, self->ticket, "the test");
	}
	if (rc == TRL_OK)
		rc = trl_stream_write(
		    ctx, stream, bytes_of(self->len, 7), self->len - head - tail);
	if (rc == TRL_OK && tail > 0)
		rc = trl_stream_write(ctx, stream, self->tail, tail);
	return rc == TRL_OK ? trl_stream_end(ctx, stream) : rc;
}

static void
run_poster(trl_ctx *ctx, void *arg)
{
	struct poster *self = arg;
	struct trl_stream_terms terms = { .whole = false };
	trl_stream *stream = NULL;
	ProtobufCMessage *out;
	bool wanted = false;

	enter(ctx);
	ctx->method = self->method;
	ctx->idempotency.key = "live";
	ctx->idempotency.from_client = true;
	memcpy(ctx->idempotency.scope, ctx->principal.account.bytes, 16);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), self->method, request_of(self), &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &wanted);
	if (self->rc == TRL_OK && wanted)
		self->rc = send_all(ctx, self, stream);
	if (self->rc == TRL_OK || self->rc == TRL_UNAVAILABLE) {
		trl_err_clear(ctx);
		self->rc = trl_stream_reply(ctx, stream, &out);
	}
	self->again_ms = ctx->err.retry_after_ms;
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

static void
go_on(struct poster *self)
{
	self->goes_on = true;
	(void)trl_wake(self->ticket);
	world_until(is_posted, self);
}

/* Of a plan that is full of it: the other one's bytes are no reason to refuse it. */
static void
must_wait_for_itself(struct poster first, const char *stored)
{
	struct poster second = first, third = first;

	begin_poster(&first);
	world_until(has_row, NULL);
	second.goes_on = third.goes_on = true;
	begin_poster(&second);
	world_until(is_posted, &second);
	assert_int_equal(second.rc, TRL_CONFLICT);
	assert_in_range(second.again_ms, 1, 5000);
	go_on(&first);
	assert_int_equal(first.rc, TRL_OK);
	begin_poster(&third);
	world_until(is_posted, &third);
	assert_int_equal(third.rc, TRL_OK);
	world_until(is_quiet, NULL);
	assert_string_equal(rows("upload"), "1");
	assert_string_equal(rows("file"), "1");
	assert_string_equal(storage(), stored);
}

static void
a_file_that_still_comes_is_409_and_then_replayed(void **state)
{
	(void)state;
	begin_with(5);
	must_wait_for_itself(
	    (struct poster){ .method = &media_v1_create_file, .len = 5 }, "5 0");
}

/* So large that it is judged by its length, before its head comes. */
static void
a_form_that_still_comes_is_409_and_then_replayed(void **state)
{
	const struct poster form = { .method = &media_v1_create_file,
		.type = "multipart/form-data; boundary=XX",
		.head = "--XX\r\nContent-Disposition: form-data; name=\"file\"; "
			"filename=\"a\"\r\n\r\n",
		.tail = "\r\n--XX--\r\n",
		.len = 500000 };
	const size_t size = form.len - strlen(form.head) - strlen(form.tail);

	(void)state;
	begin_with(500000);
	must_wait_for_itself(form, trl_arena_printf(world.arena, "%zu 0", size));
}

static void
an_upload_that_still_comes_is_409_and_then_replayed(void **state)
{
	(void)state;
	begin_with(5);
	must_wait_for_itself(
	    (struct poster){ .method = &media_v1_create_upload, .len = 5 }, "5 0");
}

static void
of_many_at_once_one_makes_a_file(void **state)
{
	struct poster all[8];
	unsigned made = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(all); i++) {
		all[i] = (struct poster){
			.method = &media_v1_create_upload, .len = 100, .goes_on = true
		};
		begin_poster(&all[i]);
	}
	for (size_t i = 0; i < TRL_COUNT(all); i++) {
		world_until(is_posted, &all[i]);
		made += all[i].rc == TRL_OK;
		assert_true(all[i].rc == TRL_OK || all[i].rc == TRL_CONFLICT);
	}
	assert_true(made >= 1);
	world_until(is_quiet, NULL);
	assert_string_equal(rows("upload"), "1");
	assert_string_equal(rows("file"), "1");
	assert_string_equal(storage(), "100 0");
}

/* Somebody has ended what nobody was told of. */
static void
one_that_is_ended_by_another_is_no_fault(void **state)
{
	struct poster first = { .method = &media_v1_create_file, .len = 5 };

	(void)state;
	begin_poster(&first);
	world_until(has_row, NULL);
	world_sql(
	    "delete from upload where tenant_id = '%s'", world_id_text(ann.tenant));
	go_on(&first);
	assert_int_equal(first.rc, TRL_CONFLICT);
	world_until(is_quiet, NULL);
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
		TUS(a_file_that_still_comes_is_409_and_then_replayed),
		TUS(a_form_that_still_comes_is_409_and_then_replayed),
		TUS(an_upload_that_still_comes_is_409_and_then_replayed),
		TUS(of_many_at_once_one_makes_a_file),
		TUS(one_that_is_ended_by_another_is_no_fault),
	};

	return cmocka_run_group_tests(tests, open_watched, world_close);
}
