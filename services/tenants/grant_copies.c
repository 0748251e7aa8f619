/* Before a change of who may do what: every copy of the tenant's grants ends by its
 * epoch, between the commit and the answer, so that whoever was removed is refused from
 * the next request on. The notice hastens what copies elsewhere may do of their
 * own; nothing depends on it. */
#include "tenants.h"

struct change {
	trl_bus *bus;
	struct trl_id tenant, account;
};

static void
notify(trl_ctx *ctx, void *arg)
{
	const struct change *change = arg;

	(void)ctx;
	trl_bus_notify(change->bus, "tenants.grant", change->tenant, change->account);
}

void
tenants_end_copies(
    struct tenants *self, trl_ctx *ctx, struct trl_id tenant, struct trl_id account)
{
	struct change *change = trl_arena_alloc(ctx->arena, sizeof *change);

	*change = (struct change){ self->bus, tenant, account };
	trl_access_changes_tenant(ctx, self->access, tenant);
	if (!trl_id_is_nil(account))
		trl_access_changes_account(ctx, self->access, account);
	trl_after_write(ctx, notify, change);
}

void
tenants_replayed(void *state, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *reply)
{
	struct trl_id tenant = ctx->tenant, account = trl_id_nil;

	(void)in;
	if (ctx->method == &tenants_v1_accept_invitation) {
		tenant = trl_value_id(((const Tenants__V1__MyTenant *)reply)->id);
		account = ctx->principal.account;
	}
	if (!trl_id_is_nil(tenant))
		tenants_end_copies(state, ctx, tenant, account);
}
