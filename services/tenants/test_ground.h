/* test_ground.h - what tests of tenants stand on beside the world (test_service.h):
 * fakes for what auth and Redis would say (test_fakes.c), people's tenants, and the
 * e-mails that are asked for. What somebody may do in a tenant is asked of the service,
 * as the edge asks it. */
#pragma once

#include <trl/access.h>

#include "tenants.h"
#include "test_service.h"

#define ROLE(name) TENANTS__V1__MEMBER__ROLE__##name

struct ground {
	unsigned tenant_bumps, account_bumps, notices;
	const char *limited; /* a text whose limit is reached */
	char counted[256];   /* what was counted against limits since it was emptied */
};
extern struct ground ground;
/* Of ground_found. */
extern struct trl_id home;
extern const struct world_person *founder;

int ground_open(void **state);
/* Before each test: nobody but the founder of a tenant, their home. */
int ground_found(void **state);

/* A tenant made by person, and its id. */
struct trl_id world_tenant_new(const struct world_person *person);
/* Puts an account in without asking. */
void world_join(
    struct trl_id tenant, const struct world_person *person, const char *role);
/* How many invitations' e-mails the outbox asks for, and the newest one's token. */
unsigned world_mails(void);
char *world_letter_token(void);

/* Of invitations into home. */
enum trl_code invite_as(const struct world_caller *who, const char *email,
    Tenants__V1__Member__Role role, tenants_invitation **out);
enum trl_code invite(const struct world_person *by, const char *email,
    Tenants__V1__Member__Role role, tenants_invitation **out);
enum trl_code resend(const struct world_person *by, const tenants_invitation *which,
    tenants_invitation **out);
enum trl_code revoke(const struct world_person *by, const tenants_invitation *which);
