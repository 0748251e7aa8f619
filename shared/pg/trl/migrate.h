/* migrate.h - forward-only migrations, each file once, under an advisory lock,
 * with its checksum kept. Start-up commands alone: blocks. */
#pragma once

#include <trl/sql.h>

/* Makes the schema, its roles (NAME_owner, NAME_app, NAME_sys) and the framework's
 * tables, then applies what is new. app_password and sys_password may be NULL
 * (peer or trust authentication). Prints one line a step and, on failure, file,
 * line and what PostgreSQL said. */
enum trl_code trl_migrate(const char *admin_url, const struct trl_sql_set *set,
    const char *app_password, const char *sys_password) TRL_MUST_CHECK;

/* Upkeep of the framework's tables: deletes expired idempotency records, in pieces,
 * under the owner's role. `<service> maintain` calls it before the service's own;
 * run it every few minutes (an expired record that still stands still answers). */
enum trl_code trl_pg_maintain(
    const char *admin_url, const struct trl_sql_set *set) TRL_MUST_CHECK;
