/* The notify service: how it opens, whom it hears. It keeps what it tells in its own
 * schema, hears of people and organisations by auth's and tenants' events, and keeps
 * nothing but the catalogue between messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/ages.h>
#include <trl/origin.h>

#include "analytics/analytics.h"
#include "feed/feed.h"
#include "telling/telling.h"
#include "webhooks/webhooks.h"

static void
close_notify(void **state)
{
	struct notify *self = *state;

	if (!self)
		return;
	notify_feed_close(&self->feed);
	notify_analytics_close(&self->analytics);
	trl_offload_fini(&self->words);
	trl_http_out_close(&self->webhook_out);
	trl_sealer_free(&self->webhook_sealer);
	notify_tokens_close(self);
	trl_sealer_free(&self->slack);
	trl_http_out_close(&self->out);
	while (self->smtp_password) {
		struct notify_password *former = self->smtp_password->former;

		sodium_free(self->smtp_password->text);
		free(self->smtp_password);
		self->smtp_password = former;
	}
	notify_mailbox_close(&self->mailbox);
	free((char *)(uintptr_t)self->product);
	free((char *)(uintptr_t)self->from_address);
	free((char *)(uintptr_t)self->helo);
	free(self);
	*state = NULL;
}

/* A secret's bytes end without a NUL, which the mail client wants. */
static void
take_password(struct notify *self, const trl_secret *password)
{
	const size_t len = password ? trl_secret_len(password) : 0;
	struct notify_password *copy;

	if (!password)
		return;
	copy = calloc(1, sizeof *copy);
	trl_assert(copy);
	copy->text = sodium_malloc(len + 1);
	trl_assert(copy->text);
	copy->former = self->smtp_password;
	memcpy(copy->text, trl_secret_bytes(password), len);
	copy->text[len] = '\0';
	self->smtp_password = copy;
}

/* Mails go to a server where one is set, else into the mailbox, else nowhere. */
static enum trl_code
open_mail(struct notify *self, const struct trl_host *host)
{
	const struct notify_config *config = host->config;
	const struct trl_http_out_options options = { .any_address = true,
		.ca_file = config->smtp_ca };
	char folder[512];

	if (config->smtp_url) {
		take_password(self, config->smtp_password);
		self->out = trl_http_out_open(host->loop, &options);
		return self->out ? TRL_OK : TRL_INTERNAL;
	}
	if (config->mail_folder)
		return notify_mailbox_open(
		    host->loop, config->mail_folder, &self->mailbox);
	if (!host->run_dir)
		return TRL_OK;
	snprintf(folder, sizeof folder, "%s/mail", host->run_dir);
	return notify_mailbox_open(host->loop, folder, &self->mailbox);
}

static void
read_sender(struct notify *self, const char *from)
{
	char name[256], address[256];

	trl_assert(notify_address_split(from, name, address)); /* was looked at */
	self->product = strdup(*name ? name : "Trellis");
	self->from_address = strdup(address);
	trl_assert(self->product && self->from_address);
}

/* A pod's or machine's own name says nothing outside, and is refused by many. */
static void
choose_helo(struct notify *self)
{
	char origin[TRL_ORIGIN_MAX];
	const char *helo = self->config->smtp_helo, *host;
	char *name;

	trl_assert(
	    trl_origin_read(self->config->public_url, origin)); /* was looked at */
	host = strstr(origin, "://") + 3;
	name = strndup(host, strcspn(host, ":"));
	trl_assert(name);
	if (!helo)
		helo = notify_is_full_name(name) ? name
						 : strchr(self->from_address, '@') + 1;
	self->helo = strdup(helo);
	trl_assert(self->helo);
	free(name);
}

