/* Uploads that have begun and not ended, and so hold room of the plan: who finds them,
 * who ends them, and what becomes of them when whoever began them leaves. */
#include "upload/test_sender.h"

#include <trl/tx.h>

static struct world_caller
as(const struct world_person *who, enum trl_role role)
{
	return (
	    struct world_caller){ .person = who, .tenant = ann.tenant, .role = role };
}

static Media__V1__ListUploadsReply *
list(const struct world_caller *who, uint32_t page_size, const char *token)
{
	Media__V1__ListUploadsRequest in = MEDIA__V1__LIST_UPLOADS_REQUEST__INIT;
	Media__V1__ListUploadsReply *out;

	if (page_size)
		trl_set(&in, page_size, page_size);
	in.page_token = (char *)(uintptr_t)token;
	assert_int_equal(
	    world_call(who, &media_v1_list_uploads, &in.base, &out), TRL_OK);
	return out;
}

static bool
is(const Media__V1__Upload *one, struct trl_id id)
{
	return trl_id_eq(trl_value_id(one->id), id);
}

static struct trl_id
begin_as(const struct world_caller *who, const struct tus_post *post)
{
	Media__V1__CreatedUpload *out;

	assert_int_equal(tus_post(who, post, &out), TRL_OK);
	return id_of(out->location);
}

