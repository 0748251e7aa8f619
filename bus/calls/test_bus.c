/* Calls between real processes: every transport, and every bad end. (Over 400 lines:
 * a score of short stories on one rig.)
 * What becomes of writes is test_write.c's. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "peer.h"
#include "test_rig.h"

static struct rig rig;

/* The outcome of one call, for actors that are many. */
struct outcome {
	enum sample_method method;
	uint64_t num;
	const char *key;
	enum trl_code code;
	bool replayed;
	uint64_t took_us;
};

static void
call(trl_ctx *ctx, void *arg)
{
	struct outcome *o = arg;
	sample_note *out = NULL;
	uint64_t since = trl_mono_us();
	ctx->idempotency.key = o->key;
	o->code =
	    sample_call(ctx, rig.bus, sample_methods[o->method], "text", o->num, &out);
	o->took_us = trl_mono_us() - since;
	o->replayed = ctx->idempotency.replayed;
	MUST((o->code == TRL_OK) == (out != NULL));
	if (out != NULL && o->method != SAMPLE_BIG)
		MUST(strcmp(out->service, "text") == 0 && out->up_ms == o->num);
}

static enum trl_code
call_once(enum sample_method method, uint64_t num)
{
	struct outcome o = { .method = method, .num = num };
	rig_run(&rig, call, &o);
	return o.code;
}

static void
as_somebody(trl_ctx *ctx, void *arg)
{
	static const uint32_t permissions[] = { 5, 7, 9 };
	sample_note *out;
	(void)arg;
	ctx->principal.kind = TRL_PERSON;
	memset(&ctx->principal.account, 4, sizeof ctx->principal.account);
	memset(&ctx->tenant, 6, sizeof ctx->tenant);
	ctx->principal.address = "192.0.2.7";
	ctx->principal.user_agent = "test";
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_TENANT], "x", 1, &out) ==
	     TRL_DENIED);
	trl_err_clear(ctx);
	ctx->principal.permissions = permissions;
	ctx->principal.n_permissions = 3;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_TENANT], "x", 1, &out) ==
	     TRL_OK);
	ctx->principal.kind = TRL_NOBODY;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_TENANT], "x", 1, &out) ==
	     TRL_UNAUTHENTICATED);
}

static void
all_kinds_of_answers(struct sample *state)
{
	for (unsigned i = 0; i < 50; i++)
		MUST(call_once(SAMPLE_ECHO, i) == TRL_OK);
	rig_run(&rig, as_somebody, NULL);
	MUST(strcmp(state->address, "192.0.2.7") == 0 && state->n_permissions == 3);
	MUST(call_once(SAMPLE_BIG, 400000) == TRL_OK);
	MUST(call_once(SAMPLE_BIG, 550000) == TRL_INTERNAL);
	MUST(call_once(SAMPLE_LOOSE, 0) == TRL_INTERNAL);
	MUST(call_once(SAMPLE_LISTED, 0) == TRL_NOT_FOUND);
	MUST(call_once(SAMPLE_ECHO, 0) == TRL_OK);
	MUST(trl_bus_waiting(rig.bus) == 0);
}

TEST(answers_over_inproc)
{
	struct sample *state = rig_shared();
	rig_open(&rig, "edge", "inproc://sample", state);
	rig_await_peers(&rig, 1);
	all_kinds_of_answers(state);
}

TEST(answers_over_tcp)
{
	struct sample *state = rig_shared();
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	all_kinds_of_answers(state);
}

TEST(answers_over_tls)
{
	struct sample *state = rig_shared();
	snprintf(rig_address, sizeof rig_address, "tls+tcp://127.0.0.1:%u", rig_port());
	rig_serve(rig_address, state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	all_kinds_of_answers(state);
}

static void
listed_condition(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_LISTED], "x", 1, &out) ==
	     TRL_NOT_FOUND);
	MUST(strcmp(ctx->err.message, "There is no such note.") == 0);
	MUST(strcmp(ctx->err.field, "service") == 0 && ctx->err.n_violations == 1);
	MUST(strcmp(ctx->err.violations[0].pointer, "/service") == 0);
}

TEST(an_error_travels_with_field_and_violations)
{
	rig_open(&rig, "edge", "inproc://sample", rig_shared());
	rig_await_peers(&rig, 1);
	rig_run(&rig, listed_condition, NULL);
}

