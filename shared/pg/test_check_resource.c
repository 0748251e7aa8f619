/* test_check_resource.c - a table that is not what its resource says stops the start,
 * with a sentence that names the place, the resource, and what to do. */
#include "test_world.h"

#include <fcntl.h>
#include <unistd.h>

#include <trl/resource.h>

#include "check.h"

enum { FIELDS = 32 };

static struct test_db db;
static struct trl_field fields[FIELDS];
static struct trl_column columns[FIELDS];
static struct trl_message thing = { .fields = fields };
static struct trl_resource resource;
static const char *const key[] = { "id", NULL };
static const char *const by_name[] = { "name", NULL };
static const char *const beside[] = { "inner_packed", NULL };
static const struct trl_unique unique[] = { { "thing_name_key", by_name },
	{ NULL, NULL } };
static const struct trl_resource *const resources[] = { &resource, NULL };

static int
make_db(void **state)
{
	(void)state;
	test_db_make(&db, "resource");
	return trl_migrate(db.admin, &pgtest_sql, NULL, NULL) == TRL_OK ? 0 : -1;
}

static int
drop_db(void **state)
{
	(void)state;
	test_db_drop(&db);
	return 0;
}

/* As generated code would have it: Thing in the table thing. */
static void
declare(void)
{
	const ProtobufCMessageDescriptor *type = &pgtest__thing__descriptor;

	assert_true(type->n_fields <= FIELDS);
	memset(fields, 0, sizeof fields);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const char *called = type->fields[i].name;
		bool always = !strcmp(called, "id") || !strcmp(called, "name") ||
			      !strcmp(called, "version");

		columns[i] = (struct trl_column){ .name = called, .always = always };
		if (!strcmp(called, "id") || !strcmp(called, "ids"))
			fields[i].format = TRL_FORMAT_ID;
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    strcmp(called, "at") != 0)
			fields[i].message = &thing;
		if (!strcmp(called, "tenant_id") || !strcmp(called, "inner") ||
		    !strcmp(called, "old_version"))
			columns[i].name = NULL;
	}
	thing.descriptor = type;
	resource = (struct trl_resource){ .service = "pgtest",
		.kind = "thing",
		.table = "thing",
		.place = "proto/pgtest.proto:7",
		.message = &thing,
		.columns = columns,
		.insert = &pgtest_sql_thing_insert,
		.key = key,
		.beside = beside,
		.unique = unique,
		.filters = by_name };
}

