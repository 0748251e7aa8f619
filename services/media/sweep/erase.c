/* erase.c - an organisation is erased: its bytes go, whatever rows say. Of a large one
 * they take many runs of the job, none of which has failed. */
#include "store/store.h"
#include "sweep/sweep.h"

enum trl_code
sweep_erase_tenant(void *state, trl_ctx *ctx, struct trl_id tenant)
{
	struct media *self = state;
	bool more = false;
	enum trl_code rc = store_remove_tenant(ctx, self->store, tenant, &more);

	return rc == TRL_OK && more ? trl_job_again(ctx, trl_now(ctx)) : rc;
}