static void
open_metrics(struct notify *self)
{
	static const char *const outcomes[] = { "sent", "refused", "suppressed",
		"failed", "put_off" };
	trl_metric *m;

	self->mails = trl_counter_new("trellis_mails_total",
	    "Tries to send a mail, by what became of them", "outcome", NULL);
	for (size_t i = 0; i < TRL_COUNT(outcomes); i++)
		trl_series_at(self->mails, outcomes[i]);
	if (self->config->webhook_ca)
		trl_age_certificate_file(
		    "TRELLIS_WEBHOOK_CA", self->config->webhook_ca);
	if (self->config->smtp_ca)
		trl_age_certificate_file("TRELLIS_SMTP_CA", self->config->smtp_ca);
	m = trl_counter_new("trellis_webhook_attempts_total",
	    "Attempts to deliver to a webhook: succeeded; failed, by its answer; "
	    "unreachable, there was none",
	    "outcome", NULL);
	self->webhooks.succeeded = trl_series_at(m, "succeeded");
	self->webhooks.failed = trl_series_at(m, "failed");
	self->webhooks.unreachable = trl_series_at(m, "unreachable");
	m = trl_counter_new("trellis_webhook_endpoints_disabled_total",
	    "Webhook endpoints disabled: gone, by its own word (410); failing, for "
	    "days",
	    "reason", NULL);
	self->webhooks.gone = trl_series_at(m, "gone");
	self->webhooks.failing = trl_series_at(m, "failing");
}

static enum trl_code
open_notify(const struct trl_host *host, void **out)
{
	const struct notify_config *config = host->config;
	trl_http_out *outside = trl_http_out_open(host->loop,
	    &(struct trl_http_out_options){ .allow_cidrs = config->webhook_allow_cidrs,
		.ca_file = config->webhook_ca,
		/* Slack's as well. Beyond these, libcurl would let them wait. */
		.max_connections = 2 * NOTIFY_WEBHOOK_SLOTS });
	struct notify *self;
	enum trl_code rc;

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
	self->words = (struct trl_offload){
		.name = "words", .slots = 1, .queue = 256, .retry_after_ms = 1000
	};
	trl_offload_init(host->loop, &self->words);
	open_metrics(self);
	if (host->seal_key) {
		self->slack = trl_sealer_new(host->seal_key, "notify slack");
		self->webhook_sealer = trl_sealer_new(host->seal_key, "notify webhook");
		notify_tokens_open(self, host->seal_key);
	}
	self->feed = notify_feed_open(self);
	self->analytics = notify_analytics_open(host->loop, config);
	*out = self;
	read_sender(self, self->config->mail_from);
	choose_helo(self);
	rc = open_mail(self, host);
	if (rc != TRL_OK)
		close_notify(out);
	return rc;
}

static const char *const renews[] = { "TRELLIS_SMTP_PASSWORD", "TRELLIS_POSTHOG_KEY",
	NULL };

static bool
renew_secret(void *state, const char *setting, trl_secret *value)
{
	struct notify *self = state;

	if (!strcmp(setting, "TRELLIS_POSTHOG_KEY") && self->analytics)
		return notify_analytics_renew(self->analytics, value);
	if (!strcmp(setting, "TRELLIS_SMTP_PASSWORD") && self->config->smtp_url)
		take_password(self, value);
	trl_secret_free(&value);
	return true;
}

static const struct trl_contract *const contracts[] = { &notify_v1_server, NULL };
static const char *const calls[] = { "auth", "tenants", NULL };
static const struct trl_subscription *const subscriptions[] = {
	&notify_hears_for_feed,
	&notify_hears_for_webhooks,
	&notify_hears_facts,
	NULL,
};
static const struct trl_job_kind *const jobs[] = {
	&notify_dispatch_job,
	&notify_audience_job,
	&notify_tell_job,
	&notify_mail_job,
	&notify_slack_job,
	&notify_digests_job,
	&notify_digest_job,
	&notify_webhook_job,
	&notify_analytics_job,
	NULL,
};
static const struct trl_cron *const crons[] = { &notify_digests_cron, NULL };

const struct trl_service notify_service = {
	.name = "notify",
	.config = &notify_config_table,
	.config_bytes = sizeof(struct notify_config),
	.check_config = notify_check_config,
	.contracts = contracts,
	.calls = calls,
	.reaches_outside = true,
	.sql = &notify_sql,
	.subscriptions = subscriptions,
	.jobs = jobs,
	.crons = crons,
	.describe_tenant = &notify_sql_tenant_describe,
	.needs_seal_key = true,
	.renews = renews,
	.renew = renew_secret,
	.open = open_notify,
	.close = close_notify,
	.maintain = notify_maintain,
};
