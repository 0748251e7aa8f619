/* migrate.h - forward-only migrations, each file once, under an advisory lock,
 * with its checksum kept. For start-up commands only: blocks. */
#pragma once

#include <trl/sql.h>

/* Makes the schema, its roles (NAME_owner, NAME_app, NAME_sys) and the framework's
 * tables, then applies what is new. app_url and sys_url are what the service
 * connects with: the roles get the passwords that stand there; NULL, or without one:
 * theirs stay as they are. Prints one line a step and, on failure, file,
 * line and what PostgreSQL said. */
enum trl_code trl_migrate(const char *admin_url, const struct trl_sql_set *set,
    const char *app_url, const char *sys_url) TRL_MUST_CHECK;

/* Waits up to so many seconds until the schema stands as this build needs it, and both
 * roles are let in: another process migrates. Prints what it waits for, once each time
 * that changes. Errors: TRL_UNAVAILABLE (too late; printed), TRL_INTERNAL (an applied
 * file was edited; printed, at once). */
enum trl_code trl_migrate_await(const struct trl_sql_set *set, const char *app_url,
    const char *sys_url, unsigned seconds) TRL_MUST_CHECK;

/* Upkeep of the framework's tables, under the owner's role: deletes expired idempotency
 * records, ended jobs, old days of events and what is kept for a year of erased tenants
 * in pieces, and makes partitions for days to come. `<service> maintain` calls it
 * before the service's own; run it once a day (an expired record counts as none, but
 * takes room). */
enum trl_code trl_pg_maintain(
    const char *admin_url, const struct trl_sql_set *set) TRL_MUST_CHECK;

/* A service's own upkeep: a statement that deletes a bounded number of rows and gives
 * how many. It is run again, each time as a transaction, until it gives 0; or, where it
 * names a table, once for each piece of that, from the first block to the last: so
 * where no index leads to what it looks for. Its arguments are those that it has of
 * these, in this order:
 *
 *   the first ctid of the piece, and the first after it (table)
 *   where the run before ended, as it said in its second column; '' at first (goes_on)
 *   value */
struct trl_upkeep {
	const char *what;  /* "ended sessions" */
	const char *sql;   /* usually of sql/admin/, embedded by the build */
	const char *table; /* NULL: not walked */
	bool goes_on;      /* at most 127 bytes */
	const char *value; /* NULL: it takes none */
	const char *did;   /* NULL: "are gone" */
};
/* Errors: TRL_UNAVAILABLE, TRL_INTERNAL (PostgreSQL refused; printed). */
enum trl_code trl_pg_upkeep(const char *admin_url, const struct trl_sql_set *set,
    const struct trl_upkeep *steps, size_t n_steps) TRL_MUST_CHECK;
