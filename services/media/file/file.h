/* file.h - a file's row and its life: for the code that makes files, serves their bytes
 * or renders them.
 *
 * A file is processing until all checks are done; then it is ready, rejected (its bytes
 * go), or quarantined (they stay, but are not served). A deleted file can be restored
 * until purge_at; then row and bytes go (purge.c). Checks of a deleted file go on;
 * their result is kept in kept_state. */
#pragma once

#include <trl/event_type.h>
#include <trl/jobs.h>

#include "media.h"

/* Reads a file of ctx's tenant that the caller may see, whatever its state.
 * Errors: TRL_NOT_FOUND, faults. */
enum trl_code file_read(struct media *self, trl_ctx *ctx, struct trl_id file,
    media_file *out) TRL_MUST_CHECK;
/* Translates an error that the store gave when asked for the bytes of a file's row:
 * TRL_NOT_FOUND if the file was purged or rejected since the row was read; else bytes
 * that are missing are a fault. */
enum trl_code file_judge_bytes(struct media *self, trl_ctx *ctx, struct trl_id file,
    enum trl_code rc) TRL_MUST_CHECK;
/* Reads any file of ctx's tenant: for jobs. Errors: TRL_NOT_FOUND, faults. */
enum trl_code file_find(struct media *self, trl_ctx *ctx, struct trl_id file,
    media_file *out) TRL_MUST_CHECK;

/* A file's state; of a deleted one, that after a restore. */
Media__V1__File__State file_state(const media_file *row);
/* Whether the file is still being assembled, and so has no hash: it cannot become ready
 * before, and a job that finds it so asks again after FILE_HASH_US. */
bool file_has_no_hash(const media_file *row);
enum { FILE_HASH_US = 1000000 };
/* Adds an event about row, which the batch has written, by ctx's caller. */
void file_tell(struct media *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, const media_file *row);

/* The result of a check. Fields that are 0 or NULL change nothing. */
struct file_verdict {
	Media__V1__File__State state; /* after processing: ready, rejected ... */
	const char *reason;           /* why it is rejected or quarantined */
	const char *sha256;
	uint32_t width, height, frames;
	const char *thumb_hash;
	Media__V1__File__Scan scan;
};
/* Records a verdict, and tells the file's new state. A rejected file no longer counts,
 * and its bytes go; once rejected or quarantined a file stays so. May be repeated.
 * Errors: TRL_NOT_FOUND (it is gone). */
enum trl_code file_settle(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct file_verdict *verdict) TRL_MUST_CHECK;

/* purge.c */

/* Adds a job that checks at at_us (0: at once) whether the file, or its bytes, have to
 * go; and cancels that job. */
void file_purge_at(trl_ctx *ctx, trl_batch *work, struct trl_id file, int64_t at_us);
void file_purge_not(trl_ctx *ctx, trl_batch *work, struct trl_id file);
/* Adds what has to follow when a row is deleted, besides what its foreign keys remove:
 * its storage is freed. */
void file_gone(trl_batch *work, const media_file *row);
extern const struct trl_job_kind file_purge_job;
