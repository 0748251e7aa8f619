/* What is left when a writer does not come to its end: a disk that is full, a row that
 * forgot who writes it, a process that died between the last byte and the file; and
 * that nothing is, of clients that leave. */
#include <signal.h>
#include <sys/resource.h>

#include <trl/metrics.h>

#include "store/inside.h"
#include "upload/finish.h"
#include "upload/test_sender.h"

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
		await_answer(&sender.id);
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
		world_until(is_quiet, NULL);
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

/* A tab that is closed at a hundred percent. */
static void
what_came_whole_is_a_file_though_its_client_left(void **state)
{
	struct sender sender = begin_sender(MIB, MIB);

	(void)state;
	start(&sender);
	send_to(&sender, MIB);
	cut(&sender);
	assert_string_equal(column(sender.id, "finished_at is not null"), "t");
	assert_string_equal(file_that(sender.id)->sha256, hash_of(sender.data, MIB));
	assert_string_equal(storage(), "1048576 0");
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

/* PostgreSQL was ended at once, and does not know who had taken the row, or knows
 * another who has since, under the same number. */
static void
a_writer_whom_the_row_forgot_commits_nothing(void **state)
{
	static const char *const holders[] = { "null", "gen_random_uuid()" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(holders); i++) {
		struct sender sender = begin_sender(2 * MIB, MIB);

		start(&sender);
		send_to(&sender, MIB);
		world_sql("update upload set generation = generation - %d, holder = %s "
			  "where id = '%s'",
		    i == 0, holders[i], world_id_text(sender.id));
		end(&sender);
		assert_int_equal(sender.rc, TRL_CONFLICT);
		world_until(is_quiet, NULL);
		assert_int_equal(tus_offset(sender.id), 0);
		assert_int_equal(
		    tus_patch(&ann, sender.id,
			&(struct tus_patch){ .body = sender.data, .len = 2 * MIB },
			NULL),
		    TRL_OK);
		must_lie_there(sender.id, sender.data, 2 * MIB);
	}
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

static enum trl_code
finish_fails(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *whole)
{
	(void)store, (void)object, (void)whole;
	return trl_fail(ctx, TRL_UNAVAILABLE, "the store is away");
}

/* Its client has no Location, and sends all of it again. */
static void
a_body_that_came_with_the_upload_and_cannot_be_finished_goes(void **state)
{
	const struct tus_post post = {
		.length = 6, .body = "abcdef", .body_len = 6, .key = "once"
	};
	media_store *store = ((struct media *)world.self)->store;
	const struct store_way *usual = store->way;
	Media__V1__CreatedUpload *out;
	struct trl_id id;

	(void)state;
	full = *usual;
	full.finish = finish_fails;
	store->way = &full;
	assert_int_equal(tus_post(&ann, &post, NULL), TRL_UNAVAILABLE);
	world_until(is_quiet, NULL);
	store->way = usual;
	assert_string_equal(storage(), "0 0");
	assert_string_equal(
	    world_sql("select count(*) from upload where tenant_id = '%s'",
		world_id_text(ann.tenant)),
	    "0");
	assert_int_equal(tus_post(&ann, &post, &out), TRL_OK);
	id = id_of(out->location);
	must_lie_there(id, "abcdef", 6);
	assert_string_equal(storage(), "6 0");
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

/* The sum of a gauge's series. */
static double
gauge(const char *name)
{
	struct trl_buf text = { 0 };
	double sum = 0;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	for (const char *begin = (const char *)text.data, *at = begin;
	     (at = strstr(at, name)); at += strlen(name))
		if (at > begin && at[-1] == '\n')
			sum += strtod(strchr(at, '}') + 1, NULL);
	trl_buf_fini(&text);
	return sum;
}

/* All that the pools have is there for the next one. */
static bool
pools_are_idle(void *arg)
{
	const double taken = gauge("trellis_pg_writes_in_use{") +
			     gauge("trellis_pg_pipelined{") +
			     gauge("trellis_pg_waiting{");

	(void)arg;
	return taken == 0 &&
	       strcmp(world_sql("select count(*) from pg_stat_activity where datname = "
				"current_database() and usename like 'media%%' and "
				"state <> 'idle'"),
		   "0") == 0;
}

static void
many_aborts_leave_nothing_behind(void **state)
{
	struct media *self = world.self;

	(void)state;
	world_until(pools_are_idle, NULL);
	for (int i = 0; i < 20; i++) {
		struct sender sender = begin_sender(MIB, MIB);

		for (int aborts = 0; aborts < 10; aborts++) {
			sender = (struct sender){ .id = sender.id,
				.data = sender.data,
				.offset = tus_offset(sender.id),
				.len = 10000 };
			start(&sender);
			send_to(&sender, aborts ? 100 : 9000);
			if (i + aborts == 0) /* who waits for a client has none */
				world_until(pools_are_idle, NULL);
			cut(&sender);
		}
		assert_int_equal(tus_delete(&ann, sender.id), TRL_OK);
		world_forget(state);
	}
	assert_null(self->uploads->first);
	assert_string_equal(storage(), "0 0");
	world_until(pools_are_idle, NULL);
	assert_true(
	    gauge("trellis_pg_connections{") <= gauge("trellis_pg_connections_limit{"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(a_writer_whom_the_row_forgot_commits_nothing),
		TUS(what_was_left_unfinished_is_finished_by_whoever_asks),
		TUS(a_store_that_cannot_sync_costs_no_process),
		TUS(what_a_checkpoint_made_whole_is_finished),
		TUS(what_came_whole_is_a_file_though_its_client_left),
		TUS(whoever_finishes_it_meanwhile_is_waited_for),
		TUS(a_body_that_came_with_the_upload_and_cannot_be_finished_goes),
		TUS(where_there_is_no_room_what_fits_stays),
		TUS(many_aborts_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
