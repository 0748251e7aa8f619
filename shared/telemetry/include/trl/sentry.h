/* sentry.h - what went wrong, told to a Sentry (or what speaks its protocol: GlitchTip,
 * Relay): INTERNAL answers, grouped by method and place, and the crashes that earlier
 * lives of the process left behind (trl/crash_file.h). Envelopes by
 * https://develop.sentry.dev/sdk/data-model/envelopes/, over trl/sender.h.
 *
 * An event holds: release, build, environment, host, service, method, the place in the
 * code, the trace's ids, the error's text without what may be somebody's (quoted or
 * numbers), and 64 bits of a hash of the tenant's id. No body, no header, no
 * address, no name; of a crash, no memory but the addresses of code.
 *
 * At most 20 events a minute a process, 5 of them of the same place, and 10 crashes
 * also where each is the end of another life; what Sentry asks for by
 * X-Sentry-Rate-Limits or Retry-After is obeyed. The rest is counted; crashes wait for
 * the next start. A loop that was held is no event: it has a line in the log and a
 * metric. Loop thread only. */
#pragma once

#include <trl/actor.h>
#include <trl/config.h>

typedef struct trl_sentry trl_sentry;

struct trl_sentry_config {
	trl_secret *dsn; /* NULL: nothing is told */
	const char *environment, *ca;
};
extern const struct trl_config_table trl_sentry_config_table;

/* Reads the table and checks the DSN. False: said by trl_complain. */
bool trl_sentry_config_read(struct trl_sentry_config *out) TRL_MUST_CHECK;

struct trl_sentry_options {
	const struct trl_sentry_config *config;
	const char *service, *release; /* static: "tenants", "0.1.0" */
	const char *crash_dir;         /* static, or NULL */
};

/* Start-up. From now on trl_log_err tells what is INTERNAL, and the crashes that were
 * seen and not reported are sent. *out is NULL where there is no DSN: then the counters
 * stand there, and crashes stay. False: said by trl_complain. */
bool trl_sentry_open(trl_loop *loop, const struct trl_sentry_options *options,
    trl_sentry **out) TRL_MUST_CHECK;
/* What waits is forgotten; see trl_sender_close. */
void trl_sentry_close(trl_sentry **sentry);
