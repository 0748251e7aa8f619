/* A world for tests: database, Redis, actors. See test_world.h. (Over 400
 * lines: what stands in for the other services, so that a test links one world.) */
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

#include <trl/log.h>
#include <trl/migrate.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "test_world.h"

struct world world;

const struct trl_config_table *const trl_config_known[] = { NULL };

static bool
redis_ready(void *self)
{
	(void)self;
	return trl_redis_ready(world.redis);
}

static const uint8_t seal_key[TRL_SEAL_KEY] = { 7 };

int
world_open(void **state)
{
	(void)state;
	if (!getenv("TRELLIS_TEST_REDIS_URL")) {
		print_error("TRELLIS_TEST_REDIS_URL is not set: run the tests by "
			    "tools/test, or point it to a Redis 7.\n");
		return -1;
	}
	memset(&world, 0, sizeof world);
	test_db_make_for(&world.db, &auth_sql);
	world.loop = trl_loop_new(NULL);
	world.service.pg =
	    test_db_open(&world.db, world.loop, &auth_sql, "app", seal_key);
	world.redis = trl_redis_open(
	    world.loop, getenv("TRELLIS_TEST_REDIS_URL"), trl_access_scripts);
	if (!trl_loop_run_until(world.loop, redis_ready, NULL, 5000))
		return -1;
	world.config = (struct auth_config){ .session_idle_minutes = 30,
		.session_hours = 24,
		.password = { .memory_kib = 19456, .passes = 2, .queue = 16 } };
	world.service.sealer = trl_sealer_new(seal_key, "auth letter");
	world.service.place_key = auth_place_key(seal_key);
	world.service.config = &world.config;
	world_rate_scale("1000");
	if (!auth_passwords_open(
		&world.service.passwords, world.loop, &world.config.password))
		return -1;
	world.arena = trl_arena_new(64u << 20);
	return 0;
}

