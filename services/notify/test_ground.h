/* test_ground.h - what tests of notify stand on beside the world (test_service.h): a
 * mailbox in a folder of its own, and events that are applied as its subscriptions
 * apply them. Also used by tests/isolation. */
#pragma once

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#include "notify.h"
#include "test_service.h"

struct ground {
	char *mail;                        /* the mailbox's folder */
	trl_sealer *letters, *invitations; /* as auth and tenants seal */
	unsigned notices;
};
extern struct ground ground;

int ground_open(void **state);
int ground_close(void **state);
/* world_forget, and empties the mailbox. */
int ground_forget(void **state);
/* The same, once no job is due. */
int ground_settle(void **state);

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

/* How many mails there are to an address, and the text of the newest. */
unsigned world_mails(const char *address, char *text, size_t size);

/* A person and an organisation that were heard of. */
struct trl_id world_person(const char *email, const char *locale, bool verified);
struct trl_id world_tenant(const char *name);
void world_member(struct trl_id tenant, struct trl_id account,
    Tenants__V1__Member__Role role, struct trl_id by);
