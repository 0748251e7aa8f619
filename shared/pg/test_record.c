/* test_record.c - idempotency records, and what connections that go away do to
 * reads, writes and transactions. (Over 400 lines: what is lost is found by a record,
 * so both are told with the same few writers.) */
#include "test_world.h"

#include <sys/socket.h>

#include <trl/replay.h>

#include "framework_sql.h"
#include "pool.h"

static struct trl_id tenant;
static const char *key;

static enum trl_code
write_thing(trl_ctx *ctx, const char *name, Pgtest__Answer *reply)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, name)->base);
	return trl_batch_write(batch, &reply->base);
}

static void
write_once(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	reply.text = (char *)"first";
	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "once", &reply), TRL_OK);
	CHECK(ctx->idempotency.recorded && !ctx->idempotency.replayed);
}

static void
write_again(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	bool replayed = false;

	reply.text = (char *)"second";
	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "twice", &reply), TRL_OK);
	CHECK(ctx->idempotency.recorded && ctx->idempotency.replayed);
	CHECK(strcmp(reply.text, "first") == 0);
	CHECK(world_count(ctx, tenant) == 1);
	world_key(ctx, key, 1);
	reply = (Pgtest__Answer)PGTEST__ANSWER__INIT;
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(replayed && strcmp(reply.text, "first") == 0);
	world_key(ctx, "never used", 1);
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(!replayed);
}

static void
a_repeated_key_gets_the_first_answer(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "repeat";
	world_run(write_once);
	world_run(write_again);
}

static void
write_other(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	bool replayed;

	world_key(ctx, key, 2);
	CHECK_CODE(write_thing(ctx, "other", &reply), TRL_INVALID);
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_INVALID);
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_key_used_for_another_request_is_invalid(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "other";
	world_run(write_once);
	world_run(write_other);
}

static void
read_foreign(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	bool replayed = true;

	world_key(ctx, key, 1);
	memset(ctx->idempotency.scope, 8, 16);
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(!replayed);
	CHECK_CODE(write_thing(ctx, "another's", &reply), TRL_OK);
	CHECK(!ctx->idempotency.replayed && world_count(ctx, tenant) == 2);
}

static void
a_key_belongs_to_its_scope(void **state)
{
	PGconn *pq;
	PGresult *res;

	(void)state;
	tenant = trl_id_new();
	key = "scoped";
	world_run(write_once);
	world_run(read_foreign);
	pq = PQconnectdb(world.url); /* the service's role without a scope sees none */
	res = PQexec(pq, "select count(*) from pgtest.idempotency");
	assert_string_equal(PQgetvalue(res, 0, 0), "0");
	PQclear(res);
	res = PQexec(pq, "delete from pgtest.idempotency");
	assert_string_equal(PQcmdTuples(res), "0");
	PQclear(res);
	res = PQexec(pq,
	    "set trellis.idem_scope = '09090909-0909-0909-0909-090909090909';"
	    "delete from pgtest.idempotency"); /* only what is over */
	assert_string_equal(PQcmdTuples(res), "0");
	PQclear(res);
	res = PQexec(pq, "update pgtest.idempotency set expires_at = now()");
	assert_int_equal(PQresultStatus(res), PGRES_FATAL_ERROR);
	PQclear(res);
	PQfinish(pq);
}

static void
write_failing(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "fails at commit", &reply), TRL_CONFLICT);
	CHECK(!ctx->idempotency.recorded);
	CHECK_CODE(write_thing(ctx, "now it works", &reply), TRL_OK);
}

static void
a_failed_write_leaves_its_key_free(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "failed";
	world_run(write_failing);
}

static void
write_slowly(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	reply.text = (char *)"slow";
	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "sleeps at commit", &reply), TRL_OK);
}

