/* test_world.c - see test_world.h. */
#include "test_world.h"

struct world world;
static char failure[512];

void
world_failed(const char *what, const char *file, int line, const trl_ctx *ctx)
{
	if (!failure[0])
		snprintf(failure, sizeof failure, "%s:%d: %s (%s)", file, line, what,
		    ctx->err.message);
}

void
world_got(const char *what, enum trl_code got, enum trl_code want, const char *file,
    int line, const trl_ctx *ctx)
{
	if (!failure[0])
		snprintf(failure, sizeof failure, "%s:%d: %s gave %s and not %s (%s)",
		    file, line, what, trl_code_name(got), trl_code_name(want),
		    ctx->err.message);
}

static bool
is_ready(void *pg)
{
	return trl_pg_ready(pg);
}

int
world_open(void **state)
{
	static const uint8_t seal_key[32] = { 7, 7, 7 };

	(void)state;
	test_db_make_for(&world.db, &pgtest_sql);
	world.db.schema = NULL;
	snprintf(
	    world.url, sizeof world.url, "%s", test_db_as(&world.db, "pgtest_app"));
	world.loop = trl_loop_new(NULL);
	world.pg = test_db_open(&world.db, world.loop, &pgtest_sql, "app", seal_key);
	return trl_loop_run_until(world.loop, is_ready, world.pg, 20000) ? 0 : -1;
}

int
world_close(void **state)
{
	(void)state;
	trl_pg_close(&world.pg);
	trl_loop_free(&world.loop);
	test_db_drop(&world.db);
	return 0;
}

static void
run(trl_ctx *ctx, void *arg)
{
	body *const *fn = arg;

	(*fn)(ctx);
}

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

static void
run_all(body **fns, size_t n, uint32_t timeout_ms)
{
	failure[0] = '\0';
	for (size_t i = 0; i < n; i++)
		assert_int_equal(trl_spawn(world.loop, &(struct trl_spawn){ "test", run,
							   &fns[i], timeout_ms }),
		    TRL_OK);
	assert_true(trl_loop_run_until(
	    world.loop, nobody_alive, world.loop, timeout_ms + 20000));
	if (failure[0])
		fail_msg("%s", failure);
}

void
world_run(body *fn)
{
	run_all(&fn, 1, 10000);
}

void
world_run_for(body *fn, uint32_t timeout_ms)
{
	run_all(&fn, 1, timeout_ms);
}

void
world_run_two(body *first, body *second)
{
	body *both[] = { first, second };

	run_all(both, 2, 10000);
}

void
world_run_many(body **fns, size_t n)
{
	run_all(fns, n, 10000);
}

void
world_run_many_for(body **fns, size_t n, uint32_t timeout_ms)
{
	run_all(fns, n, timeout_ms);
}

bool
world_until(trl_ctx *ctx, bool (*is_so)(void))
{
	for (int i = 0; i < 20000 && !is_so(); i++)
		if (trl_sleep(ctx, 1) != TRL_OK)
			return false;
	return is_so();
}

bool
world_sleeps(void)
{
	return strcmp(
		   test_db_sql(&world.db, "select count(*) > 0 from pg_stat_activity"
					  " where usename = 'pgtest_app' and datname = "
					  "current_database() and state = 'active'"
					  " and wait_event = 'PgSleep'"),
		   "t") == 0;
}

Pgtest__Thing *
world_thing(trl_ctx *ctx, struct trl_id tenant, const char *name)
{
	Pgtest__Thing *thing = trl_arena_alloc(ctx->arena, sizeof *thing);
	struct trl_id id = trl_new_id(ctx);

	pgtest__thing__init(thing);
	thing->has_id = thing->has_tenant_id = 1;
	thing->id.data = trl_arena_memdup(ctx->arena, id.bytes, 16);
	thing->tenant_id.data = trl_arena_memdup(ctx->arena, tenant.bytes, 16);
	thing->id.len = thing->tenant_id.len = 16;
	thing->name = trl_arena_strdup(ctx->arena, name);
	return thing;
}

int64_t
world_count(trl_ctx *ctx, struct trl_id tenant)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;

	trl_batch_get(batch, &pgtest_sql_thing_count, NULL, &answer.base);
	return trl_batch_read(batch) == TRL_OK ? answer.n : -1;
}

void
world_key(trl_ctx *ctx, const char *key, uint8_t request)
{
	ctx->idempotency = (struct trl_idempotency){ .key = key };
	memset(ctx->idempotency.scope, 9, 16);
	memset(ctx->idempotency.request, request, 32);
}
