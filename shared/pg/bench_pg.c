/* bench_pg.c - READ batches a second through two pipelines, by one, 16 and 64 actors:
 * each batch is one row by its key under row security. Not a test; run it by hand
 * with TRELLIS_TEST_PG_ADMIN_URL set. */
#include "test_world.h"

#include "pool.h"

enum { SECONDS = 2 };

static struct trl_id tenant, id;
static uint64_t until_us;
static size_t done_reads, done_writes;

static void
seed(trl_ctx *ctx)
{
	Pgtest__Thing *thing = world_thing(ctx, tenant, "bench");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	memcpy(id.bytes, thing->id.data, 16);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
}

/* A new actor for each batch, as a request is. */
static void
read_one(trl_ctx *ctx, void *arg)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Thing out = PGTEST__THING__INIT;

	trl_batch_get(
	    batch, &pgtest_sql_thing_small, NULL, &out.base, TRL_ARG_ID("id", id));
	if (trl_batch_read(batch) != TRL_OK || !out.name)
		return;
	done_reads++;
	if (trl_mono_us() < until_us)
		(void)!trl_spawn(world.loop,
		    &(struct trl_spawn){ .name = "read", .run = read_one, .arg = arg });
}

static void
write_one(trl_ctx *ctx, void *arg)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	struct trl_id key = trl_new_id(ctx);
	char text[TRL_ID_TEXT];

	trl_id_format(key, text);
	world_key(ctx, text, 1);
	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, text)->base);
	if (trl_batch_write(batch, &reply.base) != TRL_OK)
		return;
	done_writes++;
	if (trl_mono_us() < until_us)
		(void)!trl_spawn(
		    world.loop, &(struct trl_spawn){
				    .name = "write", .run = write_one, .arg = arg });
}

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

static void
measure(const char *what, void (*run)(trl_ctx *ctx, void *arg), size_t actors,
    size_t *count)
{
	uint64_t began = trl_mono_us();

	*count = 0;
	until_us = began + SECONDS * 1000000ULL;
	for (size_t i = 0; i < actors; i++)
		(void)!trl_spawn(
		    world.loop, &(struct trl_spawn){ .name = what, .run = run });
	trl_loop_run_until(world.loop, nobody_alive, world.loop, 60000);
	double seconds = (double)(trl_mono_us() - began) / 1e6;
	printf("%-6s %3zu actors: %8.0f batches/s, %6.1f us each\n", what, actors,
	    (double)*count / seconds, seconds * 1e6 * (double)actors / (double)*count);
}

int
main(void)
{
	static const size_t actors[] = { 1, 16, 64 };

	if (world_open(NULL) != 0)
		return 1;
	tenant = trl_id_new();
	world_run(seed);
	test_db_sql(&world.db, "analyze");
	for (size_t i = 0; i < TRL_COUNT(actors); i++)
		measure("read", read_one, actors[i], &done_reads);
	for (size_t i = 0; i < TRL_COUNT(actors); i++)
		measure("write", write_one, actors[i], &done_writes);
	return world_close(NULL);
}
