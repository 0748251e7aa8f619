/* scan.c - see scan.h.
 *
 * What fails is told apart by whom it is of. clamd there, but it came to no end with
 * this file (it hung, broke off): that counts, and after FAILURES_MAX the file is
 * unscanned. All else (clamd or the store away or slow, a process that died, none here
 * that scans) says nothing about the file, which waits, however long that takes. Only
 * what clamd said, or the size, ever removes bytes. (Over 400 lines: what a failure
 * says about a file is decided in one place.) */
#include "scan/scan.h"

#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>
#include <trl/log.h>
#include <trl/metrics.h>

#include "file/file.h"
#include "kinds/kinds.h"
#include "scan/clamd.h"
#include "store/store.h"
#include "variant/variant.h"

enum {
	FAILURES_MAX = 6, /* of clamd, over one file */
	ATTEMPTS = 1000,  /* processes that die count as such, and say nothing */
	SCAN_MS = 900000,
	AGAIN_US = 20000000
};
static const int64_t FAULT_MAX_US = INT64_C(3600000000);
static const int64_t failure_waits_us[] = { 10000000, 30000000, 60000000, 300000000,
	900000000 };

/* As TRELLIS_MEDIA_CLAMD: nothing scans any more, not in any replica. */
static const char no_clamd[] = "none";

enum result { CLEAN, INFECTED, UNSCANNED, AWAY, FAILED, N_RESULTS };

struct scan {
	struct clamd_address address;
	const char *where; /* the same as it was set */
	uint64_t most;     /* bytes that it is shown */
	bool is_away;
	trl_series *results[N_RESULTS];
};

bool
scan_check_config(const struct media_config *config)
{
	struct clamd_address address;
	bool fine = true;

	if (config->clamd && strcmp(config->clamd, no_clamd) != 0 &&
	    !clamd_address_read(config->clamd, &address)) {
		trl_complain("TRELLIS_MEDIA_CLAMD is neither unix:/path nor "
			     "tcp://host:port, nor none.");
		fine = false;
	}
	if (strcmp(config->unscanned, "serve") != 0 &&
	    strcmp(config->unscanned, "refuse") != 0) {
		trl_complain("TRELLIS_MEDIA_UNSCANNED is neither serve nor refuse.");
		fine = false;
	}
	return fine;
}

struct scan *
scan_new(const struct trl_host *host, const struct media_config *config)
{
	static const char *const names[] = { "clean", "infected", "unscanned", "away",
		"failed" };
	trl_series *results[N_RESULTS];
	trl_metric *metric;
	struct scan *self;

	/* Also where nothing is scanned: an alert reads it. */
	metric = trl_counter_new("trellis_media_scans_total",
	    "Files shown to clamd, by what came of it; away: they wait for it.",
	    "result", NULL);
	for (size_t i = 0; i < N_RESULTS; i++)
		results[i] = trl_series_at(metric, names[i]);
	if (!config->clamd || strcmp(config->clamd, no_clamd) == 0)
		return NULL;
	self = calloc(1, sizeof *self);
	trl_assert(self && clamd_address_read(config->clamd, &self->address));
	self->where = config->clamd;
	self->most = (uint64_t)config->scan_bytes;
	memcpy(self->results, results, sizeof self->results);
	trl_offload_init(host->loop, &clamd_slots);
	return self;
}

void
scan_free(struct scan **scan)
{
	struct scan *self = TRL_TAKE(*scan);

	if (self)
		trl_offload_fini(&clamd_slots);
	free(self);
}

static bool
is_served(const struct media *self)
{
	return strcmp(self->config->unscanned, "serve") == 0;
}

uint64_t
scan_bound(const struct media *self)
{
	return self->scan && !is_served(self) ? self->scan->most : UINT64_MAX;
}

static void
add(trl_ctx *ctx, const media_file *file, uint32_t failures, int64_t run_at_us,
    trl_batch *work)
{
	Media__V1__FileDue *due = media_v1_file_due_new(ctx);
	char key[TRL_ID_TEXT];

	trl_set(due, file_id, file->id);
	trl_set(due, failures, failures);
	trl_id_format(trl_value_id(file->id), key);
	trl_batch_job(work, &scan_job,
	    &(struct trl_job_terms){ .key = key, .run_at_us = run_at_us }, &due->base);
}

bool
scan_add(
    const struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work)
{
	if (self->scan)
		add(ctx, file, 0, 0, work);
	return self->scan != NULL;
}

void
scan_mark(const struct media *self, media_file *file)
{
	if (self->scan)
		trl_set(file, scan, MEDIA__V1__FILE__SCAN__pending);
}

