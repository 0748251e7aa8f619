/* test_rig.h - what the tests of jobs stand on: the database of shared/pg's tests, a
 * loop, and workers with two kinds of jobs whose behaviour is in the payload's name:
 *
 *   "fine"      done at once
 *   "fails N"   fails on its first N attempts
 *   "again"     asks once to run again at once
 *   "goes on"   fails on every other run, and asks for what is next on those between;
 *               done on the 12th
 *   "later"     fails, and wants no other attempt for an hour
 *   "hopeless"  gives up
 *   "garbled"   fails with a text that is no UTF-8
 *   "waits"     until rig.open, or its deadline; "waits, fails" fails then
 *   "writes"    adds a thing by a recorded write, then is done
 *   "kills"     the same, and on its first attempt its process dies then
 *   "dawdles"   sleeps 600 ms, then writes */
#pragma once

#include "test_world.h"

#include <trl/jobs_open.h>

#include "worker.h"

enum { RIG_RUNS_MAX = 4096 };

struct rig {
	trl_pg *sys[2];
	trl_jobs *workers[2];
	/* Of workers opened from here on; 0: 100, 1200, 100. */
	uint32_t idle_poll_ms, lease_ms, release_ms;
	bool open; /* lets those that wait go on */
	unsigned running, most_running, told;
	size_t n_runs;
	struct rig_run {
		struct trl_id id, tenant;
		unsigned attempt;
		char name[24];
	} runs[RIG_RUNS_MAX]; /* in order */
	int child;            /* its pid, or 0 */
	char child_log[64];
	struct trl_trace trace;
	enum trl_principal_kind principal;
	char key[80];
};
extern struct rig rig;

/* "task": 3 attempts without a wait, 8 slots, no cap below; "narrow": 8 slots, 2 a
 * tenant; "outside": 16 slots, 12 a tenant, 4 a lane; "tick": for crons. */
extern const struct trl_job_kind rig_task, rig_narrow, rig_outside, rig_tick;

int rig_open(void **state);
int rig_close(void **state);
/* Empties the tables and forgets the runs; closes workers. */
int rig_reset(void **state);
/* Opens workers 0..n-1; crons may be NULL. */
void rig_work(size_t n, const struct trl_cron *const *crons);
void rig_stop(size_t i);
/* A worker in a process of its own: main() gives its arguments to rig_is_child first,
 * which does not return there. Its log grows in a file that rig_child_said looks at. */
void rig_is_child(int argc, char **argv);
void rig_child(void);
void rig_signal(int signum);
bool rig_child_said(void *text);
/* Ends it and waits for that. */
void rig_child_end(void);
/* Adds a job as the service would. */
void rig_add(const struct trl_job_kind *kind, struct trl_id tenant, const char *name,
    const struct trl_job_terms *terms);
void rig_add_many(
    const struct trl_job_kind *kind, struct trl_id tenant, const char *name, size_t n);
void rig_add_to_lane(
    struct trl_id tenant, struct trl_id lane, const char *name, size_t n);
/* Runs body as an actor until it returns. */
void rig_act(void (*run)(trl_ctx *ctx, void *arg), void *arg);
/* Waits for SQL to give want; fails the test after twenty seconds. */
void rig_wait_sql(const char *want, const char *sql);
/* Waits until n runs have begun, or is_so says so. */
void rig_wait_runs(size_t n);
void rig_wait(bool (*is_so)(void *arg), void *arg);
/* For at least this long of the loop's turns. */
void rig_idle(uint32_t ms);
/* A series as it is rendered, name and labels; 0: there is none. */
double rig_metric(const char *series);
/* trellis_jobs_total of a kind and result, over all workers of this process. */
double rig_count(const char *kind, const char *result);
