/* busiest.c - trellis tenants top: each process's busiest tenants, added up. A tenant
 * that is among the first of none is missed; what is shown of one is what the processes
 * that named it told. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <operator_v1.trl.h>

enum { PROCESSES_MAX = 256, TENANTS_MAX = 4096, SHOWN = 50 };

struct busy {
	struct trl_id tenant;
	uint64_t requests, failed_requests, calls, failed_calls;
	double seconds;
};

struct busiest {
	char processes[PROCESSES_MAX][TRL_ID_TEXT]; /* that have been heard */
	unsigned n_processes;
	struct busy *tenants;
	size_t n;
};

/* False: it has been heard, by way of another of its services. */
static bool
is_new(struct busiest *all, const char *process)
{
	for (unsigned i = 0; i < all->n_processes; i++)
		if (strcmp(all->processes[i], process) == 0)
			return false;
	if (all->n_processes < PROCESSES_MAX)
		snprintf(
		    all->processes[all->n_processes++], TRL_ID_TEXT, "%s", process);
	return true;
}

static struct busy *
busy_of(struct busiest *all, struct trl_id tenant)
{
	for (size_t i = 0; i < all->n; i++)
		if (trl_id_eq(all->tenants[i].tenant, tenant))
			return &all->tenants[i];
	if (all->n == TENANTS_MAX)
		return NULL;
	all->tenants[all->n] = (struct busy){ .tenant = tenant };
	return &all->tenants[all->n++];
}

static void
add(void *into, const char *service, const ProtobufCMessage *out)
{
	const Operator__V1__TopTenantsReply *reply = (const void *)out;

	(void)service;
	if (!is_new(into, reply->process ? reply->process : ""))
		return;
	for (size_t i = 0; i < reply->n_tenants; i++) {
		const Operator__V1__BusyTenant *from = reply->tenants[i];
		struct busy *to = busy_of(into, trl_value_id(from->tenant_id));

		if (to == NULL)
			continue;
		to->requests += from->requests;
		to->failed_requests += from->failed_requests;
		to->calls += from->calls;
		to->failed_calls += from->failed_calls;
		to->seconds += from->seconds;
	}
}

static int
by_count(const void *a, const void *b)
{
	const struct busy *x = a, *y = b;
	const uint64_t n = x->requests + x->calls, m = y->requests + y->calls;

	return n < m   ? 1
	       : n > m ? -1
		       : memcmp(&x->tenant, &y->tenant, sizeof x->tenant);
}

enum ctl_exit
ctl_tenants_top(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "TENANT", "REQUESTS", "FAILED", "CALLS",
		"FAILED", "SECONDS" };
	Operator__V1__TopTenantsRequest in = OPERATOR__V1__TOP_TENANTS_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct busiest *all = calloc(1, sizeof *all);
	const struct ctl_look look = { &operator_v1_top_tenants, &in.base, add, all,
		NULL };
	size_t most = ctl->args.limit > 0 ? (size_t)ctl->args.limit : SHOWN;
	enum ctl_exit status;

	trl_assert(all != NULL);
	all->tenants = calloc(TENANTS_MAX, sizeof *all->tenants);
	trl_assert(all->tenants != NULL);
	status = ctl_look(ctl, ctx, &look);
	qsort(all->tenants, all->n, sizeof *all->tenants, by_count);
	for (size_t i = 0; i < all->n && i < most; i++) {
		const struct busy *of = &all->tenants[i];
		char text[TRL_ID_TEXT];

		trl_id_format(of->tenant, text);
		ctl_table_add(&table, "%s", text);
		ctl_table_add(&table, "%" PRIu64, of->requests);
		ctl_table_add(&table, "%" PRIu64, of->failed_requests);
		ctl_table_add(&table, "%" PRIu64, of->calls);
		ctl_table_add(&table, "%" PRIu64, of->failed_calls);
		ctl_table_add(&table, "%.3f", of->seconds);
	}
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	free(all->tenants);
	free(all);
	return status;
}
