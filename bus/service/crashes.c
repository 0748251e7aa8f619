/* crashes.c - what the process's earlier lives left behind: each crash file of its own
 * is looked at once, said in the log and counted, and waits as .seen for whoever
 * reports it. Nothing in a file can keep the process from starting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/crash.h>
#include <trl/crash_file.h>
#include <trl/log.h>
#include <trl/metrics.h>

#include "config.h"

enum { LOOKED_AT = 64 };

const char *
process_crash_dir(const struct process_config *config)
{
	static char dir[512];

	if (config->crash_dir != NULL)
		return config->crash_dir;
	if (config->run_dir == NULL)
		return NULL;
	snprintf(dir, sizeof dir, "%s/crash", config->run_dir);
	return dir;
}

static void
say(const struct trl_crash_entry *file, const struct trl_crash *crash)
{
	char build[44], time[TRL_TIME_TEXT];

	if (!crash->readable) {
		trl_log(TRL_LOG_ERROR, NULL, "a file that is no crash file",
		    TRL_LOG_STR("file", file->name));
		return;
	}
	trl_build_id_of("/proc/self/exe", build);
	trl_time_format(crash->at_us, time);
	trl_log(TRL_LOG_ERROR, NULL, "it crashed before",
	    TRL_LOG_STR("file", file->name), TRL_LOG_STR("signal", crash->signal_name),
	    TRL_LOG_STR("crashed_at", time), TRL_LOG_STR("method", crash->method),
	    TRL_LOG_STR("note", crash->note),
	    TRL_LOG_STR("cut_off", crash->whole ? "no" : "yes"),
	    TRL_LOG_STR(
		"of_another_build", strcmp(crash->build, build) == 0 ? "no" : "yes"));
}

static void
look_at(const char *dir, struct trl_crash_entry *file)
{
	struct trl_crash *crash;

	if (file->state == TRL_CRASH_READING) {
		trl_log(TRL_LOG_ERROR, NULL,
		    "a crash file that its reader did not come through",
		    TRL_LOG_STR("file", file->name));
		if (!trl_crash_move(dir, file, TRL_CRASH_REPORTED))
			return;
	}
	if (file->state != TRL_CRASH_NEW ||
	    !trl_crash_move(dir, file, TRL_CRASH_READING))
		return;
	crash = calloc(1, sizeof *crash);
	trl_assert(crash != NULL);
	if (trl_crash_read(dir, file->name, crash))
		say(file, crash);
	else
		trl_log(TRL_LOG_ERROR, NULL, "a crash file cannot be read",
		    TRL_LOG_STR("file", file->name));
	free(crash);
	if (!trl_crash_move(dir, file, TRL_CRASH_SEEN))
		trl_log(TRL_LOG_ERROR, NULL, "a crash file cannot be renamed",
		    TRL_LOG_STR("file", file->name));
}

static void
look_at_all(const char *dir, const char *service)
{
	/* The numbers go on from file to file, so that the counter never falls. */
	trl_series *total = trl_series_get(
	    trl_counter_new("trellis_crashes_total",
		"Crashes of this service that its folder knows of", NULL),
	    (const char *const[]){ NULL });
	struct trl_crash_entry files[LOOKED_AT];
	size_t n;

	if (dir == NULL)
		return;
	trl_crash_prune(dir, service);
	if (!trl_crash_list(dir, service, files, LOOKED_AT, &n))
		return; /* trl_crash_open says why */
	if (n > 0)
		trl_series_add(total, files[n - 1].number);
	for (size_t i = 0; i < n; i++)
		look_at(dir, &files[i]);
}

void
process_expect_crashes(const struct process_config *config, const char *service)
{
	const char *dir = process_crash_dir(config);
	struct trl_crash_options options = {
		.service = service, .release = TRELLIS_VERSION, .dir = dir
	};

	look_at_all(dir, service);
	/* Without a folder there is the line in the log, and it has said so. */
	(void)!trl_crash_open(&options);
}

bool
process_tell_errors(
    trl_loop *loop, const struct process_config *config, const char *service)
{
	struct trl_sentry_options options = {
		.config = &config->sentry,
		.service = service,
		.release = TRELLIS_VERSION,
		.crash_dir = process_crash_dir(config),
	};
	trl_sentry *sentry = NULL; /* stays until the process ends */

	return trl_sentry_open(loop, &options, &sentry);
}
