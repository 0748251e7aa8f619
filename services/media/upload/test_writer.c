/* Bodies that stop, break off, or are overtaken: what has come stays, one writer at a
 * time goes on, and nobody waits for the dead. (Over 400 lines: who sends such bodies,
 * and each way in which they end.) */
#include <signal.h>
#include <sys/resource.h>

#include <trl/stream.h>

#include "store/inside.h"
#include "upload/become.h"
#include "upload/test_tus.h"

enum { MIB = 1 << 20 };

/* A PATCH whose body comes in parts, as the test says. */
struct sender {
	struct trl_id id;
	uint64_t offset;
	const uint8_t *data;
	size_t len;  /* of the body, as it was announced */
	size_t goal; /* so far it is to be sent now */
	size_t sent;
	bool cut;  /* the client goes */
	bool ends; /* the body is whole */
	const char *checksum;
	struct trl_ticket ticket;
	enum trl_code rc;
	bool over;
};

/* As the edge knows the request. */
static void
enter(trl_ctx *ctx)
{
	static uint32_t may[512];
	static unsigned keys;
	size_t n = 0;

	for (size_t i = 0; i < trl_permissions_count && n < TRL_COUNT(may); i++)
		may[n++] = trl_permissions[i].id;
	ctx->service = ctx->caller = "test";
	ctx->tenant = ann.tenant;
	ctx->principal = (struct trl_principal){ .kind = TRL_PERSON,
		.account = ann.person->account,
		.session = trl_id_random(),
		.verified = true,
		.address = "192.0.2.1",
		.user_agent = "cmocka",
		.role = TRL_OWNER,
		.permissions = may,
		.n_permissions = n };
	ctx->idempotency.key = trl_arena_printf(ctx->arena, "sender-%u", ++keys);
}

static enum trl_code
send(trl_ctx *ctx, struct sender *self, trl_stream *stream)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && !self->cut) {
		const size_t left = self->goal - self->sent;
		const size_t len = left < TRL_STREAM_PIECE ? left : TRL_STREAM_PIECE;

		if (len == 0 && self->ends)
			return trl_stream_end(ctx, stream);
		if (len == 0) {
			trl_set_deadline(ctx, trl_mono_us() + 60000000);
			self->ticket = trl_park_begin(ctx);
			rc = trl_park(ctx, self->ticket, "the test");
			continue;
		}
		rc = trl_stream_write(ctx, stream, self->data + self->sent, len);
		self->sent += len;
	}
	return rc;
}

static void
run_sender(trl_ctx *ctx, void *arg)
{
	struct sender *self = arg;
	const struct tus_patch patch = {
		.offset = self->offset, .said = self->len, .checksum = self->checksum
	};
	struct trl_stream_terms terms = { .whole = false };
	Media__V1__PatchUploadRequest in;
	ProtobufCMessage *out;
	trl_stream *stream = NULL;
	bool wanted = false;

	enter(ctx);
	ctx->method = &media_v1_patch_upload;
	patch_request(&self->id, &patch, &in);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), &media_v1_patch_upload, &in.base, &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &wanted);
	if (self->rc == TRL_OK && wanted)
		self->rc = send(ctx, self, stream);
	if (!self->cut && (self->rc == TRL_OK || self->rc == TRL_UNAVAILABLE)) {
		trl_err_clear(ctx);
		self->rc = trl_stream_reply(ctx, stream, &out);
	}
	trl_stream_close(&stream);
	self->over = true;
}

static void
start(struct sender *self)
{
	const struct trl_spawn spawn = {
		.name = "sender", .run = run_sender, .arg = self, .timeout_ms = 60000
	};

	(void)world_bus("edge");
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
}

static bool
is_sent(void *arg)
{
	const struct sender *self = arg;
	const upload_writer *writer =
	    upload_writer_find(((struct media *)world.self)->uploads, ann.tenant,
		self->id, ann.person->account);

	return self->over || (self->sent == self->goal && writer &&
				 writer->received == self->offset + self->goal);
}

static bool
is_over(void *arg)
{
	return ((struct sender *)arg)->over;
}

static bool
is_quiet(void *arg)
{
	(void)arg;
	return uploads_drained(((struct media *)world.self)->uploads);
}

