/* What a sweep holds back from, since the store or the database may be another one, and
 * what it passes over, since it cannot read or remove it. */
#include "sweep/test_sweep.h"

static void
many_files_without_rows_are_left_alone(void **state)
{
	enum { MANY = 25 };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		files_make((struct files_new){ .size = 1 });
	world_sql("delete from media.file");
	age();
	sweep(false);
	assert_true(held);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_in_folder(), MANY);
	force = true;
	sweep(false);
	assert_false(held);
	assert_int_equal(FOUND(orphan), MANY);
	assert_int_equal(files_in_folder(), 0);
}

/* The store, with some of its ways changed until the test's end. */
static struct store_way ways;
static const struct store_way *true_ways;

static int
begin_changed(void **state)
{
	media_store *store = ((struct media *)world.self)->store;

	true_ways = store->way;
	ways = *true_ways;
	store->way = &ways;
	return begin(state);
}

static int
end_changed(void **state)
{
	(void)state;
	((struct media *)world.self)->store->way = true_ways;
	return 0;
}

static struct trl_id locked;

static enum trl_code
forget_unless_locked(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	return trl_id_eq(found->file, locked)
		   ? trl_fail(ctx, TRL_UNAVAILABLE, "AccessDenied")
		   : true_ways->forget(ctx, store, found);
}

static enum trl_code
size_unless_locked(
    trl_ctx *ctx, media_store *store, const struct store_object *object, uint64_t *size)
{
	return trl_id_eq(object->file, locked)
		   ? trl_fail(ctx, TRL_UNAVAILABLE, "AccessDenied")
		   : true_ways->size(ctx, store, object, size);
}

static void
what_cannot_be_removed_or_read_is_passed_over(void **state)
{
	struct trl_id ids[3], gone;
	char command[160];

	(void)state;
	ways.forget = forget_unless_locked;
	ways.size = size_unless_locked;
	for (size_t i = 0; i < TRL_COUNT(ids); i++)
		ids[i] = files_make((struct files_new){ .size = 1 });
	locked = ids[0];
	world_sql("delete from media.file");
	age();
	sweep(false);
	assert_int_equal(FOUND(orphan), 2);
	assert_int_equal(found_in_all(), 2);
	assert_int_equal(passed, 1);
	assert_int_equal(files_in_folder(), 1);

	locked = files_make((struct files_new){ .size = 1 });
	gone = files_make((struct files_new){ .size = 5 });
	snprintf(command, sizeof command, "find %s -name '*%s*' -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(gone));
	assert_int_equal(system(command), 0);
	sweep(false);
	assert_int_equal(FOUND(missing), 1);
	assert_int_equal(BYTES(missing), 5);
}

static enum store_kind their_kind;
static unsigned forgotten;

/* As another installation's bucket: a page of one kind only. */
static enum trl_code
list_others(trl_ctx *ctx, media_store *store, struct store_listing *at)
{
	enum { MANY = 25 };

	(void)store;
	at->found = trl_arena_zalloc(ctx->arena, MANY * sizeof at->found[0]);
	for (; at->n < MANY; at->n++)
		at->found[at->n] = (struct store_found){ .kind = their_kind,
			.tenant = home,
			.file = trl_id_new(),
			.part = "w_1",
			.name = "x",
			.changed_us = 1 };
	at->ended = true;
	return TRL_OK;
}

static enum trl_code
count_forgotten(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	(void)ctx;
	(void)store;
	(void)found;
	forgotten++;
	return TRL_OK;
}

static void
many_uploads_or_renditions_without_rows_are_left_alone_too(void **state)
{
	static const enum store_kind kinds[] = { STORE_UPLOAD, STORE_MADE,
		STORE_SCRAP };

	(void)state;
	ways.list = list_others;
	ways.forget = count_forgotten;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		their_kind = kinds[i];
		force = false;
		forgotten = 0;
		sweep(false);
		assert_true(held);
		assert_int_equal(forgotten, 0);
		force = true;
		sweep(false);
		assert_false(held);
		assert_int_equal(forgotten, 25);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(many_files_without_rows_are_left_alone, begin),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_removed_or_read_is_passed_over, begin_changed,
		    end_changed),
		cmocka_unit_test_setup_teardown(
		    many_uploads_or_renditions_without_rows_are_left_alone_too,
		    begin_changed, end_changed),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
