/* telling.h - who is told a fact, and by which channels: the inbox, a mail, a
 * digest, Slack. Each is a job, so that what cannot be told to one holds up nobody
 * else. */
#pragma once

#include <trl/jobs.h>

#include "choices/choices.h"
#include "mail/mail.h"

/* audience.c: who is told a fact. */
extern const struct trl_job_kind notify_dispatch_job, notify_audience_job;
/* tell.c, mail.c, slack.c: one person or address, one mail, one post. */
extern const struct trl_job_kind notify_tell_job, notify_mail_job, notify_slack_job;
/* digest.c: what was gathered for a person. */
extern const struct trl_job_kind notify_digests_job, notify_digest_job;
extern const struct trl_cron notify_digests_cron;

/* message.c */
/* Makes the message of a fact for the one it is told to. unsubscribe is a page, or
 * NULL. Errors: TRL_UNAVAILABLE (nothing was heard of the person or organisation yet).
 */
enum trl_code notify_message_make(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Telling *telling, const struct trl_told_kind *kind,
    const struct notify_fact *fact, const char *unsubscribe,
    struct notify_outgoing *out) TRL_MUST_CHECK;

/* inbox.c */
/* Wakes whoever watches a person's inbox (topic "notify.person"); after the commit. */
void notify_person_changed(struct notify *self, struct trl_id account);
