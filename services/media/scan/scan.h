/* scan.h - files are shown to clamd (TRELLIS_MEDIA_CLAMD) before anybody is given them:
 * a job after all bytes have come. A file stays processing till clamd has called it
 * clean. What is more than it looks at is unscanned, which TRELLIS_MEDIA_UNSCANNED
 * decides about, and never clean. While clamd is away files wait. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

struct media_config;

/* False: trl_complain said what is wrong. */
bool scan_check_config(const struct media_config *config);
/* Start-up. NULL: the installation has no clamd. */
struct scan *scan_new(const struct trl_host *host, const struct media_config *config);
void scan_free(struct scan **scan);

/* Of a file that would be ready: where there is a clamd it is processing until that has
 * seen it, and the batch, which is file's, has the job. False: there is none, and
 * nothing was done. */
bool scan_begin(
    const struct media *self, trl_ctx *ctx, media_file *file, trl_batch *work);
extern const struct trl_job_kind scan_job;
