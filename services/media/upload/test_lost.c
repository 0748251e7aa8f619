/* The store has ended an upload that is under way, as a rule of a bucket ends multipart
 * uploads: it ends with an answer, and its room is free. And PostgreSQL answers
 * nothing. */
#include <signal.h>

#include "upload/test_sender.h"

#include "store/inside.h"

static struct store_way losing;
static const struct store_way *usual;

static media_store *
store_of_media(void)
{
	return ((struct media *)world.self)->store;
}

static enum trl_code
has_ended(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_GONE, "The store has ended it.");
}

static enum trl_code
write_in_vain(trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces)
{
	(void)writer, (void)pieces;
	return has_ended(ctx);
}

static enum trl_code
finish_in_vain(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *whole)
{
	(void)store, (void)object, (void)whole;
	return has_ended(ctx);
}

static int
begin_losing(void **state)
{
	if (!usual)
		usual = store_of_media()->way;
	losing = *usual;
	store_of_media()->way = &losing;
	return begin(state);
}

static int
end_losing(void **state)
{
	store_of_media()->way = usual;
	return world_forget(state);
}

static enum trl_code
patch(struct trl_id id, uint64_t offset, const char *data)
{
	return tus_patch(&ann, id,
	    &(struct tus_patch){ .offset = offset, .body = data, .len = strlen(data) },
	    NULL);
}

/* As if the last checkpoint were so old. */
static void
make_older(struct trl_id id, const char *age)
{
	world_sql(
	    "update upload set expires_at = expires_at - interval '%s' where id = "
	    "'%s'",
	    age, world_id_text(id));
}

static void
is_no_more(struct trl_id id)
{
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_NOT_FOUND);
	assert_string_equal(storage(), "0 0");
	assert_string_equal(column(id, "count(*)"), "0");
	must_not_lie_there(id);
}

static void
whoever_goes_on_with_it_is_told_to_begin_anew(void **state)
{
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 6, .body = "abc", .body_len = 3 });

	(void)state;
	losing.writer_write = write_in_vain;
	assert_int_equal(patch(id, 3, "def"), TRL_GONE);
	assert_non_null(strstr(world.err.message, "begin a new one"));
	is_no_more(id);
}

static void
what_cannot_be_finished_is_tried_for_an_hour(void **state)
{
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 6, .body = "abc", .body_len = 3 });
	Media__V1__UploadProgress *head;

	(void)state;
	losing.finish = finish_in_vain;
	assert_int_equal(patch(id, 3, "def"), TRL_INTERNAL);
	assert_int_equal(tus_head_as(&ann, id, &head), TRL_OK);
	assert_int_equal(head->upload_offset, 6);
	assert_string_equal(storage(), "0 6");
	make_older(id, "61 minutes");
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_GONE);
	is_no_more(id);
}

/* The server was still at it. */
static void
what_is_there_after_all_becomes_a_file(void **state)
{
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 6, .body = "abc", .body_len = 3 });

	(void)state;
	losing.finish = finish_in_vain;
	assert_int_equal(patch(id, 3, "def"), TRL_INTERNAL);
	losing.finish = usual->finish;
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_OK);
	must_lie_there(id, "abcdef", 6);
	assert_string_equal(storage(), "6 0");
}

/* As after a restore of the folder, which is older than the row. */
static void
what_is_short_in_the_store_is_gone_and_no_fault(void **state)
{
	static const char *const shorten[] = { "truncate -s 1", "rm" };
	char command[200];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(shorten); i++) {
		const struct trl_id id = tus_begin(
		    &(struct tus_post){ .length = 6, .body = "abc", .body_len = 3 });

		snprintf(command, sizeof command, "%s $(find %s -name '%s.part')",
		    shorten[i], getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(id));
		assert_int_equal(system(command), 0);
		assert_int_equal(patch(id, 3, "def"), TRL_GONE);
		assert_non_null(strstr(world.err.message, "begin a new one"));
		assert_string_equal(column(id, "count(*)"), "1");
		assert_int_equal(tus_delete(&ann, id), TRL_OK);
	}
	assert_string_equal(storage(), "0 0");
}

