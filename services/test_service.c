/* A world for tests: see test_service.h. It opens services as the skeleton does, and an
 * end of the bus for whoever calls them. The bus is left to the end of the process, as
 * everywhere: its sockets are not safe to close while its threads work. */
#include "test_service.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/bus_open.h>
#include <trl/jobs_open.h>
#include <trl/log.h>
#include <trl/migrate.h>
#include <trl/replay.h>
#include <trl/seal.h>

enum { ENDS_MAX = 16, PATIENCE_MS = 20000, UNTIL_MS = 60000 };

struct world world;

const struct trl_config_table *const trl_config_known[] = { NULL };

/* A service that is open, or a caller that has only its end of the bus. What was read
 * of settings stays to the end of the process, secrets and all. */
struct end {
	const char *name;
	const struct trl_service *service; /* NULL: none */
	struct trl_host host;
	void *self;
};
static struct end ends[ENDS_MAX];
static size_t n_ends;
static trl_bus_net *net;
static uint8_t seal_key[TRL_SEAL_KEY] = { 7 };

static bool
redis_ready(void *redis)
{
	return trl_redis_ready(redis);
}

static bool
open_redis(struct trl_host *host, struct trl_redis_script *const *scripts)
{
	const char *url = getenv("TRELLIS_TEST_REDIS_URL");

	if (!scripts || !scripts[0])
		return true;
	if (!url) {
		print_error("TRELLIS_TEST_REDIS_URL is not set: run the tests by "
			    "tools/test, or point it to a Redis 7.\n");
		return false;
	}
	host->redis = trl_redis_open(world.loop, url, scripts);
	return trl_loop_run_until(world.loop, redis_ready, host->redis, 5000);
}

static bool
open_jobs(struct end *end)
{
	const struct trl_jobs_options options = { .service = end->name,
		.app = end->host.pg,
		.sys = end->host.sys,
		.kinds = end->service->jobs,
		.self = end->self };

	return !end->service->jobs ||
	       trl_jobs_open(world.loop, &options, &end->host.jobs) == TRL_OK;
}

static enum trl_code
find_record(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
    ProtobufCMessage *reply, bool *replayed)
{
	struct end *end = self;
	enum trl_code rc = trl_replay(ctx, end->host.pg, reply, replayed);

	if (rc == TRL_OK && *replayed && end->service->replayed)
		end->service->replayed(end->self, ctx, in, reply);
	return rc;
}

/* In the order of the skeleton's. */
static bool
open_service(struct end *end)
{
	const struct trl_service *service = end->service;
	struct trl_host *host = &end->host;
	void *config = calloc(1, service->config_bytes + 1);
	char address[64];

	snprintf(address, sizeof address, "inproc://%s", end->name);
	*host = (struct trl_host){ .loop = world.loop,
		.bus =
		    trl_bus_open(net, &(struct trl_bus_options){ .service = end->name,
					  .listen = address }),
		.config = config,
		.seal_key = seal_key };
	if (service->config && !trl_config_read(service->config, config))
		return false;
	if (!open_redis(host, service->scripts))
		return false;
	if (service->sql) {
		host->pg =
		    test_db_open(&world.db, world.loop, service->sql, "app", seal_key);
		host->sys =
		    test_db_open(&world.db, world.loop, service->sql, "sys", seal_key);
		trl_bus_tell_record(host->bus, find_record, end);
		trl_bus_tell_pg(host->bus, host->pg);
	}
	return (service->open == NULL || service->open(host, &end->self) == TRL_OK) &&
	       open_jobs(end) &&
	       trl_bus_serve(host->bus, service->contracts, end->self) == TRL_OK;
}

static void
know_peers(struct end *end)
{
	const char *why;
	char address[64];

	for (size_t i = 0; i < n_ends; i++) {
		snprintf(address, sizeof address, "inproc://%s", ends[i].name);
		if (ends[i].service && &ends[i] != end)
			assert_true(
			    trl_bus_peer(end->host.bus, ends[i].name, address, &why));
	}
}

static bool
peers_are_up(void *arg)
{
	const struct end *end = arg;

	for (size_t i = 0; i < n_ends; i++)
		if (ends[i].service && &ends[i] != end &&
		    trl_bus_peers_up(end->host.bus, ends[i].name) == 0)
			return false;
	return true;
}

trl_bus *
world_bus(const char *name)
{
	struct end *end = ends;

	while (end < ends + n_ends && strcmp(end->name, name) != 0)
		end++;
	if (end == ends + n_ends) {
		assert_true(n_ends++ < ENDS_MAX);
		*end = (struct end){ .name = name };
		end->host.bus =
		    trl_bus_open(net, &(struct trl_bus_options){ .service = name });
		know_peers(end);
		assert_true(trl_loop_run_until(world.loop, peers_are_up, end, 10000));
	}
	return end->host.bus;
}

static void
make_schemas(const struct trl_service *const *services, size_t n)
{
	test_db_make(&world.db, services[0]->name);
	for (size_t i = 0; i < n; i++) {
		const struct trl_sql_set *sql = services[i]->sql;

		if (sql && !world.db.schema)
			world.db.schema = sql->service;
		if (sql && trl_migrate(world.db.admin, sql, NULL, NULL) != TRL_OK)
			exit(1);
	}
}

/* Where services keep what is no row. */
static char folder[sizeof "/tmp/trellis-test-XXXXXX"];