/* Whether it holds, and all that was said. */
static bool
holds(char *said, size_t room)
{
	struct trl_sql_set set = pgtest_sql;
	PGconn *pq = PQconnectdb(db.admin);
	char path[] = "/tmp/trellis-said-XXXXXX";
	int file = mkstemp(path), was = dup(STDERR_FILENO);
	bool fine;
	ssize_t n;

	assert_true(file >= 0 && was >= 0);
	unlink(path);
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	set.resources = resources;
	fine = pg_check_resources(pq, &set);
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	n = pread(file, said, room - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(file);
	close(was);
	PQfinish(pq);
	return fine;
}

static const struct {
	const char *break_it, *mend_it, *said;
} breakages[] = {
	{ "alter table thing rename size to length",
	    "alter table thing rename length to size",
	    "the table pgtest.thing has no column size for the field size" },
	{ "alter table thing rename size to length",
	    "alter table thing rename length to size",
	    "the table pgtest.thing has the column length, which is no field" },
	{ "alter table thing add column colour text",
	    "alter table thing drop column colour",
	    "the table pgtest.thing has the column colour, which is no field" },
	{ "alter table thing alter amount type integer",
	    "alter table thing alter amount type bigint",
	    "the column amount of pgtest.thing is integer; the field amount takes "
	    "bigint" },
	{ "alter table thing alter ok type text",
	    "alter table thing alter ok type boolean using ok::boolean",
	    "the column ok of pgtest.thing is text; the field ok takes boolean" },
	{ "alter table thing alter at type timestamp",
	    "alter table thing alter at type timestamptz",
	    "takes timestamp with time zone" },
	{ "alter table thing alter ids type text[]",
	    "alter table thing alter ids type uuid[] using null", "takes uuid[]" },
	{ "alter table thing alter size set not null",
	    "alter table thing alter size drop not null",
	    "the column size of pgtest.thing is not null, and the field size may be "
	    "absent" },
	{ "alter table thing alter name drop not null",
	    "alter table thing alter name set not null",
	    "the column name of pgtest.thing may be null, and the field name is never "
	    "absent" },
	{ "alter table thing drop constraint thing_pkey",
	    "alter table thing add primary key (tenant_id, id)",
	    "what names one needs in pgtest.thing: primary key (tenant_id, id)" },
	{ "create unique index thing_of_size on thing (tenant_id, size)",
	    "drop index thing_of_size",
	    "the table pgtest.thing has the unique thing_of_size, and nothing says "
	    "what the second one is told" },
	{ "alter table thing drop constraint thing_name_key",
	    "alter table thing add constraint thing_name_key unique (tenant_id, name)",
	    "its unique name needs in pgtest.thing: constraint thing_name_key unique "
	    "(tenant_id, name)" },
	{ "alter table thing drop constraint thing_name_key",
	    "alter table thing add constraint thing_name_key unique (tenant_id, name)",
	    "its lists filter by name, which has no index" },
	{ "alter table thing drop constraint thing_name_key, add constraint "
	  "thing_name_key unique (tenant_id, name, size)",
	    "alter table thing drop constraint thing_name_key, add constraint "
	    "thing_name_key unique (tenant_id, name)",
	    "its unique name needs" },
	{ "alter table thing add constraint thing_state_check check (state in "
	  "('fresh'))",
	    "alter table thing drop constraint thing_state_check",
	    "the value stale of State is refused by the table's constraint "
	    "thing_state_check" },
};

static void
each_difference_is_told_with_its_place(void **state)
{
	char said[4096];

	(void)state;
	declare();
	if (!holds(said, sizeof said))
		fail_msg("%s", said);
	for (size_t i = 0; i < TRL_COUNT(breakages); i++) {
		test_db_sql(&db, "set search_path = pgtest; %s", breakages[i].break_it);
		if (holds(said, sizeof said))
			fail_msg("not found: %s", breakages[i].break_it);
		if (!strstr(said, breakages[i].said) ||
		    !strstr(said, "proto/pgtest.proto:7: resource thing: "))
			fail_msg("%s: said %s", breakages[i].break_it, said);
		test_db_sql(&db, "set search_path = pgtest; %s", breakages[i].mend_it);
		if (!holds(said, sizeof said))
			fail_msg("not mended: %s: %s", breakages[i].mend_it, said);
	}
}

static void
a_resource_without_a_table_or_an_owner_is_told(void **state)
{
	char said[4096];

	(void)state;
	declare();
	resource.table = "nothing";
	assert_false(holds(said, sizeof said));
	assert_non_null(strstr(said, "there is no table pgtest.nothing"));
	declare();
	resource.of_person = true;
	assert_false(holds(said, sizeof said));
	assert_non_null(
	    strstr(said, "has no column account_id, which says whose a row is"));
}

static void
a_value_that_a_check_lets_in_is_fine(void **state)
{
	char said[4096];

	(void)state;
	declare();
	test_db_sql(&db,
	    "set search_path = pgtest; alter table thing add constraint "
	    "thing_state_check check (state in ('fresh', 'stale', 'old'))");
	assert_true(holds(said, sizeof said));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_is_told_with_its_place),
		cmocka_unit_test(a_resource_without_a_table_or_an_owner_is_told),
		cmocka_unit_test(a_value_that_a_check_lets_in_is_fine),
	};

	return cmocka_run_group_tests(tests, make_db, drop_db);
}
