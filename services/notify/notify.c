/* The notify service: how it opens, whom it hears. It keeps what it tells in its own
 * schema, hears of people and organisations by auth's and tenants' events, and keeps
 * nothing but the catalogue between messages. */
#include <stdlib.h>

#include "feed.h"
#include "webhook.h"

static void
close_notify(void **state)
{
	struct notify *self = *state;

	if (!self)
		return;
	notify_feed_close(&self->feed);
	notify_kinds_free(&self->kinds);
	trl_http_out_close(&self->webhook_out);
	trl_sealer_free(&self->webhook_sealer);
	trl_sealer_free(&self->slack);
	free(self);
	*state = NULL;
}

static enum trl_code
open_notify(const struct trl_host *host, void **out)
{
	const struct notify_config *config = host->config;
	trl_http_out *outside = trl_http_out_open(host->loop,
	    &(struct trl_http_out_options){ .allow_cidrs = config->webhook_allow_cidrs,
		.ca_file = config->webhook_ca });
	struct notify *self;

	if (!outside) /* said why */
		return TRL_INTERNAL;
	self = calloc(1, sizeof *self);
	trl_assert(self);
	*self = (struct notify){ .loop = host->loop,
		.bus = host->bus,
		.pg = host->pg,
		.sys = host->sys,
		.config = config,
		.webhook_out = outside };
	self->kinds = notify_kinds_new();
	if (host->seal_key)
		self->slack = trl_sealer_new(host->seal_key, "notify slack");
	if (host->seal_key)
		self->webhook_sealer = trl_sealer_new(host->seal_key, "notify webhook");
	self->feed = notify_feed_open(self);
	*out = self;
	return TRL_OK;
}

static const struct trl_contract *const contracts[] = { &notify_v1_server, NULL };
static const char *const calls[] = { "auth", "tenants", NULL };
static const struct trl_subscription *const subscriptions[] = {
	&notify_feed_auth,
	&notify_feed_tenants,
	&notify_webhooks_auth,
	&notify_webhooks_tenants,
	NULL,
};
static const struct trl_job_kind *const jobs[] = { &notify_webhook_job, NULL };

const struct trl_service notify_service = {
	.name = "notify",
	.config = &notify_config_table,
	.config_bytes = sizeof(struct notify_config),
	.contracts = contracts,
	.calls = calls,
	.sql = &notify_sql,
	.tells_events = true,
	.subscriptions = subscriptions,
	.jobs = jobs,
	.needs_seal_key = true,
	.open = open_notify,
	.close = close_notify,
	.maintain = notify_maintain,
};
