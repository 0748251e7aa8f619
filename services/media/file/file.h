/* file.h - a file's row, and what becomes of it: for those who make files, give their
 * bytes out, or make something of them.
 *
 * A file is processing until all that is to be looked at was; then it is ready,
 * rejected (its bytes go), or quarantined (they stay, and nobody is given them).
 * Whoever deletes one may have it back until purge_at; then row and bytes go (purge.c).
 * A deleted file goes on becoming what it would have become, in kept_state. */
#pragma once

#include <trl/event_type.h>
#include <trl/jobs.h>

#include "media.h"

/* Reads a file of ctx's tenant that the caller sees, whatever its state.
 * Errors: TRL_NOT_FOUND, faults. */
enum trl_code file_read(struct media *self, trl_ctx *ctx, struct trl_id file,
    media_file *out) TRL_MUST_CHECK;
/* What an error of the store's means where it was asked for the bytes of a file's row:
 * TRL_NOT_FOUND where the file was purged, or rejected, since the row was read; that
 * the bytes of a row are not there is nobody's condition, and a fault. */
enum trl_code file_judge_bytes(struct media *self, trl_ctx *ctx, struct trl_id file,
    enum trl_code rc) TRL_MUST_CHECK;
/* Reads any of ctx's tenant: for jobs. Errors: TRL_NOT_FOUND, faults. */
enum trl_code file_find(struct media *self, trl_ctx *ctx, struct trl_id file,
    media_file *out) TRL_MUST_CHECK;

/* What it is, or will be when it is restored. */
Media__V1__File__State file_state(const media_file *row);
/* Whoever puts it together will say what its bytes are: nothing becomes ready before,
 * so a job asks again after FILE_HASH_US. */
bool file_has_no_hash(const media_file *row);
enum { FILE_HASH_US = 1000000 };
/* Adds that row, which the batch has written, is told; who is ctx's caller. */
void file_tell(struct media *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, const media_file *row);

/* What was found out about a file. What is 0 or NULL stays as it is. */
struct file_verdict {
	Media__V1__File__State state; /* processing is over: ready, rejected ... */
	const char *reason;           /* of what is rejected or quarantined */
	const char *sha256;
	uint32_t width, height, frames;
	const char *thumb_hash;
	Media__V1__File__Scan scan;
};
/* Writes it down, and tells what it became. One that is rejected no longer counts, and
 * its bytes go; once rejected or quarantined a file stays so. May be repeated.
 * Errors: TRL_NOT_FOUND (it is gone meanwhile). */
enum trl_code file_settle(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct file_verdict *verdict) TRL_MUST_CHECK;

/* purge.c */

/* Adds a job that looks at at_us (0: at once) whether the file is to go, or its bytes
 * are; and that it need not. */
void file_purge_at(trl_ctx *ctx, trl_batch *work, struct trl_id file, int64_t at_us);
void file_purge_not(trl_ctx *ctx, trl_batch *work, struct trl_id file);
/* Adds what goes with a row that is deleted for good, beside what its foreign keys take
 * along: its room. */
void file_gone(trl_batch *work, const media_file *row);
extern const struct trl_job_kind file_purge_job;
