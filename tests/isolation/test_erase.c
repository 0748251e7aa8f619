/* Two tenants have a row in every table of every service, and one of them is erased:
 * all that is left of it is what its table says is kept, and of the other every row
 * stands as it was. A new table is tried the day it is added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "tables.h"

#define TENANT "0000000a-0000-7000-8000-000000000001"

static struct scratch scratch;

static int
open_all(void **state)
{
	(void)state;
	return scratch_open(&scratch, "erase");
}

static int
close_all(void **state)
{
	(void)state;
	scratch_close(&scratch);
	return 0;
}

/* Of each table with a tenant_id: how many rows of the tenant it has, and a print of
 * all others; those that are kept apart. */
static const char rows_of[] =
    "create or replace function pg_temp.rows_of(out named text, out kept boolean, "
    "out own bigint, out others text) returns setof record language plpgsql as $$ "
    "declare t record; begin for t in select c.oid::regclass as name, "
    "coalesce(obj_description(c.oid) ~ '; erase: (no|later)', false) or "
    "obj_description(c.oid) ~ '^class: person' as kept from pg_class c where "
    "c.relnamespace = current_schema()::text::regnamespace and c.relkind in ('r', 'p') "
    "and not c.relispartition loop "
    "named := t.name::text; kept := t.kept; own := 0; "
    "if exists (select from pg_attribute where attrelid = t.name and attname = "
    "'tenant_id' and not attisdropped) then execute format('select count(*) filter "
    "(where tenant_id = $1), md5(string_agg(x::text, '','' order by x::text) filter "
    "(where tenant_id is distinct from $1)) from %s x', t.name) into own, others using "
    "'" TENANT "'::uuid; else execute format('select md5(string_agg(x::text, '','' "
    "order by x::text)) from %s x', t.name) into others; end if; "
    "return next; end loop; end $$;";

static char *
ask(const struct tables_db *db, const char *sql)
{
	char *all = NULL, *said;

	scratch.db.schema = db->schema;
	if (asprintf(&all, "%s %s", rows_of, sql) < 0)
		abort();
	said = strdup(test_db_sql(&scratch.db, "%s", all));
	free(all);
	return said;
}

static void
expect(const struct tables_db *db, const char *want, const char *sql)
{
	char *said = ask(db, sql);

	if (strcmp(said, want) != 0)
		fail_msg("%s: %s and not %s", db->schema, said, want);
	free(said);
}

/* As the service's worker does it; gives how many went. */
static unsigned
erase(const struct tables_db *db)
{
	scratch.db.schema = db->schema;
	return (unsigned)atoi(test_db_sql(&scratch.db,
	    "set role %s_sys; set trellis.tenant_id = '" TENANT "'; "
	    "select gone from trl_erase_piece('" TENANT "', 'now', 1, 1000)",
	    db->schema));
}

static void
of_an_erased_tenant_no_service_keeps_a_row_but_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < scratch.n_schemas; i++) {
		const struct tables_db *db = &scratch.schemas[i];
		unsigned erased = 0, gone;
		char *others, *kept;

		/* What keeps order between tables is dropped by this: shared/pg tests
		 * it. */
		tables_fill(db);
		expect(db, "t",
		    "select count(*) > 0 from pg_temp.rows_of() where own > 0 and not "
		    "kept");
		others = ask(db, "select md5(string_agg(named || others, ',' order by "
				 "named)) from pg_temp.rows_of()");
		kept =
		    ask(db, "select string_agg(named || own, ' ' order by named) from "
			    "pg_temp.rows_of() where kept");
		while ((gone = erase(db)) > 0)
			erased += gone;
		print_message(
		    "%s: %u rows erased, kept %s\n", db->schema, erased, kept);
		assert_true(erased > 0);
		expect(db, "",
		    "select coalesce(string_agg(named, ' '), '') from "
		    "pg_temp.rows_of() where own > 0 and not kept");
		expect(db, others,
		    "select md5(string_agg(named || others, ',' order by named)) from "
		    "pg_temp.rows_of()");
		expect(db, kept,
		    "select string_agg(named || own, ' ' order by named) from "
		    "pg_temp.rows_of() where kept");
		free(others);
		free(kept);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    of_an_erased_tenant_no_service_keeps_a_row_but_what_it_says),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
