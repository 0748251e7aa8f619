/* subscriber.c - a replica of a service that applies what "fact" tells: a row an event.
 * On the test's word its handler fails, or kills the process. */
#include "world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "test_rig.h"
#include "seen_sql.h"
#include "auth_v1.trl.h"

/* What fails is soon tried again: tests wait for how often that is. */
enum { RETRY_MS = 10 };

struct subscriber {
	unsigned nth;
	trl_loop *loop;
	trl_pg *sys;
	trl_bus_net *net;
	trl_events *events;
	unsigned served;
	uint64_t in_tx;
	int64_t told_us;
	uv_timer_t timer;
};

/* ---- for the bench */

static void
committed(void *arg, uint32_t n)
{
	struct subscriber *self = arg;

	(void)n;
	world.shared->applied[self->nth] += self->in_tx;
	if (self->nth == 0 && world.shared->n_waits < TRL_COUNT(world.shared->waits_ms))
		world.shared->waits_ms[world.shared->n_waits++] =
		    (double)(trl_wall_us() - self->told_us) / 1000;
	self->in_tx = 0;
}

static enum trl_code
apply_many(
    void *arg, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	struct subscriber *self = arg;
	struct trl_id *ids = trl_arena_alloc(ctx->arena, n * sizeof *ids),
		      *subjects = trl_arena_alloc(ctx->arena, n * sizeof *subjects);
	int64_t *lanes = trl_arena_alloc(ctx->arena, n * sizeof *lanes),
		*seqs = trl_arena_alloc(ctx->arena, n * sizeof *seqs),
		*ns = trl_arena_alloc(ctx->arena, n * sizeof *ns);

	for (size_t i = 0; i < n; i++) {
		const Auth__V1__AccountEvent *told = (const void *)events[i].payload;

		ids[i] = events[i].id;
		subjects[i] = events[i].subject;
		lanes[i] = events[i].lane;
		seqs[i] = (int64_t)events[i].seq;
		ns[i] = told->account->version;
	}
	trl_tx_add(tx, &seen_sql_seen_insert_many, NULL,
	    TRL_ARG_ID("tenant_id", events[0].tenant), TRL_ARG_INT("who", self->nth),
	    TRL_ARG_IDS("event_ids", ids, n), TRL_ARG_IDS("subject_ids", subjects, n),
	    TRL_ARG_INTS("lanes", lanes, n), TRL_ARG_INTS("seqs", seqs, n),
	    TRL_ARG_INTS("ns", ns, n));
	trl_tx_news(tx, TRL_PG_JOBS, 1);
	self->in_tx += n;
	self->told_us = events[0].at_us;
	return TRL_OK;
}

/* ---- for the tests */

static enum trl_code
apply(void *arg, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	struct subscriber *self = arg;

	world.shared->calls++;
	for (size_t i = 0; i < n; i++) {
		const Auth__V1__AccountEvent *told = (const void *)events[i].payload;
		uint64_t at = (uint64_t)told->account->version;

		MUST(trl_id_eq(ctx->tenant, events[i].tenant));
		if (at == world.shared->deadly) {
			world.shared->deaths++;
			raise(SIGKILL);
		}
		memset(trl_arena_alloc(ctx->arena, world.shared->takes_bytes), 1,
		    world.shared->takes_bytes);
		if (at == world.shared->poison)
			return trl_fail(ctx,
			    world.shared->fails_with ? world.shared->fails_with
						     : TRL_INVALID,
			    "cannot stand %d", (int)at);
		trl_tx_add(tx, &seen_sql_seen_insert, NULL,
		    TRL_ARG_ID("tenant_id", events[i].tenant),
		    TRL_ARG_ID("event_id", events[i].id),
		    TRL_ARG_ID("subject_id", events[i].subject),
		    TRL_ARG_INT("lane", events[i].lane),
		    TRL_ARG_INT("seq", (int64_t)events[i].seq),
		    TRL_ARG_INT("n", (int64_t)at), TRL_ARG_INT("who", self->nth));
	}
	return TRL_OK;
}

