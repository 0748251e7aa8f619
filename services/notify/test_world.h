/* test_world.h - what tests of this service stand on: a database of its own in a real
 * PostgreSQL, the service opened as in production with a mailbox in a folder of its
 * own, its worker of jobs, and events that are applied as its subscriptions apply
 * them. Notices are counted by a fake. Also used by tests/isolation. */
#pragma once

#include <trl/arena.h>
#include <trl/jobs_open.h>
#include <trl/method.h>

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#include "notify.h"
#include "test_db.h"

struct world {
	struct test_db db;
	char mail[64]; /* the mailbox's folder */
	trl_loop *loop;
	trl_pg *pg, *sys;
	struct notify *service;
	struct notify_config config;
	trl_jobs *jobs;
	trl_sealer *letters, *invitations; /* as auth and tenants seal */
	trl_arena *arena;                  /* replies; until world_forget */
	struct trl_err err;                /* of the last call */
	unsigned keys_made, notices;
};

/* Who calls. */
struct world_caller {
	struct trl_id account, tenant;
	const char *idempotency_key; /* NULL: a new one each time */
	bool has_if_version;
	int64_t if_version;
};

extern struct world world;

int world_open(void **state);
int world_close(void **state);
void world_forget(void);

/* Runs a method as if everything before the handler had let it through; *out (may be
 * NULL) lies in world.arena. */
enum trl_code world_call(const struct world_caller *who,
    const struct trl_method *method, const ProtobufCMessage *in, void *out);
/* Runs a method twice at the same time. */
void world_call_both(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *const in[2], enum trl_code rcs[2]);
/* Applies an event in a transaction of its own. seq 0: of a snapshot. */
void world_hear(const struct trl_event_type *type, struct trl_id tenant,
    struct trl_id subject, const ProtobufCMessage *payload, uint64_t seq);
/* Adds a job of a kind without payload, as its cron does. */
void world_job(const char *kind);
/* Runs the loop until no job is due. */
void world_settle(void);

/* Runs SQL as superuser; the first column of the first row as text, or "". */
const char *world_sql(const char *fmt, ...) TRL_PRINTF(1, 2);
const char *world_id_text(struct trl_id id);
/* How many mails there are to an address, and the text of the newest. */
unsigned world_mails(const char *address, char *text, size_t size);

/* A person and an organisation that were heard of. */
struct trl_id world_person(const char *email, const char *locale, bool verified);
struct trl_id world_tenant(const char *name);
void world_member(struct trl_id tenant, struct trl_id account,
    Tenants__V1__Member__Role role, struct trl_id by);
