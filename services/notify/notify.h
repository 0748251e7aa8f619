/* notify.h - the notify service's state, and what the files outside its folders do.
 * What each folder offers is in its own header (words/words.h, mail/mail.h ...). Known
 * only in this service. */
#pragma once

#include <trl/batch.h>
#include <trl/http_out.h>
#include <trl/jobs.h>
#include <trl/metrics.h>
#include <trl/seal.h>
#include <trl/service.h>
#include <trl/value.h>
#include <notify_v1.server.h>

#include "config.h"
#include "notify_sql.h"

struct notify {
	trl_loop *loop;
	trl_bus *bus;
	trl_pg *pg;
	trl_pg *sys; /* what jobs and subscriptions work by; NULL in tests of methods */
	const struct notify_config *config;
	trl_sealer *slack;          /* addresses of Slack's webhooks */
	trl_sealer *webhook_sealer; /* secrets of webhook endpoints */
	trl_http_out *webhook_out;  /* calls webhooks and Slack, under
				       TRELLIS_WEBHOOK_ALLOW_CIDRS */
	const char *product;        /* the installation's name, of TRELLIS_MAIL_FROM */
	const char *from_address;   /* the sender of mails */
	const char *helo;           /* what we call ourselves to the mail server */
	struct notify_mailbox *mailbox; /* NULL: there is none */
	trl_http_out *out;              /* to the mail server; NULL: there is none */
	/* A mail on its way may still have a former one. */
	struct notify_password {
		struct notify_password *former;
		char *text;   /* in locked memory */
	} * smtp_password;    /* or NULL */
	trl_sealer **sealers; /* of tokens in links, one a kind (mail/tokens.c) */
	trl_sealer *unsubscribe;
	struct trl_offload words; /* what takes more than the loop's time */
	trl_metric *mails;        /* by what became of them */
	struct {
		trl_series *succeeded, *failed, *unreachable; /* attempts */
		trl_series *gone, *failing; /* endpoints that were disabled */
	} webhooks;
	struct notify_feed *feed; /* what open streams show (feed/) */
	struct notify_analytics
	    *analytics; /* the way to PostHog; NULL: there is none */
};

extern const struct trl_service notify_service;

/* check_config.c: whether the settings make sense; else trl_complain says what does
 * not. */
bool notify_check_config(const void *config);
/* maintain.c: `trellis-notify maintain`. */
enum trl_code notify_maintain(const char *admin_url, const void *config) TRL_MUST_CHECK;

/* events_in.c: what is heard of other services. */
extern const struct trl_subscription notify_hears_facts;

/* events_out.c */
/* Tells an event of notify's own, under one id: to the other services, to people,
 * streams and webhooks. event has its type, tenant (the batch's), subject and payload.
 * Errors: faults. */
enum trl_code notify_tell_own(struct notify *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event *event) TRL_MUST_CHECK;
