/* sweep.h - removes what tables and store hold and nothing refers to any more: expired
 * uploads and links, bytes without rows (of killed processes, of S3's unfinished
 * multipart uploads), deleted files past their time, old renditions. Bytes younger than
 * a day are left alone, since they may still get their row; rows without bytes are only
 * reported.
 *
 * It goes page by page, from one place to the next, so that no run is long: by cron as
 * a chain of jobs, and by the operator's `trellis media sweep`. A page's memory is the
 * message's arena. A thing that cannot be read or removed is logged, counted and passed
 * over, so that it blocks nothing else. */
#pragma once

#include <trl/jobs.h>

#include "media.h"

enum {
	SWEEP_PAGE = 200,
	SWEEP_PAGES_A_RUN = 20,
	SWEEP_FAILURES = 20, /* in a row: then it is not the files */
	SWEEP_WHATS = MEDIA__V1__SWEPT__WHAT__overdue
};
#define SWEEP_DAY_US (INT64_C(86400) * 1000000)

/* A run. */
struct sweep {
	struct media *self;
	trl_ctx *ctx;
	bool dry_run;
	bool force;                  /* the operator's --force */
	bool accept_restore;         /* and --accept-restore */
	bool held;                   /* something looked wrong, and was not removed */
	bool restored;               /* the database was: nothing at all is removed */
	unsigned failures;           /* in a row */
	uint64_t passed;             /* over, in all */
	Media__V1__SweepPlace place; /* where it is; phase 0: at the end */
	struct sweep_sum {
		uint64_t count, bytes;
	} sums[SWEEP_WHATS];
};

/* Sweeps some pages from a place on (NULL: from the beginning). Errors: faults. */
enum trl_code sweep_run(struct sweep *sweep, const Media__V1__SweepPlace *from,
    Media__V1__SweepPlace__Phase last) TRL_MUST_CHECK;
/* Before each run: compares the database's number of sweeps with the store's (see
 * restore.c); begins: a sweep begins here. Errors: faults. */
enum trl_code sweep_compare(struct sweep *sweep, bool begins) TRL_MUST_CHECK;
/* Counts and logs that it holds back; why: "restored", or "unknown" files in the store.
 */
void sweep_held(const char *why);
/* Counts something that was found and, except in a dry run, removed. */
void sweep_count(struct sweep *sweep, Media__V1__Swept__What what, uint64_t bytes);
/* Takes rc, how it went for one thing of a page: a single failure is passed over
 * (TRL_OK). Errors: TRL_DEADLINE; rc after SWEEP_FAILURES in a row, since then the
 * store itself is probably down. */
enum trl_code sweep_pass(
    struct sweep *sweep, enum trl_code rc, const char *name) TRL_MUST_CHECK;
void sweep_passed(struct sweep *sweep, size_t n);

/* The phases: each does the page after place, and says whether that was the last. */
enum trl_code sweep_uploads(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_links(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_purges(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_store(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_renditions(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
enum trl_code sweep_rows(struct sweep *sweep, bool *over) TRL_MUST_CHECK;
/* Sets the place after a page's last row. */
void sweep_behind(
    struct sweep *sweep, struct trl_id tenant, struct trl_id file, const char *key);

/* trl_service's. */
enum trl_code sweep_erase_tenant(
    void *self, trl_ctx *ctx, struct trl_id tenant) TRL_MUST_CHECK;
extern const struct trl_job_kind sweep_job, sweep_uploads_job;
extern const struct trl_cron sweep_cron, sweep_uploads_cron;
/* Start-up: the counters. */
void sweep_open(void);
