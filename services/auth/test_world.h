/* test_world.h - what tests of this service stand on: a database of its own in a
 * real PostgreSQL, a real Redis, and the handlers run in actors under a
 * made-up ctx, behind the validator, as dispatch runs them. Nothing is faked; what
 * handlers do to PostgreSQL, Redis and the hash pool is written into a trace by
 * wrapped calls (meson.build), so that the work of two calls can be compared. */
#pragma once

#include <trl/metrics.h>

#include "auth.h"
#include "test_db.h"

struct world {
	struct test_db db;
	trl_loop *loop;
	trl_redis *redis;
	struct auth service;
	struct auth_config config;
	trl_arena *arena;   /* replies; until world_forget */
	struct trl_err err; /* of the last call */
	bool replayed;
	unsigned keys_made;
	int64_t now_us;       /* 0: the wall clock */
	const char *address;  /* the caller's; NULL: 192.0.2.1 */
	struct trl_buf trace; /* since world_trace_begin */
};
extern struct world world;

/* Who calls. Zeroed but for what is needed. */
struct world_caller {
	struct trl_id account, session;
	struct trl_id tenant;
	bool key;
	const char *const *permissions; /* NULL-ended */
	const char *idempotency_key;    /* NULL: a new one each time */
	bool has_if_version;
	int64_t if_version;
	uint32_t timeout_ms; /* 0: 30 s */
};

struct world_run {
	struct world_caller who;
	const struct trl_method *method;
	const ProtobufCMessage *in;
	ProtobufCMessage *out; /* in world.arena */
	struct trl_err err;
	enum trl_code rc;
	bool replayed, done;
};

int world_open(void **state);
int world_close(void **state);
int world_forget(void **state);
/* Multiplies the limits from now on. */
void world_rate_scale(const char *scale);
/* The first column of the first row, "" without one; as superuser. */
const char *world_sql(const char *fmt, ...) TRL_PRINTF(1, 2);
const char *world_id_text(struct trl_id id);
/* An address nobody has. */
const char *world_email(const char *name);
void world_start(struct world_run *run);
void world_wait(struct world_run *const *runs, size_t n);
enum trl_code world_call(const struct world_caller *who,
    const struct trl_method *method, const ProtobufCMessage *in, void *out);
/* The token in the newest of the letters that the outbox asks for to an address; fails
 * the test when there are not so many. */
const char *world_letter_token(const char *email, unsigned letters);
unsigned world_letters(const char *email);
/* What the calls from now on do, a line each; and what they did since. */
void world_trace_begin(void);
const char *world_trace(void);

/* ---- short ways ------------------------------------------------------------- */

enum trl_code world_sign_up(
    const char *email, const char *password, auth_signed_in **out);
enum trl_code world_log_in(
    const char *email, const char *password, auth_signed_in **out);
/* Who a signed-in reply is. */
struct world_caller world_who(const auth_signed_in *signed_in);
enum trl_code world_resolve(const char *token, Auth__V1__ResolvedSession **out);
