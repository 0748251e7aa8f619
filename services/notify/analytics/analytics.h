/* analytics.h - product events: what happens in organisations that consent, told to the
 * installation's PostHog. Off unless TRELLIS_POSTHOG_URL is set. What may be told of an
 * event its contract declares (proto/trellis/options.proto, Product). Known only within
 * notify. */
#pragma once

#include <trl/events.h>
#include <trl/http_out.h>
#include <trl/jobs.h>

#include "notify.h"

enum {
	NOTIFY_ANALYTICS_EVENTS = 100, /* in a post, and of that many bytes */
	NOTIFY_ANALYTICS_BYTES = 512 << 10,
	NOTIFY_ANALYTICS_GATHER_MS = 2000,    /* before they are posted */
	NOTIFY_ANALYTICS_WAITING_MAX = 10000, /* of an organisation */
	NOTIFY_ANALYTICS_KEPT_DAYS = 7        /* while PostHog takes none */
};

/* What became of events, or of a post. */
enum notify_analytics_outcome {
	NOTIFY_ANALYTICS_TAKEN,
	NOTIFY_ANALYTICS_OVER_QUOTA, /* taken and thrown away */
	NOTIFY_ANALYTICS_TOO_LARGE,  /* as many at once */
	NOTIFY_ANALYTICS_UNFIT,      /* one of them, at least */
	NOTIFY_ANALYTICS_REFUSED,    /* the key, or the URL: whatever is posted */
	NOTIFY_ANALYTICS_FAILED,     /* again later */
	NOTIFY_ANALYTICS_OUTCOMES
};

/* A process's way to PostHog. */
struct notify_analytics {
	trl_http_out *out;
	char *url;               /* .../batch/ */
	const trl_secret *key;   /* the project's */
	trl_secret *renewed;     /* it, where its file has changed since the start */
	size_t most;             /* events in a post, since one was too large */
	uint64_t rests_until_us; /* mono: nothing is posted before */
	unsigned failures;       /* in a row */
	trl_series *events[NOTIFY_ANALYTICS_OUTCOMES],
	    *posts[NOTIFY_ANALYTICS_OUTCOMES];
	trl_series *overflow; /* events of organisations that have too many waiting */
};

/* analytics.c */

/* Start-up. NULL: no URL is set. */
struct notify_analytics *notify_analytics_open(
    trl_loop *loop, const struct notify_config *config);
void notify_analytics_close(struct notify_analytics **analytics);

/* A new key is tried at once. False: it is none, which was said. */
bool notify_analytics_renew(struct notify_analytics *analytics, trl_secret *key);
/* Whether it may be a project's key; else trl_complain says so. */
bool notify_analytics_check_key(const trl_secret *key);

/* event.c */

/* Whether a contract declares that it may be told. */
bool notify_analytics_wants(const struct trl_event *event);
/* It as an event of PostHog's, JSON in ctx's arena: by whom and in which organisation
 * by their ids, when, and what the contract declares. */
const char *notify_analytics_event(trl_ctx *ctx, const struct trl_event *event);

/* queue.c */

/* In the transaction that applies events of one organisation: keeps those that may be
 * told, where it consents, and a job that posts them. */
enum trl_code notify_analytics_hear(struct notify *self, trl_ctx *ctx, trl_tx *tx,
    const struct trl_event *events, size_t n) TRL_MUST_CHECK;

/* post.c */

/* Posts n events that fit in one. Errors: what is not PostHog's doing: TRL_BUSY,
 * TRL_DEADLINE (the job was cut off). */
enum trl_code notify_analytics_post(trl_ctx *ctx, const struct notify_analytics *to,
    Notify__V1__ProductEvent *const *events, size_t n, struct trl_http_answer *answer,
    enum notify_analytics_outcome *outcome) TRL_MUST_CHECK;
/* What an answer means. */
enum notify_analytics_outcome notify_analytics_judge(
    const struct trl_http_answer *answer);
/* How many of n events fit in a post, at least one. */
size_t notify_analytics_fit(const struct notify_analytics *to,
    Notify__V1__ProductEvent *const *events, size_t n, size_t most);

/* send.c */

/* Posts what waits of one organisation. */
extern const struct trl_job_kind notify_analytics_job;
