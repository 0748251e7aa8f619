/* The billing service: how it opens, and who moves money for it. It keeps nothing
 * between messages but the catalogue. */
#include "billing.h"

#include <stdlib.h>
#include <string.h>

#include "catalogue/kept.h"
#include "invoice/invoice.h"
#include "subscription/erase.h"
#include "subscription/trial.h"
#include "turn/due.h"
#include "entitlements/entitlements.h"
#include <trl/complain.h>

#include "config.h"
#include "turn/charge.h"

static const struct provider *const providers[] = { &provider_test };

static const struct provider *
find_provider(const char *name)
{
	for (size_t i = 0; name && i < TRL_COUNT(providers); i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	return NULL;
}

static bool
check_config(const void *read)
{
	const struct billing_config *config = read;

	if (!config->provider || find_provider(config->provider))
		return true;
	trl_complain("TRELLIS_BILLING_PROVIDER is \"%s\"; there is only \"test\".",
	    config->provider);
	return false;
}

static enum trl_code
open_billing(const struct trl_host *host, void **out)
{
	const struct billing_config *config = host->config;
	struct billing *self = calloc(1, sizeof *self);

	trl_assert(self);
	*self = (struct billing){ .pg = host->pg,
		.sys = host->sys,
		.bus = host->bus,
		.provider = find_provider(config->provider),
		.pdf = trl_child_open(host->loop, &invoice_pdf_child) };
	*out = self;
	return TRL_OK;
}

static void
close_billing(void **state)
{
	struct billing *self = TRL_TAKE(*state);

	if (!self)
		return;
	trl_child_close(&self->pdf);
	catalogue_forget(self);
	free(self);
}

static const struct trl_contract *const contracts[] = { &billing_v1_server, NULL };
static const struct trl_job_kind *const jobs[] = { &payment_job, &provider_news_job,
	&due_job, &trial_job, NULL };
static const struct trl_subscription *const subscriptions[] = { &billing_hears_tenants,
	NULL };

const struct trl_service billing_service = {
	.name = "billing",
	.config = &billing_config_table,
	.config_bytes = sizeof(struct billing_config),
	.check_config = check_config,
	.contracts = contracts,
	.sql = &billing_sql,
	.snapshot = billing_snapshot,
	.describe_tenant = &billing_sql_tenant_describe,
	.erase_tenant = erase_account,
	.subscriptions = subscriptions,
	.jobs = jobs,
	.open = open_billing,
	.close = close_billing,
};
