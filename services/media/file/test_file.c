/* Who sees a file, and who may change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <media_v1.trl.h>

#include "test_service.h"

extern const struct trl_service media_service;

static struct world_person ann = { .verified = true }, bob = { .verified = true };
static struct trl_id tenant;

static int
open_world(void **state)
{
	(void)state;
	ann.account = trl_id_new();
	bob.account = trl_id_new();
	tenant = trl_id_new();
	return world_open_one(&media_service);
}

/* A file of ann's. */
static struct trl_id
keep(const char *collection, const char *state)
{
	struct trl_id id = trl_id_new();

	world_sql("insert into media.file (tenant_id, id, version, collection, name, "
		  "type, size, state, created_by, created_at, updated_at) values "
		  "('%s', '%s', 1, '%s', 'a', 'text/plain', 1, '%s', '%s', now(), "
		  "now())",
	    world_id_text(tenant), world_id_text(id), collection, state,
	    world_id_text(ann.account));
	return id;
}

static enum trl_code
get(const struct world_person *person, struct trl_id in_tenant, struct trl_id id,
    Media__V1__File **out)
{
	struct world_caller who = { .person = person, .tenant = in_tenant };
	Media__V1__GetFileRequest in = MEDIA__V1__GET_FILE_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&id));
	return world_call(&who, &media_v1_get_file, &in.base, out);
}

static enum trl_code
rename_it(const struct world_person *person, struct trl_id id, const char *name)
{
	struct world_caller who = { .person = person, .tenant = tenant };
	Media__V1__UpdateFileRequest in = MEDIA__V1__UPDATE_FILE_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&id));
	in.name = (char *)(uintptr_t)name;
	return world_call(&who, &media_v1_update_file, &in.base, NULL);
}

static void
a_collection_says_who_sees_its_files(void **state)
{
	static const struct {
		const char *collection;
		enum trl_code bobs;
	} rows[] = { { "files", TRL_OK }, { "pictures", TRL_OK },
		{ "private", TRL_NOT_FOUND }, { "no-longer-there", TRL_NOT_FOUND } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id id = keep(rows[i].collection, "ready");
		Media__V1__File *file;

		assert_int_equal(get(&ann, tenant, id, &file), TRL_OK);
		assert_string_equal(file->collection, rows[i].collection);
		assert_int_equal(get(&bob, tenant, id, NULL), rows[i].bobs);
		assert_int_equal(get(&ann, trl_id_new(), id, NULL), TRL_NOT_FOUND);
	}
}

static void
only_its_maker_changes_it(void **state)
{
	struct trl_id seen = keep("files", "ready"), hidden = keep("private", "ready");
	Media__V1__File *file;

	(void)state;
	assert_int_equal(rename_it(&bob, seen, "b"), TRL_DENIED);
	assert_int_equal(rename_it(&bob, hidden, "b"), TRL_NOT_FOUND);
	assert_int_equal(rename_it(&ann, seen, "b"), TRL_OK);
	assert_int_equal(get(&ann, tenant, seen, &file), TRL_OK);
	assert_string_equal(file->name, "b");
	assert_int_equal(file->version, 2);
}

static void
a_deleted_file_is_not_there(void **state)
{
	struct trl_id id = keep("files", "deleted");

	(void)state;
	assert_int_equal(get(&ann, tenant, id, NULL), TRL_NOT_FOUND);
	assert_int_equal(rename_it(&ann, id, "b"), TRL_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_collection_says_who_sees_its_files, world_forget),
		cmocka_unit_test_teardown(only_its_maker_changes_it, world_forget),
		cmocka_unit_test_teardown(a_deleted_file_is_not_there, world_forget),
	};
	return cmocka_run_group_tests(tests, open_world, world_close);
}