static void
must(bool (*holds)(void *arg), void *arg)
{
	assert_true(trl_loop_run_until(world.loop, holds, arg, 20000));
}

/* Sends so far, and waits until it has come. */
static void
send_to(struct sender *self, size_t goal)
{
	self->goal = goal;
	(void)trl_wake(self->ticket);
	must(is_sent, self);
}

static void
end(struct sender *self)
{
	self->ends = true;
	(void)trl_wake(self->ticket);
	must(is_over, self);
}

static void
cut(struct sender *self)
{
	self->cut = true;
	(void)trl_wake(self->ticket);
	must(is_over, self);
	must(is_quiet, NULL);
}

static struct sender
begin_sender(size_t length, size_t len)
{
	return (struct sender){ .id = tus_begin(&(struct tus_post){ .length = length }),
		.data = bytes_of(length, 9),
		.len = len };
}

static void
what_has_come_of_a_body_that_breaks_off_stays(void **state)
{
	static const size_t came[] = { 0, 1, 100000, 256 << 10, 3 * MIB + 77,
		9 * MIB + 1 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(came); i++) {
		struct sender sender = begin_sender(10 * MIB, 10 * MIB);

		start(&sender);
		send_to(&sender, came[i]);
		cut(&sender);
		assert_string_equal(
		    column(sender.id, "received || ' ' || (holder is null)"),
		    trl_arena_printf(world.arena, "%zu true", came[i]));
		assert_int_equal(tus_offset(sender.id), came[i]);
		assert_int_equal(tus_patch(&ann, sender.id,
				     &(struct tus_patch){ .offset = came[i],
					 .body = sender.data + came[i],
					 .len = 10 * MIB - came[i] },
				     NULL),
		    TRL_OK);
		must_lie_there(sender.id, sender.data, 10 * MIB);
	}
}

static void
of_a_body_with_a_checksum_that_breaks_off_nothing_stays(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);

	(void)state;
	sender.checksum = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
	start(&sender);
	send_to(&sender, 9 * MIB);
	assert_int_equal(tus_offset(sender.id), 0);
	cut(&sender);
	assert_int_equal(tus_offset(sender.id), 0);
	assert_string_equal(column(sender.id, "holder is null"), "t");
}

static void
a_long_body_is_durable_every_8_mib(void **state)
{
	struct sender sender = begin_sender(40 * MIB, 40 * MIB);

	(void)state;
	start(&sender);
	for (size_t sent = 1; sent <= 36; sent++) {
		send_to(&sender, sent * MIB);
		assert_true(
		    ((long)sent - 8) * MIB <= atol(column(sender.id, "received")));
	}
	cut(&sender);
	assert_int_equal(tus_offset(sender.id), 36 * MIB);
}

static void
head_during_a_patch_says_what_has_come(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);
	const size_t steps[] = { 1, 77777, 5 * MIB, 9 * MIB };

	(void)state;
	start(&sender);
	for (size_t i = 0; i < TRL_COUNT(steps); i++) {
		const uint64_t began = trl_mono_us();

		send_to(&sender, steps[i]);
		assert_int_equal(tus_offset(sender.id), steps[i]);
		assert_int_equal(atol(column(sender.id, "received")), steps[i]);
		assert_true(trl_mono_us() - began < 1000000);
	}
	send_to(&sender, 10 * MIB);
	end(&sender);
	assert_int_equal(sender.rc, TRL_OK);
	must_lie_there(sender.id, sender.data, 10 * MIB);
}

static void
a_patch_at_the_holders_offset_takes_over(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);
	const uint64_t began = trl_mono_us();

	(void)state;
	start(&sender);
	send_to(&sender, 2 * MIB);
	assert_int_equal(
	    tus_patch(&ann, sender.id,
		&(struct tus_patch){
		    .offset = 2 * MIB, .body = sender.data + 2 * MIB, .len = 8 * MIB },
		NULL),
	    TRL_OK);
	assert_true(trl_mono_us() - began < 2000000);
	must_lie_there(sender.id, sender.data, 10 * MIB);
	/* the one before it hears of it with the next piece, and changes nothing */
	sender.goal = 10 * MIB;
	end(&sender);
	assert_int_equal(sender.rc, TRL_CONFLICT);
	must_lie_there(sender.id, sender.data, 10 * MIB);
	assert_string_equal(
	    file_that(sender.id)->sha256, hash_of(sender.data, 10 * MIB));
}

