/* tenants.ListMyTenants - the organisations of an account, across tenants. Read
 * under the account's own policy: its memberships, and the directory rows of
 * those. */
#include <trl/page.h>

#include "tenants.h"

/* Errors: TRL_INVALID (page_token). */
enum trl_code
tenants_list_my_tenants(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ListMyTenantsRequest *in, Tenants__V1__ListMyTenantsReply *out)
{
	struct trl_id account = ctx->principal.account;
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, "tenants.mine", account, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(account),
	    &tenants_sql_my_tenants_list, NULL, &out->base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("after", page.after),
	    TRL_ARG_TIME("now", trl_now(ctx)), TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, page.size, "id", &out->base);
	return rc;
}
