/* quota.h - how much an organisation stores, and how much it may: one row of `storage`
 * with the bytes of its files until they are purged (used), and those of unfinished
 * uploads (reserved). Changes to it are statements of the caller's batch, so they hold
 * exactly if the fact does. The limit is checked while that row is locked, so
 * concurrent uploads cannot exceed it together. Renditions do not count.
 *
 *   rc = quota_limit(self, ctx, &quota);
 *   ...
 *   trl_batch_add(work, &media_sql_upload_insert, ...);
 *   quota_reserve(work, length, &quota);
 *   return quota_write(self, work, &quota, &out->base);
 *
 * Add its statements last: whoever changes the row holds it until the commit. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

#define QUOTA_FEATURE "storage-bytes"

/* Start-up: the counters. */
void quota_open(void);

/* How much an organisation may store. */
struct quota {
	int64_t limit;    /* in bytes; INT64_MAX: none */
	const char *plan; /* whose limit it is, or the organisation's; NULL: none */
	bool of_plan;     /* else the installation's (TRELLIS_MEDIA_STORAGE_BYTES) */
	uint64_t wants;   /* set by quota_reserve, for the refusal */
};

/* Asks tenants for the limit of ctx's tenant. If its plan does not name the feature, or
 * there are no plans, it is the installation's. If tenants does not answer, it is what
 * tenants said within the last five minutes. Errors: faults. */
enum trl_code quota_limit(
    struct media *self, trl_ctx *ctx, struct quota *out) TRL_MUST_CHECK;

/* Checks that this many bytes more would fit now: for a caller that reserves later, and
 * perhaps fewer. Errors: TRL_TOO_LARGE (as quota_write's), faults. */
enum trl_code quota_look(
    struct media *self, trl_ctx *ctx, uint64_t bytes) TRL_MUST_CHECK;

/* Reserves bytes: when an upload is created and, if its length is not known yet, as it
 * grows. 0 reserves nothing. If they do not fit, the batch fails, and quota_write says
 * why. This and the following add to the batch. */
void quota_reserve(trl_batch *work, uint64_t bytes, struct quota *quota);
/* An upload has become a file: moves reserved bytes to used. */
void quota_commit(trl_batch *work, uint64_t reserved, uint64_t used);
/* An upload has ended without a file. */
void quota_release(trl_batch *work, uint64_t reserved);
/* A file's bytes are gone. */
void quota_free(trl_batch *work, uint64_t used);

/* Has the bytes used told soon; quota_commit and quota_free do so already. */
void quota_tell(trl_batch *work);
extern const struct trl_job_kind quota_tell_job;

/* Writes a batch that holds any of these, one at a time in this process for each
 * tenant; a refusal names feature, limit, used, reserved and plan. quota may be NULL
 * where nothing was reserved. The second is trl_batch_write_unrecorded. Errors:
 * TRL_TOO_LARGE, those of trl_batch_write. */
enum trl_code quota_write(struct media *self, trl_batch *work,
    const struct quota *quota, ProtobufCMessage *reply) TRL_MUST_CHECK;
enum trl_code quota_write_unrecorded(
    struct media *self, trl_batch *work, const struct quota *quota) TRL_MUST_CHECK;

/* copy.c: what was said of limits, for quota_limit. */
struct quota_copies *quota_copies_new(void);
void quota_copies_free(struct quota_copies **copies);
void quota_copies_put(
    struct quota_copies *copies, const trl_ctx *ctx, const struct quota *quota);
/* False: nothing is known, or for too long. */
bool quota_copies_get(struct quota_copies *copies, trl_ctx *ctx, struct quota *out);
/* tenants did not answer: for a second nobody who has a copy asks it. */
void quota_copies_away(struct quota_copies *copies);
bool quota_copies_are_all(const struct quota_copies *copies);
