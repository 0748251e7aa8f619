/* tenants.h - the tenants service's state, and what its files share. Known within
 * this folder only; other services call its contract. */
#pragma once

#include <trl/access.h>
#include <trl/batch.h>
#include <trl/change.h>
#include <trl/seal.h>
#include <trl/service.h>
#include <trl/value.h>
#include <tenants_v1.server.h>

#include "tenants_sql.h"

struct tenants_config {
	int64_t grace_days;
	int64_t invitation_days;
	trl_secret *seal_key;
};

enum {
	TENANTS_TOKEN_KEY_BYTES = 32,
	TENANTS_INVITATIONS_MAX = 1000,    /* open at once in a tenant */
	TENANTS_INVITATION_KEPT_DAYS = 90, /* after its end; the audit log stays */
	TENANTS_MADE_MAX = 100,            /* tenants a verified account may make */
	TENANTS_MADE_UNVERIFIED_MAX = 1
};

struct tenants {
	trl_pg *pg;
	trl_bus *bus;
	trl_access *access;
	trl_sealer *sealer; /* of invitations' tokens on their way to the e-mail */
	const struct tenants_config *config;
	uint8_t token_key[TENANTS_TOKEN_KEY_BYTES];
};

extern const struct trl_service tenants_service;
extern const struct trl_config_table tenants_config_table;

/* Short names for the generated ones that many files use. */
typedef Tenants__V1__Tenant tenants_tenant;
typedef Tenants__V1__Member tenants_member;
typedef Tenants__V1__Invitation tenants_invitation;

/* guard.c: what every change asks. */

/* The caller's rank, an enum trl_role. A key ranks as admin: its permissions say
 * what it may, its rank only that owners are out of its reach. */
int tenants_rank(const trl_ctx *ctx);
/* Refuses to give, or to touch, a role above the caller's own.
 * Errors: TRL_DENIED. */
enum trl_code tenants_may_touch(
    trl_ctx *ctx, Tenants__V1__Member__Role role) TRL_MUST_CHECK;
/* Adds the tenant's lock: TRL_NOT_FOUND unless it is active, or, with deleting, there.
 */
void tenants_lock(trl_batch *work, struct trl_id tenant, bool deleting);
/* Begins every change in ctx's tenant: adds the lock, then that the caller's role is
 * what the grant said (TRL_DENIED). Of a key only auth knows whether it lives;
 * README.md says until when that is believed. */
void tenants_guard(trl_ctx *ctx, trl_batch *work, bool deleting);
/* A batch that begins so, of a tenant that is active. */
trl_batch *tenants_change_new(struct tenants *self, trl_ctx *ctx);

/* reach.c: mails to people outside. */

/* Whether the caller may cause a mail to that address, and counts it; before it is
 * caused. Errors: TRL_DENIED (the caller's own address is not proven), TRL_RATE. */
enum trl_code tenants_may_reach(
    struct tenants *self, trl_ctx *ctx, const char *email) TRL_MUST_CHECK;

/* grant_copies.c: after the commit, before the answer. */

/* Of a change of who may do what, before it is written: has every copy of the tenant's
 * grants forgotten before it is answered. account may be nil (all). */
void tenants_end_copies(
    struct tenants *self, trl_ctx *ctx, struct trl_id tenant, struct trl_id account);
/* The same of whatever change is answered with its stored reply (trl_service). */
void tenants_replayed(void *state, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *reply);

/* people.c: accounts, which are auth's. */

struct tenants_person {
	struct trl_id account;
	const char *email; /* lower case */
	const char *display_name;
	bool verified;
};

/* *found is false where there is none. Errors: faults. */
enum trl_code tenants_person_by_email(struct tenants *self, trl_ctx *ctx,
    const char *email, struct tenants_person *out, bool *found) TRL_MUST_CHECK;
enum trl_code tenants_person_by_id(struct tenants *self, trl_ctx *ctx,
    struct trl_id account, struct tenants_person *out, bool *found) TRL_MUST_CHECK;
/* Fills email and display_name of members whose accounts exist. Errors: faults. */
enum trl_code tenants_name_members(struct tenants *self, trl_ctx *ctx,
    tenants_member **members, size_t n) TRL_MUST_CHECK;

/* invitation_token.c: the invitation's link. */

enum { TENANTS_TOKEN_HASH = 32, TENANTS_TOKEN_TEXT = 128 };

/* Makes a token for an invitation and the hash to keep. */
void tenants_token_new(const struct tenants *self, struct trl_id tenant,
    struct trl_id invitation, char text[TENANTS_TOKEN_TEXT],
    uint8_t hash[TENANTS_TOKEN_HASH]);
/* False where the text is no token of ours. */
bool tenants_token_read(const struct tenants *self, const char *text,
    struct trl_id *tenant, struct trl_id *invitation, uint8_t hash[TENANTS_TOKEN_HASH]);

/* events_out.c: events, part of the batch that makes them true. */

void tenants_tell_tenant(trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, tenants_tenant *tenant);
/* former: with the role before it was changed, or NULL. */
void tenants_tell_member(trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, tenants_member *member,
    const tenants_member *former);
/* token: of the link where an e-mail is on its way, or NULL; it travels sealed. */
void tenants_tell_invitation(struct tenants *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, tenants_invitation *invitation,
    const char *token);

trl_snapshot_fn tenants_snapshot;

/* events_in.c: the audit entries of other services. */

extern const struct trl_subscription tenants_hears_audit;

/* plans_in.c: what billing says that tenants may use. */

extern const struct trl_subscription tenants_hears_plans;
#define TENANTS_SEATS "seats" /* members and open invitations */

/* tenant_end.c */

extern const struct trl_job_kind tenants_end_job;
/* Adds to the batch, the tenant's, that it ends after delete_at_us; or does not. */
void tenants_end_at(trl_batch *work, int64_t delete_at_us);
void tenants_end_not(trl_batch *work);

/* maintain.c: `trellis-tenants maintain`. */

enum trl_code tenants_maintain(
    const char *admin_url, const void *config) TRL_MUST_CHECK;
