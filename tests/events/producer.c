/* producer.c - a replica of the service "fact": writes facts with their events, several
 * subjects in several tenants, and serves the log. */
#include "world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/tx.h>

#include "test_rig.h"
#include "event_rows.pb-c.h"
#include "fact_sql.h"
#include "auth_v1.trl.h"

enum { TENANTS = 7, WRITERS = 4 };

struct producer {
	unsigned nth;
	const char *service;
	trl_loop *loop;
	trl_pg *app, *sys;
	trl_events *events;
	unsigned writers, started, served;
	uv_timer_t timer;
	trl_bus_net *net;
};

static void
tell(trl_ctx *ctx, trl_tx *tx, struct trl_id subject, int64_t n)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;

	/* The tests have no contract of their own; nobody else's event may be told. */
	struct trl_event_type *type = trl_arena_alloc(ctx->arena, sizeof *type);
	*type = n % 2 ? auth_event_account_created : auth_event_account_updated;
	type->service = "fact";
	account.has_version = true;
	account.version = n;
	account.display_name = (char *)(uintptr_t) "somebody";
	told.account = &account;
	trl_tx_event(tx, type, subject, &told.base);
}

static enum trl_code
write_one(trl_ctx *ctx, struct producer *self, unsigned at)
{
	unsigned tenant = at % TENANTS;
	struct trl_id scope = world_id(1, tenant + 1);
	unsigned per_tx = world.shared->per_tx ? world.shared->per_tx : 1;
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	enum trl_code rc;

	rc = trl_tx_begin(ctx, self->app, TRL_SCOPE_TENANT(scope), &tx);
	for (unsigned i = 0; rc == TRL_OK && i < per_tx; i++) {
		unsigned s = (at / TENANTS) % world.shared->subjects;
		struct trl_id subject = world_id(2 + tenant, s);
		Trellis__Bus__CountRow grown = TRELLIS__BUS__COUNT_ROW__INIT;

		rc = trl_tx_run(tx, &fact_sql_fact_grow, NULL, &grown.base,
		    TRL_ARG_ID("tenant_id", scope), TRL_ARG_ID("id", subject));
		if (rc == TRL_OK)
			tell(ctx, tx, subject, grown.n);
	}
	return rc == TRL_OK ? trl_tx_commit(&tx, NULL) : rc;
}

/* As a service writes that needs no answer to go on: one round trip. */
static enum trl_code
write_batch(trl_ctx *ctx, struct producer *self, unsigned at)
{
	struct trl_id scope = world_id(1, at % TENANTS + 1);
	struct trl_id subject = world_id(2 + at % TENANTS, at % 1000);
	trl_batch *batch = trl_batch_new(ctx, self->app, TRL_SCOPE_TENANT(scope));

	trl_batch_add(batch, &fact_sql_fact_put, NULL, TRL_ARG_ID("tenant_id", scope),
	    TRL_ARG_ID("id", subject), TRL_ARG_INT("n", at));
	for (unsigned i = 0; i < world.shared->per_tx; i++) {
		Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
		Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
		struct trl_event_type type = auth_event_account_updated;

		type.service = "fact";
		account.has_version = true;
		account.version = at;
		account.display_name = (char *)(uintptr_t) "somebody";
		told.account = &account;
		trl_batch_event(batch, &type, subject, &told.base);
	}
	return trl_batch_write(batch, NULL);
}

static void
write_facts(trl_ctx *ctx, void *arg)
{
	struct producer *self = arg;

	/* An actor's arena is for a message, not for ever. */
	for (int i = 0; i < 50 && self->started < world.shared->to_write; i++) {
		unsigned at = self->started++;

		/* A lock that lasts too long, or a connection that a test cut. */
		while ((world.shared->bench
			       ? write_batch(ctx, self, at)
			       : write_one(ctx, self, at * 31 + self->nth)) != TRL_OK) {
			trl_err_clear(ctx);
			if (trl_sleep(ctx, 5) != TRL_OK)
				_exit(1);
		}
		world.shared->written[self->nth]++;
	}
	self->writers--;
}

static void
new_epoch(trl_ctx *ctx, void *arg)
{
	struct producer *self = arg;

	world.shared->result = (int)trl_events_new_epoch(ctx, self->events);
	world.shared->done = self->served;
}

static void
on_timer(uv_timer_t *timer)
{
	struct producer *self = timer->data;
	struct trl_spawn spec = {
		.name = "writing", .run = write_facts, .arg = self, .timeout_ms = 60000
	};
	unsigned command = world.shared->command, to_write = world.shared->to_write;

	world.shared->ready[self->nth] = trl_pg_ready(self->app);
	trl_bus_drop_notices(self->net, world.shared->drop_notices);
	while (self->started < to_write && self->writers < WRITERS &&
	       trl_spawn(self->loop, &spec) == TRL_OK)
		self->writers++;
	world.shared->idle[self->nth] = to_write == 0 && self->writers == 0;
	if (self->nth == 0 && command % 10 == EPOCH && command != self->served) {
		self->served = command;
		spec = (struct trl_spawn){
			.name = "epoch", .run = new_epoch, .arg = self
		};
		MUST(trl_spawn(self->loop, &spec) == TRL_OK);
	}
}

