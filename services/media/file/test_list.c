/* Lists of files: what is asked of them, in which order, page by page, and that nobody
 * is shown what they do not see. */
#include "test_files.h"

#include <time.h>

static Media__V1__ListFilesReply *
list(struct world_caller who, const Media__V1__ListFilesRequest *ask)
{
	Media__V1__ListFilesReply *out;

	assert_int_equal(
	    world_call(&who, &media_v1_list_files, &ask->base, &out), TRL_OK);
	return out;
}

/* The names of what is listed, with spaces. */
static const char *
names(const Media__V1__ListFilesReply *page)
{
	char *text = trl_arena_strdup(world.arena, "");

	for (size_t i = 0; i < page->n_items; i++)
		text = trl_arena_printf(
		    world.arena, "%s%s%s", text, i ? " " : "", page->items[i]->name);
	return text;
}

static const char *
listed(struct world_caller who, Media__V1__ListFilesRequest ask)
{
	return names(list(who, &ask));
}

#define ASK(...)                                                                       \
	(Media__V1__ListFilesRequest)                                                  \
	{                                                                              \
		.base = PROTOBUF_C_MESSAGE_INIT(                                       \
		    &media__v1__list_files_request__descriptor),                       \
		__VA_ARGS__                                                            \
	}
#define TEXT(s_) (char *)(uintptr_t)(s_)

static void
make_some(void)
{
	files_make((struct files_new){
	    .name = "old.txt", .size = 30, .age_s = 300, .type = "text/plain" });
	files_make((struct files_new){
	    .name = "b.png", .size = 10, .age_s = 200, .type = "image/png" });
	files_make((struct files_new){ .name = "a.jpg",
	    .size = 20,
	    .age_s = 100,
	    .type = "image/jpeg",
	    .collection = "pictures" });
}

static void
the_newest_comes_first_unless_asked_otherwise(void **state)
{
	static const struct {
		int sort, order; /* 0: not asked for */
		const char *want;
	} rows[] = {
		{ 0, 0, "a.jpg b.png old.txt" },
		{ 1, 0, "a.jpg b.png old.txt" },
		{ 1, 1, "old.txt b.png a.jpg" },
		{ 0, 1, "old.txt b.png a.jpg" },
		{ 2, 0, "a.jpg b.png old.txt" },
		{ 2, 2, "old.txt b.png a.jpg" },
		{ 3, 0, "old.txt a.jpg b.png" },
		{ 3, 1, "b.png a.jpg old.txt" },
	};

	(void)state;
	make_some();
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(
		    listed(as(ann, TRL_VIEWER),
			ASK(.has_sort = rows[i].sort != 0,
			    .sort = (Media__V1__FileOrder__By)rows[i].sort,
			    .has_order = rows[i].order != 0,
			    .order = (Media__V1__FileOrder__Way)rows[i].order)),
		    rows[i].want);
}

static void
filters_leave_what_fits_them_all(void **state)
{
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	const struct world_caller who = as(ann, TRL_VIEWER);
	Media__V1__ListFilesRequest nobodys = ASK(.name = TEXT(""));

	(void)state;
	make_some();
	assert_string_equal(listed(who, ASK(.type = TEXT("image/*"))), "a.jpg b.png");
	assert_string_equal(listed(who, ASK(.type = TEXT("image/png"))), "b.png");
	assert_string_equal(listed(who, ASK(.type = TEXT("Image/PNG"))), "b.png");
	assert_string_equal(listed(who, ASK(.type = TEXT("IMAGE/*"))), "a.jpg b.png");
	assert_string_equal(listed(who, ASK(.type = TEXT("image/"))), "");
	assert_string_equal(listed(who, ASK(.type = TEXT("/*"))), "");
	assert_string_equal(listed(who, ASK(.type = TEXT("%"))), "");
	assert_string_equal(listed(who, ASK(.collection = TEXT("pictures"))), "a.jpg");
	assert_string_equal(listed(who, ASK(.collection = TEXT("none"))), "");
	assert_string_equal(
	    listed(who, ASK(.collection = TEXT("files"), .type = TEXT("image/*"))),
	    "b.png");
	assert_string_equal(
	    listed(who,
		ASK(.has_state = true, .state = MEDIA__V1__FILE__STATE__processing)),
	    "");
	at.seconds = time(NULL) - 150;
	assert_string_equal(listed(who, ASK(.created_after = &at)), "a.jpg");
	assert_string_equal(listed(who, ASK(.created_before = &at)), "b.png old.txt");
	assert_int_equal(
	    world_call(&who, &media_v1_list_files, &nobodys.base, NULL), TRL_INVALID);
	nobodys = ASK(.collection = TEXT(""));
	assert_int_equal(
	    world_call(&who, &media_v1_list_files, &nobodys.base, NULL), TRL_INVALID);
}

