/* check_resource.c - whether the table of each declared resource is what its message
 * says: the columns with their types, the unique names, an index for each filter, and
 * the values of enums that its checks let in. All that differs is said at once, before
 * anything starts, for otherwise it would be the first request that finds out. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>
#include <trl/resource.h>

struct looked {
	PGconn *pq;
	const struct trl_sql_set *set;
	const struct trl_resource *resource;
	char table[160]; /* schema.table, for to_regclass */
	PGresult *columns;
	bool fine;
};

enum { NAME, TYPE, NOT_NULL, MADE }; /* the columns of looked.columns */

static PGresult *
ask(struct looked *at, const char *sql, const char *second)
{
	const char *values[] = { at->table, second };
	PGresult *res =
	    PQexecParams(at->pq, sql, second ? 2 : 1, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		at->fine = false;
		trl_complain("%s: the check of the table %s failed: %s",
		    at->resource->place, at->table, PQerrorMessage(at->pq));
	}
	return res;
}

#define WRONG(at, fmt, ...)                                                            \
	((at)->fine = false,                                                           \
	    trl_complain("%s: resource %s: " fmt, (at)->resource->place,               \
		(at)->resource->kind, __VA_ARGS__))

/* The types of column that a field's values fit, the first one preferred. */
static const char *
types_of(const ProtobufCFieldDescriptor *field, const struct trl_field *rule)
{
	bool many = field->label == PROTOBUF_C_LABEL_REPEATED;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return many ? "text[]" : "text, character varying, jsonb, uuid";
	case PROTOBUF_C_TYPE_BYTES:
		if (rule->format == TRL_FORMAT_ID)
			return many ? "uuid[]" : "uuid";
		return many ? "bytea[]" : "bytea";
	case PROTOBUF_C_TYPE_ENUM:
		return many ? "text[]" : "text, character varying";
	case PROTOBUF_C_TYPE_BOOL:
		return many ? "" : "boolean";
	case PROTOBUF_C_TYPE_MESSAGE:
		return many                    ? ""
		       : rule->message == NULL ? "timestamp with time zone"
					       : "bytea";
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FLOAT:
		return many ? "" : "double precision, real";
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return many ? "integer[], bigint[]" : "integer, bigint";
	case PROTOBUF_C_TYPE_UINT32: /* the field's max says which */
	case PROTOBUF_C_TYPE_FIXED32:
		return many ? "bigint[], integer[]" : "bigint, integer";
	default:
		return many ? "bigint[]" : "bigint";
	}
}

static bool
lists(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = names; p && *p;
	     p = strchr(p, ',') ? strchr(p, ',') + 2 : NULL)
		if (!strncmp(p, name, len) && (p[len] == ',' || p[len] == '\0'))
			return true;
	return false;
}

static int
find_column(const struct looked *at, const char *name)
{
	for (int i = 0; i < PQntuples(at->columns); i++)
		if (!strcmp(PQgetvalue(at->columns, i, NAME), name))
			return i;
	return -1;
}

static const char *
owner_of(const struct trl_resource *resource)
{
	return resource->of_person ? "account_id" : "tenant_id";
}

static void
check_column(struct looked *at, unsigned i)
{
	const struct trl_resource *resource = at->resource;
	const ProtobufCFieldDescriptor *field =
	    &resource->message->descriptor->fields[i];
	const struct trl_column *column = &resource->columns[i];
	const char *types = types_of(field, &resource->message->fields[i]);
	int row = find_column(at, column->name);
	const char *type;

	if (row < 0) {
		WRONG(at,
		    "the table %s has no column %s for the field %s; add it in the "
		    "next "
		    "migration, or mark the field no_column.",
		    at->table, column->name, field->name);
		return;
	}
	type = PQgetvalue(at->columns, row, TYPE);
	if (!lists(types, type))
		WRONG(at, "the column %s of %s is %s; the field %s takes %s.",
		    column->name, at->table, type, field->name,
		    *types ? types : "no column: mark it no_column");
	if (!column->always && PQgetvalue(at->columns, row, NOT_NULL)[0] == 't')
		WRONG(at,
		    "the column %s of %s is not null, and the field %s may be absent; "
		    "drop the not null, require the field of every create, or mark it "
		    "always where a hook sets it.",
		    column->name, at->table, field->name);
	/* What others insert may be absent by their own rules. */
	if (column->always && resource->insert &&
	    PQgetvalue(at->columns, row, NOT_NULL)[0] == 'f')
		WRONG(at,
		    "the column %s of %s may be null, and the field %s is never "
		    "absent; set it not null in the next migration.",
		    column->name, at->table, field->name);
}

