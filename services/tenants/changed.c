/* After a change of who may do what: every copy of the tenant's grants ends by its
 * epoch, between the commit and the answer, so that who was removed is refused by
 * the next request on. The notice hastens what copies elsewhere may do of their
 * own; nothing depends on it. */
#include "tenants.h"

void
tenants_changed(
    struct tenants *self, trl_ctx *ctx, struct trl_id tenant, struct trl_id account)
{
	trl_access_bump_tenant(ctx, self->access, tenant);
	if (!trl_id_is_nil(account))
		trl_access_bump_account(ctx, self->access, account);
	trl_bus_notify(self->bus, "tenants.grant", tenant, account);
}
