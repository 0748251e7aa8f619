/* late.c - events of tenants that are erased here (bus/service/erase.c). One may come
 * yet: by a subscription that is behind, with a page of a snapshot, by a replay, from
 * those that are parked. It is left out, whatever its handler would make of it, or a
 * copy of the tenant would stand here again. What tells the erasing is handed over all
 * the same: who hears it may have to do something about it elsewhere. */
#include <string.h>

#include <trl/value.h>

#include "framework_sql.h"
#include "subscription.h"

bool
sub_is_late(const struct trl_event *event, bool erased)
{
	return erased && strcmp(event->type_name, TRL_TENANT_ERASED) != 0;
}

static bool
is_among(const Trellis__Bus__TenantRows *tenants, struct trl_id id)
{
	for (size_t i = 0; i < tenants->n_rows; i++)
		if (trl_id_eq(trl_value_id(tenants->rows[i]->tenant_id), id))
			return true;
	return false;
}

enum trl_code
sub_leave_out_late(trl_ctx *ctx, struct subscription *sub, struct sub_work *work,
    struct trl_event *events, size_t *n)
{
	Trellis__Bus__TenantRows erased = TRELLIS__BUS__TENANT_ROWS__INIT;
	struct trl_id *tenants = trl_arena_alloc(ctx->arena, *n * sizeof *tenants);
	size_t left = 0;
	enum trl_code rc;

	if (*n == 0)
		return TRL_OK;
	for (size_t i = 0; i < *n; i++)
		tenants[i] = events[i].tenant;
	rc = trl_tx_run(work->tx, &trl_sql_erasure_among, NULL, &erased.base,
	    TRL_ARG_IDS("tenant_ids", tenants, *n));
	for (size_t i = 0; rc == TRL_OK && i < *n; i++) {
		if (!sub_is_late(&events[i], is_among(&erased, events[i].tenant)))
			events[left++] = events[i];
		else
			trl_series_add(sub->m.late, 1);
	}
	if (rc == TRL_OK)
		*n = left;
	return rc;
}
