/* test_db.h - a database of its own for a test program of shared/pg. */
#pragma once

#include <libpq-fe.h>

struct test_db {
	char name[64];
	char admin[512]; /* to this database, as the administrator */
};

/* Makes the database trl_test_<name>_<pid>. Ends the program with a sentence where
 * TRELLIS_TEST_PG_ADMIN_URL is unset or does not answer. */
void test_db_make(struct test_db *db, const char *name);
void test_db_drop(struct test_db *db);
/* The connection string to it as another user; in a static buffer. */
const char *test_db_as(const struct test_db *db, const char *user);
/* Runs SQL as the administrator; the first field of the first row, or "". */
const char *test_db_sql(const struct test_db *db, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