/* One line when it goes and one when it is back, not one a file. */
static void
note(struct scan *scan, trl_ctx *ctx, enum result result)
{
	const bool is_away = result == AWAY;

	trl_series_add(scan->results[result], 1);
	if (is_away && !scan->is_away)
		trl_log(TRL_LOG_WARN, ctx, "clamd is down: files wait until it is back",
		    TRL_LOG_STR("clamd", scan->where),
		    TRL_LOG_STR("error", ctx->err.message));
	if (!is_away && scan->is_away)
		trl_log(TRL_LOG_INFO, ctx, "clamd is back",
		    TRL_LOG_STR("clamd", scan->where));
	scan->is_away = is_away;
}

/* Shows it all of a file. *waits: the store is away. */
static enum trl_code
show(trl_ctx *ctx, clamd_talk *talk, store_reader *reader, bool *waits)
{
	const uint8_t *data;
	bool answered = false;
	enum trl_code rc = TRL_OK;
	size_t len = 1;

	while (rc == TRL_OK && !answered && len > 0) {
		rc = store_reader_next(ctx, reader, &data, &len);
		*waits = rc == TRL_UNAVAILABLE || rc == TRL_BUSY;
		if (rc == TRL_OK && len > 0)
			rc = clamd_send(ctx, talk, data, len, &answered);
	}
	return rc;
}

/* clamd took the file and said nothing of it. *waits: it is away. */
static enum trl_code
judge_failure(trl_ctx *ctx, struct scan *scan, enum trl_code rc, bool *waits)
{
	const struct trl_err err = ctx->err;

	*waits = rc == TRL_BUSY;
	if (rc != TRL_UNAVAILABLE)
		return rc;
	trl_err_clear(ctx);
	if (clamd_ping(ctx, &scan->address) != TRL_OK) {
		*waits = true;
		note(scan, ctx, AWAY);
		return rc;
	}
	ctx->err = err;
	return rc;
}

/* Errors: TRL_UNAVAILABLE (clamd came to no end with it), others of the store. *waits:
 * it says nothing about the file. */
static enum trl_code
look(struct media *self, trl_ctx *ctx, const media_file *file,
    struct clamd_verdict *verdict, bool *waits)
{
	const struct store_object object = {
		.tenant = ctx->tenant, .file = trl_value_id(file->id), .part = ""
	};
	struct scan *scan = self->scan;
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	TRL_AUTO(clamd_close) clamd_talk *talk = NULL;
	enum trl_code rc = store_reader_open(
	    ctx, self->store, &object, 0, (uint64_t)file->size, &reader);

	*waits = rc == TRL_UNAVAILABLE || rc == TRL_BUSY;
	if (rc != TRL_OK)
		return rc;
	rc = clamd_open(ctx, &scan->address, &talk);
	if (rc != TRL_OK) {
		*waits = true;
		note(scan, ctx, AWAY);
		return rc;
	}
	rc = show(ctx, talk, reader, waits);
	if (*waits)
		return rc;
	if (rc == TRL_OK)
		rc = clamd_end(ctx, talk, verdict);
	return rc == TRL_OK ? rc : judge_failure(ctx, scan, rc, waits);
}

/* It may be given out. A picture is looked at first, or beside: its job is added before
 * the verdict, for where the two are torn apart both come again. */
static enum trl_code
settle_served(struct media *self, trl_ctx *ctx, const media_file *file,
    Media__V1__File__Scan scan)
{
	struct file_verdict verdict = { .scan = scan,
		.state = MEDIA__V1__FILE__STATE__ready };
	enum trl_code rc = TRL_OK;

	if (kinds_of(file->type).picture) {
		trl_batch *work =
		    trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

		if (variant_begin(self, file, work))
			verdict.state = 0; /* the job ends it */
		rc = trl_batch_write_unrecorded(work);
	}
	return rc == TRL_OK ? file_settle(self, ctx, trl_value_id(file->id), &verdict)
			    : rc;
}

/* state: where it is not served; its bytes go with rejected, and stay in quarantine. */
static enum trl_code
settle_unscanned(struct media *self, trl_ctx *ctx, const media_file *file,
    Media__V1__File__State state, const char *why)
{
	const struct file_verdict refused = {
		.state = state,
		.reason = why,
		.scan = MEDIA__V1__FILE__SCAN__unscanned,
	};

	if (is_served(self))
		return settle_served(self, ctx, file, MEDIA__V1__FILE__SCAN__unscanned);
	return file_settle(self, ctx, trl_value_id(file->id), &refused);
}

static enum trl_code
settle(struct media *self, trl_ctx *ctx, const media_file *file,
    const struct clamd_verdict *verdict)
{
	const struct file_verdict infected = {
		.state = MEDIA__V1__FILE__STATE__quarantined,
		.reason = trl_arena_printf(
		    ctx->arena, "A scan found %s in it.", verdict->found),
		.scan = MEDIA__V1__FILE__SCAN__infected,
	};

	switch (verdict->kind) {
	case CLAMD_CLEAN:
		return settle_served(self, ctx, file, MEDIA__V1__FILE__SCAN__clean);
	case CLAMD_INFECTED:
		return file_settle(self, ctx, trl_value_id(file->id), &infected);
	default:
		return settle_unscanned(self, ctx, file,
		    MEDIA__V1__FILE__STATE__rejected,
		    "It is too large to be scanned, and unscanned files are not served "
		    "here.");
	}
}

