/* erase.h - erasing a tenant in a service: what it hears, and the job. Private to
 * bus/service. */
#pragma once

#include <trl/metrics.h>
#include <trl/service.h>

/* What a service hears beside its own subscriptions: a tenant is no more. NULL: it has
 * no schema, or no contract of this build says so. */
const struct trl_subscription *erase_hears(const struct trl_service *service);

/* A service's job that does it. */
struct erase {
	const struct trl_service *service;
	const struct trl_host *host;
	void *const *self; /* the service's state, once it is open */
	struct trl_job_kind kind;
	trl_series *rows, *tenants;
};

/* Start-up: fills kind, which the service's worker has to have. All stay. */
void erase_open(struct erase *erase, const struct trl_service *service,
    const struct trl_host *host, void *const *self);

/* A NULL-ended list (or NULL) of pointers with one more, which may be NULL; it stays.
 */
void *erase_with(const void *list, const void *more);

/* How far it is with a tenant. Errors: faults. */
struct erase_state {
	bool begun;
	int64_t began_at_us, finished_at_us; /* 0: not yet */
	int64_t rows;
};
enum trl_code erase_show(const struct trl_host *host, trl_ctx *ctx,
    struct trl_id tenant, struct erase_state *out) TRL_MUST_CHECK;
