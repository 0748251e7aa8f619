/* A join goes on where it was kept, whatever stopped it; nobody waits for it. */
#include "kinds/kinds.h"
#include "upload/test_finals.h"

static unsigned steps, stops_at, taken_at;
static uint64_t begun_at;
static struct trl_id joined;

static enum trl_code
count_step(trl_ctx *ctx, store_writer *writer, const struct store_object *from,
    uint64_t at, uint64_t n, bool *copied)
{
	if (steps++ == 0)
		begun_at = writer->offset;
	if (steps == stops_at)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the store is away");
	if (steps == taken_at)
		world_sql("update upload set generation = generation + 1 where id = "
			  "'%s'",
		    world_id_text(joined));
	return usual->writer_copy(ctx, writer, from, at, n, copied);
}

enum { STEP = PART / 5 };

/* A job of 11 steps waits, which have not begun. */
static void
begin_counted(struct trl_id *id)
{
	const uint8_t *data = bytes_of(2 * PART + 5, 1);
	struct trl_id parts[3];

	parts[0] = part_of(data, PART);
	parts[1] = part_of(data + PART, PART);
	parts[2] = part_of(data + 2 * PART, 5);
	((struct local_store *)store_of_media())->step_bytes = STEP;
	store_of_media()->keep_bytes = 2 * STEP;
	hold();
	assert_int_equal(join(&ann, final_of(parts, 3), NULL, id), TRL_OK);
	await_waiting(1);
	joined = *id;
}

/* It runs, and fails at that step. */
static void
run_until(unsigned step)
{
	let_go();
	held = *usual;
	held.writer_copy = count_step;
	store_of_media()->way = &held;
	steps = 0;
	stops_at = step;
}

static bool
has_stopped(void *arg)
{
	int n = 1;

	(void)arg;
	return steps > 0 && waits(&n);
}

static void
await_stop(void)
{
	world_until(has_stopped, NULL);
}

static void
is_whole(struct trl_id id)
{
	const uint8_t *data = bytes_of(2 * PART + 5, 1);

	await_file(id);
	store_of_media()->way = usual;
	assert_string_equal(file_that(id)->sha256, hash_of(data, 2 * PART + 5));
	must_lie_there(id, data, 2 * PART + 5);
	assert_string_equal(events_of(id), "media.file.ready");
	assert_string_equal(storage(), "600005 0");
}

static void
a_join_that_stops_goes_on_where_it_was_kept(void **state)
{
	struct trl_id id;

	(void)state;
	begin_counted(&id);
	run_until(4); /* behind what two have made, and a third one */
	await_stop();
	assert_int_equal(begun_at, 0);
	assert_int_equal(atol(column(id, "joined")), 2 * STEP);
	run_until(100);
	is_whole(id);
	assert_int_equal(begun_at, 2 * STEP);
	assert_int_equal(steps, 9);
}

/* Its lease has run out, and another one has begun. */
static void
a_join_that_another_goes_on_with_keeps_nothing(void **state)
{
	struct trl_id id;

	(void)state;
	begin_counted(&id);
	taken_at = 2;
	run_until(100);
	await_stop();
	taken_at = 0;
	assert_int_equal(atol(column(id, "joined")), 0);
	run_until(100);
	is_whole(id);
	assert_int_equal(steps, 11);
}

static enum trl_code
finish_too_late(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *whole)
{
	enum trl_code rc = usual->finish(ctx, store, object, whole);

	if (rc != TRL_OK)
		return rc;
	world_sql("update upload set generation = generation + 1 where id = '%s'",
	    world_id_text(joined));
	world_sql("update file set state = 'ready', sha256 = repeat('0', 64) where "
		  "id = '%s'",
	    world_id_text(joined));
	return trl_fail(ctx, TRL_GONE, "What was put together has gone.");
}

/* Another one was faster, and what this one missed is the file. */
static void
a_join_that_another_has_done_removes_nothing(void **state)
{
	struct trl_id id;

	(void)state;
	begin_counted(&id);
	let_go();
	held = *usual;
	held.finish = finish_too_late;
	store_of_media()->way = &held;
	await_jobs();
	store_of_media()->way = usual;
	must_lie_there(id, bytes_of(2 * PART + 5, 1), 2 * PART + 5);
}

static void
drop_bytes(trl_ctx *ctx, void *id)
{
	const struct store_object object = { ann.tenant, *(struct trl_id *)id, "" };

	assert_int_equal(store_abandon(ctx, store_of_media(), &object), TRL_OK);
}

static bool
begins_anew(void *id)
{
	int n = 1;

	return atol(column(*(struct trl_id *)id, "joined")) == 0 && waits(&n);
}

static void
a_join_whose_bytes_are_gone_begins_anew(void **state)
{
	struct trl_id id;

	(void)state;
	begin_counted(&id);
	run_until(6);
	await_stop();
	assert_int_equal(atol(column(id, "joined")), 4 * STEP);
	world_act(drop_bytes, &id);
	let_go();
	world_until(begins_anew, &id);
	let_go();
	is_whole(id);
}

