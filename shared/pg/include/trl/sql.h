/* sql.h - statements as the build embeds them from services/NAME/sql/query/ (one a
 * file, named parameters, "-- expect:" guards) and migrations from sql/schema/.
 * tools/sqlgen makes these tables; nobody writes one by hand. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/err.h>

/* How many rows a statement must touch or return. */
enum trl_expect {
	TRL_EXPECT_ANY,
	TRL_EXPECT_ONE /* else the batch fails with otherwise */
};

struct trl_resource; /* resource.h */

struct trl_sql {
	const char *name; /* "tenants_tenant_by_slug", also when prepared */
	const char
	    *file; /* for errors: "services/tenants/sql/query/tenant_by_slug.sql" */
	const char *text;          /* with $1..$n */
	const char *guarded;       /* the same, raising inside PostgreSQL where expect
				    * is not met: for writes and transactions; or NULL */
	const char *const *params; /* names in order of position, NULL-ended */
	size_t n_params;
	enum trl_expect expect;
	enum trl_code otherwise;
	const char *message; /* for the caller, or "" */
	bool writes;         /* anything but a plain SELECT */
	size_t index;        /* in its set */
};

/* What a unique or check violation means to the caller. */
struct trl_sql_constraint {
	const char *name;
	enum trl_code code;
	const char *field;
	const char *message;
};

struct trl_sql_migration {
	uint32_t number;
	const char *name; /* "0001_tenants" */
	const char *text;
	uint8_t checksum[32]; /* BLAKE2b of text */
};

/* Everything SQL of one service. */
struct trl_sql_set {
	const char *service; /* also the schema's name */
	const struct trl_sql *const *statements;
	size_t n_statements;
	const struct trl_sql_constraint *constraints;
	size_t n_constraints;
	const struct trl_sql_migration *migrations;
	size_t n_migrations;
	/* Those that its contract declares, NULL-ended; NULL: none. */
	const struct trl_resource *const *resources;
};