static void
whoever_began_one_finds_it_and_whoever_manages_files_all(void **state)
{
	const struct world_person *ben = world_person_new("ben", true);
	const struct world_caller bens = as(ben, TRL_MEMBER),
				  boss = as(ann.person, TRL_ADMIN);
	const struct world_caller stranger = { .person = ben, .tenant = trl_id_new() };
	Media__V1__ListUploadsReply *found;
	struct trl_id ids[4];

	(void)state;
	ids[0] = begin_as(&boss, &(struct tus_post){ .length = 9,
				     .metadata = "filename YS5wbmc=,collection "
						 "cHJpdmF0ZQ==" });
	ids[1] = begin_as(&bens, &(struct tus_post){ .length = 5 });
	ids[2] = begin_as(&bens, &(struct tus_post){ .no_length = true, .defer = "1" });
	assert_int_equal(tus_patch(&bens, ids[2],
			     &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	ids[3] = begin_as(
	    &bens, &(struct tus_post){
		       .length = 2, .body = "ab", .body_len = 2 }); /* a file */
	found = list(&bens, 0, NULL);
	assert_int_equal(found->n_items, 2);
	assert_true(is(found->items[0], ids[2]) && is(found->items[1], ids[1]));
	assert_false(found->items[0]->has_length);
	assert_int_equal(found->items[0]->offset, 3);
	assert_true(found->items[1]->length == 5 && found->items[1]->offset == 0);
	assert_true(trl_id_eq(trl_value_id(found->items[1]->created_by), ben->account));
	assert_string_equal(found->items[1]->name, "file");
	assert_true(found->items[1]->expires_at->seconds -
			found->items[1]->created_at->seconds ==
		    86400);
	found = list(&boss, 0, NULL);
	assert_int_equal(found->n_items, 3);
	assert_true(is(found->items[2], ids[0]));
	assert_string_equal(found->items[2]->name, "a.png");
	assert_string_equal(found->items[2]->collection, "private");
	assert_int_equal(list(&stranger, 0, NULL)->n_items, 0);
	/* Page by page. */
	found = list(&boss, 2, NULL);
	assert_int_equal(found->n_items, 2);
	assert_non_null(found->next_page_token);
	found = list(&boss, 2, found->next_page_token);
	assert_true(found->n_items == 1 && is(found->items[0], ids[0]));
	assert_null(found->next_page_token);
}

/* A part holds its room until a final one has it. */
static void
parts_are_there_until_they_are_used(void **state)
{
	const struct trl_id part = tus_begin(&(struct tus_post){
	    .length = 3, .concat = "partial", .body = "abc", .body_len = 3 });
	char *concat =
	    trl_arena_printf(world.arena, "final;" TUS_PATH "%s", world_id_text(part));

	(void)state;
	assert_int_equal(list(&ann, 0, NULL)->n_items, 1);
	(void)tus_begin(&(struct tus_post){ .no_length = true, .concat = concat });
	assert_int_equal(list(&ann, 0, NULL)->n_items, 0);
}

static void
whoever_manages_files_ends_anybodys(void **state)
{
	const struct world_caller bens = as(world_person_new("ben", true), TRL_MEMBER);
	const struct world_caller boss = as(ann.person, TRL_ADMIN);
	const struct world_caller other = as(world_person_new("cy", true), TRL_MEMBER);
	const struct trl_id id = begin_as(&bens, &(struct tus_post){ .length = 5 });

	(void)state;
	assert_string_equal(storage(), "0 5");
	assert_int_equal(tus_delete(&other, id), TRL_NOT_FOUND);
	/* To go on with it is its uploader's. */
	assert_int_equal(tus_head_as(&boss, id, NULL), TRL_NOT_FOUND);
	assert_int_equal(
	    tus_patch(&boss, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(tus_delete(&boss, id), TRL_OK);
	assert_string_equal(storage(), "0 0");
	assert_int_equal(tus_head_as(&bens, id, NULL), TRL_NOT_FOUND);
	assert_int_equal(tus_delete(&boss, id), TRL_NOT_FOUND);
}

/* While its body comes, and while it stands still. */
static void
whoever_writes_it_is_told_that_it_has_ended(void **state)
{
	const struct world_caller boss = as(world_person_new("ben", true), TRL_ADMIN);

	(void)state;
	for (int goes_on = 0; goes_on < 2; goes_on++) {
		struct sender sender = begin_sender(2 * MIB, 2 * MIB);

		start(&sender);
		send_to(&sender, MIB);
		assert_int_equal(tus_delete(&boss, sender.id), TRL_OK);
		if (goes_on)
			end(&sender);
		world_until(is_over, &sender);
		assert_int_equal(sender.rc, TRL_GONE);
		world_until(is_quiet, NULL);
		assert_string_equal(storage(), "0 0");
		must_not_lie_there(sender.id);
	}
}

/* Of another process nobody here knows; its row is gone. */
static void
a_writer_whose_row_has_gone_is_told_so(void **state)
{
	struct sender sender = begin_sender(MIB, MIB);

	(void)state;
	start(&sender);
	send_to(&sender, MIB / 2);
	world_sql("delete from upload where id = '%s'", world_id_text(sender.id));
	send_to(&sender, MIB);
	end(&sender);
	assert_int_equal(sender.rc, TRL_GONE);
	world_until(is_quiet, NULL);
}

/* Its collection was taken out of the configuration. */
static struct trl_id
one_that_cannot_be_finished(void)
{
	const struct trl_id id = tus_begin(&(struct tus_post){ .length = 6 });

	world_sql("update upload set collection = 'renamed' where id = '%s'",
	    world_id_text(id));
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .body = "abc", .len = 3 }, NULL),
	    TRL_OK);
	assert_int_equal(
	    tus_patch(&ann, id,
		&(struct tus_patch){ .offset = 3, .body = "def", .len = 3 }, NULL),
	    TRL_GONE);
	return id;
}

static void
what_cannot_be_finished_is_told_so_until_it_can(void **state)
{
	const struct trl_id id = one_that_cannot_be_finished();

	(void)state;
	assert_int_equal(tus_head_as(&ann, id, NULL), TRL_GONE);
	assert_int_equal(
	    tus_patch(&ann, id, &(struct tus_patch){ .offset = 6 }, NULL), TRL_GONE);
	world_sql("update upload set collection = 'files' where id = '%s'",
	    world_id_text(id));
	assert_int_equal(tus_offset(id), 6);
	must_lie_there(id, "abcdef", 6);
	assert_string_equal(storage(), "6 0");
}

static void
what_cannot_be_finished_is_ended_by_its_owner(void **state)
{
	const struct trl_id id = one_that_cannot_be_finished();

	(void)state;
	world_sql("update upload set expires_at = now() - interval '1 hour' where id = "
		  "'%s'",
	    world_id_text(id));
	assert_string_equal(storage(), "0 6");
	assert_int_equal(tus_delete(&ann, id), TRL_OK);
	assert_string_equal(storage(), "0 0");
	must_not_lie_there(id);
	assert_int_equal(tus_delete(&ann, id), TRL_NOT_FOUND);
}

struct departure {
	struct trl_id account;
	int64_t at_us;
};

static void
run_departure(trl_ctx *ctx, void *arg)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	const struct departure *what = arg;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	struct trl_event event = { .type = &tenants_event_member_removed,
		.type_name = "tenants.member.removed",
		.tenant = ann.tenant,
		.at_us = what->at_us,
		.payload = &told.base };

	trl_set(&member, account_id, world_bytes(&what->account));
	told.member = &member;
	ctx->tenant = ann.tenant;
	assert_int_equal(trl_tx_begin(ctx, ((struct media *)world.self)->sys,
			     TRL_SCOPE_TENANT(ann.tenant), &tx),
	    TRL_OK);
	assert_int_equal(
	    upload_hears_members.apply(world.self, ctx, tx, &event, 1), TRL_OK);
	assert_int_equal(trl_tx_commit(&tx, NULL), TRL_OK);
}

