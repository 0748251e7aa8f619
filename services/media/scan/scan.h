/* scan.h - files are shown to clamd (TRELLIS_MEDIA_CLAMD) before anybody is given them:
 * a job after all bytes have come. A file stays processing till clamd has called it
 * clean. What is more than it looks at is unscanned, which TRELLIS_MEDIA_UNSCANNED
 * decides about, and never clean. While clamd is away files wait; in a process without
 * one, too, for another may have it. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

struct media_config;

/* False: trl_complain said what is wrong. */
bool scan_check_config(const struct media_config *config);
/* Start-up. NULL: the installation has no clamd. */
struct scan *scan_new(const struct trl_host *host, const struct media_config *config);
void scan_free(struct scan **scan);
/* How large a file may be that is not refused for its size, or UINT64_MAX. */
uint64_t scan_bound(const struct media *self);

/* Adds to the batch that a file is shown to clamd, all of whose bytes are there; it is
 * processing until then. False: there is no clamd, and nothing was added. */
bool scan_add(
    const struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work);
/* Says in a new file's row that it is yet to be scanned, where there is a clamd. */
void scan_mark(const struct media *self, media_file *file);
extern const struct trl_job_kind scan_job;
