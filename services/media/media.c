/* The media service: how it opens. Between messages it keeps what the installation
 * configured, and whatever its parts have open. */
#include "media.h"

#include <stdlib.h>

#include "file/file.h"
#include "kinds/kinds.h"
#include "link/sign.h"
#include "quota/quota.h"
#include "scan/scan.h"
#include "sweep/sweep.h"
#include "upload/upload.h"
#include "variant/variant.h"

static bool
check_config(const void *read)
{
	const struct media_config *config = read;
	collections *all = NULL;
	const bool fine =
	    collections_read(config->collections, &all) && variants_check(all);
	struct link_keys *keys = NULL;
	const bool scans = scan_check_config(config);
	const bool signs =
	    !config->link_keys || link_keys_read(config->link_keys, NULL, &keys);

	collections_free(&all);
	link_keys_free(&keys);
	return store_check_config(config) && scans && fine && signs;
}

static const char *const renews[] = { "TRELLIS_MEDIA_LINK_KEYS", NULL };

/* So that a key which is on its way out is believed until its links have expired. */
static bool
renew(void *state, const char *setting, trl_secret *value)
{
	struct media *self = state;
	struct link_keys *keys = NULL;
	const bool fine = link_keys_read(value, self->seal_key, &keys);

	(void)setting;
	trl_secret_free(&value);
	if (!fine)
		return false;
	link_keys_free(&self->link_keys);
	self->link_keys = keys;
	return true;
}

static void
close_media(void **state)
{
	struct media *self = TRL_TAKE(*state);

	if (!self)
		return;
	scan_free(&self->scan);
	trl_child_close(&self->sniff);
	uploads_free(&self->uploads);
	variants_close(&self->variants);
	store_close(&self->store);
	link_keys_free(&self->link_keys);
	collections_free(&self->collections);
	quota_copies_free(&self->limits);
	free(self);
}

static bool
is_drained(void *state)
{
	const struct media *self = state;

	return variants_idle(self->variants) && uploads_drained(self->uploads);
}

static enum trl_code
open_media(const struct trl_host *host, void **out)
{
	const struct media_config *config = host->config;
	struct media *self = calloc(1, sizeof *self);

	trl_assert(self);
	*self = (struct media){ .pg = host->pg,
		.sys = host->sys,
		.bus = host->bus,
		.config = config,
		.seal_key = host->seal_key,
		.limits = quota_copies_new(),
		.drop_parts = upload_file_gone };
	*out = self;
	if (!collections_read(config->collections, &self->collections) ||
	    !variants_check(self->collections) ||
	    !link_keys_read(config->link_keys, host->seal_key, &self->link_keys) ||
	    store_open(host, config, &self->store) != TRL_OK) {
		close_media(out);
		return TRL_INTERNAL;
	}
	quota_open();
	sweep_open();
	self->sniff = trl_child_open(host->loop, &kinds_child);
	self->variants = variants_open(host->loop, config);
	self->uploads = uploads_new(host, self);
	self->scan = scan_new(host, config);
	collections_bound(self->collections, scan_bound(self));
	return TRL_OK;
}

static const struct trl_contract *const contracts[] = { &media_v1_server, NULL };
static const struct trl_job_kind *const jobs[] = { &file_purge_job, &quota_tell_job,
	&scan_job, &variant_job, &upload_finish_job, &upload_join_job, &upload_left_job,
	&sweep_job, &sweep_uploads_job, NULL };
static const struct trl_subscription *const subscriptions[] = { &upload_hears_members,
	NULL };
static const struct trl_cron *const crons[] = { &sweep_cron, &sweep_uploads_cron,
	NULL };
static const char *const calls[] = { "tenants", NULL };

const struct trl_service media_service = {
	.name = "media",
	.config = &media_config_table,
	.config_bytes = sizeof(struct media_config),
	.check_config = check_config,
	.contracts = contracts,
	.calls = calls,
	.subscriptions = subscriptions,
	.jobs = jobs,
	.crons = crons,
	.erase_tenant = sweep_erase_tenant,
	.describe_tenant = &media_sql_tenant_describe,
	.sql = &media_sql,
	.needs_seal_key = true,
	.reaches_chosen = true, /* an S3 server, clamd */
	.renews = renews,
	.renew = renew,
	.open = open_media,
	.drained = is_drained,
	.close = close_media,
};
