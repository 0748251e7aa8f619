/* The tenants service: how it opens, what can be set, what it calls. It serves its
 * contract from its own schema, calls auth for accounts' addresses and names, hears of
 * the others' audit entries, and keeps nothing between messages. */
#include <string.h>

#include <sodium.h>

#include "tenants.h"

/* The key of invitations' tags, derived from the seal key, without which the
 * skeleton does not start this service. */
static void
derive_token_key(struct tenants *self, const trl_secret *seal_key)
{
	static const uint8_t purpose[] = "trellis invitation v1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof self->token_key);
	crypto_generichash_update(&state, purpose, sizeof purpose);
	crypto_generichash_update(
	    &state, trl_secret_bytes(seal_key), trl_secret_len(seal_key));
	crypto_generichash_final(&state, self->token_key, sizeof self->token_key);
	sodium_memzero(&state, sizeof state);
}

static enum trl_code
open_tenants(const struct trl_host *host, void **out)
{
	const struct tenants_config *config = host->config;
	struct tenants *self = calloc(1, sizeof *self);

	trl_assert(self && config->seal_key);
	*self = (struct tenants){ .pg = host->pg, .bus = host->bus, .config = config };
	derive_token_key(self, config->seal_key);
	self->sealer = trl_sealer_new(host->seal_key, "tenants invitation");
	self->access = trl_access_open(host->loop, host->redis);
	if (!self->access) {
		trl_sealer_free(&self->sealer);
		free(self);
		return TRL_INTERNAL;
	}
	*out = self;
	return TRL_OK;
}

static void
close_tenants(void **state)
{
	struct tenants *self = *state;

	if (!self)
		return;
	trl_sealer_free(&self->sealer);
	trl_access_close(&self->access);
	sodium_memzero(self, sizeof *self);
	free(self);
	*state = NULL;
}

static const struct trl_contract *const contracts[] = { &tenants_v1_server, NULL };
static const char *const calls[] = { "auth", NULL };
static const struct trl_job_kind *const jobs[] = { &tenants_end_job, NULL };
static const struct trl_subscription *const subscriptions[] = { &tenants_hears_audit,
	&tenants_hears_plans, NULL };

const struct trl_service tenants_service = {
	.name = "tenants",
	.config = &tenants_config_table,
	.config_bytes = sizeof(struct tenants_config),
	.contracts = contracts,
	.calls = calls,
	.sql = &tenants_sql,
	.describe_tenant = &tenants_sql_tenant_describe,
	.find_tenant = &tenants_sql_tenant_by_slug,
	.scripts = trl_access_scripts,
	.needs_seal_key = true,
	.snapshot = tenants_snapshot,
	.subscriptions = subscriptions,
	.replayed = tenants_replayed,
	.jobs = jobs,
	.open = open_tenants,
	.close = close_tenants,
	.maintain = tenants_maintain,
};
