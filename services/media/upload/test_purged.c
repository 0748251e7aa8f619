/* The file of a final upload is purged before its parts are put together, or while they
 * are: bytes go with the account, and nobody has failed. */
#include "upload/test_finals.h"

#include <unistd.h>

#include <trl/metrics.h>
#include <trl/tx.h>

enum { STEP = PART / 5 };

static double
failures(void)
{
	static const char name[] = "\ntrellis_media_joins_failed_total ";
	struct trl_buf text = { 0 };
	const char *at;
	double n;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	at = strstr((const char *)text.data, name);
	assert_non_null(at);
	n = strtod(at + sizeof name - 1, NULL);
	trl_buf_fini(&text);
	return n;
}

static void
purge(struct trl_id id)
{
	Media__V1__DeleteFileRequest first = MEDIA__V1__DELETE_FILE_REQUEST__INIT;
	Media__V1__PurgeFileRequest then = MEDIA__V1__PURGE_FILE_REQUEST__INIT;

	trl_set(&first, file_id, world_bytes(&id));
	trl_set(&then, file_id, world_bytes(&id));
	assert_int_equal(
	    world_call(&ann, &media_v1_delete_file, &first.base, NULL), TRL_OK);
	assert_int_equal(
	    world_call(&ann, &media_v1_purge_file, &then.base, NULL), TRL_OK);
	world_until_sql("select not exists (select from job where kind = 'purge_file' "
			"and tenant_id = '%s')",
	    world_id_text(ann.tenant));
}

/* Neither bytes nor rows of parts, nor room. */
static void
nothing_is_left_of(const struct trl_id *parts, size_t n)
{
	const struct local_store *store = (struct local_store *)store_of_media();

	for (size_t i = 0; i < n; i++)
		assert_int_equal(tus_head_as(&ann, parts[i], NULL), TRL_NOT_FOUND);
	assert_string_equal(storage(), "0 0");
	assert_int_not_equal(access(trl_arena_printf(world.arena, "%s/%s",
					store->folder, world_id_text(ann.tenant)),
				 F_OK),
	    0);
}

/* The job of it stands behind others. */
static void
parts_of_a_purged_file_go_at_once(void **state)
{
	struct trl_id parts[2], id;
	double failed;

	(void)state;
	parts[0] = part_of("abc", 3);
	parts[1] = part_of("def", 3);
	id = join_held(parts, 2);
	/* one that has no row any more */
	assert_int_equal(tus_delete(&ann, parts[1]), TRL_OK);
	failed = failures();
	purge(id);
	nothing_is_left_of(parts, 2);
	await_waiting(1);
	let_go();
	await_jobs();
	assert_true(failures() == failed);
}

static void
parts_that_another_one_needs_stay(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	struct trl_id ids[2];

	(void)state;
	hold();
	assert_int_equal(
	    join(&ann, final_of(&part, 1), "filename YQ==", &ids[0]), TRL_OK);
	assert_int_equal(
	    join(&ann, final_of(&part, 1), "filename Yg==", &ids[1]), TRL_OK);
	await_waiting(2);
	purge(ids[0]);
	must_lie_there(part, "abc", 3);
	assert_string_equal(storage(), "3 0");
	let_go();
	await_file(ids[1]);
	await_jobs();
	must_lie_there(ids[1], "abc", 3);
	must_not_lie_there(part);
	assert_string_equal(storage(), "3 0");
}

/* Its job could not have dropped them yet; nobody else knows of them then. */
static void
parts_go_with_the_upload_that_named_them(void **state)
{
	const struct trl_id part = part_of("abc", 3);
	struct trl_id id;

	(void)state;
	id = join_held(&part, 1);
	world_sql("delete from file where id = '%s'", world_id_text(id));
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	assert_string_equal(column(part, "count(*)"), "0");
	must_not_lie_there(part);
	let_go();
	await_jobs();
}

/* Where the run stands while the file is purged. */
static struct pause {
	unsigned opens, copies, syncs, finishes; /* before so many; 0: never */
	bool behind;                             /* the finish */
	unsigned opened, copied, synced, finished;
	struct trl_ticket ticket;
	bool stands;
} pause_at;

static enum trl_code
stand(trl_ctx *ctx)
{
	pause_at.stands = true;
	pause_at.ticket = trl_park_begin(ctx);
	return trl_park(ctx, pause_at.ticket, "the test");
}

static enum trl_code
open_writer(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	enum trl_code rc = TRL_OK;

	if (++pause_at.opened == pause_at.opens)
		rc = stand(ctx);
	return rc == TRL_OK ? usual->writer_open(ctx, store, object, from, out) : rc;
}