static void
make_folder(void)
{
	strcpy(folder, "/tmp/trellis-test-XXXXXX");
	trl_assert(mkdtemp(folder) != NULL);
	setenv("TRELLIS_MEDIA_FOLDER", folder, 1);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

int
world_open_all(const struct trl_service *const *services, size_t n)
{
	char hex[2 * sizeof seal_key + 1];

	trl_assert(sodium_init() >= 0 && n <= WORLD_SERVICES_MAX);
	trl_log_init("test", TRL_LOG_WARN);
	sodium_bin2hex(hex, sizeof hex, seal_key, sizeof seal_key);
	setenv("TRELLIS_SEAL_KEY", hex, 1);
	memset(&world, 0, sizeof world);
	make_folder();
	make_schemas(services, n);
	world.loop = trl_loop_new(NULL);
	net = trl_bus_net_open(world.loop, &(struct trl_bus_net_options){ 0 });
	world.arena = trl_arena_new(64u << 20);
	for (n_ends = 0; n_ends < n; n_ends++) {
		struct end *end = &ends[n_ends];

		*end = (struct end){ services[n_ends]->name, services[n_ends] };
		if (!open_service(end))
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		know_peers(&ends[i]);
	world.host = ends[0].host;
	world.self = ends[0].self;
	world.config = (void *)(uintptr_t)ends[0].host.config;
	(void)world_bus("edge");
	return 0;
}

int
world_open_one(const struct trl_service *service)
{
	return world_open_all(&service, 1);
}

static bool
has_drained(void *jobs)
{
	return trl_jobs_drained(jobs);
}

static bool
is_quiet(void *self)
{
	(void)self;
	return trl_actors_alive(world.loop) == 0;
}

static void
close_end(struct end *end)
{
	struct trl_host *host = &end->host;

	if (!end->service)
		return;
	if (host->jobs) {
		trl_jobs_drain(host->jobs);
		assert_true(trl_loop_run_until(
		    world.loop, has_drained, host->jobs, PATIENCE_MS));
		trl_jobs_close(&host->jobs);
	}
	if (end->service->close)
		end->service->close(&end->self);
}

int
world_close(void **state)
{
	(void)state;
	for (size_t i = n_ends; i > 0; i--)
		close_end(&ends[i - 1]);
	/* Only now: what one service began of itself ends as that is closed. */
	assert_true(
	    n_ends == 0 || trl_loop_run_until(world.loop, is_quiet, NULL, PATIENCE_MS));
	for (; n_ends > 0; n_ends--) {
		struct trl_host *host = &ends[n_ends - 1].host;

		trl_redis_close(&host->redis);
		trl_pg_close(&host->pg);
		trl_pg_close(&host->sys);
	}
	trl_arena_free(&world.arena);
	trl_buf_fini(&world.given);
	test_db_drop(&world.db);
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

int
world_forget(void **state)
{
	(void)state;
	trl_arena_reset(world.arena);
	world.now_us = 0;
	world.address = NULL;
	return 0;
}

trl_thunk *
world_thunk(const struct trl_method *method, struct trl_pg **pg, void **self)
{
	for (size_t i = 0; i < n_ends; i++)
		for (const struct trl_contract *const *c =
			 ends[i].service ? ends[i].service->contracts : NULL;
		     c && *c; c++)
			for (size_t m = 0; m < (*c)->n_methods; m++)
				if ((*c)->methods[m] == method) {
					*pg = ends[i].host.pg;
					*self = ends[i].self;
					return (*c)->thunks[m];
				}
	fail_msg("%s is not served here", method->name);
	return NULL;
}

const char *
world_sql(const char *fmt, ...)
{
	const char *value;
	va_list args;

	va_start(args, fmt);
	value = test_db_vsql(&world.db, world.arena, fmt, args);
	va_end(args);
	return value;
}

void
world_until(bool (*holds)(void *arg), void *arg)
{
	assert_true(trl_loop_run_until(world.loop, holds, arg, UNTIL_MS));
}

static bool
is_true(void *sql)
{
	const struct trl_arena_mark mark = trl_arena_mark(world.arena);
	const bool is = strcmp(world_sql("%s", (const char *)sql), "t") == 0;

	trl_arena_rewind(world.arena, mark);
	return is;
}

void
world_until_sql(const char *fmt, ...)
{
	va_list args;
	char *sql;

	va_start(args, fmt);
	sql = trl_arena_vprintf(world.arena, fmt, args);
	va_end(args);
	if (!trl_loop_run_until(world.loop, is_true, sql, UNTIL_MS))
		fail_msg("never: %s", sql);
}

const char *
world_id_text(struct trl_id id)
{
	char *text = trl_arena_alloc(world.arena, TRL_ID_TEXT);

	trl_id_format(id, text);
	return text;
}

ProtobufCBinaryData
world_bytes(const struct trl_id *id)
{
	return (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t)id->bytes };
}

struct world_person *
world_person_new(const char *name, bool verified)
{
	struct world_person *person = &world.people[world.n_people++];

	assert_true(world.n_people <= WORLD_PEOPLE_MAX);
	person->account = trl_id_new();
	person->verified = verified;
	snprintf(person->email, sizeof person->email, "%s%zu@example.test", name,
	    world.n_people);
	snprintf(person->display_name, sizeof person->display_name, "%s", name);
	return person;
}
