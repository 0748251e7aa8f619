/* What tests of auth stand on beside the world: see test_ground.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "test_ground.h"

static struct trl_buf trace; /* since world_trace_begin */

int
ground_open(void **state)
{
	(void)state;
	setenv("TRELLIS_ARGON2_MEMORY_KIB", "19456", 1);
	setenv("TRELLIS_RATE_SCALE", "1000", 1);
	return world_open_one(&auth_service);
}

int
ground_close(void **state)
{
	trl_buf_fini(&trace);
	return world_close(state);
}

struct auth *
world_auth(void)
{
	return world.self;
}

void
world_rate_scale(const char *scale)
{
	struct auth *self = world_auth();

	trl_access_close(&self->access);
	setenv("TRELLIS_RATE_SCALE", scale, 1);
	self->access = trl_access_open(world.loop, world.host.redis);
	assert_non_null(self->access);
}

const char *
world_email(const char *name)
{
	static unsigned made;

	return trl_arena_printf(
	    world.arena, "%s.%d.%u@example.test", name, (int)getpid(), ++made);
}

static const uint8_t *
bytes_of(const char *hex, size_t *len)
{
	size_t size = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(world.arena, size + 1);

	assert_int_equal(
	    sodium_hex2bin(bytes, size, hex, strlen(hex), NULL, len, NULL), 0);
	return bytes;
}

/* What notify would send of an event: whether an e-mail to this address, and its token
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
		*token = trl_unseal(world_auth()->sealer, world.arena,
		    letter->sealed_token.data, letter->sealed_token.len, &token_len);
		assert_non_null(*token);
	}
	auth__v1__letter_event__free_unpacked(letter, NULL);
	return is;
}

/* How many e-mails to an address there are to be; the newest one's token. */
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
	trl_set(&in, token_hash, (ProtobufCBinaryData){ sizeof hash, hash });
	return world_call(NULL, &auth_v1_resolve_session, &in.base, out);
}

void
world_trace_begin(void)
{
	trl_buf_clear(&trace);
}

const char *
world_trace(void)
{
	trl_buf_add(&trace, "", 1);
	trace.len--;
	return (const char *)trace.data;
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
	trl_buf_printf(&trace, "sql %s\n", sql->name);
	__real_trl_batch_add_args(batch, sql, in, args);
}

void
__wrap_trl_batch_get_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, ProtobufCMessage *out, const struct trl_arg *args)
{
	trl_buf_printf(&trace, "sql %s\n", sql->name);
	__real_trl_batch_get_args(batch, sql, in, out, args);
}

enum trl_code
__wrap_trl_batch_read(trl_batch *batch)
{
	trl_buf_adds(&trace, "read\n");
	return __real_trl_batch_read(batch);
}

enum trl_code
__wrap_trl_batch_write(trl_batch *batch, ProtobufCMessage *reply)
{
	trl_buf_adds(&trace, "write\n");
	return __real_trl_batch_write(batch, reply);
}

enum trl_code
__wrap_trl_access_limit_name(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name)
{
	trl_buf_printf(&trace, "limit %s\n", rate);
	return __real_trl_access_limit_name(ctx, access, rate, name);
}

enum trl_code
__wrap_trl_access_limit_known(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name_and_place)
{
	trl_buf_printf(&trace, "limit %s, known\n", rate);
	return __real_trl_access_limit_known(ctx, access, rate, name_and_place);
}

void
__wrap_trl_access_bump_account(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	trl_buf_adds(&trace, "bump account\n");
	__real_trl_access_bump_account(ctx, access, account);
}

enum trl_code
__wrap_trl_offload(
    trl_ctx *ctx, struct trl_offload *kind, void (*fn)(void *arg), void *arg)
{
	/* E-mails are another actor's work. */
	if (kind == &world_auth()->passwords.work)
		trl_buf_printf(&trace, "offload %s\n", kind->name);
	return __real_trl_offload(ctx, kind, fn, arg);
}
