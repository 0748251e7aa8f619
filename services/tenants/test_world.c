/* A world for tests: database, actors, callers. See test_world.h.
 * (Over 400 lines: what a test needs around a handler, so that it links one world.) */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/migrate.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "test_world.h"

struct world world;

const struct trl_config_table *const trl_config_known[] = { NULL };

int
world_open(void **state)
{
	static const uint8_t seal_key[TRL_SEAL_KEY] = { 7 };

	(void)state;
	memset(&world, 0, sizeof world);
	test_db_make_for(&world.db, &tenants_sql);
	world.loop = trl_loop_new(NULL);
	world.service.pg =
	    test_db_open(&world.db, world.loop, &tenants_sql, "app", NULL);
	world.config =
	    (struct tenants_config){ .grace_days = 30, .invitation_days = 7 };
	world.service.config = &world.config;
	world.service.sealer = trl_sealer_new(seal_key, "tenants invitation");
	memset(world.service.token_key, 7, sizeof world.service.token_key);
	world.arena = trl_arena_new(64u << 20);
	return 0;
}

int
world_close(void **state)
{
	(void)state;
	trl_sealer_free(&world.service.sealer);
	trl_pg_close(&world.service.pg);
	trl_loop_free(&world.loop);
	trl_arena_free(&world.arena);
	test_db_drop(&world.db);
	return 0;
}

void
world_forget(void)
{
	trl_arena_reset(world.arena);
	world.now_us = 0;
}

const struct world_person *
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

#define SENT "type in ('tenants.invitation.created', 'tenants.invitation.resent')"

unsigned
world_letters(void)
{
	return (unsigned)strtoul(
	    world_sql("select count(*) from outbox where " SENT), NULL, 10);
}

char *
world_letter_token(void)
{
	const char *hex =
	    world_sql("select encode(payload, 'hex') from outbox where " SENT
		      " order by id desc limit 1");
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(world.arena, len + 1);
	Tenants__V1__InvitationEvent *told;
	char *token;

	assert_int_equal(
	    sodium_hex2bin(bytes, len, hex, strlen(hex), NULL, &len, NULL), 0);
	told = tenants__v1__invitation_event__unpack(NULL, len, bytes);
	assert_non_null(told);
	token = trl_unseal(world.service.sealer, world.arena, told->sealed_token.data,
	    told->sealed_token.len, &len);
	tenants__v1__invitation_event__free_unpacked(told, NULL);
	assert_non_null(token);
	return token;
}

const char *
world_id_text(struct trl_id id)
{
	char *text = trl_arena_alloc(world.arena, TRL_ID_TEXT);

	trl_id_format(id, text);
	return text;
}

/* ---- calls ------------------------------------------------------------------ */

static trl_thunk *
thunk_of(const struct trl_method *method)
{
	for (size_t i = 0; i < tenants_v1_server.n_methods; i++)
		if (tenants_v1_server.methods[i] == method)
			return tenants_v1_server.thunks[i];
	fail_msg("%s is not served here", method->name);
	return NULL;
}

static int
rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What the edge does between the principal and the call. */
static enum trl_code
take_grant(
    trl_ctx *ctx, const struct world_caller *who, const struct trl_method *method)
{
	Tenants__V1__GetGrantRequest ask = TENANTS__V1__GET_GRANT_REQUEST__INIT;
	Tenants__V1__Grant *grant = trl_arena_alloc(ctx->arena, sizeof *grant);
	enum trl_code rc;
	uint32_t *own;

	tenants__v1__grant__init(grant);
	ask.tenant_id = trl_value_bytes(ctx, who->tenant);
	ask.has_tenant_id = true;
	if (who->key) {
		ask.key_id = trl_value_bytes(ctx, ctx->principal.session);
		ask.has_key_id = true;
	} else {
		ask.account_id = trl_value_bytes(ctx, ctx->principal.account);
		ask.has_account_id = true;
	}
	rc = tenants_get_grant(&world.service, ctx, &ask, grant);
	if (rc != TRL_OK)
		return rc;
	ctx->principal.role = (uint8_t)grant->role;
	ctx->principal.permissions = grant->permissions;
	ctx->principal.n_permissions = grant->n_permissions;
	if (who->key) {
		own = trl_arena_alloc(ctx->arena, 64 * sizeof *own);
		ctx->principal.role = 0;
		ctx->principal.permissions = own;
		ctx->principal.n_permissions = 0;
		for (const char *const *p = who->permissions; p && *p; p++)
			own[ctx->principal.n_permissions++] =
			    trl_permission_by_name(*p)->id;
		qsort(own, ctx->principal.n_permissions, sizeof *own, rising);
	}
	if (!trl_may(ctx, method->permission))
		return trl_fail(
		    ctx, TRL_DENIED, "This needs %s.", method->permission_name);
	return TRL_OK;
}

/* As if everything before the handler had failed to look. */
static void
take_everything(trl_ctx *ctx)
{
	uint32_t *all =
	    trl_arena_alloc(ctx->arena, trl_permissions_count * sizeof *all);

	for (size_t i = 0; i < trl_permissions_count; i++)
		all[i] = trl_permissions[i].id;
	ctx->principal.role = TRL_OWNER;
	ctx->principal.permissions = all;
	ctx->principal.n_permissions = trl_permissions_count;
}