static void
write_meanwhile(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	enum trl_code rc;

	CHECK(world_until(ctx, world_sleeps));
	world_key(ctx, key, 1);
	rc = write_thing(ctx, "meanwhile", &reply);
	CHECK(rc == TRL_CONFLICT && ctx->err.retry_after_ms > 0);
	trl_err_clear(ctx);
	ctx->idempotency.is_retry = true; /* the edge's own retry waits for it */
	CHECK_CODE(write_thing(ctx, "meanwhile", &reply), TRL_OK);
	CHECK(ctx->idempotency.replayed && strcmp(reply.text, "slow") == 0);
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_running_key_is_a_conflict_and_a_retry_waits_for_it(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "running";
	world_run_two(write_slowly, write_meanwhile);
}

static void
write_secret(trl_ctx *ctx)
{
	static const struct trl_message out = { .has_secret = true };
	static const struct trl_method method = { .name = "pgtest.Secret",
		.out = &out };
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	bool replayed;

	ctx->method = &method;
	reply.text = (char *)"trs_very_secret";
	world_key(ctx, "secret", 1);
	CHECK_CODE(write_thing(ctx, "secret", &reply), TRL_OK);
	reply.text = NULL;
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(replayed && strcmp(reply.text, "trs_very_secret") == 0);
	ctx->method = NULL;
}

static void
a_reply_with_a_secret_is_sealed(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run(write_secret);
	assert_string_equal(
	    "t", test_db_sql(&world.db,
		     "select sealed from pgtest.idempotency where key = 'secret'"));
	assert_string_equal(
	    "0", test_db_sql(&world.db, "select count(*) from pgtest.idempotency where "
					"position('very_secret' in "
					"encode(reply, 'escape')) > 0"));
}

static void
commit_keyed_tx(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	trl_tx *tx = NULL;

	for (int i = 0; i < 2; i++) {
		reply.text = i ? (char *)"again" : (char *)"tx";
		world_key(ctx, key, 1);
		CHECK_CODE(
		    trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
		CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_insert,
			       &world_thing(ctx, tenant, i ? "b" : "a")->base, NULL),
		    TRL_OK);
		CHECK_CODE(trl_tx_commit(&tx, &reply.base), TRL_OK);
		CHECK(
		    ctx->idempotency.recorded && ctx->idempotency.replayed == (i == 1));
		CHECK(strcmp(reply.text, "tx") == 0);
	}
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_transaction_has_its_record_too(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "tx";
	world_run(commit_keyed_tx);
}

static void
expired_records_go_by_maintain(void **state)
{
	(void)state;
	test_db_sql(&world.db, "update pgtest.idempotency set expires_at = now() - "
			       "interval '1 s' where key = 'tx'");
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal(
	    "0", test_db_sql(&world.db,
		     "select count(*) from pgtest.idempotency where key = 'tx'"));
	assert_string_not_equal(
	    "0", test_db_sql(&world.db, "select count(*) from pgtest.idempotency"));
}

static void
write_over(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	bool replayed = true;

	world_key(ctx, key, 2);
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(!replayed);
	reply.text = (char *)"anew";
	CHECK_CODE(write_thing(ctx, "anew", &reply), TRL_OK);
	CHECK(ctx->idempotency.recorded && !ctx->idempotency.replayed);
	CHECK(world_count(ctx, tenant) == 2);
	world_key(ctx, key, 2);
	reply = (Pgtest__Answer)PGTEST__ANSWER__INIT;
	CHECK_CODE(trl_replay(ctx, world.pg, &reply.base, &replayed), TRL_OK);
	CHECK(replayed && strcmp(reply.text, "anew") == 0);
}

static void
an_expired_record_gives_way_before_maintain_comes(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "over";
	world_run(write_once);
	test_db_sql(&world.db, "update pgtest.idempotency set expires_at = now() - "
			       "interval '1 s' where key = 'over'");
	world_run(write_over);
}

static void
a_requests_hash_cannot_be_guessed_from_the_record(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "hashed";
	world_run(write_once);
	assert_string_equal(
	    "1", test_db_sql(&world.db,
		     "select count(*) from pgtest.idempotency where key = "
		     "'hashed' and octet_length(request) = 32"));
	assert_string_equal(
	    "0", test_db_sql(&world.db,
		     "select count(*) from pgtest.idempotency where request "
		     "= decode(repeat('01', 32), 'hex')"));
}

static void
read_now(trl_ctx *ctx)
{
	CHECK(world_count(ctx, trl_id_nil) == 0);
}

static void
sleep_query(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	enum trl_code rc;

	trl_batch_get(
	    batch, &pgtest_sql_sleep, NULL, &answer.base, TRL_ARG_INT("ms", 1200));
	rc = trl_batch_read(batch);
	CHECK(rc == TRL_DEADLINE);
	CHECK(answer.text == NULL);
}

static void
a_late_read_is_left_behind_and_the_pipelines_go_on(void **state)
{
	(void)state;
	world_run_for(sleep_query, 700); /* left while PostgreSQL still works */
	world_run_for(sleep_query, 300); /* PostgreSQL gives up by itself */
	for (int i = 0; i < 4; i++)
		world_run(read_now);
}

static void
write_late(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert,
	    &world_thing(ctx, tenant, "sleeps at commit")->base);
	CHECK(trl_batch_write(batch, NULL) == TRL_UNCERTAIN);
}

