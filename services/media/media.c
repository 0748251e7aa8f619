/* The media service: how it opens. Between messages it keeps what the installation
 * configured, and whatever its parts have open. */
#include "media.h"

#include <stdlib.h>

#include "kinds/kinds.h"

static bool
check_config(const void *read)
{
	const struct media_config *config = read;
	collections *all = NULL;
	const bool fine = collections_read(config->collections, &all);

	collections_free(&all);
	return store_check_config(config) && fine;
}

static void
close_media(void **state)
{
	struct media *self = TRL_TAKE(*state);

	if (!self)
		return;
	trl_child_close(&self->sniff);
	store_close(&self->store);
	collections_free(&self->collections);
	free(self);
}

static enum trl_code
open_media(const struct trl_host *host, void **out)
{
	const struct media_config *config = host->config;
	struct media *self = calloc(1, sizeof *self);

	trl_assert(self);
	*self = (struct media){
		.pg = host->pg, .sys = host->sys, .bus = host->bus, .config = config
	};
	*out = self;
	if (!collections_read(config->collections, &self->collections) ||
	    store_open(host, config, &self->store) != TRL_OK) {
		close_media(out);
		return TRL_INTERNAL;
	}
	self->sniff = trl_child_open(host->loop, &kinds_child);
	return TRL_OK;
}

static const struct trl_contract *const contracts[] = { &media_v1_server, NULL };
static const char *const calls[] = { "tenants", NULL };

const struct trl_service media_service = {
	.name = "media",
	.config = &media_config_table,
	.config_bytes = sizeof(struct media_config),
	.check_config = check_config,
	.contracts = contracts,
	.calls = calls,
	.sql = &media_sql,
	.needs_seal_key = true,
	.open = open_media,
	.close = close_media,
};
