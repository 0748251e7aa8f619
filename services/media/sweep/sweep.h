/* sweep.h - finds what lies in tables and store and belongs to nothing: uploads past
 * their time, bytes without rows (of processes that were killed, of S3's unfinished
 * multipart uploads), deleted files past their time, pictures that nobody looks at any
 * more. What is younger than a
 * day is left alone, for it may be on its way; rows without bytes are only said.
 *
 * It goes page by page, from a place to the next one, so that no run is long: by cron
 * as a chain of jobs, and by the operator's `trellis media sweep`. What a page needs of
 * memory is the message's arena. One thing that cannot be read or removed is logged,
 * counted and passed over, so that it stands in nobody's way. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

enum {
	SWEEP_PAGE = 200,
	SWEEP_PAGES_A_RUN = 20,
	SWEEP_FAILURES = 20, /* one behind the other: it is not the files */
	SWEEP_WHATS = MEDIA__V1__SWEPT__WHAT__missing
};
#define SWEEP_DAY_US (INT64_C(86400) * 1000000)

/* A run. */
struct sweep {
	struct media *self;
	trl_ctx *ctx;
	bool dry_run;
	bool force;                  /* the operator is sure */
	bool accept_restore;         /* and of this, too */
	bool held;                   /* something looked wrong, and was not removed */
	bool restored;               /* the database was: nothing at all is removed */
	unsigned failures;           /* one behind the other */
	Media__V1__SweepPlace place; /* where it stands; its phase 0: it is over */
	struct sweep_sum {
		uint64_t count, bytes;
	} sums[SWEEP_WHATS];
};

/* Goes on from place (NULL: from the beginning) for some pages. Errors: faults. */
enum trl_code sweep_run(struct sweep *sweep, const Media__V1__SweepPlace *from,
    Media__V1__SweepPlace__Phase last) TRL_MUST_CHECK;
/* Before each run: whether the database is the one that this store was swept by (see
 * restore.c); begins: a sweep begins here. Errors: faults. */
enum trl_code sweep_compare(struct sweep *sweep, bool begins) TRL_MUST_CHECK;
/* That it holds back, and why: "restored", or "unknown" files in the store. */
void sweep_held(const char *why);
/* Something was found, and removed where it is no dry run. */
void sweep_count(struct sweep *sweep, Media__V1__Swept__What what, uint64_t bytes);
/* How one thing of a page went, that has this name: where it failed, by itself, it is
 * passed over (TRL_OK). Errors: TRL_DEADLINE; rc after SWEEP_FAILURES of them, for then
 * it is rather the store that is away. */
enum trl_code sweep_pass(
    struct sweep *sweep, enum trl_code rc, const char *name) TRL_MUST_CHECK;
void sweep_passed(size_t n);

/* The phases: each does a page behind place, and says whether that was the last one. */
enum trl_code sweep_uploads(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_links(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_purges(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_store(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_renditions(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_rows(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
/* Where a page's last row stands, as the next one's place. */
void sweep_behind(
    struct sweep *sweep, struct trl_id tenant, struct trl_id file, const char *key);

/* trl_service's. */
enum trl_code sweep_erase_tenant(
    void *self, trl_ctx *ctx, struct trl_id tenant) TRL_MUST_CHECK;
extern const struct trl_job_kind sweep_job, sweep_uploads_job;
extern const struct trl_cron sweep_cron, sweep_uploads_cron;
/* Start-up: the counters. */
void sweep_open(void);