static void
serve_order(trl_ctx *ctx, void *arg)
{
	struct subscriber *self = arg;
	size_t applied = 0;
	int rc = 0;

	switch (self->served % 10) {
	case REDRIVE:
		rc = (int)trl_events_redrive(
		    ctx, self->events, "people", world.shared->event, &applied);
		break;
	case SKIP:
		rc = (int)trl_events_skip(
		    ctx, self->events, "people", world.shared->event, &applied);
		break;
	default:
		rc = (int)trl_events_replay(ctx, self->events, &world.shared->replay);
		break;
	}
	world.shared->count = applied;
	world.shared->result = rc;
	world.shared->done = self->served;
}

static void
on_timer(uv_timer_t *timer)
{
	struct subscriber *self = timer->data;
	unsigned command = world.shared->command;
	struct trl_spawn spec = {
		.name = "order", .run = serve_order, .arg = self, .timeout_ms = 15000
	};

	world.shared->ready[REPLICAS + self->nth] = trl_pg_ready(self->sys);
	trl_bus_drop_notices(self->net, world.shared->drop_notices);
	world.shared->gaps = (unsigned)rig_metric(
	    "trellis_events_gap_total{service=\"notify\",subscription=\"people\"}");
	world.shared->repeated = (unsigned)rig_metric(
	    "trellis_events_repeated_total{service=\"notify\",subscription="
	    "\"people\"}");
	if (self->nth == 0 && command != self->served && command % 10 != EPOCH) {
		self->served = command;
		MUST(trl_spawn(self->loop, &spec) == TRL_OK);
	}
}

static void
run(unsigned nth)
{
	static struct subscriber self;
	static const char *const types[] = { "auth.account.created", NULL };
	static struct trl_subscription people = {
		.name = "people", .producer = "fact", .apply = apply
	};
	static const struct trl_subscription *const all[] = { &people, NULL };
	static const char *const one[] = { "notify", "fact", NULL };
	static const char *const two[] = { "notify", "fact", "zoo", NULL };
	char addresses[128];
	const char *why;

	self.nth = nth;
	self.loop = trl_loop_new(NULL);
	self.net = trl_bus_net_open(
	    self.loop, &(struct trl_bus_net_options){ .tick_ms = 200 });
	trl_bus *bus =
	    trl_bus_open(self.net, &(struct trl_bus_options){ .service = "notify" });
	MUST(trl_bus_key(bus, "fact", rig_key));
	snprintf(addresses, sizeof addresses, "tcp://127.0.0.1:%u,tcp://127.0.0.1:%u",
	    world.ports[0], world.ports[1]);
	MUST(trl_bus_peer(bus, "fact", addresses, &why));
	if (world.shared->finds_zoo) {
		MUST(trl_bus_key(bus, "zoo", rig_key));
		snprintf(addresses, sizeof addresses, "tcp://127.0.0.1:%u",
		    world.ports[ZOO]);
		MUST(trl_bus_peer(bus, "zoo", addresses, &why));
	}
	if (world.shared->every)
		people.producer = TRL_EVERY_TELLER;
	struct trl_pg_options pg = { .url = world.seen_sys, .sql = &seen_sql };
	MUST(trl_pg_open(self.loop, &pg, &self.sys) == TRL_OK);
	if (world.shared->bench) {
		static const char *const names[REPLICAS] = { "people", "friends",
			"others" };

		people.name = names[nth];
		people.apply = apply_many;
		trl_pg_on_news(self.sys, TRL_PG_JOBS, committed, &self);
	}
	people.start = world.shared->start;
	people.types = world.shared->some_types ? types : NULL;
	self.events = trl_events_open(&(struct trl_events_options){ .loop = self.loop,
	    .bus = bus,
	    .sys = self.sys,
	    .service = "notify",
	    .subscriptions = all,
	    .tellers = world.shared->finds_zoo ? two : one,
	    .retry_ms = RETRY_MS });
	trl_events_start(self.events, &self);
	uv_timer_init(trl_loop_uv(self.loop), &self.timer);
	self.timer.data = &self;
	uv_timer_start(&self.timer, on_timer, 0, 5);
	trl_loop_run(self.loop);
}

pid_t
subscribe(unsigned nth)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0) {
		world.subscribers[nth] = pid;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGSEGV, SIG_DFL);
	trl_log_init("notify", TRL_LOG_ERROR);
	run(nth);
	_exit(0);
}
