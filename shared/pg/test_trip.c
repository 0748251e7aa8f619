/* test_trip.c - what design says of how a batch travels: one round trip, whatever is in
 * it; and never beside an open transaction of the same actor. */
#include "test_world.h"

#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

#include "pool.h"

/* What went over a write connection, as libpq traces it: how many Syncs were sent,
 * and whether anything was sent after PostgreSQL had begun to answer. */
static void
read_trace(FILE *trace, int *syncs, int *readies, bool *waited)
{
	char line[4096];
	bool answered = false;

	rewind(trace);
	*syncs = *readies = 0;
	*waited = false;
	while (fgets(line, sizeof line, trace)) {
		*syncs += line[0] == 'F' && strstr(line, "\tSync") != NULL;
		*readies += line[0] == 'B' && strstr(line, "\tReadyForQuery") != NULL;
		*waited |= line[0] == 'F' && answered;
		answered |= line[0] == 'B';
	}
}

static void
write_traced(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	FILE *trace = tmpfile();
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer answer = PGTEST__ANSWER__INIT, reply = PGTEST__ANSWER__INIT;
	Pgtest__Thing *first = world_thing(ctx, tenant, "0");
	int syncs, readies;
	bool waited;

	for (size_t i = 0; i < world.pg->n_writes; i++)
		if (world.pg->writes[i].pq) {
			PQtrace(world.pg->writes[i].pq, trace);
			PQsetTraceFlags(
			    world.pg->writes[i].pq, PQTRACE_SUPPRESS_TIMESTAMPS);
		}
	world_key(ctx, "traced", 1);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &first->base);
	for (int i = 1; i < 5; i++)
		trl_batch_add(batch, &pgtest_sql_thing_insert,
		    &world_thing(ctx, tenant, trl_arena_printf(ctx->arena, "%d", i))
			 ->base);
	trl_batch_add(batch, &pgtest_sql_thing_rename, &first->base,
	    TRL_ARG_INT("old_version", 1));
	trl_batch_get(batch, &pgtest_sql_thing_grow, &first->base, &answer.base);
	trl_batch_audit(batch, "pgtest.thing.make", tenant, "thing", NULL);
	CHECK_CODE(trl_batch_write(batch, &reply.base), TRL_OK);
	for (size_t i = 0; i < world.pg->n_writes; i++)
		if (world.pg->writes[i].pq)
			PQuntrace(world.pg->writes[i].pq);
	read_trace(trace, &syncs, &readies, &waited);
	fclose(trace);
	CHECK(ctx->idempotency.recorded && world_count(ctx, tenant) == 5);
	CHECK(syncs == 1 && readies == 1);
	CHECK(!waited);
}

/* Scope, statements, guard, audit and record: all is sent before the first answer. */
static void
a_write_batch_is_one_round_trip(void **state)
{
	(void)state;
	world_run(write_traced);
}

static void
read_beside_tx(trl_ctx *ctx)
{
	trl_tx *tx = NULL;
	int status;
	pid_t pid;

	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)), &tx),
	    TRL_OK);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		(void)!freopen("/dev/null", "w", stderr); /* what it says of itself */
		(void)world_count(ctx, trl_id_nil);       /* may not come back */
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	trl_tx_rollback(&tx);
	CHECK(world_count(ctx, trl_id_nil) == 0); /* afterwards it may */
}

/* PostgreSQL cannot see the deadlock of actors that hold one connection each and wait
 * for another, so the first who tries is a bug and ends the process. */
static void
a_batch_beside_ones_own_transaction_is_a_bug(void **state)
{
	(void)state;
	world_run(read_beside_tx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_batch_is_one_round_trip),
		cmocka_unit_test(a_batch_beside_ones_own_transaction_is_a_bug),
	};

	return cmocka_run_group_tests_name("trip", tests, world_open, world_close);
}
