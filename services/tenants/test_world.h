/* test_world.h - what tests of this service stand on: a database of its own in a
 * real PostgreSQL, the handlers run in actors under a made-up ctx, and fakes for
 * what other services would say. Also used by tests/isolation.
 *
 * A call goes the way of a request behind the edge: for a TENANT method the grant
 * is asked first (GetGrant, as the edge does), the permission checked, the request
 * validated, then the thunk runs. So a test sees what a caller would see. */
#pragma once

#include <trl/access.h>
#include <trl/arena.h>
#include <trl/method.h>

#include "tenants.h"
#include "test_db.h"

enum { WORLD_PEOPLE_MAX = 64 };

/* An account, as the fake auth knows it. */
struct world_person {
	struct trl_id account;
	char email[128];
	char display_name[64];
	bool verified;
};

struct world {
	struct test_db db;
	trl_loop *loop;
	struct tenants service;
	struct tenants_config config;
	trl_arena *arena;   /* replies; until world_forget */
	struct trl_err err; /* of the last call */
	bool replayed;
	unsigned keys_made;
	struct world_person people[WORLD_PEOPLE_MAX];
	size_t n_people;
	unsigned tenant_bumps, account_bumps, notices;
	const char *limited; /* a text whose limit is reached */
	char counted[256];   /* what was counted against limits since it was emptied */
	int64_t now_us;      /* 0: the wall clock */
};

/* Who calls. Zeroed but for what is needed. */
struct world_caller {
	const struct world_person *person;
	bool key;                       /* an API key of tenant made by person */
	const char *const *permissions; /* of the key, NULL-ended */
	struct trl_id tenant;
	bool unchecked;              /* no grant asked: every permission, as owner */
	const char *idempotency_key; /* NULL: a new one each time */
	bool has_if_version;
	int64_t if_version;
	const char *meanwhile; /* SQL of others between the grant and the handler */
};

extern struct world world;

/* cmocka group fixtures. Fail with a sentence where TRELLIS_TEST_PG_ADMIN_URL is
 * not set. */
int world_open(void **state);
int world_close(void **state);
void world_forget(void);

const struct world_person *world_person_new(const char *name, bool verified);
/* Runs a method; *out (may be NULL) lies in world.arena. */
enum trl_code world_call(const struct world_caller *who,
    const struct trl_method *method, const ProtobufCMessage *in, void *out);
/* Starts one and does not wait; done is set at its end. */
struct world_run {
	struct world_caller who;
	const struct trl_method *method;
	const ProtobufCMessage *in;
	ProtobufCMessage *out;
	struct trl_err err;
	enum trl_code rc;
	bool replayed, done;
	uint32_t timeout_ms; /* 0: 10 s */
};
void world_start(struct world_run *run);
void world_wait(struct world_run *const *runs, size_t n);

/* Runs SQL as superuser; the first column of the first row as text, or "". */
const char *world_sql(const char *fmt, ...) TRL_PRINTF(1, 2);

/* A tenant made by person, and its id. */
struct trl_id world_tenant_new(const struct world_person *person);
/* Puts an account in without asking. */
void world_join(
    struct trl_id tenant, const struct world_person *person, const char *role);
/* How many invitations' letters the outbox asks for, and the newest one's token. */
unsigned world_letters(void);
char *world_letter_token(void);
const char *world_id_text(struct trl_id id);
