/* A world for tests: database, actors, worker. See test_world.h.
 *
 * Over 400 lines: opening, calling and telling share the one world. */
#include <dirent.h>
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

#include <trl/migrate.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "test_world.h"

struct world world;

const struct trl_config_table *const trl_config_known[] = { NULL };

void
trl_bus_notify(
    trl_bus *bus, const char *topic, struct trl_id tenant, struct trl_id subject)
{
	(void)bus;
	(void)tenant;
	(void)subject;
	world.notices += strcmp(topic, "notify.person") == 0;
}

static bool
open_service(const uint8_t *seal_key)
{
	struct trl_host host = { .loop = world.loop,
		.pg = world.pg,
		.sys = world.sys,
		.config = &world.config,
		.seal_key = seal_key };
	struct trl_jobs_options jobs = { .service = "notify",
		.app = world.pg,
		.sys = world.sys,
		.kinds = notify_service.jobs };
	void *self;

	if (notify_service.open(&host, &self) != TRL_OK)
		return false;
	world.service = jobs.self = self;
	return trl_jobs_open(world.loop, &jobs, &world.jobs) == TRL_OK;
}

int
world_open(void **state)
{
	static const uint8_t seal_key[TRL_SEAL_KEY] = { 7 };

	(void)state;
	memset(&world, 0, sizeof world);
	snprintf(world.mail, sizeof world.mail, "/tmp/trl_mail_XXXXXX");
	assert_non_null(mkdtemp(world.mail));
	test_db_make_for(&world.db, &notify_sql);
	world.loop = trl_loop_new(NULL);
	world.pg = test_db_open(&world.db, world.loop, &notify_sql, "app", seal_key);
	world.sys = test_db_open(&world.db, world.loop, &notify_sql, "sys", seal_key);
	world.config.public_url = "https://trellis.test";
	world.config.mail_from = "Trellis <noreply@trellis.test>";
	world.config.mail_folder = world.mail;
	world.letters = trl_sealer_new(seal_key, "auth letter");
	world.invitations = trl_sealer_new(seal_key, "tenants invitation");
	world.arena = trl_arena_new(64u << 20);
	return open_service(seal_key) ? 0 : -1;
}

static bool
has_drained(void *self)
{
	(void)self;
	return trl_jobs_drained(world.jobs);
}

static bool
is_quiet(void *self)
{
	(void)self;
	return trl_actors_alive(world.loop) == 0;
}

