/* Who may do what with files: two organisations, roles, API keys. */
#include "file/test_ask.h"

/* Whoever may not change it is told that, whatever If-Match says (RFC 9110, 13.2.1). */
static void
stale_tells_no_more(struct world_caller who, const char *collection,
    struct trl_id maker, const enum trl_code got[])
{
	struct trl_id id = files_make(
	    (struct files_new){ .size = 1, .collection = collection, .maker = maker });

	trl_set(&who, if_version, 7);
	assert_int_equal(rename_to(who, id, "b", NULL),
	    got[1] == TRL_OK ? TRL_PRECONDITION : got[1]);
	assert_int_equal(
	    delete (who, id, NULL), got[2] == TRL_OK ? TRL_PRECONDITION : got[2]);
	assert_int_equal(delete (as(ann, TRL_OWNER), id, NULL), TRL_OK);
	assert_int_equal(purge(as(ann, TRL_OWNER), id), TRL_OK);
}

/* Who, and what it is answered: get, rename, delete, restore and purge, in this order.
 * (Over 60 lines: a table of everybody.) */
static void
each_may_what_their_rights_and_the_collection_say(void **state)
{
	static const enum trl_code OK = TRL_OK, NO = TRL_DENIED, NONE = TRL_NOT_FOUND;
	static const char *const some[] = { "media.file.read", "media.file.write",
		"media.file.delete", NULL };
	const struct trl_id key = trl_id_new();
	const struct world_caller whole_key = { .person = ann,
		.tenant = home,
		.key = true },
				  some_key = { .person = ann,
					  .tenant = home,
					  .key = true,
					  .session = key,
					  .may = some },
				  stranger = { .person = ann, .tenant = trl_id_new() };
	const struct {
		const char *what, *collection;
		struct world_caller who;
		struct trl_id maker;
		enum trl_code wants[5];
	} rows[] = {
		{ "the creator", "files", as(ann, TRL_MEMBER), ann->account,
		    { OK, OK, OK, OK, NO } },
		{ "the creator", "private", as(ann, TRL_MEMBER), ann->account,
		    { OK, OK, OK, OK, NO } },
		{ "another member", "files", as(ben, TRL_MEMBER), ann->account,
		    { OK, NO, NO, NONE, NO } },
		{ "another member", "pictures", as(ben, TRL_MEMBER), ann->account,
		    { OK, NO, NO, NONE, NO } },
		{ "another member", "private", as(ben, TRL_MEMBER), ann->account,
		    { NONE, NONE, NONE, NONE, NO } },
		{ "another member", "gone", as(ben, TRL_MEMBER), ann->account,
		    { NONE, NONE, NONE, NONE, NO } },
		{ "a viewer", "files", as(ben, TRL_VIEWER), ann->account,
		    { OK, NO, NO, NO, NO } },
		{ "a viewer", "private", as(ben, TRL_VIEWER), ann->account,
		    { NONE, NO, NO, NO, NO } },
		{ "an admin", "private", as(ben, TRL_ADMIN), ann->account,
		    { OK, OK, OK, OK, OK } },
		{ "a key with all rights", "private", whole_key, ann->account,
		    { OK, OK, OK, OK, OK } },
		/* A key is not its maker. */
		{ "a key", "private", some_key, ann->account,
		    { NONE, NONE, NONE, NONE, NO } },
		{ "a key", "files", some_key, ann->account, { OK, NO, NO, NONE, NO } },
		{ "a key that made it", "private", some_key, key,
		    { OK, OK, OK, OK, NO } },
		{ "the key's maker", "private", as(ann, TRL_MEMBER), key,
		    { NONE, NONE, NONE, NONE, NO } },
		{ "another organisation", "files", stranger, ann->account,
		    { NONE, NONE, NONE, NONE, NONE } },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id id = files_make((struct files_new){ .size = 1,
		    .collection = rows[i].collection,
		    .maker = rows[i].maker });
		enum trl_code got[5] = { get(rows[i].who, id, NULL),
			rename_to(rows[i].who, id, "b", NULL),
			delete (rows[i].who, id, NULL) };

		stale_tells_no_more(
		    rows[i].who, rows[i].collection, rows[i].maker, got);

		if (got[2] != TRL_OK)
			assert_int_equal(delete (as(ann, TRL_OWNER), id, NULL), TRL_OK);
		got[3] = restore(rows[i].who, id, NULL);
		if (got[3] == TRL_OK)
			assert_int_equal(delete (as(ann, TRL_OWNER), id, NULL), TRL_OK);
		got[4] = purge(rows[i].who, id);
		for (size_t j = 0; j < 5; j++)
			if (got[j] != rows[i].wants[j])
				fail_msg("%s, %s: %zu is %s, not %s", rows[i].what,
				    rows[i].collection, j, trl_code_name(got[j]),
				    trl_code_name(rows[i].wants[j]));
		if (got[4] != TRL_OK)
			assert_int_equal(purge(as(ann, TRL_OWNER), id), TRL_OK);
	}
	world_until(is_gone, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    each_may_what_their_rights_and_the_collection_say, files_found),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