static void
await_jobs(void)
{
	world_until_sql("select not exists (select from media.job where kind = "
			"'end_uploads' and ended_at is null)");
}

static int64_t
now_us(void)
{
	return strtoll(world_sql("select (extract(epoch from clock_timestamp()) * "
				 "1000000)::bigint"),
	    NULL, 10);
}

/* Of somebody who comes back, what they begin then stays. */
static void
what_a_member_had_begun_ends_when_they_leave(void **state)
{
	const struct world_caller bens = as(world_person_new("ben", true), TRL_MEMBER);
	struct departure left = { .account = bens.person->account };
	struct trl_id file, part, whole, later, anns;
	Media__V1__ListUploadsReply *found;

	(void)state;
	anns = tus_begin(&(struct tus_post){ .length = 100 });
	for (int i = 0; i < 60; i++) /* more than a page */
		(void)begin_as(&bens, &(struct tus_post){ .length = 10 });
	file = begin_as(
	    &bens, &(struct tus_post){ .length = 3, .body = "abc", .body_len = 3 });
	part = begin_as(&bens,
	    &(struct tus_post){
		.length = 3, .concat = "partial", .body = "abc", .body_len = 3 });
	/* All of its bytes have come, and its process died. */
	whole = begin_as(
	    &bens, &(struct tus_post){ .length = 3, .body = "abc", .body_len = 3 });
	world_sql("delete from file where id = '%s'", world_id_text(whole));
	world_sql("update upload set finished_at = null, reserved = 3 where id = '%s'",
	    world_id_text(whole));
	world_sql("update storage set used = used - 3, reserved = reserved + 3 where "
		  "tenant_id = '%s'",
	    world_id_text(ann.tenant));
	assert_string_equal(storage(), "3 706");
	left.at_us = now_us();
	later = begin_as(&bens, &(struct tus_post){ .length = 7 });
	world_act(run_departure, &left);
	await_jobs();
	assert_string_equal(storage(), "3 110");
	found = list(&ann, 0, NULL);
	assert_int_equal(found->n_items, 3);
	assert_true(is(found->items[0], later) && is(found->items[1], whole) &&
		    is(found->items[2], anns));
	must_not_lie_there(part);
	must_lie_there(file, "abc", 3);
	assert_int_equal(file_that(file)->size, 3);
}

/* They are in the middle of it. */
static void
a_member_who_leaves_writes_no_more(void **state)
{
	struct departure left = { .account = ann.person->account };
	struct sender sender = begin_sender(2 * MIB, 2 * MIB);

	(void)state;
	start(&sender);
	send_to(&sender, MIB);
	left.at_us = now_us();
	world_act(run_departure, &left);
	world_until(is_over, &sender);
	assert_int_equal(sender.rc, TRL_GONE);
	await_jobs();
	world_until(is_quiet, NULL);
	assert_string_equal(storage(), "0 0");
	must_not_lie_there(sender.id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TUS(test) cmocka_unit_test_setup_teardown(test, begin, world_forget)
		TUS(whoever_began_one_finds_it_and_whoever_manages_files_all),
		TUS(parts_are_there_until_they_are_used),
		TUS(whoever_manages_files_ends_anybodys),
		TUS(whoever_writes_it_is_told_that_it_has_ended),
		TUS(a_writer_whose_row_has_gone_is_told_so),
		TUS(what_cannot_be_finished_is_told_so_until_it_can),
		TUS(what_cannot_be_finished_is_ended_by_its_owner),
		TUS(what_a_member_had_begun_ends_when_they_leave),
		TUS(a_member_who_leaves_writes_no_more),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