static bool
is_there(void)
{
	char id[TRL_ID_TEXT];

	trl_id_format(tenant, id);
	return strcmp(
		   test_db_sql(&world.db,
		       "select count(*) = 1 from pgtest.thing where tenant_id = '%s'",
		       id),
		   "t") == 0;
}

static void
finds_it_written(trl_ctx *ctx)
{
	CHECK(world_until(ctx, is_there));
}

static void
a_write_that_was_sent_and_not_answered_is_uncertain(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_for(write_late, 200);
	world_run(finds_it_written); /* nobody may call it failed */
}

/* And waits until they are gone, or the next look would find them asleep. */
static void
kill_backends(trl_ctx *ctx)
{
	CHECK(world_until(ctx, world_sleeps));
	test_db_sql(&world.db,
	    "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
	    " where usename = 'pgtest_app' and datname = current_database()"
	    " and state = 'active'");
}

static void
kill_each_attempt(trl_ctx *ctx)
{
	for (int i = 0; i <= PG_REPEATS && !ctx->err.code; i++)
		kill_backends(ctx);
}

static enum trl_code
read_dawdling(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;

	trl_batch_get(
	    batch, &pgtest_sql_sleep, NULL, &answer.base, TRL_ARG_INT("ms", 1000));
	return trl_batch_read(batch);
}

static void
read_killed(trl_ctx *ctx)
{
	CHECK_CODE(read_dawdling(ctx), TRL_OK);
}

static void
a_read_whose_connection_is_killed_goes_over_another(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(read_killed, kill_backends);
}

static void
read_killed_always(trl_ctx *ctx)
{
	CHECK_CODE(read_dawdling(ctx), TRL_UNAVAILABLE);
	CHECK(world_count(ctx, tenant) == 0);
}

static void
a_read_that_is_killed_each_time_is_unavailable(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(read_killed_always, kill_each_attempt);
}

static enum trl_code
write_dawdling(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_sleep_write,
	    &world_thing(ctx, tenant, "killed")->base, TRL_ARG_INT("ms", 1000));
	return trl_batch_write(batch, NULL);
}

static void
write_killed(trl_ctx *ctx)
{
	CHECK_CODE(write_dawdling(ctx), TRL_OK);
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_write_killed_in_its_statement_is_sent_again_and_happens_once(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(write_killed, kill_backends);
}

static void
write_killed_always(trl_ctx *ctx)
{
	CHECK_CODE(write_dawdling(ctx), TRL_UNAVAILABLE);
	CHECK(world_count(ctx, tenant) == 0);
}

static void
a_write_that_is_killed_each_time_did_not_happen(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(write_killed_always, kill_each_attempt);
}

static void
commit_killed(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "sleeps at commit", &reply), TRL_OK);
	CHECK(ctx->idempotency.recorded && !ctx->idempotency.replayed);
	CHECK(world_count(ctx, tenant) == 1);
}

/* Its record is not there, and nobody holds the key's lock: it may run again. */
static void
a_write_killed_in_its_commit_runs_again_under_its_key(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "killed in commit";
	world_run_two(commit_killed, kill_backends);
}

static void
commit_killed_unkeyed(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert,
	    &world_thing(ctx, tenant, "sleeps at commit")->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_UNCERTAIN);
}

static void
a_write_killed_in_its_commit_is_uncertain_without_a_key(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(commit_killed_unkeyed, kill_backends);
}

static void
cut_sockets(trl_ctx *ctx)
{
	CHECK(world_until(ctx, world_sleeps));
	for (size_t i = 0; i < world.pg->n_writes; i++)
		if (world.pg->writes[i].first)
			shutdown(PQsocket(world.pg->writes[i].pq), SHUT_RD);
}

