/* test_world.h - what the test programs of shared/pg stand on: a database with the
 * schema pgtest, a loop, and a way to run a test's body as an actor.
 *
 * An actor's stack may not be left by cmocka's longjmp, so bodies use CHECK, and
 * the first failed one is reported outside. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/batch.h>
#include <trl/method.h>
#include <trl/migrate.h>
#include <trl/tx.h>

#include "pgtest.pb-c.h"
#include "pgtest_sql.h"
#include "test_db.h"

struct world {
	struct test_db db;
	trl_loop *loop;
	trl_pg *pg;
	char url[512];
};
extern struct world world;

typedef void body(trl_ctx *ctx);

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			world_failed(#condition, __FILE__, __LINE__, ctx);             \
			return;                                                        \
		}                                                                      \
	} while (0)
#define CHECK_CODE(expression, want)                                                   \
	do {                                                                           \
		enum trl_code got_ = (expression);                                     \
		if (got_ != (want)) {                                                  \
			world_got(#expression, got_, (want), __FILE__, __LINE__, ctx); \
			return;                                                        \
		}                                                                      \
		trl_err_clear(ctx);                                                    \
	} while (0)

void world_failed(const char *what, const char *file, int line, const trl_ctx *ctx);
void world_got(const char *what, enum trl_code got, enum trl_code want,
    const char *file, int line, const trl_ctx *ctx);

/* Group fixtures: makes the database and opens pg in it. */
int world_open(void **state);
int world_close(void **state);
/* Runs bodies as actors side by side until all have returned; asserts their checks. */
void world_run(body *fn);
void world_run_for(body *fn, uint32_t timeout_ms);
void world_run_two(body *first, body *second);
void world_run_many(body **fns, size_t n);
void world_run_many_for(body **fns, size_t n, uint32_t timeout_ms);

/* Parks until it is so, at most 5 s; whether it came to be so. */
bool world_until(trl_ctx *ctx, bool (*is_so)(void));
/* A condition for it: a statement of the service's sleeps in PostgreSQL. */
bool world_sleeps(void);

/* A thing of a tenant, in ctx's arena. */
Pgtest__Thing *world_thing(trl_ctx *ctx, struct trl_id tenant, const char *name);
/* How many things a tenant sees; -1: the read failed. */
int64_t world_count(trl_ctx *ctx, struct trl_id tenant);
/* Makes ctx a WRITE under a key. */
void world_key(trl_ctx *ctx, const char *key, uint8_t request);
