/* test_service.h - what the tests of services stand on: a database of their own in a
 * real PostgreSQL with the services' schemas, the services opened from what they
 * declare, and a bus within the process. A call is a message that the service's
 * dispatch handles, so who may call, what a request may hold, records, replays and the
 * codes that a method may answer with are what they are in production. What another
 * service or module would say is faked by linking. */
#pragma once

#include <trl/arena.h>
#include <trl/buf.h>
#include <trl/jobs.h>
#include <trl/service.h>

#include "test_db.h"

enum { WORLD_SERVICES_MAX = 8, WORLD_PEOPLE_MAX = 64 };

/* Somebody with an account. */
struct world_person {
	struct trl_id account;
	char email[128];
	char display_name[64];
	bool verified;
};

struct world {
	struct test_db db;
	trl_loop *loop;
	struct trl_host host; /* of the first service, as it was opened with */
	void *self;           /* its state */
	void *config;         /* what its table read */
	trl_arena *arena;     /* replies; until world_forget */
	struct trl_err err;   /* of the last call; violations in arena */
	bool replayed;        /* its answer was a stored one */
	/* The bytes that it gave, NUL behind them; until the next call. */
	struct trl_buf given;
	int64_t now_us;      /* of the calls from now on; 0: the wall clock */
	const char *address; /* the callers' from now on; NULL: 192.0.2.1 */
	struct world_person people[WORLD_PEOPLE_MAX];
	size_t n_people;
	unsigned keys_made;
};
extern struct world world;

/* The caller. Zeroed but for what is needed; all zero: nobody. */
struct world_caller {
	const struct world_person *person; /* or: */
	struct trl_id account;
	struct trl_id session; /* of a key: its id */
	struct trl_id tenant;
	bool key;               /* a key of tenant that the person made */
	bool operator;          /* by the operator's command, for account or tenant */
	enum trl_role role;     /* in tenant; none: owner */
	const char *const *may; /* NULL-ended, in place of what the role may */
	bool behind; /* straight to the handler, as if what stands before it had failed
			to look; not of methods with bytes, which only the bus carries
		      */
	const char *idempotency_key; /* NULL: a new one each time */
	bool has_if_version;
	int64_t if_version;
	uint32_t timeout_ms;   /* 0: 30 s */
	const char *meanwhile; /* SQL of others between the grant and the call */
	/* Of a method that takes bytes: them. */
	const void *body;
	size_t body_len;
};

struct world_run {
	struct world_caller who;
	const struct trl_method *method;
	const ProtobufCMessage *in;
	ProtobufCMessage *out; /* in world.arena */
	struct trl_buf given;  /* what a method that gives bytes gave; the caller's */
	struct trl_err err;
	enum trl_code rc;
	bool replayed, done;
};

/* Makes the database with the services' schemas, reads their settings from the
 * environment and opens them, with the workers of their jobs. 0, or -1 where one does
 * not open, which it says itself: for cmocka's fixtures. */
int world_open_all(const struct trl_service *const *services, size_t n);
int world_open_one(const struct trl_service *service);
int world_close(void **state);
/* Ends what calls left in world.arena, and the clock and address that were set. */
int world_forget(void **state);

/* Asks before each call of a TENANT method who may do what in its tenant, and fills
 * ctx's principal as the edge would. NULL, as it is at first: everybody may what the
 * caller says. */
extern enum trl_code (*world_grants)(trl_ctx *ctx, const struct world_caller *who);

/* Calls a method; *out (may be NULL) lies in world.arena. who NULL: nobody. */
enum trl_code world_call(const struct world_caller *who,
    const struct trl_method *method, const ProtobufCMessage *in, void *out);
/* Starts a call and does not wait; waits for n of them. */
void world_start(struct world_run *run);
void world_wait(struct world_run *const *runs, size_t n);
/* Runs fn as an actor of the test's to its end. */
void world_act(void (*fn)(trl_ctx *ctx, void *arg), void *arg);
/* Waits until holds(arg), or until a statement's first column is true; fails the test
 * where it takes a minute. */
void world_until(bool (*holds)(void *arg), void *arg);
void world_until_sql(const char *fmt, ...) TRL_PRINTF(1, 2);
/* The bus as another service has it. Not in an actor, but for "edge" and whoever has
 * called before. */
trl_bus *world_bus(const char *service);
/* The handler of a method, its service's connections and state; fails the test where
 * there is none. */
trl_thunk *world_thunk(
    const struct trl_method *method, struct trl_pg **pg, void **self);

/* Runs SQL as the administrator; the first column of the first row as text, or "". */
const char *world_sql(const char *fmt, ...) TRL_PRINTF(1, 2);
const char *world_id_text(struct trl_id id);
/* Of a message's field; they are the id's own. */
ProtobufCBinaryData world_bytes(const struct trl_id *id);
struct world_person *world_person_new(const char *name, bool verified);
