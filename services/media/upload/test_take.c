/* Several that want to write one upload at once: one does, the others are answered as
 * if they had come one after the other, and nobody stays behind who only asked. */
#include "upload/test_sender.h"

enum { MANY = 8 };

static bool
are_over(void *arg)
{
	const struct sender *senders = arg;
	bool over = true;

	for (size_t i = 0; i < MANY; i++)
		over = over && senders[i].over;
	return over;
}

/* Each brings the same body, whole. */
static void
start_many(struct sender senders[MANY], const struct sender *one)
{
	for (size_t i = 0; i < MANY; i++) {
		senders[i] = *one;
		senders[i].goal = one->len;
		senders[i].ends = true;
		start(&senders[i]);
	}
}

static void
of_many_at_one_offset_one_counts_and_none_stays(void **state)
{
	struct sender senders[MANY], one = begin_sender(10, 3);
	unsigned taken = 0;

	(void)state;
	start_many(senders, &one);
	world_until(are_over, senders);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(senders[i].rc == TRL_OK || senders[i].rc == TRL_CONFLICT);
		taken += senders[i].rc == TRL_OK;
	}
	assert_int_equal(taken, 1);
	world_until(is_quiet, NULL);
	for (uint64_t offset = 3; offset < 10; offset++) {
		assert_int_equal(tus_offset(one.id), offset);
		assert_int_equal(
		    tus_patch(&ann, one.id,
			&(struct tus_patch){
			    .offset = offset, .body = one.data + offset, .len = 1 },
			NULL),
		    TRL_OK);
	}
	must_lie_there(one.id, one.data, 10);
}

static struct trl_id
bens(void)
{
	const struct world_caller ben = { .person = world_person_new("ben", true),
		.tenant = ann.tenant,
		.role = TRL_MEMBER };
	Media__V1__CreatedUpload *out;

	assert_int_equal(
	    tus_post(&ben, &(struct tus_post){ .length = 5 }, &out), TRL_OK);
	return id_of(out->location);
}

static struct trl_id
final_one(void)
{
	const struct trl_id part = tus_begin(&(struct tus_post){
	    .length = 2, .concat = "partial", .body = "ab", .body_len = 2 });

	return tus_begin(&(struct tus_post){ .no_length = true,
	    .concat = trl_arena_printf(
		world.arena, "final;" TUS_PATH "%s", world_id_text(part)) });
}

static void
whoever_is_refused_is_told_why_and_leaves_nothing(void **state)
{
	const struct {
		struct trl_id id;
		uint64_t offset;
		size_t len;
		enum trl_code want;
	} of[] = {
		{ trl_id_new(), 0, 1, TRL_NOT_FOUND },
		{ bens(), 0, 1, TRL_NOT_FOUND },
		{ tus_begin(&(struct tus_post){ .length = 5 }), 0, 9, TRL_TOO_LARGE },
		{ tus_begin(&(struct tus_post){ .length = 5 }), 3, 1, TRL_CONFLICT },
		{ tus_begin(
		      &(struct tus_post){ .length = 2, .body = "ab", .body_len = 2 }),
		    2, 1, TRL_TOO_LARGE },
		{ final_one(), 2, 1, TRL_DENIED },
	};
	const uint8_t *bytes = bytes_of(9, 5);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(of); i++) {
		const struct sender one = { .id = of[i].id,
			.offset = of[i].offset,
			.data = bytes,
			.len = of[i].len };
		struct sender senders[MANY];

		start_many(senders, &one);
		world_until(are_over, senders);
		assert_true(is_quiet(NULL));
		for (size_t n = 0; n < MANY; n++)
			assert_int_equal(senders[n].rc, of[i].want);
	}
	for (size_t i = 2; i < 4; i++) /* these go on */
		assert_int_equal(
		    tus_patch(&ann, of[i].id,
			&(struct tus_patch){ .body = "abcde", .len = 5 }, NULL),
		    TRL_OK);
}