int
world_close(void **state)
{
	(void)state;
	trl_sealer_free(&world.service.sealer);
	trl_secret_free(&world.service.place_key);
	auth_passwords_close(&world.service.passwords);
	trl_access_close(&world.service.access);
	trl_redis_close(&world.redis);
	trl_pg_close(&world.service.pg);
	trl_loop_free(&world.loop);
	trl_arena_free(&world.arena);
	trl_buf_fini(&world.trace);
	test_db_drop(&world.db);
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

void
world_rate_scale(const char *scale)
{
	trl_access_close(&world.service.access);
	setenv("TRELLIS_RATE_SCALE", scale, 1);
	world.service.access = trl_access_open(world.loop, world.redis);
	assert_non_null(world.service.access);
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

const char *
world_email(const char *name)
{
	static unsigned made;

	return trl_arena_printf(
	    world.arena, "%s.%d.%u@example.test", name, (int)getpid(), ++made);
}

/* ---- calls ------------------------------------------------------------------ */

static trl_thunk *
thunk_of(const struct trl_method *method)
{
	for (size_t i = 0; i < auth_v1_server.n_methods; i++)
		if (auth_v1_server.methods[i] == method)
			return auth_v1_server.thunks[i];
	fail_msg("%s is not served here", method->name);
	return NULL;
}

static int
rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
take_permissions(trl_ctx *ctx, const char *const *names)
{
	uint32_t *own = trl_arena_alloc(ctx->arena, 64 * sizeof *own);
	size_t n = 0;

	for (; names && *names; names++)
		own[n++] = trl_permission_by_name(*names)->id;
	qsort(own, n, sizeof *own, rising);
	ctx->principal.permissions = own;
	ctx->principal.n_permissions = n;
}

static void
enter(trl_ctx *ctx, const struct world_run *run)
{
	const struct world_caller *who = &run->who;
	const char *key = who->idempotency_key;
	const uint8_t *bytes;
	size_t len;

	ctx->service = "auth";
	ctx->caller = "edge";
	ctx->method = run->method;
	ctx->tenant = who->tenant;
	ctx->now_us = world.now_us;
	ctx->has_if_version = who->has_if_version;
	ctx->if_version = who->if_version;
	ctx->principal.address = world.address ? world.address : "192.0.2.1";
	ctx->principal.user_agent = "cmocka";
	ctx->principal.account = who->account;
	ctx->principal.session = who->session;
	if (!trl_id_is_nil(who->account))
		ctx->principal.kind = who->key ? TRL_KEY : TRL_PERSON;
	if (trl_id_is_nil(
		who->account)) /* in place of a hash of the client's address */
		memset(ctx->idempotency.scope, 9, 16);
	else
		memcpy(ctx->idempotency.scope, who->account.bytes, 16);
	take_permissions(ctx, who->permissions);
	if (run->method->effect != TRL_WRITE)
		return;
	if (!key)
		key = trl_arena_printf(ctx->arena, "test-%u", ++world.keys_made);
	ctx->idempotency.key = key;
	ctx->idempotency.from_client = true;
	trl_wire_encode(ctx->arena, run->in, &bytes, &len);
	crypto_generichash(ctx->idempotency.request, 32, bytes, len, NULL, 0);
}

static void
run_call(trl_ctx *ctx, void *arg)
{
	struct world_run *run = arg;
	ProtobufCMessage *out =
	    trl_message_new(ctx->arena, run->method->out->descriptor);
	const uint8_t *bytes;
	size_t len;

	enter(ctx, run);
	run->rc = trl_validate(ctx, run->method->in, run->in);
	if (run->rc == TRL_OK) {
		run->rc = thunk_of(run->method)(&world.service, ctx, run->in, out);
		trl_write_ended(ctx, run->rc);
	}
	if (trl_is_fault(run->rc) && run->rc != TRL_BUSY)
		trl_log_err(ctx);
	run->err = ctx->err;
	run->err.violations = NULL;
	run->err.n_violations = 0;
	run->replayed = ctx->idempotency.replayed;
	if (run->rc == TRL_OK && run->method->effect == TRL_WRITE)
		trl_assert(ctx->idempotency.recorded || ctx->idempotency.replayed);
	if (run->rc == TRL_OK) {
		trl_wire_encode(ctx->arena, out, &bytes, &len);
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
		.timeout_ms = run->who.timeout_ms ? run->who.timeout_ms : 30000 };

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

	assert_true(trl_loop_run_until(world.loop, all_done, &waiting, 60000));
}

enum trl_code
world_call(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *in, void *out)
{
	struct world_run run = { .method = method, .in = in };
	struct world_run *runs[] = { &run };

	if (who)
		run.who = *who;
	world_start(&run);
	world_wait(runs, 1);
	world.err = run.err;
	world.replayed = run.replayed;
	if (run.rc == TRL_OK && out)
		*(ProtobufCMessage **)out = run.out;
	return run.rc;
}

/* ---- letters ------------------------------------------------------------------- */

static const uint8_t *
bytes_of(const char *hex, size_t *len)
{
	size_t size = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(world.arena, size + 1);

	assert_int_equal(
	    sodium_hex2bin(bytes, size, hex, strlen(hex), NULL, len, NULL), 0);
	return bytes;
}

/* What notify would send of an event: whether a letter to this address, and its token
 * ("" where it has none). */
static bool
is_letter(const char *type, const char *hex, const char *email, const char **token)
{
	size_t len, token_len;
	const uint8_t *bytes = bytes_of(hex, &len);
	Auth__V1__LetterEvent *letter;
	Auth__V1__AccessEvent *access;
	bool is;

	if (strcmp(type, "auth.password.changed") == 0) {
		access = auth__v1__access_event__unpack(NULL, len, bytes);
		is = strcmp(access->account->email, email) == 0;
		auth__v1__access_event__free_unpacked(access, NULL);
		*token = is ? "" : *token;
		return is;
	}
	letter = auth__v1__letter_event__unpack(NULL, len, bytes);
	is = letter->purpose != AUTH__V1__LETTER_EVENT__PURPOSE__none &&
	     strcmp(letter->account->email, email) == 0;
	if (is) {
		*token = trl_unseal(world.service.sealer, world.arena,
		    letter->sealed_token.data, letter->sealed_token.len, &token_len);
		assert_non_null(*token);
	}
	auth__v1__letter_event__free_unpacked(letter, NULL);
	return is;
}

/* How many letters to an address there are to be; the newest one's token. */
static unsigned
look(const char *email, const char **token)
{
	PGconn *conn = PQconnectdb(world.db.admin);
	PGresult *rows = PQexec(conn,
	    "select type, encode(payload, 'hex') from auth.outbox where type in "
	    "('auth.letter.requested', 'auth.password.changed') order by id");
	unsigned n = 0;

	assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
	for (int i = 0; i < PQntuples(rows); i++)
		n += is_letter(
		    PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1), email, token);
	PQclear(rows);
	PQfinish(conn);
	return n;
}

unsigned
world_letters(const char *email)
{
	const char *token;

	return look(email, &token);
}

const char *
world_letter_token(const char *email, unsigned letters)
{
	const char *token = NULL;

	assert_int_equal(look(email, &token), letters);
	return token;
}

/* ---- short ways ------------------------------------------------------------------ */

enum trl_code
world_sign_up(const char *email, const char *password, auth_signed_in **out)
{
	Auth__V1__SignUpRequest in = AUTH__V1__SIGN_UP_REQUEST__INIT;

	in.email = (char *)email;
	in.password = (char *)password;
	in.display_name = "Ada";
	return world_call(NULL, &auth_v1_sign_up, &in.base, out);
}

enum trl_code
world_log_in(const char *email, const char *password, auth_signed_in **out)
{
	Auth__V1__LogInRequest in = AUTH__V1__LOG_IN_REQUEST__INIT;

	in.email = (char *)email;
	in.password = (char *)password;
	return world_call(NULL, &auth_v1_log_in, &in.base, out);
}

struct world_caller
world_who(const auth_signed_in *signed_in)
{
	return (struct world_caller){ .account = trl_value_id(signed_in->account->id),
		.session = trl_value_id(signed_in->session->id) };
}

enum trl_code
world_resolve(const char *token, Auth__V1__ResolvedSession **out)
{
	Auth__V1__ResolveSessionRequest in = AUTH__V1__RESOLVE_SESSION_REQUEST__INIT;
	uint8_t hash[TRL_ACCESS_HASH];

	trl_access_hash(token, strlen(token), hash);
	in.has_token_hash = true;
	in.token_hash = (ProtobufCBinaryData){ sizeof hash, hash };
	return world_call(NULL, &auth_v1_resolve_session, &in.base, out);
}

/* ---- the trace ---------------------------------------------------------------------
 */

void
world_trace_begin(void)
{
	trl_buf_clear(&world.trace);
}

const char *
world_trace(void)
{
	trl_buf_add(&world.trace, "", 1);
	world.trace.len--;
	return (const char *)world.trace.data;
}

void __real_trl_batch_add_args(trl_batch *, const struct trl_sql *,
    const ProtobufCMessage *, const struct trl_arg *);
void __real_trl_batch_get_args(trl_batch *, const struct trl_sql *,
    const ProtobufCMessage *, ProtobufCMessage *, const struct trl_arg *);
enum trl_code __real_trl_batch_read(trl_batch *);
enum trl_code __real_trl_batch_write(trl_batch *, ProtobufCMessage *);
enum trl_code __real_trl_access_limit_name(
    trl_ctx *, trl_access *, const char *, const char *);
enum trl_code __real_trl_access_limit_known(
    trl_ctx *, trl_access *, const char *, const char *);
enum trl_code __wrap_trl_access_limit_known(
    trl_ctx *, trl_access *, const char *, const char *);
void __real_trl_access_bump_account(trl_ctx *, trl_access *, struct trl_id);
enum trl_code __real_trl_offload(
    trl_ctx *, struct trl_offload *, void (*)(void *), void *);

void __wrap_trl_batch_add_args(trl_batch *, const struct trl_sql *,
    const ProtobufCMessage *, const struct trl_arg *);
void __wrap_trl_batch_get_args(trl_batch *, const struct trl_sql *,
    const ProtobufCMessage *, ProtobufCMessage *, const struct trl_arg *);
enum trl_code __wrap_trl_batch_read(trl_batch *);
enum trl_code __wrap_trl_batch_write(trl_batch *, ProtobufCMessage *);
enum trl_code __wrap_trl_access_limit_name(
    trl_ctx *, trl_access *, const char *, const char *);
void __wrap_trl_access_bump_account(trl_ctx *, trl_access *, struct trl_id);
enum trl_code __wrap_trl_offload(
    trl_ctx *, struct trl_offload *, void (*)(void *), void *);

void
__wrap_trl_batch_add_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, const struct trl_arg *args)
{
	trl_buf_printf(&world.trace, "sql %s\n", sql->name);
	__real_trl_batch_add_args(batch, sql, in, args);
}

