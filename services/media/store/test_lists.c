/* What holds for both stores of what goes, and of what is listed. */
#include "test_both.h"

static void
remove_all(trl_ctx *ctx, media_store *store)
{
	struct store_object a = new_object(), b = { a.tenant, trl_id_new(), "" },
			    c = new_object(), made = a;
	struct store_place place = { .length = 100, .generation = 1 };
	store_writer *writer;

	upload(ctx, store, &a, 1, 10);
	upload(ctx, store, &b, 2, 10);
	upload(ctx, store, &c, 3, 10);
	made.part = "thumb";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	made.part = "large";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	made.part = NULL;
	assert_int_equal(store_remove(ctx, store, &made), TRL_OK);
	is_missing(ctx, store, &a);
	made.part = "large";
	is_missing(ctx, store, &made);
	holds(ctx, store, &b, 2, 10);
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	assert_int_equal(store_writer_open(ctx, store, &a, &place, &writer), TRL_OK);
	write_some(ctx, writer, 1, 0, 50);
	place = sync_and_close(ctx, &writer);
	assert_int_equal(
	    store_remove_tenant(ctx, store, a.tenant, &(bool){ false }), TRL_OK);
	assert_int_equal(
	    store_remove_tenant(ctx, store, a.tenant, &(bool){ false }), TRL_OK);
	is_missing(ctx, store, &b);
	is_missing(ctx, store, &made);
	assert_int_equal(
	    store_writer_open(ctx, store, &a, &place, &writer), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	holds(ctx, store, &c, 3, 10);
	assert_int_equal(store_remove(ctx, store, &c), TRL_OK);
}

static void
a_file_goes_with_what_was_made_of_it_and_a_tenant_with_its_files(void **state)
{
	act(state, remove_all);
}

/* How many of each kind are listed of a tenant; all that is there is forgotten. */
static void
list(trl_ctx *ctx, media_store *store, struct trl_id tenant, unsigned kinds[4],
    bool forget)
{
	struct store_listing at = { .ended = false };

	memset(kinds, 0, 4 * sizeof *kinds);
	while (!at.ended) {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		for (size_t i = 0; i < at.n; i++) {
			const struct store_found *found = &at.found[i];

			if (!trl_id_eq(found->tenant, tenant))
				continue;
			kinds[found->kind]++;
			assert_in_range(trl_wall_us() + 5000000 - found->changed_us, 0,
			    INT64_C(120) * 1000000);
			if (found->kind == STORE_WHOLE)
				assert_int_equal(found->size, 10);
			if (found->kind == STORE_MADE)
				assert_string_equal(found->part, "a_thumb-1");
			if (forget)
				assert_int_equal(
				    store_forget(ctx, store, found), TRL_OK);
		}
	}
}

static void
list_all(trl_ctx *ctx, media_store *store)
{
	struct store_object a = new_object(), b = { a.tenant, trl_id_new(), "" },
			    made = a;
	struct store_place place = { .length = 9 * UNIT, .generation = 1 };
	store_writer *writer;
	unsigned kinds[4];

	upload(ctx, store, &a, 1, 10);
	made.part = "a_thumb-1";
	assert_int_equal(store_put(ctx, store, &made, "x", 1), TRL_OK);
	assert_int_equal(store_writer_open(ctx, store, &b, &place, &writer), TRL_OK);
	write_some(ctx, writer, 1, 0, 50);
	place = sync_and_close(ctx, &writer);
	for (int i = 0; i < 2; i++) {
		list(ctx, store, a.tenant, kinds, i == 1);
		assert_int_equal(kinds[STORE_WHOLE], 1);
		assert_int_equal(kinds[STORE_MADE], 1);
		assert_in_range(kinds[STORE_UPLOAD], 1, 2); /* a tail, too */
		assert_int_equal(kinds[STORE_SCRAP], 0);
	}
	list(ctx, store, a.tenant, kinds, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(kinds[i], 0);
	is_missing(ctx, store, &a);
	assert_int_equal(
	    store_writer_open(ctx, store, &b, &place, &writer), TRL_NOT_FOUND);
	trl_err_clear(ctx);
}

static void
all_that_lies_there_is_listed_and_can_be_forgotten(void **state)
{
	act(state, list_all);
}

static void
many(trl_ctx *ctx, media_store *store)
{
	struct store_object object = new_object();
	const unsigned n = STORE_PAGE + 20;
	unsigned kinds[4];

	object.part = "a_thumb-1";
	for (unsigned i = 0; i < n; i++) {
		object.file = trl_id_new();
		assert_int_equal(store_put(ctx, store, &object, "", 0), TRL_OK);
	}
	list(ctx, store, object.tenant, kinds, false);
	assert_int_equal(kinds[STORE_MADE], n);
	assert_int_equal(
	    store_remove_tenant(ctx, store, object.tenant, &(bool){ false }), TRL_OK);
	list(ctx, store, object.tenant, kinds, false);
	assert_int_equal(kinds[STORE_MADE], 0);
}

/* With little time each call does what it can, side by side in a bucket. */
static void
in_turns(trl_ctx *ctx, media_store *store)
{
	struct store_object object = new_object();
	const uint64_t deadline_us = trl_mono_us() + trl_time_left_ms(ctx) * 1000;
	unsigned kinds[4], turns = 0;
	bool more = true;

	for (unsigned i = 0; i < 105; i++) {
		object.file = trl_id_new();
		assert_int_equal(store_put(ctx, store, &object, "", 0), TRL_OK);
	}
	for (; more; turns++) {
		trl_set_deadline(ctx, trl_mono_us() + 10000000);
		assert_int_equal(
		    store_remove_tenant(ctx, store, object.tenant, &more), TRL_OK);
	}
	assert_true(turns >= 2);
	trl_set_deadline(ctx, deadline_us);
	list(ctx, store, object.tenant, kinds, false);
	assert_int_equal(kinds[STORE_WHOLE], 0);
}

static void
a_large_tenant_goes_in_turns(void **state)
{
	act(state, in_turns);
}

static void
more_than_a_page_is_listed_once_each(void **state)
{
	act(state, many);
}

#define CASES                                                                          \
	cmocka_unit_test(                                                              \
	    a_file_goes_with_what_was_made_of_it_and_a_tenant_with_its_files),         \
	    cmocka_unit_test(all_that_lies_there_is_listed_and_can_be_forgotten),      \
	    cmocka_unit_test(a_large_tenant_goes_in_turns)

int
main(void)
{
	const struct CMUnitTest folder[] = { CASES,
		cmocka_unit_test(more_than_a_page_is_listed_once_each) };
	const struct CMUnitTest bucket[] = { CASES };

	trl_assert(sodium_init() >= 0);
	return BOTH(folder, bucket);
}
