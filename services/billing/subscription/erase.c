/* erase.c - see erase.h. Under the _sys role, as the rest of an erasing; done twice it
 * does no more than once. */
#include "subscription/erase.h"

enum trl_code
erase_account(void *state, trl_ctx *ctx, struct trl_id tenant)
{
	struct billing *self = state;
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(work, &billing_sql_subscription_erase, NULL,
	    TRL_ARG_ID("tenant_id", tenant));
	trl_batch_add(
	    work, &billing_sql_invoice_erase, NULL, TRL_ARG_ID("tenant_id", tenant));
	return trl_batch_write_unrecorded(work);
}
