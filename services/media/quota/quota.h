/* quota.h - how much an organisation stores, and how much it may: one row of `storage`
 * with the bytes of its files until they are purged (used), and those that uploads have
 * begun and not ended (reserved). What changes it is a statement of the caller's batch,
 * so it holds exactly if the fact does. The limit is asked of that row while it is
 * locked: uploads that come together cannot pass it together. Renditions count for
 * nothing.
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
	int64_t limit;    /* in bytes; INT64_MAX: as much as it likes */
	const char *plan; /* whose limit it is, or the organisation's; NULL: none */
	bool of_plan;     /* else the installation's (TRELLIS_MEDIA_STORAGE_BYTES) */
	uint64_t wants;   /* quota_reserve's, for the refusal */
};

/* Asks tenants for the limit of ctx's tenant. A plan that does not name the feature, or
 * an installation without plans, has the installation's. Where tenants does not answer,
 * it is what that said within the last five minutes. Errors: faults. */
enum trl_code quota_limit(
    struct media *self, trl_ctx *ctx, struct quota *out) TRL_MUST_CHECK;

/* Whether so many bytes more would fit by now: for whoever reserves them later, and not
 * exactly so many. Errors: TRL_TOO_LARGE (as quota_write's), faults. */
enum trl_code quota_look(
    struct media *self, trl_ctx *ctx, uint64_t bytes) TRL_MUST_CHECK;

/* Adds that bytes more are reserved: at an upload's creation and, where its length is
 * not known yet, as it grows. 0 reserves nothing. Where they do not fit the batch
 * fails, and quota_write says why. */
void quota_reserve(trl_batch *work, uint64_t bytes, struct quota *quota);
/* Adds that an upload has become a file: what it reserved is free, and used is. */
void quota_commit(trl_batch *work, uint64_t reserved, uint64_t used);
/* Adds that an upload is over without a file. */
void quota_release(trl_batch *work, uint64_t reserved);
/* Adds that a file's bytes are gone. */
void quota_free(trl_batch *work, uint64_t used);

/* Adds that how much is stored is told, soon; the former two do. */
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
/* Nobody has answered: for a second, who has a copy does not ask. */
void quota_copies_away(struct quota_copies *copies);
bool quota_copies_are_all(const struct quota_copies *copies);
