/* erase.c - erasing a tenant: every service with a schema hears that one is gone
 * (tenants.tenant.erased), tenants itself too, and removes what it has of it.
 *
 * The transaction that hears it notes the tenant in the table erasure and adds a job.
 * From then on no event of the tenant is applied here, by whichever subscription it
 * comes (bus/events/late.c): so nothing makes a copy of it anew. The job
 *
 *   - waits for the transactions that could not know that yet;
 *   - ends the tenant's other jobs, and waits for those that run: from here on nobody
 *     writes rows of it any more;
 *   - calls the service's own erase_tenant, where it has one, until it is done;
 *   - deletes, a piece a transaction, from every table whose class has it
 *     (0011_erasure.sql), over and over until it finds nothing: twice at least, for
 *     what was moved from a table not yet looked at to one that was.
 *
 * Killed anywhere it begins anew, and what is gone is gone. */
#include "erase.h"

#include <stdlib.h>
#include <string.h>

#include <trl/log.h>
#include <trl/value.h>

#include <trellis/empty.trl.h>

#include "framework_sql.h"
#include "trellis/bus/event_rows.pb-c.h"

enum {
	PIECE_ROWS = 1000,
	TIMEOUT_MS = 120000,
	PIECE_MS = 30000, /* that a piece may take; with less time left, later again */
	WAIT_US = 500000
};

#define KIND "erase_tenant"

static const struct trl_job_kind kind;
static const struct trl_job_terms terms = { .key = "erase" };

static enum trl_code
hear(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		trl_tx_add(tx, &trl_sql_erasure_add, NULL,
		    TRL_ARG_ID("tenant_id", events[i].tenant));
		trl_tx_job(tx, &kind, &terms, NULL);
		trl_log(TRL_LOG_INFO, ctx, "a tenant is to be erased",
		    TRL_LOG_ID("event", events[i].id));
	}
	return TRL_OK;
}

const struct trl_subscription *
erase_hears(const struct trl_service *service)
{
	static const char *const types[] = { TRL_TENANT_ERASED, NULL };
	static const struct trl_subscription hears = {
		.name = "erasing",
		.producer = "tenants",
		.types = types,
		.start =
		    TRL_FROM_FIRST, /* whatever is kept: it may have come before us */
		.apply = hear,
	};

	if (service->sql == NULL || trl_event_type_by_name(TRL_TENANT_ERASED) == NULL)
		return NULL;
	return &hears;
}

struct erasing {
	const struct erase *erase;
	trl_ctx *ctx;
	struct trl_id tenant;
};

static trl_batch *
batch_of(const struct erasing *it)
{
	return trl_batch_new(
	    it->ctx, it->erase->host->sys, TRL_SCOPE_TENANT(it->tenant));
}

/* Somebody is at it, or there is much left: it goes on a little later. */
static enum trl_code
later(const struct erasing *it, int64_t us)
{
	return trl_job_again(it->ctx, trl_now(it->ctx) + us);
}

static enum trl_code
await_others(const struct erasing *it)
{
	trl_batch *work = batch_of(it);
	enum trl_code rc;

	trl_batch_add(work, &trl_sql_erasure_await, NULL);
	rc = trl_batch_write_unrecorded(work);
	return rc == TRL_BUSY ? later(it, WAIT_US) : rc;
}

/* Until it finds none, and then there will be none. */
static enum trl_code
end_jobs(const struct erasing *it)
{
	Trellis__Bus__ErasureJobsRow left = TRELLIS__BUS__ERASURE_JOBS_ROW__INIT;
	enum trl_code rc;

	do {
		trl_batch *work = batch_of(it);

		if (trl_time_left_ms(it->ctx) < PIECE_MS)
			return later(it, 0);
		trl_batch_get(work, &trl_sql_erasure_jobs, NULL, &left.base,
		    TRL_ARG_ID("tenant_id", it->tenant), TRL_ARG_TEXT("but", KIND),
		    TRL_ARG_INT("most", PIECE_ROWS));
		trl_batch_news(work, TRL_PG_JOBS, UINT32_MAX); /* its worker looks */
		rc = trl_batch_write_unrecorded(work);
		if (rc != TRL_OK)
			return rc;
	} while (left.waiting > 0);
	return left.running > 0 ? later(it, WAIT_US) : TRL_OK;
}

