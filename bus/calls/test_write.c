/* Writes over the bus: each runs once under its key, and who asked for one is told
 * the truth of it, most of all where nobody knows. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "test_rig.h"

static struct rig rig;

struct outcome {
	enum sample_method method;
	uint64_t num;
	const char *key;
	bool from_client;
	const char *caller; /* NULL: the first */
	enum trl_code code;
	bool replayed;
};

static void
call(trl_ctx *ctx, void *arg)
{
	struct outcome *o = arg;
	sample_note *out = NULL;
	ctx->idempotency.key = o->key;
	ctx->idempotency.from_client = o->from_client;
	ctx->caller = o->caller;
	o->code =
	    sample_call(ctx, rig.bus, sample_methods[o->method], "x", o->num, &out);
	o->replayed = ctx->idempotency.replayed;
	MUST((o->code == TRL_OK) == (out != NULL) && o->code == ctx->err.code);
}

TEST(a_write_runs_once_when_its_replica_is_killed)
{
	struct sample *state = rig_shared();
	struct outcome o = { .method = SAMPLE_WRITE, .key = "order-1" };
	char one[64], two[64];
	state->die_in = 1; /* after the write is recorded, before it is answered */
	snprintf(one, sizeof one, "tcp://127.0.0.1:%u", rig_port());
	snprintf(two, sizeof two, "tcp://127.0.0.1:%u", rig_port());
	snprintf(rig_address, sizeof rig_address, "%s,%s", one, two);
	rig_serve(one, state, 0);
	rig_serve(two, state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 2);
	rig_run(&rig, call, &o);
	MUST(o.code == TRL_OK && o.replayed);
	MUST(state->writes == 1 && state->n_keys == 1);
	MUST(strcmp(state->keys[0], "order-1") == 0);
}

/* It is asked again, finds nobody, and that nobody is there says nothing of what the
 * first attempt did. */
TEST(a_lost_write_that_nobody_can_resolve_is_uncertain)
{
	struct sample *state = rig_shared();
	struct outcome o = { .method = SAMPLE_WRITE, .key = "order-2" };
	state->die_in = 1;
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &o);
	MUST(rig_metric("trellis_bus_retries_total") >= 1);
	MUST(state->writes == 1 && o.code == TRL_UNCERTAIN);
	/* Of a write that was never sent it is known. */
	rig_run(&rig, call, &o);
	MUST(state->writes == 1 && o.code == TRL_UNAVAILABLE);
}

TEST(a_lost_reply_to_a_nested_write_is_uncertain)
{
	struct sample *state = rig_shared();
	struct outcome o = {
		.method = SAMPLE_WRITE, .key = "k", .caller = "edge"
	}; /* inside a call: it may not ask again */
	state->die_in = 1;
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &o);
	MUST(o.code == TRL_UNCERTAIN && state->writes == 1);
}

static void
late_write(trl_ctx *ctx, void *arg)
{
	static const struct trl_call_terms terms = { .timeout_ms = 200 };
	ProtobufCMessage *out = NULL;
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	(void)arg;
	MUST(trl_bus_call_with(ctx, rig.bus, sample_methods[SAMPLE_WRITE], &in.base,
		 &terms, &out) == TRL_UNCERTAIN);
	MUST(out == NULL && ctx->err.code == TRL_UNCERTAIN);
}

static bool
has_written(void *self)
{
	return ((struct sample *)self)->writes > 0;
}

TEST(a_write_without_an_answer_in_time_is_uncertain)
{
	struct sample *state = rig_shared();
	pid_t pid = rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	kill(pid, SIGSTOP);
	rig_run(&rig, late_write, NULL);
	MUST(state->writes == 0);
	kill(pid, SIGCONT); /* what it was asked is still in its socket */
	MUST(trl_loop_run_until(rig.loop, has_written, state, 10000));
}

TEST(a_write_without_its_record_is_internal_unless_it_changed_nothing)
{
	struct sample *state = rig_shared();
	struct outcome forgetful = { .method = SAMPLE_FORGETFUL, .key = "forgotten" };
	struct outcome idle = { .method = SAMPLE_IDLE, .key = "nothing to do" };
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &forgetful);
	MUST(forgetful.code == TRL_INTERNAL);
	rig_run(&rig, call, &idle); /* by the same process */
	MUST(idle.code == TRL_OK && !idle.replayed);
}