/* clamd came to no end with it, as failures times before. */
static enum trl_code
count_failure(
    struct media *self, trl_ctx *ctx, const media_file *file, uint32_t failures)
{
	trl_batch *work;

	note(self->scan, ctx, FAILED);
	trl_log_err(ctx);
	trl_err_clear(ctx);
	if (failures + 1 >= FAILURES_MAX)
		return settle_unscanned(self, ctx, file,
		    MEDIA__V1__FILE__STATE__quarantined,
		    "The scanner could not finish it, and unscanned files are not "
		    "served here.");
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	add(ctx, file, failures + 1, trl_now(ctx) + failure_waits_us[failures], work);
	return trl_batch_write_unrecorded(work);
}

/* *wait_us: how long it waits, for what says nothing about it. */
static enum trl_code
scan_file(struct media *self, trl_ctx *ctx, const media_file *file, uint32_t failures,
    int64_t *wait_us)
{
	static const enum result results[] = { [CLAMD_CLEAN] = CLEAN,
		[CLAMD_INFECTED] = INFECTED,
		[CLAMD_UNSCANNED] = UNSCANNED };
	struct clamd_verdict verdict = { .kind = CLAMD_UNSCANNED };
	bool waits = false;
	enum trl_code rc = TRL_OK;

	if ((uint64_t)file->size <= self->scan->most)
		rc = look(self, ctx, file, &verdict, &waits);
	if (waits)
		*wait_us = AGAIN_US;
	else if (rc == TRL_UNAVAILABLE)
		return count_failure(self, ctx, file, failures);
	if (rc != TRL_OK)
		return rc;
	note(self->scan, ctx, results[verdict.kind]);
	return settle(self, ctx, file, &verdict);
}

/* This process has no clamd. Others may (it is being set, or was taken away for a
 * while), so that nothing is judged by it; unless the operator says that none is left.
 */
static enum trl_code
without_clamd(
    struct media *self, trl_ctx *ctx, const media_file *file, int64_t *wait_us)
{
	if (self->config->clamd && is_served(self))
		return settle_served(self, ctx, file, MEDIA__V1__FILE__SCAN__unscanned);
	*wait_us = AGAIN_US;
	return TRL_OK;
}

static bool
waits_for_it(const media_file *file)
{
	return file_state(file) == MEDIA__V1__FILE__STATE__processing &&
	       file->scan == MEDIA__V1__FILE__SCAN__pending;
}

static enum trl_code
work_on(
    struct media *self, trl_ctx *ctx, const Media__V1__FileDue *due, int64_t *wait_us)
{
	media_file *file = media_v1_file_new(ctx);
	enum trl_code rc = file_find(self, ctx, trl_value_id(due->file_id), file);

	if (rc == TRL_NOT_FOUND) { /* it went meanwhile */
		trl_err_clear(ctx);
		return TRL_OK;
	}
	if (rc != TRL_OK || !waits_for_it(file))
		return rc;
	if (file_has_no_hash(file)) {
		*wait_us = FILE_HASH_US;
		return TRL_OK;
	}
	if (!self->scan)
		return without_clamd(self, ctx, file, wait_us);
	return scan_file(self, ctx, file, due->failures, wait_us);
}

/* A fault may be there for long: it is tried, and logged, less and less often. */
static int64_t
wait_after_fault(trl_ctx *ctx, const struct trl_job *job)
{
	const int64_t wait_us = (trl_now(ctx) - job->made_at_us) / 4;

	trl_log_err(ctx);
	if (wait_us < AGAIN_US)
		return AGAIN_US;
	return wait_us < FAULT_MAX_US ? wait_us : FAULT_MAX_US;
}

static enum trl_code
run(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	int64_t wait_us = 0;
	enum trl_code rc = work_on(self, ctx,
	    (const Media__V1__FileDue *)(const void *)job->payload, &wait_us);

	if (rc == TRL_OK && wait_us == 0)
		return TRL_OK;
	if (wait_us == 0)
		wait_us = wait_after_fault(ctx, job);
	trl_err_clear(ctx);
	return trl_job_again(ctx, trl_now(ctx) + wait_us);
}

const struct trl_job_kind scan_job = {
	.name = "scan",
	.message = &media_v1_file_due_rules,
	.run = run,
	.attempts = ATTEMPTS,
	.slots = 8,
	.timeout_ms = SCAN_MS,
};