static void
commit_cut(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	reply.text = (char *)"cut";
	world_key(ctx, key, 1);
	CHECK_CODE(write_thing(ctx, "sleeps at commit", &reply), TRL_OK);
	CHECK(ctx->idempotency.recorded && !ctx->idempotency.replayed);
	CHECK(strcmp(reply.text, "cut") == 0 && world_count(ctx, tenant) == 1);
}

static void
a_write_whose_answer_was_lost_is_found_by_its_record(void **state)
{
	(void)state;
	tenant = trl_id_new();
	key = "cut";
	world_run_two(commit_cut, cut_sockets);
}

static void
commit_cut_unkeyed(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert,
	    &world_thing(ctx, tenant, "sleeps at commit")->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_UNCERTAIN);
	/* It did happen: nobody may call it failed. */
	CHECK(world_until(ctx, is_there));
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_write_without_a_key_whose_answer_was_lost_stays_uncertain(void **state)
{
	(void)state;
	tenant = trl_id_new();
	world_run_two(commit_cut_unkeyed, cut_sockets);
}

static bool
is_down(void *pg)
{
	return !trl_pg_ready(pg) && ((trl_pg *)pg)->failures > 0;
}

static bool
is_up(void *pg)
{
	return trl_pg_ready(pg);
}

static void
use_down(trl_ctx *ctx)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	uint64_t before = trl_mono_us();
	trl_tx *tx = NULL;

	CHECK(world_count(ctx, tenant) == -1 && ctx->err.code == TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, "down")->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_UNAVAILABLE);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx),
	    TRL_UNAVAILABLE);
	CHECK(trl_mono_us() - before < 3000000);
}

static void
use_up(trl_ctx *ctx)
{
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;

	CHECK_CODE(write_thing(ctx, "up", &reply), TRL_OK);
	CHECK(world_count(ctx, tenant) == 1);
}

static void
after_the_server_went_and_came_back_it_connects_again(void **state)
{
	(void)state;
	tenant = trl_id_new();
	test_db_sql(
	    &world.db, "revoke connect on database %s from public", world.db.name);
	test_db_sql(&world.db,
	    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
	    " where usename = 'pgtest_app' and datname = current_database()");
	assert_true(trl_loop_run_until(world.loop, is_down, world.pg, 10000));
	world_run(use_down);
	test_db_sql(&world.db, "grant connect on database %s to public", world.db.name);
	assert_true(trl_loop_run_until(world.loop, is_up, world.pg, 10000));
	world_run(use_up);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_key_gets_the_first_answer),
		cmocka_unit_test(a_key_used_for_another_request_is_invalid),
		cmocka_unit_test(a_key_belongs_to_its_scope),
		cmocka_unit_test(a_failed_write_leaves_its_key_free),
		cmocka_unit_test(a_running_key_is_a_conflict_and_a_retry_waits_for_it),
		cmocka_unit_test(a_reply_with_a_secret_is_sealed),
		cmocka_unit_test(a_transaction_has_its_record_too),
		cmocka_unit_test(expired_records_go_by_maintain),
		cmocka_unit_test(an_expired_record_gives_way_before_maintain_comes),
		cmocka_unit_test(a_requests_hash_cannot_be_guessed_from_the_record),
		cmocka_unit_test(a_late_read_is_left_behind_and_the_pipelines_go_on),
		cmocka_unit_test(a_write_that_was_sent_and_not_answered_is_uncertain),
		cmocka_unit_test(a_read_whose_connection_is_killed_goes_over_another),
		cmocka_unit_test(a_read_that_is_killed_each_time_is_unavailable),
		cmocka_unit_test(
		    a_write_killed_in_its_statement_is_sent_again_and_happens_once),
		cmocka_unit_test(a_write_that_is_killed_each_time_did_not_happen),
		cmocka_unit_test(a_write_killed_in_its_commit_runs_again_under_its_key),
		cmocka_unit_test(
		    a_write_killed_in_its_commit_is_uncertain_without_a_key),
		cmocka_unit_test(a_write_whose_answer_was_lost_is_found_by_its_record),
		cmocka_unit_test(
		    a_write_without_a_key_whose_answer_was_lost_stays_uncertain),
		cmocka_unit_test(after_the_server_went_and_came_back_it_connects_again),
	};

	return cmocka_run_group_tests_name("record", tests, world_open, world_close);
}
