/* scan.h - has clamd (TRELLIS_MEDIA_CLAMD) scan files before they are served, in a job
 * after all bytes have arrived. A file stays processing until clamd has called it
 * clean. Beyond clamd's limits it is unscanned, never clean, and
 * TRELLIS_MEDIA_UNSCANNED decides. While clamd is down files wait; in a process without
 * one, too, since another process may have it. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

struct media_config;

/* False: trl_complain said what is wrong. */
bool scan_check_config(const struct media_config *config);
/* Start-up. NULL: the installation has no clamd. */
struct scan *scan_new(const struct trl_host *host, const struct media_config *config);
void scan_free(struct scan **scan);
/* The largest file that is not refused for its size, or UINT64_MAX. */
uint64_t scan_bound(const struct media *self);

/* Adds the job that scans a file, all of whose bytes are there; it is processing until
 * then. False: there is no clamd, and nothing was added. */
bool scan_add(
    const struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work);
/* Marks a new file's row as yet to be scanned, if there is a clamd. */
void scan_mark(const struct media *self, media_file *file);
extern const struct trl_job_kind scan_job;
