/* tables.h - attacks on every table of a schema, made from the catalogue: each verb
 * under the row's own context, another tenant's and none. For the tests of this
 * folder. */
#pragma once

#include <stddef.h>

struct leaks {
	size_t n;        /* what was found */
	size_t tried;    /* verb x context x table */
	char first[512]; /* the first finding in words */
};

struct tables_db {
	const char *admin_url; /* superuser, to a scratch database with the schemas */
	const char *app_url;   /* of the schema's _app role */
	const char *schema;
};

/* Drops checks and foreign keys of the schema (they would refuse made-up rows and
 * so hide what row security does) and puts a row of tenant A and one of tenant B
 * into each of its tables. Ends the process with a sentence where it cannot. */
void tables_fill(const struct tables_db *db);
/* Attacks one table, or, with NULL, all that hold rows of a tenant or person. */
void tables_attack(const struct tables_db *db, const char *table, struct leaks *leaks);
/* What the schema's declarations must be: a class, forced row security, a policy,
 * keys that carry tenant_id, an application role that cannot pass any of it. */
void tables_inspect(const struct tables_db *db, struct leaks *leaks);
/* Names of the tables tables_attack(NULL) would take and the application role has any
 * right on, at most max. */
size_t tables_list(const struct tables_db *db, char names[][64], size_t max);
/* Lets everything through on one table (adds USING (true)), or stops it again. */
void tables_open_wide(const struct tables_db *db, const char *table);
void tables_close_again(const struct tables_db *db, const char *table);