struct restored {
	struct trl_id id, part;
	const char *made;
};

/* The store has what came of a join, and the part's bytes have gone. */
static void
make_before(trl_ctx *ctx, void *arg)
{
	const struct restored *what = arg;
	const struct store_object made = upload_object(ann.tenant, what->id),
				  part = upload_object(ann.tenant, what->part);

	assert_int_equal(
	    store_put(ctx, store_of_media(), &made, what->made, strlen(what->made)),
	    TRL_OK);
	assert_int_equal(store_abandon(ctx, store_of_media(), &part), TRL_OK);
}

static void
join_in_a_restored_database(const char *made, struct trl_id *id)
{
	struct restored what = { .part = part_of("abc", 3), .made = made };

	what.id = join_held(&what.part, 1);
	world_act(make_before, &what);
	let_go();
	*id = what.id;
}

static const char *
state_of(struct trl_id file)
{
	return world_sql("select state from file where id = '%s'", world_id_text(file));
}

/* The database is of a time before the join, and the store of one after it. */
static void
what_was_joined_before_a_restore_is_the_file(void **state)
{
	struct trl_id id;

	(void)state;
	join_in_a_restored_database("abc", &id);
	await_file(id);
	assert_string_equal(file_that(id)->sha256, hash_of("abc", 3));
	must_lie_there(id, "abc", 3);
	join_in_a_restored_database("ab", &id);
	world_until_sql("select count(*) = 1 from job where kind = 'join_upload' and "
			"state = 'scheduled' and tenant_id = '%s' and run_at > now() + "
			"interval '10 seconds'",
	    world_id_text(ann.tenant));
	assert_string_equal(state_of(id), "processing"); /* it may come back */
	world_sql("update job set made_at = now() - interval '61 minutes' where "
		  "kind = 'join_upload' and tenant_id = '%s'",
	    world_id_text(ann.tenant));
	let_go();
	world_until_sql(
	    "select state = 'rejected' from file where id = '%s'", world_id_text(id));
}

static int
begin_short(void **state)
{
	((struct media *)world.self)->uploads->stretch_us = 1;
	return begin(state);
}

static int
end_short(void **state)
{
	((struct media *)world.self)->uploads->stretch_us = UPLOAD_STRETCH_US;
	return world_forget(state);
}

/* Each run does what it has time for, here a step, and leaves the rest to the next. */
static void
a_join_that_is_long_goes_on_run_by_run(void **state)
{
	struct trl_id id;

	(void)state;
	begin_counted(&id);
	run_until(100);
	is_whole(id);
	await_jobs();
	assert_int_equal(steps, 11);
	/* The first run found the store away. */
	assert_in_range(atol(column(id, "generation")), 11, 13);
}

/* What requests for a final upload have of the store. */
static uint64_t asked_bytes;
static unsigned asked_writers;

static bool
is_asked_for(const trl_ctx *ctx)
{
	return ctx->method == &media_v1_create_upload;
}

static enum trl_code
count_reader(trl_ctx *ctx, media_store *store, const struct store_object *object,
    uint64_t offset, uint64_t len, store_reader **out)
{
	asked_bytes += is_asked_for(ctx) ? len : 0;
	return usual->reader_open(ctx, store, object, offset, len, out);
}

static enum trl_code
count_writer(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	asked_writers += is_asked_for(ctx);
	return usual->writer_open(ctx, store, object, from, out);
}

/* However large it is: the request looks at its head, and a job does the rest. */
static void
who_asks_for_a_large_one_waits_for_no_copy(void **state)
{
	const uint8_t *data = bytes_of(4 * PART, 3);
	struct trl_id parts[4], id;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		parts[i] = part_of(data + i * PART, PART);
	if (!usual)
		usual = store_of_media()->way;
	held = *usual;
	held.reader_open = count_reader;
	held.writer_open = count_writer;
	store_of_media()->way = &held;
	asked_bytes = asked_writers = 0;
	assert_int_equal(join(&ann, final_of(parts, 4), NULL, &id), TRL_OK);
	await_file(id);
	store_of_media()->way = usual;
	assert_int_equal(asked_bytes, KINDS_HEAD_MAX);
	assert_int_equal(asked_writers, 0);
	assert_string_equal(file_that(id)->sha256, hash_of(data, 4 * PART));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(a_join_that_stops_goes_on_where_it_was_kept),
		TUS(a_join_that_another_goes_on_with_keeps_nothing),
		TUS(a_join_that_another_has_done_removes_nothing),
		cmocka_unit_test_setup_teardown(
		    a_join_that_is_long_goes_on_run_by_run, begin_short, end_short),
		TUS(a_join_whose_bytes_are_gone_begins_anew),
		TUS(who_asks_for_a_large_one_waits_for_no_copy),
		TUS(what_was_joined_before_a_restore_is_the_file),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