static void
a_patch_at_another_offset_leaves_the_holder_alone(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);
	const uint64_t others[] = { 0, MIB, 3 * MIB };

	(void)state;
	start(&sender);
	send_to(&sender, 2 * MIB);
	for (size_t i = 0; i < TRL_COUNT(others); i++)
		assert_int_equal(
		    tus_patch(&ann, sender.id,
			&(struct tus_patch){
			    .offset = others[i], .body = "other", .len = 5 },
			NULL),
		    TRL_CONFLICT);
	send_to(&sender, 10 * MIB);
	end(&sender);
	assert_int_equal(sender.rc, TRL_OK);
	must_lie_there(sender.id, sender.data, 10 * MIB);
}

static void
an_acknowledged_patch_is_not_counted_twice(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 6 });
	const struct tus_patch patch = { .body = "abc", .len = 3 };

	(void)state;
	assert_int_equal(tus_patch(&ann, id, &patch, NULL), TRL_OK);
	assert_int_equal(tus_patch(&ann, id, &patch, NULL), TRL_CONFLICT);
	assert_int_equal(tus_offset(id), 3);
	assert_string_equal(storage(), "0 6");
}

/* Of two at once one goes on, and the other has to ask again. */
static void
of_two_patches_at_once_one_counts(void **state)
{
	struct sender one = begin_sender(4 * MIB, 4 * MIB), two = one;

	(void)state;
	one.goal = two.goal = 4 * MIB;
	one.ends = two.ends = true;
	start(&one);
	start(&two);
	must(is_over, &one);
	must(is_over, &two);
	must(is_quiet, NULL);
	assert_true((one.rc == TRL_OK) != (two.rc == TRL_OK) ||
		    atol(column(one.id, "received")) == 4 * MIB);
	must_lie_there(one.id, one.data, 4 * MIB);
	assert_string_equal(storage(), "4194304 0");
}

/* A process that was killed: its row says that it writes, and nobody does. */
static void
the_dead_hold_nothing(void **state)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 6 });
	uint64_t began;

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	world_sql("update upload set holder = gen_random_uuid(), generation = "
		  "generation + 1 where id = '%s'",
	    world_id_text(id));
	began = trl_mono_us();
	assert_int_equal(tus_offset(id), 3);
	assert_true(trl_mono_us() - began < 1000000);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 2, .body = "cdef", .len = 4 }, NULL),
	    TRL_CONFLICT);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .body = "def", .len = 3 }, NULL),
	    TRL_OK);
	must_lie_there(id, "abcdef", 6);
	assert_string_equal(
	    world_sql("select count(*) from upload_ask_directory where "
		      "holder = '%s'",
		world_id_text(((struct media *)world.self)->uploads->holder)),
	    "0");
}

/* Another process asks by a row, as it would here. */
static bool
is_answered(void *id)
{
	return strcmp(world_sql("select count(*) from upload_ask_directory where id = "
				"'%s'",
			  world_id_text(*(struct trl_id *)id)),
		   "0") == 0;
}

static void
ask_from_elsewhere(struct trl_id *id)
{
	world_sql("insert into upload_ask_directory (holder, tenant_id, id, asked_at) "
		  "select holder, tenant_id, id, now() from upload where id = '%s'",
	    world_id_text(*id));
}

static void
another_process_is_told_how_far_it_came(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, 2 * MIB + 5);
	ask_from_elsewhere(&sender.id);
	must(is_answered, &sender.id);
	assert_int_equal(atol(column(sender.id, "received")), 2 * MIB + 5);
	send_to(&sender, 10 * MIB);
	end(&sender);
	assert_int_equal(sender.rc, TRL_OK);
}