/* é by itself and composed: NFD and NFC. */
static void
names_are_compared_in_nfc(void **state)
{
	const struct world_caller who = as(ann, TRL_VIEWER);

	(void)state;
	files_make((struct files_new){ .name = "caf\xc3\xa9" });
	files_make((struct files_new){ .name = "cafe\xcc\x81", .age_s = 5 });
	files_make((struct files_new){ .name = "cafe" });
	assert_string_equal(
	    listed(who, ASK(.name = TEXT("cafe\xcc\x81"))), "caf\xc3\xa9 cafe\xcc\x81");
	assert_string_equal(
	    listed(who, ASK(.name = TEXT("caf\xc3\xa9"))), "caf\xc3\xa9 cafe\xcc\x81");
	assert_string_equal(listed(who, ASK(.name = TEXT("CAFE"))), "");
}

/* Of many that are alike, in each order, while others come and go. */
static void
pages_hold_each_once(void **state)
{
	enum { FILES = 23 };
	static const char *const long_name =
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; /* 255 bytes */

	(void)state;
	for (unsigned i = 0; i < FILES; i++)
		files_make((struct files_new){
		    .size = 5 + i / 10, .name = i % 3 ? long_name : "b" });
	world_sql("update media.file set created_at = date_trunc('minute', created_at) "
		  "where tenant_id = '%s'",
	    world_id_text(home));
	for (int sort = 1; sort <= 3; sort++)
		for (int order = 1; order <= 2; order++) {
			Media__V1__ListFilesRequest ask = ASK(.has_sort = true,
			    .sort = (Media__V1__FileOrder__By)sort, .has_order = true,
			    .order = (Media__V1__FileOrder__Way)order,
			    .has_page_size = true, .page_size = 4);
			struct trl_id seen[FILES];
			size_t n = 0;

			do {
				Media__V1__ListFilesReply *page =
				    list(as(ann, TRL_VIEWER), &ask);

				for (size_t i = 0; i < page->n_items; i++) {
					struct trl_id id =
					    trl_value_id(page->items[i]->id);

					for (size_t j = 0; j < n; j++)
						assert_false(trl_id_eq(id, seen[j]));
					assert_true(n < FILES);
					seen[n++] = id;
				}
				ask.page_token = page->next_page_token;
			} while (ask.page_token);
			assert_int_equal(n, FILES);
		}
}