TEST(a_name_is_resolved_to_a_peer)
{
	struct sample *state = rig_shared();
	unsigned port = rig_port();
	snprintf(rig_address, sizeof rig_address, "tcp://127.0.0.1:%u", port);
	rig_serve(rig_address, state, 0);
	snprintf(rig_address, sizeof rig_address, "dns+tcp://127.0.0.1:%u", port);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	MUST(call_once(SAMPLE_ECHO, 3) == TRL_OK);
}

/* Who may call what. */

TEST(the_contract_alone_says_who_calls)
{
	static const struct {
		const char *caller;
		enum sample_method method;
		enum trl_code code;
	} cases[] = {
		{ "edge", SAMPLE_ECHO, TRL_OK },
		{ "edge", SAMPLE_MESH, TRL_DENIED },
		{ "edge", SAMPLE_OPERATOR, TRL_DENIED },
		{ "tenants", SAMPLE_ECHO, TRL_DENIED },
		{ "tenants", SAMPLE_MESH, TRL_OK },
		/* The operator's command without its principal; with it: test_permit */
		{ "ctl", SAMPLE_ECHO, TRL_DENIED },
		{ "ctl", SAMPLE_OPERATOR, TRL_DENIED },
	};
	const char *caller = NULL;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		if (caller == NULL || strcmp(caller, cases[i].caller) != 0) {
			caller = cases[i].caller;
			char inproc[40];
			snprintf(inproc, sizeof inproc, "inproc://sample-%s", caller);
			rig_open(&rig, caller, inproc, rig_shared());
			rig_await_peers(&rig, 1);
		}
		enum trl_code got = call_once(cases[i].method, 1);
		if (got != cases[i].code)
			fprintf(stderr, "%s, method %d: %s\n", caller, cases[i].method,
			    trl_code_name(got));
		MUST(got == cases[i].code);
	}
	MUST(rig_metric("trellis_bus_refused_total{reason=\"not_allowed\"}") == 3);
}

static void
two_replicas(struct sample *a, struct sample *b, pid_t pids[2])
{
	char one[64], two[64];
	snprintf(one, sizeof one, "tcp://127.0.0.1:%u", rig_port());
	snprintf(two, sizeof two, "tcp://127.0.0.1:%u", rig_port());
	snprintf(rig_address, sizeof rig_address, "%s,%s", one, two);
	pids[0] = rig_serve(one, a, 0);
	pids[1] = rig_serve(two, b, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 2);
}

TEST(a_read_succeeds_elsewhere_when_a_replica_is_killed)
{
	struct sample *state = rig_shared();
	struct outcome o[20];
	pid_t pids[2];
	state->die_in = 10; /* the tenth call kills the process that has it */
	two_replicas(state, state, pids);
	for (size_t i = 0; i < TRL_COUNT(o); i++) {
		o[i] = (struct outcome){ .method = SAMPLE_SLOW, .num = 50 };
		rig_start(&rig, call, &o[i]);
	}
	rig_wait(&rig, 10000);
	for (size_t i = 0; i < TRL_COUNT(o); i++)
		MUST(o[i].code == TRL_OK || o[i].code == TRL_UNAVAILABLE);
	unsigned fine = 0;
	for (size_t i = 0; i < TRL_COUNT(o); i++)
		fine += o[i].code == TRL_OK;
	MUST(state->started > 20 && fine >= 18); /* what the budget of retries allows */
	MUST(trl_bus_peers_up(rig.bus, "sample") == 1);
}

static bool
shows_one_down(void *self)
{
	static const char of[] =
	    "trellis_bus_peers{caller=\"edge\",service=\"sample\",";
	char up[96], down[96];
	(void)self;
	snprintf(up, sizeof up, "%sstate=\"up\"}", of);
	snprintf(down, sizeof down, "%sstate=\"down\"}", of);
	return rig_metric(up) == 1 && rig_metric(down) == 1;
}

TEST(a_peer_that_hangs_is_ejected_and_the_others_serve)
{
	struct sample *a = rig_shared(), *b = rig_shared();
	struct outcome stuck = { .method = SAMPLE_SLOW, .num = 10 }, o;
	pid_t pids[2];
	two_replicas(a, b, pids);
	MUST(call_once(SAMPLE_ECHO, 1) == TRL_OK);
	kill(pids[0], SIGSTOP);
	uint64_t since = trl_mono_us(), slowest = 0;
	/* Drawn at random, so some of these meet the hanging one and go elsewhere. */
	rig_start(&rig, call, &stuck);
	for (unsigned i = 0; i < 60 && trl_mono_us() - since < 4000000; i++) {
		o = (struct outcome){ .method = SAMPLE_ECHO, .num = i };
		rig_start(&rig, call, &o);
		rig_wait(&rig, 10000);
		MUST(o.code == TRL_OK);
		if (o.took_us > slowest)
			slowest = o.took_us;
	}
	MUST(stuck.code == TRL_OK && slowest < 6000000);
	MUST(trl_bus_peers_up(rig.bus, "sample") == 1);
	MUST(rig_metric("trellis_bus_ejections_total") >= 1);
	trl_loop_run_until(rig.loop, shows_one_down, NULL, 2000);
	MUST(shows_one_down(NULL));
	kill(pids[0], SIGCONT);
	rig_await_peers(&rig, 2); /* probed back */
	MUST(call_once(SAMPLE_ECHO, 1) == TRL_OK);
}