/* Once through all tables; *found counts. */
static enum trl_code
pass(const struct erasing *it, int64_t *found)
{
	Trellis__Bus__ErasurePieceRow piece = TRELLIS__BUS__ERASURE_PIECE_ROW__INIT;
	enum trl_code rc;

	*found = 0;
	piece.place = 1;
	do {
		trl_batch *work = batch_of(it);

		if (trl_time_left_ms(it->ctx) < PIECE_MS)
			return later(it, 0);
		trl_batch_get(work, &trl_sql_erasure_piece, NULL, &piece.base,
		    TRL_ARG_ID("tenant_id", it->tenant),
		    TRL_ARG_INT("place", piece.place), TRL_ARG_INT("most", PIECE_ROWS));
		rc = trl_batch_write_unrecorded(work);
		if (rc != TRL_OK)
			return rc;
		*found += piece.gone;
		trl_series_add(it->erase->rows, (double)piece.gone);
	} while (piece.place > 0);
	return TRL_OK;
}

static enum trl_code
erase_rows(const struct erasing *it)
{
	int64_t found = 1;
	enum trl_code rc = TRL_OK;

	for (unsigned n = 0; rc == TRL_OK && (n < 2 || found > 0); n++)
		rc = pass(it, &found);
	return rc;
}

static enum trl_code
finish(const struct erasing *it)
{
	Trellis__Bus__ErasureRow row = TRELLIS__BUS__ERASURE_ROW__INIT;
	trl_batch *work = batch_of(it);
	enum trl_code rc;

	trl_batch_get(work, &trl_sql_erasure_finish, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", it->tenant));
	rc = trl_batch_write_unrecorded(work);
	if (rc != TRL_OK || !row.began_at)
		return rc; /* or it had come to its end before */
	trl_series_add(it->erase->tenants, 1);
	trl_log(TRL_LOG_INFO, it->ctx, "a tenant is erased",
	    TRL_LOG_INT("rows", row.gone),
	    TRL_LOG_INT("took_ms",
		(trl_now(it->ctx) - trl_value_time_us(row.began_at)) / 1000));
	return TRL_OK;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const struct erase *erase = state;
	const struct erasing it = { .erase = erase, .ctx = ctx, .tenant = job->tenant };
	enum trl_code rc = await_others(&it);

	if (rc == TRL_OK)
		rc = end_jobs(&it);
	if (rc == TRL_OK && erase->service->erase_tenant != NULL)
		rc = erase->service->erase_tenant(*erase->self, ctx, job->tenant);
	if (rc == TRL_OK)
		rc = erase_rows(&it);
	return rc == TRL_OK ? finish(&it) : rc;
}

/* Its attempts are for months: nobody may notice that it gave up. */
static const struct trl_job_kind kind = {
	.name = KIND,
	.message = &trellis_empty_rules,
	.run = run,
	.attempts = 2000,
	.slots = 2,
	.timeout_ms = TIMEOUT_MS,
};

void
erase_open(struct erase *erase, const struct trl_service *service,
    const struct trl_host *host, void *const *self)
{
	*erase = (struct erase){
		.service = service, .host = host, .self = self, .kind = kind
	};
	erase->kind.self = erase;
	erase->rows =
	    trl_series_at(trl_counter_new("trellis_erased_rows_total",
			      "Rows of tenants that are no more, which were deleted",
			      "service", NULL),
		service->name);
	erase->tenants = trl_series_at(
	    trl_counter_new("trellis_erased_tenants_total",
		"Tenants of which the service has nothing any more", "service", NULL),
	    service->name);
}

void *
erase_with(const void *list, const void *more)
{
	const void *const *own = list;
	size_t n = 0;
	while (own != NULL && own[n] != NULL)
		n++;
	const void **all = calloc(n + 2, sizeof *all);
	trl_assert(all != NULL);
	if (n > 0)
		memcpy(all, own, n * sizeof *all);
	all[n] = more;
	return all;
}

enum trl_code
erase_show(const struct trl_host *host, trl_ctx *ctx, struct trl_id tenant,
    struct erase_state *out)
{
	Trellis__Bus__ErasureRow row = TRELLIS__BUS__ERASURE_ROW__INIT;
	trl_batch *work = trl_batch_new(ctx, host->sys, (struct trl_scope){ 0 });
	enum trl_code rc;

	trl_batch_get(work, &trl_sql_erasure_get, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", tenant));
	rc = trl_batch_read(work);
	*out = (struct erase_state){ 0 };
	if (rc != TRL_OK || !row.began_at)
		return rc;
	out->begun = true;
	out->began_at_us = trl_value_time_us(row.began_at);
	out->finished_at_us = row.finished_at ? trl_value_time_us(row.finished_at) : 0;
	out->rows = row.gone;
	return TRL_OK;
}