TEST(a_step_inside_a_write_has_the_parents_key)
{
	struct sample *state = rig_shared(), *inner = rig_shared();
	struct outcome o = { .method = SAMPLE_OUTER, .key = "k1" };
	struct outcome first = { .method = SAMPLE_ECHO };
	const char *why;
	rig_open(&rig, "edge", "inproc://sample", state);
	struct trl_bus_options options = { .service = "inner",
		.listen = "inproc://inner" };
	trl_bus *bus = trl_bus_open(rig.net, &options);
	MUST(trl_bus_serve(bus, inner_contracts, inner) == TRL_OK);
	MUST(trl_bus_peer(rig.here, "inner", "inproc://inner", &why));
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &first);
	MUST(first.code == TRL_OK);
	rig_run(&rig, call, &o);
	MUST(o.code == TRL_OK);
	MUST(inner->n_keys == 2 && strcmp(inner->keys[0], "k1/first") == 0);
	MUST(strcmp(inner->keys[1], "k1/second") == 0);
	MUST(strcmp(state->keys[0], "k1") == 0);
}

TEST(a_refusal_that_an_earlier_run_of_the_key_caused_gives_its_answer)
{
	struct outcome late = {
		.method = SAMPLE_ONCE, .num = 7, .key = "late", .from_client = true
	};
	struct outcome none = {
		.method = SAMPLE_ONCE, .key = "none", .from_client = true
	};
	struct sample *state = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), state);
	trl_bus_tell_record(rig.here, sample_record, state);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &late);
	MUST(late.code == TRL_OK && late.replayed);
	MUST(state->after_writes == 1);
	rig_run(&rig, call, &none);
	MUST(none.code == TRL_NOT_FOUND && !none.replayed);
	MUST(state->after_writes == 1);
}

TEST(a_refusal_under_the_key_of_another_request_is_of_that)
{
	struct outcome o = {
		.method = SAMPLE_IDLE, .key = "another's", .from_client = true
	};
	struct sample *state = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), state);
	trl_bus_tell_record(rig.here, sample_record, state);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &o);
	MUST(o.code == TRL_INVALID && !o.replayed && state->runs == 0);
}

TEST(a_key_that_ran_is_answered_and_its_handler_does_not_run)
{
	struct outcome first = {
		.method = SAMPLE_WRITE, .key = "order", .from_client = true
	};
	struct outcome again = {
		.method = SAMPLE_IDLE, .num = 7, .key = "order", .from_client = true
	};
	struct outcome edges = { .method = SAMPLE_IDLE, .num = 7, .key = "order" };
	struct sample *state = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), state);
	trl_bus_tell_record(rig.here, sample_record, state);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &first);
	MUST(first.code == TRL_OK && !first.replayed && state->looks == 1);
	rig_run(&rig, call, &again);
	MUST(again.code == TRL_OK && again.replayed);
	MUST(state->looks == 2 && state->runs == 1);
	/* Of a key that is no client's there is nothing to find at its first attempt.
	 */
	rig_run(&rig, call, &edges);
	MUST(edges.code == TRL_OK && !edges.replayed);
	MUST(state->looks == 2 && state->runs == 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_runs_once_when_its_replica_is_killed),
		cmocka_unit_test(a_lost_write_that_nobody_can_resolve_is_uncertain),
		cmocka_unit_test(a_lost_reply_to_a_nested_write_is_uncertain),
		cmocka_unit_test(a_write_without_an_answer_in_time_is_uncertain),
		cmocka_unit_test(
		    a_write_without_its_record_is_internal_unless_it_changed_nothing),
		cmocka_unit_test(a_step_inside_a_write_has_the_parents_key),
		cmocka_unit_test(
		    a_refusal_that_an_earlier_run_of_the_key_caused_gives_its_answer),
		cmocka_unit_test(a_refusal_under_the_key_of_another_request_is_of_that),
		cmocka_unit_test(
		    a_key_that_ran_is_answered_and_its_handler_does_not_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