static void
impatient(trl_ctx *ctx, void *arg)
{
	static const struct trl_call_terms terms = { .timeout_ms = 300 };
	ProtobufCMessage *out = NULL;
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	in.has_up_ms = true;
	in.up_ms = *(uint64_t *)arg;
	MUST(trl_bus_call_with(ctx, rig.bus, sample_methods[SAMPLE_BLOCK], &in.base,
		 &terms, &out) == TRL_DEADLINE);
	MUST(out == NULL && ctx->err.code == TRL_DEADLINE);
}

TEST(a_late_answer_is_dropped)
{
	struct sample *state = rig_shared();
	uint64_t blocks_ms = 1000;
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, impatient, &blocks_ms);
	MUST(trl_bus_waiting(rig.bus) == 0);
	/* The late reply comes before these answers, to calls that took its slot. */
	for (unsigned i = 0; i < 20; i++)
		MUST(call_once(SAMPLE_ECHO, 1000 + i) == TRL_OK);
	MUST(state->runs == 21);
}

static void
cancelled(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	*(trl_actor **)arg = ctx->actor;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_SLOW], "x", 2000, &out) ==
	     TRL_DEADLINE);
}

static bool
has_started(void *self)
{
	return ((struct sample *)self)->started > 0;
}

static bool
none_runs(void *self)
{
	(void)self;
	return trl_bus_running(rig.here) == 0;
}

/* The loop stands still until the answer is there and its caller's time is up. */
static void
hold_up(trl_ctx *ctx, void *arg)
{
	struct bus_peer *peer = bus_target_find(rig.bus, "sample")->peers;
	uint64_t until = trl_mono_us() + 100000;
	struct pollfd fd = { .events = POLLIN };
	(void)ctx, (void)arg;
	MUST(nng_socket_get_int(peer->link.socket, NNG_OPT_RECVFD, &fd.fd) == 0);
	bus_links_flush(peer->link.links);
	MUST(poll(&fd, 1, 5000) == 1);
	while (trl_mono_us() < until)
		;
}

static void
ask_shortly(trl_ctx *ctx, void *arg)
{
	sample_note *out = NULL;
	(void)arg;
	trl_set_deadline(ctx, trl_mono_us() + 50000);
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_LISTED], "x", 0, &out) ==
	     TRL_NOT_FOUND);
	MUST(ctx->err.code == TRL_NOT_FOUND && strcmp(ctx->err.field, "service") == 0);
}

