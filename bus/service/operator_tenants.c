/* operator_tenants.c - whom the process works for (trl/busiest.h). */
#include "operator.h"

#include <trl/busiest.h>
#include <trl/value.h>

static Operator__V1__BusyTenant *
busy_tenant(trl_ctx *ctx, const struct trl_busy_tenant *from)
{
	Operator__V1__BusyTenant *to = trl_arena_alloc(ctx->arena, sizeof *to);

	operator__v1__busy_tenant__init(to);
	trl_set(to, tenant_id, trl_value_bytes(ctx, from->tenant));
	trl_set(to, requests, from->n[TRL_BUSY_REQUEST]);
	trl_set(to, failed_requests, from->failed[TRL_BUSY_REQUEST]);
	trl_set(to, calls, from->n[TRL_BUSY_CALL]);
	trl_set(to, failed_calls, from->failed[TRL_BUSY_CALL]);
	trl_set(to, seconds, (double)from->call_us / 1e6);
	trl_set(to, rank_error, from->over);
	return to;
}

enum trl_code
operator_top_tenants(operator_self *self, trl_ctx *ctx,
    const Operator__V1__TopTenantsRequest *in, Operator__V1__TopTenantsReply *out)
{
	struct trl_busy_tenant all[TRL_BUSIEST];
	const size_t n = trl_busiest_top(all, TRL_BUSIEST, trl_mono_us());

	(void)self;
	(void)in;
	out->process = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);
	trl_id_format(trl_busiest_process(), out->process);
	out->tenants = trl_arena_alloc(ctx->arena, (n + 1) * sizeof out->tenants[0]);
	for (size_t i = 0; i < n; i++)
		out->tenants[out->n_tenants++] = busy_tenant(ctx, &all[i]);
	return TRL_OK;
}
