/* events_in.c - what is heard of other services: the entries of their audit chains,
 * which become copies beside this service's own chain: of every service that has a
 * schema, whether or not anybody here knows it. One that begins to listen is shown the
 * entries so far, and then told the further ones in the order of their chain; what
 * comes twice is known by its id. */
#include <string.h>

#include <audit_v1.trl.h>

#include "tenants.h"

/* The chain is named after the service that keeps it, as the event's type is. */
static const char *
chain_of(trl_ctx *ctx, const struct trl_event *event)
{
	return trl_arena_strndup(
	    ctx->arena, event->type_name, strcspn(event->type_name, "."));
}

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
		    TRL_ARG_TEXT("chain", chain_of(ctx, &events[i])));
	}
	return TRL_OK;
}

static const char *const entries[] = { "*.audit.written", NULL };

const struct trl_subscription tenants_hears_audit = {
	.name = "audit",
	.producer = TRL_EVERY_TELLER,
	.types = entries,
	.start = TRL_FROM_AUDIT,
	.apply = keep_entries,
};