/* What the table has beyond the message. */
static void
check_rest(struct looked *at)
{
	const struct trl_resource *resource = at->resource;

	for (int row = 0; row < PQntuples(at->columns); row++) {
		const char *name = PQgetvalue(at->columns, row, NAME);
		bool known = !strcmp(name, owner_of(resource)) ||
			     PQgetvalue(at->columns, row, MADE)[0] == 't';

		for (size_t i = 0; resource->beside[i]; i++)
			known = known || !strcmp(resource->beside[i], name);
		for (unsigned i = 0; i < resource->message->descriptor->n_fields; i++)
			known = known || (resource->columns[i].name &&
					     !strcmp(resource->columns[i].name, name));
		if (!known)
			WRONG(at,
			    "the table %s has the column %s, which is no field; add "
			    "the "
			    "field (internal where nobody may see it), or name the "
			    "column under beside.",
			    at->table, name);
	}
}

/* Whether what names a row names one. */
static void
check_key(struct looked *at)
{
	static const char sql[] =
	    "select exists (select from pg_index i where i.indrelid = to_regclass($1)"
	    " and i.indisunique and i.indpred is null and i.indexprs is null"
	    " and not exists (select from unnest(i.indkey) k join pg_attribute a"
	    " on a.attrelid = i.indrelid and a.attnum = k"
	    " where a.attname <> all (string_to_array($2, ', '))))";
	char columns[256];
	size_t len =
	    (size_t)snprintf(columns, sizeof columns, "%s", owner_of(at->resource));
	PGresult *res;

	for (size_t i = 0; at->resource->key[i] && len < sizeof columns; i++)
		len += (size_t)snprintf(
		    columns + len, sizeof columns - len, ", %s", at->resource->key[i]);
	res = ask(at, sql, columns);
	if (PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] != 't')
		WRONG(at, "what names one needs in %s: primary key (%s).", at->table,
		    columns);
	PQclear(res);
}

static void
check_unique(struct looked *at, const struct trl_unique *unique)
{
	static const char sql[] =
	    "select array_to_string(array(select a.attname from unnest(c.conkey) k"
	    " join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k"
	    " order by a.attname), ',') from pg_constraint c"
	    " where c.conrelid = to_regclass($1) and c.contype in ('u', 'p')"
	    " and c.conname = $2";
	PGresult *res = ask(at, sql, unique->constraint);
	const char *columns = PQntuples(res) == 1 ? PQgetvalue(res, 0, 0) : "";
	size_t n = 1;
	bool same = true;

	for (size_t i = 0; unique->columns[i]; i++, n++)
		same = same && strstr(columns, unique->columns[i]);
	for (const char *p = columns; *p; p++)
		n -= *p == ',';
	if (PQntuples(res) != 1 || !same || n != 1 ||
	    !strstr(columns, owner_of(at->resource)))
		WRONG(at, "its unique name needs in %s: constraint %s unique (%s, %s).",
		    at->table, unique->constraint, owner_of(at->resource),
		    unique->columns[0]);
	PQclear(res);
}

static bool
is_named(const struct looked *at, const char *index)
{
	for (size_t i = 0; at->resource->unique[i].constraint; i++)
		if (!strcmp(at->resource->unique[i].constraint, index))
			return true;
	for (size_t i = 0; i < at->set->n_constraints; i++)
		if (!strcmp(at->set->constraints[i].name, index))
			return true;
	return false;
}

/* What the table holds to be unique without a sentence for who comes second. */
static void
check_unnamed(struct looked *at)
{
	static const char sql[] =
	    "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid"
	    " where i.indrelid = to_regclass($1) and i.indisunique"
	    " and not i.indisprimary";
	PGresult *res = ask(at, sql, NULL);

	for (int row = 0; row < PQntuples(res); row++)
		if (!is_named(at, PQgetvalue(res, row, 0)))
			WRONG(at,
			    "the table %s has the unique %s, and nothing says what "
			    "the second one is told; name it under unique, or say "
			    "in a migration: -- raises %s: EXISTS field \"sentence\"",
			    at->table, PQgetvalue(res, row, 0),
			    PQgetvalue(res, row, 0));
	PQclear(res);
}