TEST(a_refusal_in_the_turn_of_the_deadline_keeps_its_error)
{
	rig_serve(rig_tcp(), rig_shared(), 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	rig_start(&rig, ask_shortly, NULL);
	rig_start(&rig, hold_up, NULL);
	rig_wait(&rig, 20000);
}

TEST(a_caller_that_goes_cancels_what_it_asked)
{
	struct sample *state = rig_shared();
	trl_actor *actor = NULL;
	rig_open(&rig, "edge", "inproc://sample", state);
	rig_await_peers(&rig, 1);
	rig_start(&rig, cancelled, &actor);
	MUST(trl_loop_run_until(rig.loop, has_started, state, 10000));
	trl_cancel(actor);
	rig_wait(&rig, 10000);
	MUST(trl_loop_run_until(rig.loop, none_runs, NULL, 10000));
	MUST(state->runs == 0);
}

static void
burst(unsigned n)
{
	struct outcome *o = calloc(n, sizeof *o);
	MUST(o != NULL);
	for (unsigned i = 0; i < n; i++) {
		o[i] = (struct outcome){ .method = SAMPLE_ECHO, .num = i };
		rig_start(&rig, call, &o[i]);
	}
	rig_wait(&rig, 30000);
	for (unsigned i = 0; i < n; i++) {
		if (o[i].code != TRL_OK)
			fprintf(stderr, "call %u: %s\n", i, trl_code_name(o[i].code));
		MUST(o[i].code == TRL_OK);
	}
	free(o);
}

static void
ten_calls(trl_ctx *ctx, void *arg)
{
	for (unsigned i = 0; i < 10; i++) {
		struct outcome o = { .method = SAMPLE_BIG, .num = 1000 };
		call(ctx, &o);
		*(unsigned *)arg += o.code == TRL_OK;
	}
}

/* Without the window a raw REP socket drops most of these in silence. */
TEST(no_call_of_a_burst_is_lost)
{
	unsigned answered = 0;
	rig_serve(rig_tcp(), rig_shared(), 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	for (unsigned i = 0; i < 2000; i++)
		rig_start(&rig, ten_calls, &answered);
	rig_wait(&rig, 30000);
	MUST(answered == 20000);
}

static bool
never(void *self)
{
	(void)self;
	return false;
}

static void
one_each_turn(trl_ctx *ctx, void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++) {
		struct outcome *o = calloc(1, sizeof *o);
		o->method = SAMPLE_ECHO;
		rig_start(&rig, call, o);
		MUST(trl_sleep(ctx, 1) == TRL_OK); /* another turn, another message */
	}
}

TEST(a_closed_window_opens_again)
{
	unsigned n = 200;
	uint64_t since = trl_mono_us();
	struct outcome block = { .method = SAMPLE_BLOCK, .num = 800 };
	rig_serve(rig_tcp(), rig_shared(), 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	double before = rig_metric("trellis_bus_messages_sent_total");
	rig_start(&rig, call, &block);
	rig_start(&rig, one_each_turn, &n);
	while (trl_mono_us() - since < 600000)
		trl_loop_run_until(rig.loop, never, NULL, 1);
	double during = rig_metric("trellis_bus_messages_sent_total") - before;
	MUST(during <= 34); /* the window's 32, and what is outside it */
	rig_wait(&rig, 10000);
	MUST(block.code == TRL_OK && trl_bus_waiting(rig.bus) == 0);
}

static void
count_notice(void *self, struct trl_id tenant, struct trl_id subject)
{
	MUST(trl_id_eq(tenant, subject));
	++*(unsigned *)self;
}

TEST(ten_thousand_calls_need_no_notice)
{
	unsigned notices = 0;
	struct trl_id id = trl_id_new();
	rig_open(&rig, "edge", "inproc://sample", rig_shared());
	trl_bus_watch(rig.bus, "sample.note", count_notice, &notices);
	rig_await_peers(&rig, 1);
	trl_bus_notify(rig.here, "sample.note", id, id);
	trl_bus_notify(rig.here, "sample.other", id, id);
	MUST(call_once(SAMPLE_ECHO, 0) == TRL_OK);
	MUST(notices == 1);
	trl_bus_drop_notices(rig.net, true);
	for (unsigned i = 0; i < 10; i++) {
		trl_bus_notify(rig.here, "sample.note", id, id);
		burst(1000);
	}
	MUST(notices == 1);
}

static bool
has_heard(void *self)
{
	return *(unsigned *)self >= 3;
}

/* Serves at the same address once it may: forked before the bus opens. */
static void
serve_later(struct sample *state)
{
	if (fork() > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!state->go)
		usleep(1000);
	rig_serve(rig_address, state, 0);
	for (;;)
		pause();
}

/* The address of the notices is learnt from HELLO, of each process anew. */
TEST(notices_of_another_process_are_heard_and_again_after_its_restart)
{
	unsigned beats = 0, others = 0;
	struct sample *state = rig_shared();
	pid_t pid = rig_serve(rig_tcp(), state, 0);
	serve_later(state);
	rig_open(&rig, "edge", rig_address, NULL);
	trl_bus_watch(rig.bus, "sample.beat", count_notice, &beats);
	trl_bus_watch(rig.bus, "sample", count_notice, &others);
	MUST(trl_loop_run_until(rig.loop, has_heard, &beats, 60000));
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0) == pid);
	while (trl_bus_reachable(rig.bus, "sample")) /* it has not been missed yet */
		trl_loop_run_until(rig.loop, never, NULL, 1);
	beats = 0;
	state->go = true;
	MUST(trl_loop_run_until(rig.loop, has_heard, &beats, 60000));
	MUST(others == 0);
}