static void
a_token_of_another_order_is_refused(void **state)
{
	Media__V1__ListFilesRequest ask = ASK(.has_page_size = true, .page_size = 1);
	struct world_caller who = as(ann, TRL_VIEWER);
	struct world_caller stranger = { .person = ann, .tenant = trl_id_new() };

	(void)state;
	make_some();
	ask.page_token = list(who, &ask)->next_page_token;
	assert_non_null(ask.page_token);
	assert_int_equal(
	    world_call(&stranger, &media_v1_list_files, &ask.base, NULL), TRL_INVALID);
	trl_set(&ask, sort, MEDIA__V1__FILE_ORDER__BY__size);
	assert_int_equal(
	    world_call(&who, &media_v1_list_files, &ask.base, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "page_token");
}

static void
nobody_is_shown_what_they_do_not_see(void **state)
{
	const struct trl_id key = trl_id_new();
	static const char *const read_only[] = { "media.file.read", NULL };
	struct world_caller by_key = { .person = ann,
		.tenant = home,
		.key = true,
		.session = key,
		.may = read_only };
	struct world_caller stranger = { .person = ann, .tenant = trl_id_new() };

	(void)state;
	files_make((struct files_new){ .name = "all" });
	files_make(
	    (struct files_new){ .name = "ann", .collection = "private", .age_s = 1 });
	files_make((struct files_new){ .name = "ben",
	    .collection = "private",
	    .age_s = 2,
	    .maker = ben->account });
	files_make((struct files_new){
	    .name = "key", .collection = "private", .age_s = 3, .maker = key });
	files_make(
	    (struct files_new){ .name = "lost", .collection = "gone", .age_s = 4 });
	assert_string_equal(listed(as(ann, TRL_MEMBER), ASK()), "all ann lost");
	assert_string_equal(listed(as(ben, TRL_VIEWER), ASK()), "all ben");
	assert_string_equal(listed(as(ben, TRL_ADMIN), ASK()), "all ann ben key lost");
	assert_string_equal(listed(by_key, ASK()), "all key");
	assert_string_equal(listed(stranger, ASK()), "");
	assert_string_equal(
	    listed(as(ben, TRL_MEMBER), ASK(.collection = TEXT("private"))), "ben");
}

/* It shows what is in it only to whoever may take it out. */
static void
the_trash_is_listed_where_it_is_asked_for(void **state)
{
	const Media__V1__ListFilesRequest trash =
	    ASK(.has_state = true, .state = MEDIA__V1__FILE__STATE__deleted);

	(void)state;
	files_make((struct files_new){ .name = "here" });
	files_make((struct files_new){ .name = "mine" });
	files_make(
	    (struct files_new){ .name = "theirs", .maker = ben->account, .age_s = 5 });
	world_sql("update media.file set kept_state = state, state = 'deleted', "
		  "deleted_at = now(), purge_at = now() where name <> 'here'");
	assert_string_equal(listed(as(ann, TRL_MEMBER), ASK()), "here");
	assert_string_equal(listed(as(ann, TRL_MEMBER), trash), "mine");
	assert_string_equal(listed(as(ben, TRL_ADMIN), trash), "mine theirs");
	assert_string_equal(
	    listed(as(world_person_new("vic", true), TRL_VIEWER), trash), "");
}

enum { MANY = 20000, BLOCKS_MAX = 100 };

/* Ben's are three of many in a private collection; four are in one that is shown. */
static void
make_many(void)
{
	world_sql("insert into media.file (tenant_id, id, version, collection, name, "
		  "type, size, state, maker, created_at, updated_at) select '%s', "
		  "gen_random_uuid(), 1, case when n %% 5000 = 4999 then 'files' "
		  "else 'private' end, 'name' || n, 'text/plain', n, "
		  "'ready', case when n in (7, 9000, 15000) then uuid '%s' else "
		  "gen_random_uuid() end, now() - n * interval '1 s', now() from "
		  "generate_series(1, %d) as n",
	    world_id_text(home), world_id_text(ben->account), MANY);
	world_sql("insert into media.upload (tenant_id, id, collection, name, "
		  "received, reserved, generation, uploader, created_at, expires_at, "
		  "parts) select '%s', gen_random_uuid(), 'files', 'a', 0, 0, 1, "
		  "gen_random_uuid(), now(), now(), case when n %% 4000 = 0 then "
		  "array[gen_random_uuid()] end from generate_series(1, %d) as n",
	    world_id_text(home), MANY);
	world_sql("analyze media.file");
	world_sql("analyze media.upload");
}

static bool
found_by_maker(void)
{
	return strcmp(world_sql("select idx_scan from pg_stat_all_indexes where "
				"schemaname = 'media' and indexrelname = 'file_maker'"),
		   "0") != 0;
}

/* What a list asks for, as SQL has it; NULL: nothing. */
struct listing {
	const char *what;
	const struct trl_sql *sql;
	const char *key, *shown, *collection, *type, *state, *name;
	bool manages;
};

static const char *
quoted(const char *value)
{
	return value ? trl_arena_printf(world.arena, "'%s'", value) : "null";
}

static size_t
blocks_of(const struct listing *asked, const char *settings)
{
	const char *of = trl_arena_strdup(world.arena, world_id_text(home));

	return test_db_blocks(&world.db, asked->sql, "app", false, settings,
	    trl_arena_printf(world.arena,
		"%s, '%s', %s, %s, %s, %s, null, null, null, %s, 51, '%s', %s",
		quoted(asked->shown), of, quoted(asked->collection),
		quoted(asked->type), quoted(asked->state), quoted(asked->name),
		asked->key, world_id_text(ben->account),
		asked->manages ? "true" : "false"));
}

static void
what_is_asked_for_is_found_among_many(void **state)
{
	const struct listing asked[] = {
		{ "what is shown, and one's own", &media_sql_file_list_newest, "now()",
		    .shown = "{files,pictures}" },
		{ "the same by size", &media_sql_file_list_largest, "1",
		    .shown = "{files,pictures}" },
		{ "the same by name", &media_sql_file_list_name, "'a'",
		    .shown = "{files,pictures}" },
		{ "one's own", &media_sql_file_list_oldest, "now()",
		    .collection = "private" },
		{ "a name", &media_sql_file_list_newest, "now()", .shown = "{private}",
		    .name = "name12345" },
		{ "a name, of all", &media_sql_file_list_newest, "now()",
		    .name = "name12345", .manages = true },
		{ "a collection, of all", &media_sql_file_list_newest, "now()",
		    .collection = "files", .manages = true },
		{ "a type, of all", &media_sql_file_list_newest, "now()",
		    .type = "image/png", .manages = true },
		{ "a state, of all", &media_sql_file_list_newest, "now()",
		    .state = "rejected", .manages = true },
	};
	const char *settings, *of;
	char args[100];

	(void)state;
	make_many();
	of = trl_arena_strdup(world.arena, world_id_text(home));
	settings =
	    trl_arena_printf(world.arena, "set local trellis.tenant_id = '%s';", of);
	for (size_t i = 0; i < TRL_COUNT(asked); i++) {
		const size_t blocks = blocks_of(&asked[i], settings);

		if (blocks < 1 || blocks > BLOCKS_MAX)
			fail_msg("%s: %zu blocks", asked[i].what, blocks);
	}
	snprintf(args, sizeof args, "'%s', '%s'", of, of);
	for (int generic = 0; generic < 2; generic++)
		assert_in_range(test_db_blocks(&world.db, &media_sql_upload_pending,
				    "app", generic, settings, args),
		    1, BLOCKS_MAX);
	/* Statistics come once a second. */
	for (const uint64_t began = trl_mono_us();
	     !found_by_maker() && trl_mono_us() - began < 15000000;)
		assert_string_equal(
		    listed(as(ben, TRL_MEMBER), ASK(.collection = TEXT("private"))),
		    "name7 name9000 name15000");
	assert_true(found_by_maker());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_newest_comes_first_unless_asked_otherwise, files_found),
		cmocka_unit_test_setup(filters_leave_what_fits_them_all, files_found),
		cmocka_unit_test_setup(names_are_compared_in_nfc, files_found),
		cmocka_unit_test_setup(pages_hold_each_once, files_found),
		cmocka_unit_test_setup(
		    a_token_of_another_order_is_refused, files_found),
		cmocka_unit_test_setup(
		    nobody_is_shown_what_they_do_not_see, files_found),
		cmocka_unit_test_setup(
		    the_trash_is_listed_where_it_is_asked_for, files_found),
		cmocka_unit_test_setup(
		    what_is_asked_for_is_found_among_many, files_found),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