void
__wrap_trl_batch_get_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, ProtobufCMessage *out, const struct trl_arg *args)
{
	trl_buf_printf(&world.trace, "sql %s\n", sql->name);
	__real_trl_batch_get_args(batch, sql, in, out, args);
}

enum trl_code
__wrap_trl_batch_read(trl_batch *batch)
{
	trl_buf_adds(&world.trace, "read\n");
	return __real_trl_batch_read(batch);
}

enum trl_code
__wrap_trl_batch_write(trl_batch *batch, ProtobufCMessage *reply)
{
	trl_buf_adds(&world.trace, "write\n");
	return __real_trl_batch_write(batch, reply);
}

enum trl_code
__wrap_trl_access_limit_name(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name)
{
	trl_buf_printf(&world.trace, "limit %s\n", rate);
	return __real_trl_access_limit_name(ctx, access, rate, name);
}

enum trl_code
__wrap_trl_access_limit_known(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name_and_place)
{
	trl_buf_printf(&world.trace, "limit %s, known\n", rate);
	return __real_trl_access_limit_known(ctx, access, rate, name_and_place);
}

void
__wrap_trl_access_bump_account(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	trl_buf_adds(&world.trace, "bump account\n");
	__real_trl_access_bump_account(ctx, access, account);
}

enum trl_code
__wrap_trl_offload(
    trl_ctx *ctx, struct trl_offload *kind, void (*fn)(void *arg), void *arg)
{
	/* Letters are another actor's work. */
	if (kind == &world.service.passwords.work)
		trl_buf_printf(&world.trace, "offload %s\n", kind->name);
	return __real_trl_offload(ctx, kind, fn, arg);
}