TEST(a_full_service_says_busy_at_once)
{
	struct outcome o[40];
	unsigned busy = 0;
	rig_serve(rig_tcp(), rig_shared(), 16);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	for (size_t i = 0; i < TRL_COUNT(o); i++) {
		o[i] = (struct outcome){ .method = SAMPLE_SLOW, .num = 1500 };
		rig_start(&rig, call, &o[i]);
	}
	rig_wait(&rig, 10000);
	for (size_t i = 0; i < TRL_COUNT(o); i++) {
		MUST(o[i].code == TRL_OK || o[i].code == TRL_BUSY);
		busy += o[i].code == TRL_BUSY;
		MUST(o[i].code == TRL_OK || o[i].took_us < 1200000);
	}
	MUST(busy >= 20);
}

TEST(retries_stay_within_their_budget)
{
	struct sample *state = rig_shared();
	struct outcome o[300];
	rig_serve(rig_tcp(), state, 0);
	rig_open(&rig, "edge", rig_address, NULL);
	rig_await_peers(&rig, 1);
	for (size_t i = 0; i < TRL_COUNT(o); i++) {
		o[i] = (struct outcome){ .method = SAMPLE_BUSY };
		rig_start(&rig, call, &o[i]);
	}
	rig_wait(&rig, 10000);
	for (size_t i = 0; i < TRL_COUNT(o); i++)
		MUST(o[i].code == TRL_BUSY);
	MUST(state->runs > 300 && state->runs <= 300 + 30 + 10);
}

static bool stop_calling;

static void
keep_calling(trl_ctx *ctx, void *arg)
{
	unsigned *done = arg;
	while (!stop_calling) {
		sample_note *out;
		if (sample_call(ctx, rig.bus, sample_methods[SAMPLE_SLOW], "x", 3,
			&out) != TRL_OK) {
			fprintf(stderr, "%s: %s\n", trl_code_name(ctx->err.code),
			    ctx->err.message);
			_exit(1);
		}
		++*done;
		trl_arena_reset(ctx->arena);
	}
}

TEST(draining_under_load_loses_no_call)
{
	struct sample *state = rig_shared();
	unsigned done = 0, retries_before;
	pid_t pids[2];
	two_replicas(state, state, pids);
	for (unsigned i = 0; i < 50; i++)
		rig_start(&rig, keep_calling, &done);
	trl_loop_run_until(rig.loop, never, NULL, 200);
	retries_before = (unsigned)rig_metric("trellis_bus_retries_total");
	kill(pids[0], SIGTERM);
	MUST(trl_loop_run_until(rig.loop, rig_has_ended, &pids[0], 10000));
	unsigned then = done;
	stop_calling = true;
	rig_wait(&rig, 5000);
	MUST(then > 0 &&
	     (unsigned)rig_metric("trellis_bus_retries_total") == retries_before);
	MUST(call_once(SAMPLE_ECHO, 0) == TRL_OK);
}

TEST(closing_both_ends_leaves_nothing_behind)
{
	rig_open(&rig, "edge", "inproc://sample", rig_shared());
	rig_await_peers(&rig, 1);
	MUST(call_once(SAMPLE_ECHO, 0) == TRL_OK);
	trl_bus_close(&rig.bus);
	trl_bus_close(&rig.here);
	trl_bus_net_close(&rig.net);
	bool no = false;
	trl_loop_run_until(
	    rig.loop, has_started, &(struct sample){ .started = no }, 100);
	trl_loop_free(&rig.loop);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_over_inproc),
		cmocka_unit_test(answers_over_tcp),
		cmocka_unit_test(answers_over_tls),
		cmocka_unit_test(an_error_travels_with_field_and_violations),
		cmocka_unit_test(a_name_is_resolved_to_a_peer),
		cmocka_unit_test(the_contract_alone_says_who_calls),
		cmocka_unit_test(a_read_succeeds_elsewhere_when_a_replica_is_killed),
		cmocka_unit_test(a_peer_that_hangs_is_ejected_and_the_others_serve),
		cmocka_unit_test(a_late_answer_is_dropped),
		cmocka_unit_test(a_refusal_in_the_turn_of_the_deadline_keeps_its_error),
		cmocka_unit_test(a_caller_that_goes_cancels_what_it_asked),
		cmocka_unit_test(no_call_of_a_burst_is_lost),
		cmocka_unit_test(a_closed_window_opens_again),
		cmocka_unit_test(ten_thousand_calls_need_no_notice),
		cmocka_unit_test(
		    notices_of_another_process_are_heard_and_again_after_its_restart),
		cmocka_unit_test(a_full_service_says_busy_at_once),
		cmocka_unit_test(retries_stay_within_their_budget),
		cmocka_unit_test(draining_under_load_loses_no_call),
		cmocka_unit_test(closing_both_ends_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