/* Another process has taken over: whatever comes here now is nobody's. */
static void
who_lost_the_row_commits_nothing(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, 2 * MIB);
	assert_int_equal(tus_offset(sender.id), 2 * MIB);
	world_sql("with taken as (update upload set generation = generation + 1, "
		  "holder = gen_random_uuid() where id = '%s' returning tenant_id, id) "
		  "insert into upload_ask_directory (holder, tenant_id, id, asked_at) "
		  "select '%s', tenant_id, id, now() from taken",
	    world_id_text(sender.id),
	    world_id_text(((struct media *)world.self)->uploads->holder));
	must(is_quiet, NULL); /* it has seen the ask, and the row */
	sender.goal = 10 * MIB;
	end(&sender);
	assert_int_equal(sender.rc, TRL_CONFLICT);
	assert_int_equal(atol(column(sender.id, "received")), 2 * MIB);
	assert_string_equal(column(sender.id, "holder is null"), "f");
}

/* A store that finds only when it syncs that there is no room. */
static struct store_way full;

static enum trl_code
sync_fails(trl_ctx *ctx, store_writer *writer, struct store_place *now)
{
	(void)writer, (void)now;
	return trl_fail(ctx, TRL_STORAGE, "There is no room.");
}

static void
a_store_that_cannot_sync_costs_no_process(void **state)
{
	media_store *store = ((struct media *)world.self)->store;
	const struct store_way *usual = store->way;
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 6 });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	full = *usual;
	full.writer_sync = sync_fails;
	store->way = &full;
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    tus_patch(&ann, id,
			&(struct tus_patch){ .offset = 3, .body = "def", .len = 3 },
			NULL),
		    TRL_STORAGE);
	store->way = usual;
	assert_int_equal(tus_offset(id), 3);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .body = "def", .len = 3 }, NULL),
	    TRL_OK);
	must_lie_there(id, "abcdef", 6);
}

static void
run_expiry(trl_ctx *ctx, void *arg)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);

	ctx->tenant = ann.tenant;
	assert_int_equal(
	    upload_find(world.self, ctx, *(struct trl_id *)arg, row), TRL_OK);
	assert_int_equal(upload_expire(world.self, ctx, row), TRL_OK);
}

/* A HEAD had the last byte made durable, and then the process was killed: all is there,
 * and its row has a holder. */
static void
what_a_checkpoint_made_whole_is_finished(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		struct sender sender = begin_sender(MIB, MIB);

		start(&sender);
		send_to(&sender, MIB);
		ask_from_elsewhere(&sender.id);
		must(is_answered, &sender.id);
		assert_int_equal(atol(column(sender.id, "received")), MIB);
		assert_string_equal(column(sender.id, "finished_at is null"), "t");
		assert_string_equal(world_sql("select count(*) from job where kind = "
					      "'finish_upload' and key = '%s'",
					world_id_text(sender.id)),
		    "1");
		world_sql("update upload set holder = gen_random_uuid(), generation = "
			  "generation + 1 where id = '%s'",
		    world_id_text(sender.id));
		sender.cut = true;
		(void)trl_wake(sender.ticket);
		must(is_quiet, NULL);
		if (way == 0)
			assert_int_equal(tus_offset(sender.id), MIB);
		else if (way == 1)
			assert_int_equal(
			    tus_patch(&ann, sender.id,
				&(struct tus_patch){ .offset = MIB }, NULL),
			    TRL_OK);
		else
			world_act(run_expiry, &sender.id);
		assert_string_equal(
		    file_that(sender.id)->sha256, hash_of(sender.data, MIB));
		must_lie_there(sender.id, sender.data, MIB);
	}
}

/* Another is about to name its bytes: that says nothing of how far it came. */
static void
hold_store(trl_ctx *ctx, void *arg)
{
	const struct trl_id *id = arg;
	const struct store_object object = upload_object(ann.tenant, *id);
	struct media *self = world.self;
	store_writer *writer = NULL;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const struct store_place from = { .offset = 5, .length = 5, .generation = 9 };

	assert_int_equal(
	    store_writer_open(ctx, self->store, &object, &from, &writer), TRL_OK);
	ctx->tenant = ann.tenant;
	ctx->principal.kind = TRL_PERSON;
	ctx->principal.account = ann.person->account;
	assert_int_equal(upload_look(self, ctx, *id, row), TRL_OK);
	assert_int_equal(upload_try_finish(self, ctx, *id), TRL_LOCKED);
	trl_err_clear(ctx);
	assert_int_equal(upload_finish(self, ctx, *id, NULL), TRL_LOCKED);
	store_writer_close(&writer);
	trl_err_clear(ctx);
	assert_int_equal(upload_finish(self, ctx, *id, NULL), TRL_OK);
}

