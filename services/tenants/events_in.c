/* events_in.c - what is heard of other services: the entries of their audit chains,
 * which become copies beside this service's own chain. One that begins to listen is
 * shown the entries so far, and then told the further ones in the order of their chain;
 * what comes twice is known by its id. */
#include <audit_v1.trl.h>

#include "tenants.h"

static enum trl_code
keep_entries(
    void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		if (!events[i].type || trl_id_is_nil(ctx->tenant))
			continue;
		trl_tx_add(tx, &tenants_sql_audit_copy_put, events[i].payload,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_TEXT("chain", events[i].type->service));
	}
	return TRL_OK;
}

static const char *const auths[] = { "auth.audit.written", NULL };
static const char *const notifys[] = { "notify.audit.written", NULL };

const struct trl_subscription tenants_hears_auth = {
	.name = "audit_auth",
	.producer = "auth",
	.types = auths,
	.start = TRL_FROM_AUDIT,
	.apply = keep_entries,
};

const struct trl_subscription tenants_hears_notify = {
	.name = "audit_notify",
	.producer = "notify",
	.types = notifys,
	.start = TRL_FROM_AUDIT,
	.apply = keep_entries,
};