/* As after a restore of the database: the store has ended it, for it is a file. */
static void
what_is_a_file_since_is_not_thrown_away(void **state)
{
	const struct trl_id id =
	    tus_begin(&(struct tus_post){ .length = 6, .body = "abc", .body_len = 3 });
	char command[300];

	(void)state;
	snprintf(command, sizeof command,
	    "cd $(dirname $(find %s -name '%s.part')) && printf abcdef >%s",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(id), world_id_text(id));
	assert_int_equal(system(command), 0);
	losing.writer_write = write_in_vain;
	assert_int_equal(patch(id, 3, "def"), TRL_GONE);
	must_lie_there(id, "abcdef", 6);
	assert_string_equal(column(id, "count(*)"), "1");
}

static pid_t stopped[64];
static size_t n_stopped;

/* Of roles that are no superusers; those that are there stay. */
static void
let_connect(bool may)
{
	world_sql(
	    "do $$ begin execute format('alter database %%I connection limit %d', "
	    "current_database()); end $$",
	    may ? -1 : 0);
}

/* All of media's connections: PostgreSQL takes what is sent, and answers nothing. There
 * are no others: by one that came since, the row could be written after all. */
static void
stop_backends(void)
{
	char *save = NULL;
	char *pids;

	let_connect(false);
	pids = trl_arena_strdup(world.arena,
	    world_sql("select string_agg(pid::text, ' ') from pg_stat_activity where "
		      "datname = current_database() and usename like 'media%%'"));

	for (char *pid = strtok_r(pids, " ", &save); pid;
	     pid = strtok_r(NULL, " ", &save)) {
		assert_true(n_stopped < TRL_COUNT(stopped));
		if (kill((pid_t)atol(pid), SIGSTOP) == 0) /* or it has just ended */
			stopped[n_stopped++] = (pid_t)atol(pid);
	}
	assert_true(n_stopped > 0);
}

static void
let_backends_go(void)
{
	while (n_stopped > 0)
		(void)kill(stopped[--n_stopped], SIGCONT);
	let_connect(true);
}

/* Whatever became of the test: all of PostgreSQL waits for one that is stopped. */
static int
forget(void **state)
{
	let_backends_go();
	return world_forget(state);
}

static bool
comes_again(enum trl_code rc)
{
	return rc == TRL_CONFLICT || rc == TRL_UNAVAILABLE || rc == TRL_UNCERTAIN;
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

/* As a client does: until media has connections again, and where a backend that was
 * stopped writes the row now, after the offset was told. */
static enum trl_code
send_rest(const struct sender *sender)
{
	const uint64_t until_us = trl_mono_us() + 20000000;
	Media__V1__UploadProgress *now;
	enum trl_code rc;

	for (;;) {
		rc = tus_head_as(&ann, sender->id, &now);
		if (rc == TRL_OK)
			rc = tus_patch(&ann, sender->id,
			    &(struct tus_patch){ .offset = now->upload_offset,
				.body = sender->data + now->upload_offset,
				.len = sender->len - now->upload_offset },
			    NULL);
		if (!comes_again(rc) || trl_mono_us() > until_us)
			return rc;
		(void)trl_loop_run_until(world.loop, never, NULL, 50);
	}
}

/* Whoever sends is told so in time, and may come again. */
static void
a_body_whose_row_cannot_be_written_ends_in_time(void **state)
{
	struct sender sender = begin_sender(20 * MIB, 20 * MIB);
	const uint64_t began_us = trl_mono_us();

	(void)state;
	start(&sender);
	send_to(&sender, MIB);
	stop_backends();
	sender.goal = 20 * MIB;
	(void)trl_wake(sender.ticket);
	while (!sender.over && trl_mono_us() - began_us < 60000000)
		(void)trl_loop_run_until(world.loop, is_over, &sender, 1000);
	let_backends_go();
	assert_true(sender.over);
	/* and not TRL_DEADLINE, which comes after 30 s */
	assert_true(sender.rc == TRL_UNCERTAIN || sender.rc == TRL_UNAVAILABLE);
	assert_int_equal(send_rest(&sender), TRL_OK);
	must_lie_there(sender.id, sender.data, 20 * MIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define LOST(test) cmocka_unit_test_setup_teardown(test, begin_losing, end_losing)
		LOST(whoever_goes_on_with_it_is_told_to_begin_anew),
		LOST(what_cannot_be_finished_is_tried_for_an_hour),
		LOST(what_is_there_after_all_becomes_a_file),
		LOST(what_is_short_in_the_store_is_gone_and_no_fault),
		LOST(what_is_a_file_since_is_not_thrown_away),
		cmocka_unit_test_setup_teardown(
		    a_body_whose_row_cannot_be_written_ends_in_time, begin, forget),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
