/* What holds for both stores of joins: made in stretches, they go on where they were
 * kept, and where they cannot they say so. */
#include "test_both.h"

enum { N = 3, LENGTH = 17 * UNIT + 5 };

/* A join, and what its row would have. */
struct row {
	struct store_object parts[N], whole;
	struct store_place place;
	uint64_t seen;    /* behind the beginning */
	unsigned keeps;   /* that came */
	unsigned dies_at; /* the one that fails, from 1 on; 0: none */
	bool wrong;
};

/* The whole begins with 5 bytes of one upload, then come none, then another. */
static void
take_seen(void *self, const void *data, size_t len)
{
	struct row *row = self;
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++, row->seen++)
		row->wrong |= at[i] != (row->seen < 5 ? byte_at(1, row->seen)
						      : byte_at(2, row->seen - 5));
}

static enum trl_code
keep(void *self, trl_ctx *ctx, const struct store_place *now)
{
	struct row *row = self;

	assert_int_equal(row->seen, now->offset);
	if (++row->keeps == row->dies_at)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the database is away");
	row->place = through_the_row(ctx, *now);
	return TRL_OK;
}

static struct row
new_row(trl_ctx *ctx, media_store *store)
{
	struct row row = { .parts = { new_object(), new_object(), new_object() },
		.whole = new_object(),
		.place = { .length = LENGTH, .generation = 1 } };

	upload(ctx, store, &row.parts[0], 1, 5);
	upload(ctx, store, &row.parts[1], 0, 0);
	upload(ctx, store, &row.parts[2], 2, LENGTH - 5);
	return row;
}

/* A stretch of so long, by another process. */
static enum trl_code
go_on(trl_ctx *ctx, media_store *store, struct row *row, uint64_t us, bool *whole)
{
	const struct store_joining what = { .parts = row->parts,
		.n = N,
		.into = &row->whole,
		.from = row->place,
		.until_us = trl_mono_us() + us,
		.seen = take_seen,
		.keep = keep,
		.self = row };

	row->seen = row->place.offset;
	return store_join(ctx, store, &what, whole);
}

static void
is_joined(trl_ctx *ctx, media_store *store, const struct row *row)
{
	uint8_t *bytes = malloc(LENGTH);
	size_t got;

	assert_false(row->wrong);
	assert_int_equal(
	    store_head(ctx, store, &row->whole, 0, LENGTH, bytes, &got), TRL_OK);
	assert_int_equal(got, LENGTH);
	assert_true(is_filled(bytes, 5, 1, 0));
	assert_true(is_filled(bytes + 5, LENGTH - 5, 2, 0));
	free(bytes);
}

/* And no multipart upload, no tail, no file that is written. */
static void
nothing_else_is_there(trl_ctx *ctx, media_store *store)
{
	struct store_listing at = { .ended = false };

	while (!at.ended) {
		assert_int_equal(store_list(ctx, store, &at), TRL_OK);
		for (size_t i = 0; i < at.n; i++)
			assert_int_equal(at.found[i].kind, STORE_WHOLE);
	}
}

static void
forget(trl_ctx *ctx, media_store *store, struct row *row)
{
	for (size_t i = 0; i < N; i++)
		assert_int_equal(store_remove(ctx, store, &row->parts[i]), TRL_OK);
	row->whole.part = NULL;
	assert_int_equal(store_remove(ctx, store, &row->whole), TRL_OK);
}

static void
at_once(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	bool whole;

	for (int i = 0; i < 2; i++) { /* killed before its row said so */
		row.place = (struct store_place){ .length = LENGTH, .generation = 1 };
		assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
		assert_true(whole);
		is_joined(ctx, store, &row);
	}
	/* killed after that */
	assert_int_equal(go_on(ctx, store, &row, 0, &whole), TRL_OK);
	assert_true(whole);
	nothing_else_is_there(ctx, store);
	forget(ctx, store, &row);
}

static void
parts_are_joined_and_may_be_joined_again(void **state)
{
	act(state, at_once);
}

/* Each stretch is over as soon as it has begun, and does its one step. */
static void
in_stretches(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	unsigned stretches = 0;
	uint64_t before;
	bool whole = false;

	while (!whole) {
		before = row.place.offset;
		assert_int_equal(go_on(ctx, store, &row, 1, &whole), TRL_OK);
		assert_in_range(++stretches, 1, 100);
		assert_true(whole || row.place.offset >= before);
	}
	is_joined(ctx, store, &row);
	nothing_else_is_there(ctx, store);
	forget(ctx, store, &row);
}

static void
what_does_not_end_in_time_goes_on_where_it_was_kept(void **state)
{
	act(state, in_stretches);
}

static void
by_faults(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	bool whole;

	row.dies_at = 2;
	assert_int_equal(go_on(ctx, store, &row, 1, &whole), TRL_OK);
	assert_false(whole);
	assert_int_equal(go_on(ctx, store, &row, 1, &whole), TRL_UNAVAILABLE);
	assert_false(whole);
	trl_err_clear(ctx);
	assert_int_equal(row.keeps, 2);
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
	assert_true(whole);
	is_joined(ctx, store, &row);
	nothing_else_is_there(ctx, store);
	forget(ctx, store, &row);
}

