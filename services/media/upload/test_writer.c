/* Bodies that stop, break off, or are overtaken: what has come stays, one writer at a
 * time goes on, and nobody waits for the dead. */
#include "upload/test_sender.h"

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
where_all_have_much_each_has_a_piece(void **state)
{
	struct uploads *all = ((struct media *)world.self)->uploads;
	struct sender sender = begin_sender(20 * MIB, 20 * MIB);

	(void)state;
	all->queued += UPLOADS_QUEUE_BYTES; /* others' */
	start(&sender);
	for (size_t sent = 1; sent < 20; sent++) {
		send_to(&sender, sent * MIB);
		assert_true(all->queued <= UPLOADS_QUEUE_BYTES + TRL_STREAM_PIECE);
	}
	cut(&sender);
	assert_int_equal(tus_offset(sender.id), 19 * MIB);
	assert_int_equal(all->queued, UPLOADS_QUEUE_BYTES);
	all->queued = 0;
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
		assert_true(trl_mono_us() - began < 10000000);
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
	assert_true(trl_mono_us() - began < 10000000);
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
	world_until(is_over, &one);
	world_until(is_over, &two);
	world_until(is_quiet, NULL);
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
	assert_true(trl_mono_us() - began < 10000000);
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

static void
another_process_is_told_how_far_it_came(void **state)
{
	struct sender sender = begin_sender(10 * MIB, 10 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, 2 * MIB + 5);
	ask_from_elsewhere(&sender.id);
	await_answer(&sender.id);
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
	world_until(is_quiet, NULL); /* it has seen the ask, and the row */
	sender.goal = 10 * MIB;
	end(&sender);
	assert_int_equal(sender.rc, TRL_CONFLICT);
	assert_int_equal(atol(column(sender.id, "received")), 2 * MIB);
	assert_string_equal(column(sender.id, "holder is null"), "f");
}

/* DELETE, the row's part of it, where another process does it. */
static void
delete_row(struct trl_id id)
{
	world_sql("delete from upload where id = '%s'", world_id_text(id));
}

static void
begin_on(trl_ctx *ctx, void *arg)
{
	struct sender *what = arg;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const struct upload_body body = { .length = 7 };
	upload_writer *writer = NULL;

	enter(ctx);
	row->collection = (char *)"files";
	trl_set(row, id, trl_value_bytes(ctx, what->id));
	trl_set(row, received, 3);
	trl_set(row, length, 10);
	trl_set(row, generation, 1);
	row->hash_state.data = trl_arena_zalloc(ctx->arena, HASH_STATE);
	row->hash_state.len = HASH_STATE;
	hash_save(&(SHA256_CTX){ .Nl = UINT32_C(24), .num = 3 }, row->hash_state.data);
	what->rc = upload_begun(world.self, ctx, row, &body, &writer);
	assert_null(writer);
}

static void
remove_bytes(trl_ctx *ctx, void *id)
{
	const struct store_object object =
	    upload_object(ann.tenant, *(struct trl_id *)id);

	assert_int_equal(
	    store_abandon(ctx, ((struct media *)world.self)->store, &object), TRL_OK);
}

/* Neither the bytes nor the row is there: nothing was lost. */
static void
what_was_deleted_meanwhile_is_gone_and_no_fault(void **state)
{
	struct sender opening = { .id = trl_id_new() };

	(void)state;
	for (int removed = 0; removed < 2; removed++) {
		struct sender running = begin_sender(10, 10);

		start(&running);
		send_to(&running, 3);
		delete_row(running.id);
		if (removed)
			world_act(remove_bytes, &running.id);
		send_to(&running, 10);
		end(&running);
		assert_int_equal(running.rc, TRL_GONE);
		world_until(is_quiet, NULL);
		must_not_lie_there(running.id);
	}
	world_act(begin_on, &opening);
	assert_int_equal(opening.rc, TRL_GONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(what_has_come_of_a_body_that_breaks_off_stays),
		TUS(of_a_body_with_a_checksum_that_breaks_off_nothing_stays),
		TUS(a_long_body_is_durable_every_8_mib),
		TUS(where_all_have_much_each_has_a_piece),
		TUS(head_during_a_patch_says_what_has_come),
		TUS(a_patch_at_the_holders_offset_takes_over),
		TUS(a_patch_at_another_offset_leaves_the_holder_alone),
		TUS(an_acknowledged_patch_is_not_counted_twice),
		TUS(of_two_patches_at_once_one_counts),
		TUS(the_dead_hold_nothing),
		TUS(another_process_is_told_how_far_it_came),
		TUS(who_lost_the_row_commits_nothing),
		TUS(what_was_deleted_meanwhile_is_gone_and_no_fault),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
