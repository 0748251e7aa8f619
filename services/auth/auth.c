/* The auth service: how it opens and what can be set. It serves its contract from
 * its own schema, calls nobody, and keeps nothing between messages. */
#include <stdlib.h>

#include <sodium.h>

#include "auth.h"

static void
close_auth(void **state)
{
	struct auth *self = *state;

	if (!self)
		return;
	trl_sealer_free(&self->sealer);
	trl_secret_free(&self->place_key);
	trl_access_close(&self->access);
	if (self->passwords.work.state)
		auth_passwords_close(&self->passwords);
	sodium_memzero(self, sizeof *self);
	free(self);
	*state = NULL;
}

static bool
check_config(const void *config)
{
	return auth_passwords_check(&((const struct auth_config *)config)->password);
}

static enum trl_code
open_auth(const struct trl_host *host, void **out)
{
	struct auth *self = calloc(1, sizeof *self);
	void *state = self;
	enum trl_code rc = TRL_INTERNAL;

	trl_assert(self);
	*self = (struct auth){ .pg = host->pg, .config = host->config };
	self->sealer = trl_sealer_new(host->seal_key, "auth letter");
	self->place_key = auth_place_key(host->seal_key);
	self->access = trl_access_open(host->loop, host->redis);
	if (self->access &&
	    auth_passwords_open(&self->passwords, host->loop, &self->config->password))
		rc = TRL_OK;
	if (rc != TRL_OK) {
		close_auth(&state);
		return rc;
	}
	*out = self;
	return TRL_OK;
}

static const struct trl_contract *const contracts[] = { &auth_v1_server, NULL };
static const char *const calls[] = { NULL };

const struct trl_service auth_service = {
	.name = "auth",
	.config = &auth_config_table,
	.config_bytes = sizeof(struct auth_config),
	.check_config = check_config,
	.contracts = contracts,
	.calls = calls,
	.sql = &auth_sql,
	.describe_tenant = &auth_sql_tenant_describe,
	.scripts = trl_access_scripts,
	.replayed = auth_replayed,
	.open = open_auth,
	.needs_seal_key = true,
	.snapshot = auth_snapshot,
	.audit_page = &auth_sql_audit_page,
	.close = close_auth,
	.maintain = auth_maintain,
};
