/* What tests of tenants stand on beside the world: see test_ground.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "test_ground.h"

struct ground ground;
struct trl_id home;
const struct world_person *founder;

/* What the edge does between the principal and the call. */
static enum trl_code
ask_grant(trl_ctx *ctx, const struct world_caller *who)
{
	Tenants__V1__GetGrantRequest ask = TENANTS__V1__GET_GRANT_REQUEST__INIT;
	Tenants__V1__Grant *grant;
	enum trl_code rc;

	trl_set(&ask, tenant_id, trl_value_bytes(ctx, who->tenant));
	if (who->key) {
		trl_set(&ask, key_id, trl_value_bytes(ctx, ctx->principal.session));
	} else {
		trl_set(&ask, account_id, trl_value_bytes(ctx, ctx->principal.account));
	}
	rc = tenants_call_get_grant(ctx, world_bus("edge"), &ask, &grant);
	if (rc == TRL_OK && !who->key) {
		ctx->principal.role = (uint8_t)grant->role;
		ctx->principal.permissions = grant->permissions;
		ctx->principal.n_permissions = grant->n_permissions;
	}
	return rc;
}

static void
count_notice(void *self, struct trl_id tenant, struct trl_id subject)
{
	(void)self;
	(void)tenant;
	(void)subject;
	ground.notices++;
}

int
ground_open(void **state)
{
	(void)state;
	world_grants = ask_grant;
	if (world_open_one(&tenants_service) != 0)
		return -1;
	trl_bus_watch(world_bus("edge"), "tenants.grant", count_notice, NULL);
	return 0;
}

int
ground_found(void **state)
{
	(void)state;
	world.n_people = 0;
	founder = world_person_new("owner", true);
	home = world_tenant_new(founder);
	return 0;
}

enum trl_code
invite_as(const struct world_caller *who, const char *email,
    Tenants__V1__Member__Role role, tenants_invitation **out)
{
	Tenants__V1__CreateInvitationRequest ask =
	    TENANTS__V1__CREATE_INVITATION_REQUEST__INIT;

	trl_set(&ask, tenant_id, world_bytes(&home));
	ask.email = (char *)email;
	trl_set(&ask, role, role);
	return world_call(who, &tenants_v1_create_invitation, &ask.base, out);
}

enum trl_code
invite(const struct world_person *by, const char *email, Tenants__V1__Member__Role role,
    tenants_invitation **out)
{
	struct world_caller who = { .person = by, .tenant = home };

	return invite_as(&who, email, role, out);
}

enum trl_code
resend(const struct world_person *by, const tenants_invitation *which,
    tenants_invitation **out)
{
	Tenants__V1__ResendInvitationRequest ask =
	    TENANTS__V1__RESEND_INVITATION_REQUEST__INIT;
	struct world_caller who = { .person = by, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	trl_set(&ask, invitation_id, which->id);
	return world_call(&who, &tenants_v1_resend_invitation, &ask.base, out);
}

enum trl_code
revoke(const struct world_person *by, const tenants_invitation *which)
{
	Tenants__V1__RevokeInvitationRequest ask =
	    TENANTS__V1__REVOKE_INVITATION_REQUEST__INIT;
	struct world_caller who = { .person = by, .tenant = home };

	trl_set(&ask, tenant_id, world_bytes(&home));
	trl_set(&ask, invitation_id, which->id);
	return world_call(&who, &tenants_v1_revoke_invitation, &ask.base, NULL);
}

static struct tenants *
service(void)
{
	return world.self;
}

#define SENT "type in ('tenants.invitation.created', 'tenants.invitation.resent')"

unsigned
world_mails(void)
{
	return (unsigned)strtoul(
	    world_sql("select count(*) from outbox where " SENT), NULL, 10);
}

char *
world_letter_token(void)
{
	const char *hex =
	    world_sql("select encode(payload, 'hex') from outbox where " SENT
		      " order by id desc limit 1");
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(world.arena, len + 1);
	Tenants__V1__InvitationEvent *told;
	char *token;

	assert_int_equal(
	    sodium_hex2bin(bytes, len, hex, strlen(hex), NULL, &len, NULL), 0);
	told = tenants__v1__invitation_event__unpack(NULL, len, bytes);
	assert_non_null(told);
	token = trl_unseal(service()->sealer, world.arena, told->sealed_token.data,
	    told->sealed_token.len, &len);
	tenants__v1__invitation_event__free_unpacked(told, NULL);
	assert_non_null(token);
	return token;
}

struct trl_id
world_tenant_new(const struct world_person *person)
{
	static unsigned made;
	Tenants__V1__CreateTenantRequest ask = TENANTS__V1__CREATE_TENANT_REQUEST__INIT;
	struct world_caller who = { .person = person };
	tenants_tenant *made_one;

	ask.slug = trl_arena_printf(world.arena, "tenant-%u", ++made);
	ask.display_name = trl_arena_printf(world.arena, "Tenant %u", made);
	assert_int_equal(
	    world_call(&who, &tenants_v1_create_tenant, &ask.base, &made_one), TRL_OK);
	return trl_value_id(made_one->id);
}

void
world_join(struct trl_id tenant, const struct world_person *person, const char *role)
{
	world_sql("insert into membership values ('%s', '%s', '%s', 1, now(), now())",
	    world_id_text(tenant), world_id_text(person->account), role);
}
