/* test_kinds.c - kinds of jobs that do what their payload's name says; see
 * test_rig.h. */
#include "test_rig.h"

#include <signal.h>

/* No rule but the types. */
static const struct trl_field no_rules[32];
static const struct trl_message thing_rules = {
	.descriptor = &pgtest__thing__descriptor,
	.fields = no_rules,
	.clear_field = -1,
};

static enum trl_code
write_thing(trl_ctx *ctx, const struct trl_job *job)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(job->tenant));
	char text[TRL_ID_TEXT];

	trl_id_format(trl_new_id(ctx), text);
	trl_batch_add(batch, &pgtest_sql_thing_insert,
	    &world_thing(ctx, job->tenant, text)->base);
	return trl_batch_write(batch, NULL);
}

static enum trl_code
wait_open(trl_ctx *ctx)
{
	enum trl_code rc = TRL_OK;

	while (!rig.open && rc == TRL_OK)
		rc = trl_sleep(ctx, 5);
	return rc;
}

static enum trl_code
behave(trl_ctx *ctx, const struct trl_job *job, const char *name)
{
	enum trl_code rc;

	if (strncmp(name, "fails", 5) == 0 && (int)job->attempt <= atoi(name + 5))
		return trl_fail(ctx, TRL_UNAVAILABLE, "as the test wants");
	if (strcmp(name, "later") == 0) {
		trl_job_not_before(ctx, trl_now(ctx) + INT64_C(3600000000));
		return trl_fail(ctx, TRL_UNAVAILABLE, "as the test wants");
	}
	if (strcmp(name, "again") == 0 && rig.n_runs < 2)
		return trl_job_again(ctx, 0);
	if (strcmp(name, "goes on") == 0 && rig.n_runs < 12)
		return rig.n_runs % 2 == 1
			   ? trl_fail(ctx, TRL_UNAVAILABLE, "as the test wants")
			   : trl_job_next(ctx, 0);
	if (strcmp(name, "garbled") == 0)
		return trl_fail(ctx, TRL_UNAVAILABLE, "caf\xc3 \xff %c", 0xe2);
	if (strcmp(name, "hopeless") == 0)
		return trl_job_give_up(ctx, "there is no hope");
	if (strncmp(name, "waits", 5) == 0) {
		rc = wait_open(ctx);
		return rc == TRL_OK && strcmp(name, "waits, fails") == 0
			   ? trl_fail(ctx, TRL_UNAVAILABLE, "as the test wants")
			   : rc;
	}
	if (strcmp(name, "dawdles") == 0) {
		rc = trl_sleep(ctx, 600);
		return rc == TRL_OK ? write_thing(ctx, job) : rc;
	}
	if (strcmp(name, "writes") == 0)
		return write_thing(ctx, job);
	if (strcmp(name, "kills") == 0) {
		rc = write_thing(ctx, job);
		if (rc == TRL_OK && job->attempt == 1)
			raise(SIGKILL);
		return rc;
	}
	return TRL_OK;
}

static enum trl_code
run(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	const Pgtest__Thing *thing = (const void *)job->payload;
	const char *name = thing->name ? thing->name : "";
	enum trl_code rc;

	trl_assert(self == &rig && rig.n_runs < RIG_RUNS_MAX);
	struct rig_run *seen = &rig.runs[rig.n_runs++];
	*seen = (struct rig_run){
		.id = job->id, .tenant = ctx->tenant, .attempt = job->attempt
	};
	snprintf(seen->name, sizeof seen->name, "%s", name);
	snprintf(rig.key, sizeof rig.key, "%s", ctx->idempotency.key);
	rig.trace = ctx->trace;
	rig.principal = ctx->principal.kind;
	if (++rig.running > rig.most_running)
		rig.most_running = rig.running;
	rc = behave(ctx, job, name);
	rig.running--;
	return rc;
}

static enum trl_code
dead(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	(void)self;
	(void)ctx;
	(void)job;
	rig.told++;
	return TRL_OK;
}

static const uint32_t no_delay[] = { 0 };
const struct trl_job_kind rig_task = {
	.name = "task",
	.message = &thing_rules,
	.run = run,
	.dead = dead,
	.attempts = 3,
	.slots = 8,
	.per_tenant = 8,
	.delays_s = no_delay,
	.n_delays = 1,
};
const struct trl_job_kind rig_narrow = {
	.name = "narrow",
	.message = &thing_rules,
	.run = run,
	.slots = 8,
	.per_tenant = 2,
};
const struct trl_job_kind rig_outside = {
	.name = "outside",
	.message = &thing_rules,
	.run = run,
	.slots = 16,
	.per_tenant = 12,
	.per_lane = 4,
};
const struct trl_job_kind rig_tick = {
	.name = "tick",
	.message = &thing_rules,
	.run = run,
};
