/* test_db.h - a database of its own for a test program, on the server that
 * TRELLIS_TEST_PG_ADMIN_URL names. What fails here ends the program with a sentence:
 * no test could go on. */
#pragma once

#include <stdarg.h>

#include <libpq-fe.h>

#include <trl/arena.h>
#include <trl/pg.h>

struct test_db {
	char name[64];
	char admin[512];    /* to this database, as the administrator */
	const char *schema; /* that test_db_sql looks in first; NULL: the server's */
};

/* Makes the database trl_test_<name>_<pid>. */
void test_db_make(struct test_db *db, const char *name);
/* Makes it for one service, with its schema; named after it. */
void test_db_make_for(struct test_db *db, const struct trl_sql_set *sql);
void test_db_drop(struct test_db *db);
/* The connection string to it as another user; in a static buffer. */
const char *test_db_as(const struct test_db *db, const char *user);
/* A pool of connections as the role <service>_<role> of one service. */
trl_pg *test_db_open(const struct test_db *db, trl_loop *loop,
    const struct trl_sql_set *sql, const char *role, const uint8_t seal_key[32]);
/* Runs SQL as the administrator; the first field of the first row, or "". It lies in a
 * static buffer, cut at 255 bytes; in arena, whole, with test_db_vsql. */
const char *test_db_sql(const struct test_db *db, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *test_db_vsql(const struct test_db *db, trl_arena *arena, const char *fmt,
    va_list args) __attribute__((format(printf, 3, 0)));
/* How many blocks PostgreSQL looks at when a role of the service (<schema>_<role>) runs
 * a statement with these arguments, "1, 'a'", in the order of its $1..$n, and rolls it
 * back. generic: as it is planned for any arguments, else for these. settings: what it
 * runs under, "set trellis.tenant_id = '...';", or "". */
size_t test_db_blocks(const struct test_db *db, const struct trl_sql *statement,
    const char *role, bool generic, const char *settings, const char *args);
