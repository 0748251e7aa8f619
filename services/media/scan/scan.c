/* scan.c - see scan.h.
 *
 * What fails is told apart by whom it is of. clamd away, or the store: the file waits,
 * however long that takes. clamd there, but it came to no end with this file (it hung,
 * broke off): that counts, and after ATTEMPTS the file is unscanned. */
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

enum { ATTEMPTS = 6, SCAN_MS = 900000, AGAIN_US = 20000000, HASH_US = 1000000 };

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

	if (config->clamd && !clamd_address_read(config->clamd, &address)) {
		trl_complain("TRELLIS_MEDIA_CLAMD is neither unix:/path nor "
			     "tcp://host:port.");
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
	trl_metric *metric;
	struct scan *self;

	if (!config->clamd)
		return NULL;
	self = calloc(1, sizeof *self);
	trl_assert(self && clamd_address_read(config->clamd, &self->address));
	self->where = config->clamd;
	self->most = (uint64_t)config->scan_bytes;
	metric = trl_counter_new("trellis_media_scans_total",
	    "Files shown to clamd, by what came of it; away: they wait for it.",
	    "result", NULL);
	for (size_t i = 0; i < N_RESULTS; i++)
		self->results[i] = trl_series_at(metric, names[i]);
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

bool
scan_add(
    const struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work)
{
	Media__V1__FileDue *due;
	char key[TRL_ID_TEXT];

	if (!self->scan)
		return false;
	due = media_v1_file_due_new(ctx);
	trl_set(due, file_id, file->id);
	trl_id_format(trl_value_id(file->id), key);
	trl_batch_job(
	    work, &scan_job, &(struct trl_job_terms){ .key = key }, &due->base);
	return true;
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
		trl_log(TRL_LOG_WARN, ctx, "clamd is away: files wait until it is back",
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

static enum trl_code
again(trl_ctx *ctx)
{
	trl_err_clear(ctx);
	return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
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

static enum trl_code
settle_unscanned(
    struct media *self, trl_ctx *ctx, const media_file *file, const char *why)
{
	const struct file_verdict refused = {
		.state = MEDIA__V1__FILE__STATE__rejected,
		.reason = why,
		.scan = MEDIA__V1__FILE__SCAN__unscanned,
	};

	if (strcmp(self->config->unscanned, "serve") == 0)
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
		    "It has more than is scanned, and nothing is given out here that "
		    "was not.");
	}
}

static enum trl_code
scan_file(struct media *self, trl_ctx *ctx, const media_file *file)
{
	static const enum result results[] = { [CLAMD_CLEAN] = CLEAN,
		[CLAMD_INFECTED] = INFECTED,
		[CLAMD_UNSCANNED] = UNSCANNED };
	struct clamd_verdict verdict = { .kind = CLAMD_UNSCANNED };
	bool waits = false;
	enum trl_code rc = TRL_OK;

	if (self->scan && (uint64_t)file->size <= self->scan->most)
		rc = look(self, ctx, file, &verdict, &waits);
	if (waits)
		return again(ctx);
	if (self->scan)
		note(self->scan, ctx, rc == TRL_OK ? results[verdict.kind] : FAILED);
	return rc == TRL_OK ? settle(self, ctx, file, &verdict) : rc;
}

/* Reads the job's file; *waits: it is one that waits to be scanned. */
static enum trl_code
find(struct media *self, trl_ctx *ctx, const struct trl_job *job, media_file *file,
    bool *waits)
{
	const Media__V1__FileDue *due =
	    (const Media__V1__FileDue *)(const void *)job->payload;
	enum trl_code rc = file_find(self, ctx, trl_value_id(due->file_id), file);

	*waits = rc == TRL_OK &&
		 file_state(file) == MEDIA__V1__FILE__STATE__processing &&
		 file->scan == MEDIA__V1__FILE__SCAN__pending;
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
run(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	media_file *file = media_v1_file_new(ctx);
	bool waits;
	enum trl_code rc = find(arg, ctx, job, file, &waits);

	if (rc == TRL_OK && waits &&
	    !file->sha256) /* whoever put it together will say */
		return trl_job_again(ctx, trl_now(ctx) + HASH_US);
	return rc == TRL_OK && waits ? scan_file(arg, ctx, file) : rc;
}

static enum trl_code
dead(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	media_file *file = media_v1_file_new(ctx);
	bool waits;
	enum trl_code rc = find(arg, ctx, job, file, &waits);

	if (rc != TRL_OK || !waits)
		return rc;
	return settle_unscanned(arg, ctx, file,
	    "The scanner came to no end with it, and nothing is given out here that "
	    "was not scanned.");
}

static const uint32_t delays_s[] = { 10, 30, 60, 300, 900 };

const struct trl_job_kind scan_job = {
	.name = "scan",
	.message = &media_v1_file_due_rules,
	.run = run,
	.dead = dead,
	.attempts = ATTEMPTS,
	.slots = 8,
	.timeout_ms = SCAN_MS,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
