/* erase.c - an organisation is erased: its bytes go, whatever rows say. */
#include "store/store.h"
#include "sweep/sweep.h"

enum trl_code
sweep_erase_tenant(void *state, trl_ctx *ctx, struct trl_id tenant)
{
	struct media *self = state;

	return store_remove_tenant(ctx, self->store, tenant);
}