static enum trl_code
copy(trl_ctx *ctx, store_writer *writer, const struct store_object *from, uint64_t at,
    uint64_t n, bool *copied)
{
	enum trl_code rc = TRL_OK;

	if (++pause_at.copied == pause_at.copies)
		rc = stand(ctx);
	return rc == TRL_OK ? usual->writer_copy(ctx, writer, from, at, n, copied) : rc;
}

static enum trl_code
sync_bytes(trl_ctx *ctx, store_writer *writer, struct store_place *now)
{
	enum trl_code rc = TRL_OK;

	if (++pause_at.synced == pause_at.syncs)
		rc = stand(ctx);
	return rc == TRL_OK ? usual->writer_sync(ctx, writer, now) : rc;
}

static enum trl_code
finish(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *whole)
{
	const bool is_here = ++pause_at.finished == pause_at.finishes;
	enum trl_code rc = is_here && !pause_at.behind ? stand(ctx) : TRL_OK;

	if (rc == TRL_OK)
		rc = usual->finish(ctx, store, object, whole);
	return rc == TRL_OK && is_here && pause_at.behind ? stand(ctx) : rc;
}

/* Ten steps, kept after each two. */
static void
a_file_that_is_purged_in_between_is_no_failure(void **state)
{
	static const struct pause at[] = { { .opens = 1 }, { .copies = 1 },
		{ .copies = 2 }, { .syncs = 1 }, { .copies = 6 }, { .syncs = 3 },
		{ .syncs = 5 }, { .finishes = 1 }, { .finishes = 1, .behind = true } };
	const uint8_t *data = bytes_of(2 * PART, 1);

	(void)state;
	((struct local_store *)store_of_media())->step_bytes = STEP;
	store_of_media()->keep_bytes = 2 * STEP;
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		const double failed = failures();
		struct trl_id parts[2], id;

		begin_with(1 << 30);
		parts[0] = part_of(data, PART);
		parts[1] = part_of(data + PART, PART);
		usual = usual ? usual : store_of_media()->way;
		held = *usual;
		held.writer_open = open_writer;
		held.writer_copy = copy;
		held.writer_sync = sync_bytes;
		held.finish = finish;
		pause_at = at[i];
		store_of_media()->way = &held;
		assert_int_equal(join(&ann, final_of(parts, 2), NULL, &id), TRL_OK);
		world_until(is_set, &pause_at.stands);
		purge(id);
		(void)trl_wake(pause_at.ticket);
		await_jobs();
		store_of_media()->way = usual;
		assert_true(failures() == failed);
		nothing_is_left_of(parts, 2);
	}
}

/* Whoever ends a part just now, and has not committed. */
static struct ending {
	struct trl_id part;
	struct trl_ticket ticket;
	bool stands, over;
} ending;

static void
end_part(trl_ctx *ctx, void *arg)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	struct media *self = world.self;

	(void)arg;
	ctx->service = "media";
	ctx->tenant = ann.tenant;
	assert_int_equal(
	    trl_tx_begin(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant), &tx), TRL_OK);
	assert_int_equal(
	    trl_tx_run(tx, &media_sql_upload_delete, NULL, NULL,
		TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", ending.part),
		TRL_ARG_INT("generation", atol(column(ending.part, "generation"))),
		TRL_ARG_INT("reserved", 0), TRL_ARG_BOOL("finished", true)),
	    TRL_OK);
	ending.stands = true;
	ending.ticket = trl_park_begin(ctx);
	assert_int_equal(trl_park(ctx, ending.ticket, "the test"), TRL_OK);
	assert_int_equal(trl_tx_commit(&tx, NULL), TRL_OK);
	ending.over = true;
}

/* Its owner has seen that its bytes are needed still, and leaves them; the join has
 * seen a row. */
static void
a_part_that_ends_while_it_is_dropped_leaves_no_bytes(void **state)
{
	const struct trl_spawn spawn = {
		.name = "end part", .run = end_part, .timeout_ms = 20000
	};
	struct trl_id id;

	(void)state;
	ending = (struct ending){ .part = part_of("abc", 3) };
	id = join_held(&ending.part, 1);
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
	world_until(is_set, &ending.stands);
	let_go();
	world_until_sql(
	    "select exists (select from pg_locks where not granted and pid in "
	    "(select pid from pg_stat_activity where datname = "
	    "current_database()))");
	(void)trl_wake(ending.ticket);
	world_until(is_set, &ending.over);
	await_jobs();
	must_lie_there(id, "abc", 3);
	must_not_lie_there(ending.part);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(parts_of_a_purged_file_go_at_once),
		TUS(parts_that_another_one_needs_stay),
		TUS(parts_go_with_the_upload_that_named_them),
		TUS(a_file_that_is_purged_in_between_is_no_failure),
		TUS(a_part_that_ends_while_it_is_dropped_leaves_no_bytes),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