static void
who_goes_on_in_order_is_not_held_up_by_who_does_not(void **state)
{
	struct sender stale[MANY], one = begin_sender(12, 1);

	(void)state;
	for (uint64_t offset = 0; offset < 12; offset++) {
		if (offset > 0)
			start_many(stale, &one);
		assert_int_equal(
		    tus_patch(&ann, one.id,
			&(struct tus_patch){
			    .offset = offset, .body = one.data + offset, .len = 1 },
			NULL),
		    TRL_OK);
		if (offset > 0)
			world_until(are_over, stale);
		for (size_t i = 0; offset > 0 && i < MANY; i++)
			assert_int_equal(stale[i].rc, TRL_CONFLICT);
	}
	must_lie_there(one.id, one.data, 12);
}

/* Of what only has to wait, nothing is ended. */
static void
a_body_too_long_at_the_holders_offset_leaves_the_holder_alone(void **state)
{
	struct sender sender = begin_sender(2 * MIB, 2 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, MIB);
	assert_int_equal(tus_offset(sender.id), MIB);
	assert_int_equal(tus_patch(&ann, sender.id,
			     &(struct tus_patch){
				 .offset = MIB, .body = sender.data, .len = MIB + 1 },
			     NULL),
	    TRL_TOO_LARGE);
	send_to(&sender, 2 * MIB);
	end(&sender);
	assert_int_equal(sender.rc, TRL_OK);
	must_lie_there(sender.id, sender.data, 2 * MIB);
}

/* Another process has taken it, has ended, and whoever lost it does not know yet: what
 * that one says of it counts no more. */
static void
how_far_it_came_says_the_row_and_not_who_lost_it(void **state)
{
	struct sender sender = begin_sender(2 * MIB, 2 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, MIB);
	assert_int_equal(tus_offset(sender.id), MIB);
	world_sql("update upload set generation = generation + 1, holder = null, "
		  "received = 0, hash_state = null where id = '%s'",
	    world_id_text(sender.id));
	assert_int_equal(
	    tus_patch(&ann, sender.id,
		&(struct tus_patch){ .body = sender.data, .len = 2 * MIB }, NULL),
	    TRL_OK);
	world_until(is_over, &sender);
	assert_int_equal(sender.rc, TRL_CONFLICT);
	must_lie_there(sender.id, sender.data, 2 * MIB);
}

#define ONE "00000000-0000-7000-8000-000000000001"
#define TWO "00000000-0000-7000-8000-000000000002"

static void
await_ask(const char *holder)
{
	world_until_sql("select count(*) = 1 from upload_ask_directory where holder = "
			"'%s'",
	    holder);
}

/* A third process takes it from the one that is asked. */
static void
whoever_has_it_in_the_end_is_asked_before_it_loses_it(void **state)
{
	struct sender sender = begin_sender(10, 10);

	(void)state;
	world_sql("update upload set holder = '" ONE "', generation = generation + 1 "
		  "where id = '%s'",
	    world_id_text(sender.id));
	start(&sender);
	sender.goal = sender.len;
	sender.ends = true;
	await_ask(ONE);
	world_sql("update upload set holder = '" TWO "', generation = generation + 1 "
		  "where id = '%s'",
	    world_id_text(sender.id));
	await_ask(TWO);
	assert_string_equal(column(sender.id, "holder"), TWO);
	world_until(is_over, &sender);
	assert_int_equal(sender.rc, TRL_OK);
	must_lie_there(sender.id, sender.data, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(of_many_at_one_offset_one_counts_and_none_stays),
		TUS(whoever_is_refused_is_told_why_and_leaves_nothing),
		TUS(who_goes_on_in_order_is_not_held_up_by_who_does_not),
		TUS(a_body_too_long_at_the_holders_offset_leaves_the_holder_alone),
		TUS(how_far_it_came_says_the_row_and_not_who_lost_it),
		TUS(whoever_has_it_in_the_end_is_asked_before_it_loses_it),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
