/* check.h - what must hold before a service may run, asked of the catalogue.
 * Private to shared/pg; blocks. */
#pragma once

#include <stdio.h>

#include <libpq-fe.h>

#include <trl/sql.h>

/* The session's role, settings and the schema's migrations. False: printed one
 * sentence a problem, with what to do. */
bool pg_check_session(PGconn *pq, const struct trl_sql_set *set);
/* Every table's class, policies, keys and rights; views and functions. False:
 * printed one sentence a problem. */
bool pg_check_classes(PGconn *pq, const char *schema);
/* The tables of declared resources against their messages (check_resource.c). False:
 * printed one sentence a problem. */
bool pg_check_resources(PGconn *pq, const struct trl_sql_set *set);
/* How the schema's migrations compare with the build's. */
enum pg_schema_state {
	PG_SCHEMA_ABSENT,
	PG_SCHEMA_BEHIND,
	PG_SCHEMA_SAME,
	PG_SCHEMA_EDITED
};
/* applied[0], applied[1]: how many of the framework's and of the service's stand.
 * EDITED: printed which file. */
enum pg_schema_state pg_check_migrations(
    PGconn *pq, const struct trl_sql_set *set, size_t applied[2]);