static void
empty_mailbox(void)
{
	DIR *dir = opendir(world.mail);
	char path[400];

	for (struct dirent *entry; (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%s", world.mail, entry->d_name);
		(void)unlink(path);
	}
	closedir(dir);
}

int
world_close(void **state)
{
	void *self = world.service;

	(void)state;
	trl_jobs_drain(world.jobs);
	assert_true(trl_loop_run_until(world.loop, has_drained, NULL, 20000));
	trl_jobs_close(&world.jobs);
	notify_service.close(&self);
	assert_true(trl_loop_run_until(world.loop, is_quiet, NULL, 20000));
	trl_sealer_free(&world.letters);
	trl_sealer_free(&world.invitations);
	trl_pg_close(&world.pg);
	trl_pg_close(&world.sys);
	trl_loop_free(&world.loop);
	trl_arena_free(&world.arena);
	empty_mailbox();
	rmdir(world.mail);
	test_db_drop(&world.db);
	return 0;
}

void
world_forget(void)
{
	trl_arena_reset(world.arena);
	empty_mailbox();
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

const char *
world_id_text(struct trl_id id)
{
	char *text = trl_arena_alloc(world.arena, TRL_ID_TEXT);

	trl_id_format(id, text);
	return text;
}

/* ---- calls and events --------------------------------------------------------- */

struct run {
	const struct world_caller *who;
	const struct trl_method *method;
	const ProtobufCMessage *in;
	ProtobufCMessage *out;
	const struct trl_event *event;
	enum trl_code rc;
	bool done;
};

static bool
is_done(void *run)
{
	return ((struct run *)run)->done;
}

static trl_thunk *
thunk_of(const struct trl_method *method)
{
	for (size_t i = 0; i < notify_v1_server.n_methods; i++)
		if (notify_v1_server.methods[i] == method)
			return notify_v1_server.thunks[i];
	fail_msg("%s is not served here", method->name);
	return NULL;
}

static void
enter(trl_ctx *ctx, const struct run *run)
{
	const char *key = run->who->idempotency_key;
	uint32_t *all =
	    trl_arena_alloc(ctx->arena, trl_permissions_count * sizeof *all);

	for (size_t i = 0; i < trl_permissions_count; i++)
		all[i] = trl_permissions[i].id;
	ctx->service = "notify";
	ctx->caller = "edge";
	ctx->method = run->method;
	ctx->tenant = run->who->tenant;
	ctx->has_if_version = run->who->has_if_version;
	ctx->if_version = run->who->if_version;
	ctx->principal = (struct trl_principal){ .kind = TRL_PERSON,
		.account = run->who->account,
		.role = TRL_OWNER,
		.permissions = all,
		.n_permissions = trl_permissions_count,
		.address = "192.0.2.1",
		.user_agent = "" };
	memcpy(ctx->idempotency.scope, run->who->account.bytes, 16);
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
	struct run *run = arg;
	ProtobufCMessage *out =
	    trl_message_new(ctx->arena, run->method->out->descriptor);
	uint8_t *bytes;
	size_t len;

	enter(ctx, run);
	run->rc = trl_validate(ctx, run->method->in, run->in);
	if (run->rc == TRL_OK) {
		len = protobuf_c_message_get_packed_size(run->in);
		bytes = trl_arena_alloc(ctx->arena, len);
		protobuf_c_message_pack(run->in, bytes);
		crypto_generichash(ctx->idempotency.request, 32, bytes, len, NULL, 0);
		run->rc = thunk_of(run->method)(world.service, ctx, run->in, out);
	}
	world.err = ctx->err;
	world.err.violations = NULL;
	world.err.n_violations = 0;
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

static void
start_actor(struct run *run, void (*fn)(trl_ctx *ctx, void *arg))
{
	struct trl_spawn spec = {
		.name = "test", .run = fn, .arg = run, .timeout_ms = 10000
	};

	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
}

static void
run_actor(struct run *run, void (*fn)(trl_ctx *ctx, void *arg))
{
	start_actor(run, fn);
	assert_true(trl_loop_run_until(world.loop, is_done, run, 20000));
}

enum trl_code
world_call(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *in, void *out)
{
	struct run run = { .who = who, .method = method, .in = in };

	run_actor(&run, run_call);
	if (run.rc == TRL_OK && out)
		*(ProtobufCMessage **)out = run.out;
	return run.rc;
}

void
world_call_both(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *const in[2], enum trl_code rcs[2])
{
	struct run runs[2];

	for (size_t i = 0; i < 2; i++) {
		runs[i] = (struct run){ .who = who, .method = method, .in = in[i] };
		start_actor(&runs[i], run_call);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_true(trl_loop_run_until(world.loop, is_done, &runs[i], 20000));
		rcs[i] = runs[i].rc;
	}
}

static void
apply_one(trl_ctx *ctx, void *arg)
{
	struct run *run = arg;
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;

	ctx->service = "notify";
	ctx->tenant = run->event->tenant;
	run->rc =
	    trl_tx_begin(ctx, world.sys, TRL_SCOPE_TENANT(run->event->tenant), &tx);
	if (run->rc == TRL_OK)
		run->rc =
		    notify_hears_auth.apply(world.service, ctx, tx, run->event, 1);
	if (run->rc == TRL_OK)
		run->rc = trl_tx_commit(&tx, NULL);
	if (run->rc != TRL_OK)
		print_error("apply: %s\n", ctx->err.message);
	run->done = true;
}

void
world_hear(const struct trl_event_type *type, struct trl_id tenant,
    struct trl_id subject, const ProtobufCMessage *payload, uint64_t seq)
{
	size_t len = protobuf_c_message_get_packed_size(payload);
	uint8_t *data = trl_arena_alloc(world.arena, len);
	struct trl_event event = { .id = trl_id_new(),
		.seq = seq,
		.type_name = type->name,
		.type = type,
		.tenant = tenant,
		.subject = subject,
		.at_us = trl_wall_us(),
		.payload = payload,
		.data = data,
		.len = len };
	struct run run = { .event = &event };

	protobuf_c_message_pack(payload, data);
	run_actor(&run, apply_one);
	assert_int_equal(run.rc, TRL_OK);
}

void
world_job(const char *kind)
{
	world_sql(
	    "insert into job (id, tenant_id, kind, state, priority, run_at, attempt, "
	    "attempts, payload, trace, made_at) values (gen_random_uuid(), '%s', "
	    "'%s', 'ready', 0, now(), 0, 5, '', '', now())",
	    world_id_text(trl_id_nil), kind);
}

static bool
nothing_is_due(void *self)
{
	(void)self;
	return strcmp(world_sql("select count(*) from job where run_at <= now() and "
				"state not in ('dead', 'cancelled')"),
		   "0") == 0;
}

void
world_settle(void)
{
	if (!trl_loop_run_until(world.loop, nothing_is_due, NULL, 20000))
		fail_msg("a job does not end: %s",
		    world_sql("select kind || ': ' || coalesce(error, '') from job"));
}

/* ---- people --------------------------------------------------------------------- */

static ProtobufCBinaryData
bytes_of(const struct trl_id *id)
{
	return (
	    ProtobufCBinaryData){ sizeof id->bytes, (uint8_t *)(uintptr_t)id->bytes };
}

struct trl_id
world_person(const char *email, const char *locale, bool verified)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
	struct trl_id id = trl_id_new();

	account.has_id = account.has_version = account.has_email_verified = true;
	account.id = bytes_of(&id);
	account.version = 1;
	account.email = (char *)(uintptr_t)email;
	account.display_name = (char *)(uintptr_t) "Ada <b>Lovelace</b>";
	account.locale = (char *)(uintptr_t)locale;
	account.email_verified = verified;
	told.account = &account;
	world_hear(&auth_event_account_created, trl_id_nil, id, &told.base, 0);
	return id;
}

struct trl_id
world_tenant(const char *name)
{
	Tenants__V1__Tenant tenant = TENANTS__V1__TENANT__INIT;
	Tenants__V1__TenantEvent told = TENANTS__V1__TENANT_EVENT__INIT;
	struct trl_id id = trl_id_new();

	tenant.has_id = tenant.has_version = true;
	tenant.id = bytes_of(&id);
	tenant.version = 1;
	tenant.slug = (char *)(uintptr_t) "acme";
	tenant.display_name = (char *)(uintptr_t)name;
	told.tenant = &tenant;
	world_hear(&tenants_event_tenant_created, id, id, &told.base, 0);
	return id;
}

void
world_member(struct trl_id tenant, struct trl_id account,
    Tenants__V1__Member__Role role, struct trl_id by)
{
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	member.has_account_id = member.has_version = member.has_role = true;
	member.account_id = bytes_of(&account);
	member.version = 1;
	member.role = role;
	told.member = &member;
	told.has_by = !trl_id_is_nil(by);
	told.by = bytes_of(&by);
	world_hear(&tenants_event_member_added, tenant, account, &told.base,
	    told.has_by ? 1 : 0);
}

unsigned
world_mails(const char *address, char *text, size_t size)
{
	char path[400], newest[300] = "", to[300], read[200000];
	DIR *dir = opendir(world.mail);
	unsigned n = 0;

	snprintf(to, sizeof to, "\r\nTo: %s\r\n", address);
	for (struct dirent *entry; (entry = readdir(dir));) {
		FILE *file;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", world.mail, entry->d_name);
		file = fopen(path, "r");
		assert_non_null(file);
		len = fread(read, 1, sizeof read - 1, file);
		read[len] = '\0';
		fclose(file);
		if (!strstr(read, to))
			continue;
		n++;
		if (strcmp(entry->d_name, newest) < 0)
			continue;
		snprintf(newest, sizeof newest, "%s", entry->d_name);
		snprintf(text, size, "%s", read);
	}
	closedir(dir);
	return n;
}