static void
check_filter(struct looked *at, const char *column)
{
	static const char sql[] =
	    "select exists (select from pg_index i"
	    " join pg_attribute o on o.attrelid = i.indrelid and o.attnum = i.indkey[0]"
	    " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[1]"
	    " where i.indrelid = to_regclass($1) and i.indpred is null and i.indisvalid"
	    " and o.attname in ('tenant_id', 'account_id') and a.attname = $2)";
	PGresult *res = ask(at, sql, column);

	if (PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] != 't')
		WRONG(at,
		    "its lists filter by %s, which has no index; add in a migration: "
		    "create "
		    "index on %s (%s, %s, id);",
		    column, at->resource->table, owner_of(at->resource), column);
	PQclear(res);
}

/* Each value of the enum against one check of its column. */
static void
check_values(struct looked *at, const char *column, const char *expression,
    const char *constraint, const ProtobufCEnumDescriptor *values)
{
	char *name = PQescapeIdentifier(at->pq, column, strlen(column)), *sql = NULL;

	trl_assert(asprintf(&sql, "select (%s) from (select $2::text as %s, $1) v",
		       expression, name) > 0);
	for (unsigned i = 0; i < values->n_values; i++) {
		PGresult *res = ask(at, sql, values->values[i].name);

		if (PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 'f')
			WRONG(at,
			    "the value %s of %s is refused by the table's constraint "
			    "%s; "
			    "let it in by the next migration.",
			    values->values[i].name, values->short_name, constraint);
		PQclear(res);
	}
	PQfreemem(name);
	free(sql);
}

static void
check_enum(struct looked *at, unsigned i)
{
	static const char sql[] =
	    "select c.conname, pg_get_expr(c.conbin, c.conrelid) from pg_constraint c"
	    " join pg_attribute a on a.attrelid = c.conrelid and c.conkey = "
	    "array[a.attnum]"
	    " where c.conrelid = to_regclass($1) and c.contype = 'c' and a.attname = "
	    "$2";
	const char *column = at->resource->columns[i].name;
	PGresult *res = ask(at, sql, column);

	for (int row = 0; row < PQntuples(res); row++)
		check_values(at, column, PQgetvalue(res, row, 1),
		    PQgetvalue(res, row, 0),
		    at->resource->message->descriptor->fields[i].descriptor);
	PQclear(res);
}

static bool
check_resource(
    PGconn *pq, const struct trl_sql_set *set, const struct trl_resource *resource)
{
	static const char sql[] =
	    "select attname, format_type(atttypid, null), attnotnull,"
	    " attgenerated <> '' or attidentity <> '' from pg_attribute"
	    " where attrelid = to_regclass($1) and attnum > 0 and not attisdropped";
	const ProtobufCMessageDescriptor *type = resource->message->descriptor;
	struct looked at = { .pq = pq, .set = set, .resource = resource, .fine = true };

	snprintf(
	    at.table, sizeof at.table, "%s.%s", resource->service, resource->table);
	at.columns = ask(&at, sql, NULL);
	if (at.fine && PQntuples(at.columns) == 0) {
		WRONG(&at, "there is no table %s; create it in a migration.", at.table);
		PQclear(at.columns);
		return false;
	}
	if (at.fine && find_column(&at, owner_of(resource)) < 0)
		WRONG(&at, "the table %s has no column %s, which says whose a row is.",
		    at.table, owner_of(resource));
	for (unsigned i = 0; i < type->n_fields; i++)
		if (resource->columns[i].name)
			check_column(&at, i);
	check_rest(&at);
	check_key(&at);
	for (size_t i = 0; resource->unique[i].constraint; i++)
		check_unique(&at, &resource->unique[i]);
	check_unnamed(&at);
	for (size_t i = 0; resource->filters[i]; i++)
		check_filter(&at, resource->filters[i]);
	for (unsigned i = 0; i < type->n_fields; i++)
		if (resource->columns[i].name &&
		    type->fields[i].type == PROTOBUF_C_TYPE_ENUM &&
		    type->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
			check_enum(&at, i);
	PQclear(at.columns);
	return at.fine;
}

bool
pg_check_resources(PGconn *pq, const struct trl_sql_set *set)
{
	bool fine = true;

	for (size_t i = 0; set->resources && set->resources[i]; i++)
		fine &= check_resource(pq, set, set->resources[i]);
	return fine;
}