static void
enter(trl_ctx *ctx, const struct world_run *run)
{
	const struct world_caller *who = &run->who;
	const char *key = who->idempotency_key;

	ctx->service = "tenants";
	ctx->caller = "edge";
	ctx->method = run->method;
	ctx->tenant = who->tenant;
	ctx->now_us = world.now_us;
	ctx->has_if_version = who->has_if_version;
	ctx->if_version = who->if_version;
	ctx->principal.address = "192.0.2.1";
	ctx->principal.user_agent = "";
	if (who->person) {
		ctx->principal.kind = who->key ? TRL_KEY : TRL_PERSON;
		ctx->principal.account = who->person->account;
		ctx->principal.session = trl_id_random();
		ctx->principal.verified = who->person->verified;
		memcpy(ctx->idempotency.scope, who->person->account.bytes, 16);
	}
	if (run->method->effect != TRL_WRITE)
		return;
	if (!key)
		key = trl_arena_printf(ctx->arena, "test-%u", ++world.keys_made);
	ctx->idempotency.key = key;
	ctx->idempotency.from_client = true;
}

static void
run_call(trl_ctx *ctx, void *arg)
{
	struct world_run *run = arg;
	ProtobufCMessage *out =
	    trl_message_new(ctx->arena, run->method->out->descriptor);
	size_t len;
	uint8_t *bytes;

	enter(ctx, run);
	run->rc = trl_validate(ctx, run->method->in, run->in);
	if (run->who.unchecked)
		take_everything(ctx);
	else if (run->rc == TRL_OK && run->method->auth == TRL_AUTH_TENANT)
		run->rc = take_grant(ctx, &run->who, run->method);
	if (run->rc == TRL_OK && run->who.meanwhile)
		world_sql("%s", run->who.meanwhile);
	if (run->rc == TRL_OK) {
		len = protobuf_c_message_get_packed_size(run->in);
		bytes = trl_arena_alloc(ctx->arena, len);
		protobuf_c_message_pack(run->in, bytes);
		crypto_generichash(ctx->idempotency.request, 32, bytes, len, NULL, 0);
		run->rc = thunk_of(run->method)(&world.service, ctx, run->in, out);
		trl_write_ended(ctx, run->rc);
	}
	run->err = ctx->err;
	run->err.violations = NULL;
	run->err.n_violations = 0;
	run->replayed = ctx->idempotency.replayed;
	if (run->rc == TRL_OK && run->method->effect == TRL_WRITE)
		trl_assert(ctx->idempotency.recorded || ctx->idempotency.replayed);
	if (run->rc == TRL_OK) {
		len = protobuf_c_message_get_packed_size(out);
		bytes = trl_arena_alloc(world.arena, len);
		protobuf_c_message_pack(out, bytes);
		run->out = protobuf_c_message_unpack(run->method->out->descriptor,
		    trl_arena_protobuf(world.arena), len, bytes);
	}
	run->done = true;
}

void
world_start(struct world_run *run)
{
	struct trl_spawn spec = { .name = "test",
		.run = run_call,
		.arg = run,
		.timeout_ms = run->timeout_ms ? run->timeout_ms : 10000 };

	run->done = false;
	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
}

struct waiting {
	struct world_run *const *runs;
	size_t n;
};

static bool
all_done(void *arg)
{
	const struct waiting *waiting = arg;

	for (size_t i = 0; i < waiting->n; i++)
		if (!waiting->runs[i]->done)
			return false;
	return true;
}

void
world_wait(struct world_run *const *runs, size_t n)
{
	struct waiting waiting = { runs, n };

	assert_true(trl_loop_run_until(world.loop, all_done, &waiting, 20000));
}

enum trl_code
world_call(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *in, void *out)
{
	struct world_run run = { .who = *who, .method = method, .in = in };
	struct world_run *runs[] = { &run };

	world_start(&run);
	world_wait(runs, 1);
	world.err = run.err;
	world.replayed = run.replayed;
	if (run.rc == TRL_OK && out)
		*(ProtobufCMessage **)out = run.out;
	return run.rc;
}

struct trl_id
world_tenant_new(const struct world_person *person)
{
	static unsigned made;
	Tenants__V1__CreateTenantRequest ask = TENANTS__V1__CREATE_TENANT_REQUEST__INIT;
	struct world_caller who = { .person = person };
	tenants_tenant *made_one;

	ask.slug = trl_arena_printf(world.arena, "tenant-%u", ++made);
	ask.display_name = trl_arena_printf(world.arena, "Tenant %u", made);
	assert_int_equal(
	    world_call(&who, &tenants_v1_create_tenant, &ask.base, &made_one), TRL_OK);
	return trl_value_id(made_one->id);
}

void
world_join(struct trl_id tenant, const struct world_person *person, const char *role)
{
	world_sql("insert into membership values ('%s', '%s', '%s', 1, now(), now())",
	    world_id_text(tenant), world_id_text(person->account), role);
}