static void
whoever_finishes_it_meanwhile_is_waited_for(void **state)
{
	struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 6, .concat = "partial" });

	(void)state;
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abcde", .len = 5 }, NULL),
	    TRL_OK);
	world_sql("update upload set length = 5 where id = '%s'", world_id_text(id));
	world_act(hold_store, &id);
	assert_string_equal(column(id, "finished_at is not null"), "t");
}

/* A process died between the last byte and the file. */
static void
what_was_left_unfinished_is_finished_by_whoever_asks(void **state)
{
	struct trl_id ids[3];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(ids); i++) {
		ids[i] = tus_begin(&(struct tus_post){ .length = 6 });
		assert_int_equal(
		    tus_patch(&ann, ids[i],
			&(struct tus_patch){ .body = "abcdef", .len = 6 }, NULL),
		    TRL_OK);
		world_sql("delete from file where id = '%s'", world_id_text(ids[i]));
		world_sql("update upload set finished_at = null, reserved = 6 where id "
			  "= '%s'",
		    world_id_text(ids[i]));
		world_sql("update storage set used = used - 6, reserved = reserved + 6 "
			  "where tenant_id = '%s'",
		    world_id_text(ann.tenant));
	}
	assert_int_equal(tus_offset(ids[0]), 6);
	assert_int_equal(
	    tus_patch(&ann, ids[1], &(struct tus_patch){ .offset = 6 }, NULL), TRL_OK);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(file_that(ids[i])->sha256, hash_of("abcdef", 6));
	assert_string_equal(storage(), "12 6");
}

static void
limit_files(rlim_t most)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = most;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full, then it is not. */
static void
where_there_is_no_room_what_fits_stays(void **state)
{
	const size_t len = 20 * MIB;
	const uint8_t *data = bytes_of(len, 4);
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = len });
	uint64_t offset;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(9 * MIB + 100);
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = data, .len = len }, NULL),
	    TRL_STORAGE);
	offset = tus_offset(id);
	assert_in_range(offset, MIB, 9 * MIB + 100);
	assert_string_equal(column(id, "holder is null"), "t");
	limit_files(RLIM_INFINITY);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){
		    .offset = offset, .body = data + offset, .len = len - offset },
		NULL),
	    TRL_OK);
	must_lie_there(id, data, len);
}

static void
many_aborts_leave_nothing_behind(void **state)
{
	struct media *self = world.self;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct sender sender = begin_sender(MIB, MIB);

		start(&sender);
		send_to(&sender, 300000);
		cut(&sender);
		assert_int_equal(tus_delete(&ann, sender.id), TRL_OK);
		world_forget(state);
	}
	assert_null(self->uploads->first);
	assert_string_equal(storage(), "0 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(what_has_come_of_a_body_that_breaks_off_stays),
		TUS(of_a_body_with_a_checksum_that_breaks_off_nothing_stays),
		TUS(a_long_body_is_durable_every_8_mib),
		TUS(head_during_a_patch_says_what_has_come),
		TUS(a_patch_at_the_holders_offset_takes_over),
		TUS(a_patch_at_another_offset_leaves_the_holder_alone),
		TUS(an_acknowledged_patch_is_not_counted_twice),
		TUS(of_two_patches_at_once_one_counts),
		TUS(the_dead_hold_nothing),
		TUS(another_process_is_told_how_far_it_came),
		TUS(who_lost_the_row_commits_nothing),
		TUS(a_store_that_cannot_sync_costs_no_process),
		TUS(what_a_checkpoint_made_whole_is_finished),
		TUS(whoever_finishes_it_meanwhile_is_waited_for),
		TUS(what_was_left_unfinished_is_finished_by_whoever_asks),
		TUS(where_there_is_no_room_what_fits_stays),
		TUS(many_aborts_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
