/* figures.c - what a process tells of itself as metrics before any of its services
 * does: what it is, and the ages of its secrets and certificates. */
#include <trl/ages.h>
#include <trl/metrics.h>
#include <trl/process.h>

#include <string.h>

#include "config.h"

static void
show_secret(void *self, const char *name, const char *path)
{
	(void)self;
	trl_age_secret(name, path);
}

static void
show_certificate(const char *setting, const char *pem)
{
	if (pem != NULL)
		trl_age_certificate(setting, pem, strlen(pem));
}

void
process_figures(const struct process_config *config,
    const struct trl_service *const *services, size_t n)
{
	const char *names[64];

	trl_assert(n <= TRL_COUNT(names));
	for (size_t i = 0; i < n; i++)
		names[i] = services[i]->name;
	trl_process_metrics(TRELLIS_VERSION, names, (unsigned)n);
	trl_config_each_secret(show_secret, NULL);
	show_certificate("TRELLIS_BUS_TLS_CA", config->tls_ca);
	show_certificate("TRELLIS_BUS_TLS_CERT", config->tls_cert);
}

void
process_figure_ready(const char *service, double (*is_ready)(void *self), void *self)
{
	trl_metric *m = trl_gauge_new("trellis_ready",
	    "1 while the service is ready and not stopping", "service", NULL);

	trl_series_ask(trl_series_at(m, service), is_ready, self);
}