static void
what_was_not_kept_is_made_again(void **state)
{
	act(state, by_faults);
}

static void
gone(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	bool whole;

	assert_int_equal(go_on(ctx, store, &row, 1, &whole), TRL_OK);
	assert_int_equal(go_on(ctx, store, &row, 1, &whole), TRL_OK);
	assert_int_equal(store_abandon(ctx, store, &row.whole), TRL_OK);
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_GONE);
	assert_false(whole);
	trl_err_clear(ctx);
	row.place = (struct store_place){ .length = LENGTH, .generation = 9 };
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
	is_joined(ctx, store, &row);
	/* all of it, as the row has it */
	row.whole.part = NULL;
	assert_int_equal(store_remove(ctx, store, &row.whole), TRL_OK);
	row.whole.part = "";
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_GONE);
	trl_err_clear(ctx);
	/* a part */
	row.place = (struct store_place){ .length = LENGTH, .generation = 9 };
	assert_int_equal(store_remove(ctx, store, &row.parts[1]), TRL_OK);
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_NOT_FOUND);
	trl_err_clear(ctx);
	upload(ctx, store, &row.parts[1], 2, 1); /* another one */
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_INTERNAL);
	trl_err_clear(ctx);
	nothing_else_is_there(ctx, store);
	forget(ctx, store, &row);
}

static void
what_is_gone_of_the_whole_is_told_from_a_part_that_is(void **state)
{
	act(state, gone);
}

static struct store_way other;
static const struct store_way *usual;
static unsigned copied_steps;
static size_t bytes_read;

static enum trl_code
count_copies(trl_ctx *ctx, store_writer *writer, const struct store_object *from,
    uint64_t at, uint64_t n, bool *copied)
{
	enum trl_code rc = usual->writer_copy(ctx, writer, from, at, n, copied);

	copied_steps += *copied;
	return rc;
}

static enum trl_code
read_to_a_point(trl_ctx *ctx, store_reader *reader, const uint8_t **data, size_t *len)
{
	enum trl_code rc;

	if (bytes_read > 10 * UNIT)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the store is away");
	rc = usual->reader_next(ctx, reader, data, len);
	bytes_read += *len;
	return rc;
}

/* By the store, as far as its parts let it, or through here. */
static void
both_ways(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	bool whole;

	usual = store->way;
	other = *usual;
	other.writer_copy = count_copies;
	store->way = &other;
	copied_steps = 0;
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
	assert_in_range(copied_steps, 2, 4);
	is_joined(ctx, store, &row);
	row.place = (struct store_place){ .length = LENGTH, .generation = 5 };
	store->no_copies = true;
	copied_steps = 0;
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
	assert_int_equal(copied_steps, 0);
	is_joined(ctx, store, &row);
	store->no_copies = false;
	store->way = usual;
	forget(ctx, store, &row);
}

static void
the_store_copies_what_it_can(void **state)
{
	act(state, both_ways);
}

/* It has sent a part, and reads no more. */
static void
in_vain(trl_ctx *ctx, media_store *store)
{
	struct row row = new_row(ctx, store);
	bool whole;

	usual = store->way;
	other = *usual;
	other.reader_next = read_to_a_point;
	store->way = &other;
	bytes_read = 0;
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_UNAVAILABLE);
	store->way = usual;
	assert_string_equal(ctx->err.message, "the store is away");
	trl_err_clear(ctx);
	assert_int_equal(row.keeps, 0);
	if (store->way->writer_forget) /* a folder's next one goes on in its file */
		nothing_else_is_there(ctx, store);
	assert_int_equal(store_abandon(ctx, store, &row.whole), TRL_OK);
	forget(ctx, store, &row);
}

static void
what_fails_before_it_was_kept_leaves_nothing_in_a_bucket(void **state)
{
	act(state, in_vain);
}

static void
empty(trl_ctx *ctx, media_store *store)
{
	struct row row = { .parts = { new_object(), new_object(), new_object() },
		.whole = new_object(),
		.place = { .generation = 1 } };
	uint64_t size;
	bool whole;

	for (size_t i = 0; i < N; i++)
		upload(ctx, store, &row.parts[i], 0, 0);
	assert_int_equal(go_on(ctx, store, &row, UINT32_MAX, &whole), TRL_OK);
	assert_true(whole);
	assert_int_equal(store_size(ctx, store, &row.whole, &size), TRL_OK);
	assert_int_equal(size, 0);
	forget(ctx, store, &row);
}

static void
parts_without_bytes_make_a_whole_without(void **state)
{
	act(state, empty);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_joined_and_may_be_joined_again),
		cmocka_unit_test(what_does_not_end_in_time_goes_on_where_it_was_kept),
		cmocka_unit_test(what_was_not_kept_is_made_again),
		cmocka_unit_test(what_is_gone_of_the_whole_is_told_from_a_part_that_is),
		cmocka_unit_test(the_store_copies_what_it_can),
		cmocka_unit_test(
		    what_fails_before_it_was_kept_leaves_nothing_in_a_bucket),
		cmocka_unit_test(parts_without_bytes_make_a_whole_without),
	};

	trl_assert(sodium_init() >= 0);
	return BOTH(tests, tests);
}
