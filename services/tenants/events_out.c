/* What the others are told: the resource as the API shows it, and who did it. An event
 * is part of the batch that makes it true. */
#include <string.h>

#include <trl/event.h>

#include "tenants.h"

/* Sets *by to the person who acts; nobody where a key does. */
static void
name_actor(trl_ctx *ctx, protobuf_c_boolean *has, ProtobufCBinaryData *by)
{
	*has = ctx->principal.kind == TRL_PERSON;
	if (*has)
		*by = trl_value_bytes(ctx, ctx->principal.account);
}

void
tenants_tell_tenant(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    tenants_tenant *tenant)
{
	Tenants__V1__TenantEvent *told = tenants_v1_tenant_event_new(ctx);

	told->tenant = tenant;
	name_actor(ctx, &told->has_by, &told->by);
	trl_batch_event(work, type, trl_value_id(tenant->id), &told->base);
}

void
tenants_tell_member(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    tenants_member *member, const tenants_member *former)
{
	Tenants__V1__MemberEvent *told = tenants_v1_member_event_new(ctx);

	told->member = member;
	name_actor(ctx, &told->has_by, &told->by);
	told->has_former_role = former != NULL;
	if (former)
		told->former_role = former->role;
	trl_batch_event(work, type, trl_value_id(member->account_id), &told->base);
}

void
tenants_tell_invitation(struct tenants *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, tenants_invitation *invitation,
    const char *token)
{
	Tenants__V1__InvitationEvent *told = tenants_v1_invitation_event_new(ctx);

	told->invitation = invitation;
	name_actor(ctx, &told->has_by, &told->by);
	told->has_sealed_token = token != NULL;
	if (token)
		told->sealed_token.data = trl_seal(self->sealer, ctx->arena, token,
		    strlen(token), &told->sealed_token.len);
	trl_batch_event(work, type, trl_value_id(invitation->id), &told->base);
}