static enum trl_code
show(void *arg, trl_ctx *ctx, struct trl_snapshot_key after, size_t limit,
    trl_snapshot *out, struct trl_snapshot_key *next)
{
	struct producer *self = arg;
	size_t shown = 0;

	/* Tenant by tenant, as row security wants it; the key is the subject. */
	for (unsigned t = 1; t <= TENANTS && shown < limit; t++) {
		Trellis__Bus__TakenRows rows = TRELLIS__BUS__TAKEN_ROWS__INIT;
		trl_batch *batch =
		    trl_batch_new(ctx, self->app, TRL_SCOPE_TENANT(world_id(1, t)));
		enum trl_code rc;

		trl_batch_get(batch, &fact_sql_facts_list, NULL, &rows.base,
		    TRL_ARG_ID("after", after.aggregate), TRL_ARG_INT("most", 1000));
		rc = trl_batch_read(batch);
		if (rc != TRL_OK)
			return rc;
		for (size_t i = 0; i < rows.n_rows; i++) {
			Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
			Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
			struct trl_id id;

			memcpy(id.bytes, rows.rows[i]->event_id.data, 16);
			account.has_version = true;
			account.version = (int64_t)rows.rows[i]->seq;
			told.account = &account;
			trl_snapshot_add(out, &auth_event_account_created,
			    world_id(1, t), id, trl_now(ctx), &told.base);
			shown++;
		}
	}
	*next = (struct trl_snapshot_key){ trl_id_nil, trl_id_nil };
	return TRL_OK;
}

static enum trl_code
apply_own(void *arg, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)arg, (void)tx;
	MUST(trl_id_eq(ctx->tenant, events[0].tenant));
	world.shared->own += (unsigned)n;
	return TRL_OK;
}

static void
run(unsigned nth)
{
	static struct producer self;
	static const struct trl_subscription own = {
		.name = "own", .producer = "fact", .apply = apply_own
	};
	static const struct trl_subscription *const all[] = { &own, NULL };
	char listen[64], notices[64];

	self.nth = nth;
	self.service = nth == ZOO ? "zoo" : "fact";
	self.started = world.shared->written[nth]; /* of the process before */
	self.loop = trl_loop_new(NULL);
	self.net = trl_bus_net_open(
	    self.loop, &(struct trl_bus_net_options){ .tick_ms = 200 });
	snprintf(listen, sizeof listen, "tcp://127.0.0.1:%u", world.ports[nth]);
	snprintf(
	    notices, sizeof notices, "tcp://127.0.0.1:%u", world.ports[REPLICAS + nth]);
	trl_bus *bus = trl_bus_open(self.net,
	    &(struct trl_bus_options){
		.service = self.service, .listen = listen, .notice_listen = notices });
	MUST(trl_bus_key(bus, "notify", rig_key));
	char app[512], sys[512];
	const struct test_db *db = nth == ZOO ? &world.zoo : &world.db;
	snprintf(app, sizeof app, "%s", test_db_as(db, "fact_app"));
	snprintf(sys, sizeof sys, "%s", test_db_as(db, "fact_sys"));
	struct trl_pg_options pg = { .url = app, .sql = &fact_sql };
	MUST(trl_pg_open(self.loop, &pg, &self.app) == TRL_OK);
	pg.url = sys;
	pg.label = "fact_sys";
	MUST(trl_pg_open(self.loop, &pg, &self.sys) == TRL_OK);
	self.events = trl_events_open(&(struct trl_events_options){ .loop = self.loop,
	    .bus = bus,
	    .pg = self.app,
	    .sys = self.sys,
	    .service = self.service,
	    .tells = true,
	    .subscriptions = world.shared->hears_itself ? all : NULL,
	    .snapshot = show });
	trl_events_start(self.events, &self);
	MUST(trl_bus_serve(bus, NULL, NULL) == TRL_OK);
	uv_timer_init(trl_loop_uv(self.loop), &self.timer);
	self.timer.data = &self;
	uv_timer_start(&self.timer, on_timer, 0, 2);
	trl_loop_run(self.loop);
}

pid_t
produce(unsigned nth)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0) {
		world.producers[nth] = pid;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGSEGV, SIG_DFL);
	trl_log_init("fact", TRL_LOG_ERROR);
	run(nth);
	_exit(0);
}
