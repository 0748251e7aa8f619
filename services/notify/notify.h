/* notify.h - the notify service's state, and what its files share. Known within this
 * folder alone. */
#pragma once

#include <trl/batch.h>
#include <trl/http_out.h>
#include <trl/jobs.h>
#include <trl/metrics.h>
#include <trl/seal.h>
#include <trl/service.h>
#include <trl/told_kind.h>
#include <trl/value.h>
#include <notify_v1.server.h>

#include "config.h"
#include "mail/mailbox.h"
#include "notify_sql.h"
#include "words/template.h"
#include "words/words.h"

enum { NOTIFY_LIST_MAX = 50 }; /* of a list, what templates are shown */

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
	const char *from_address;   /* whom mails come from */
	const char *helo;           /* what we call ourselves to the mail server */
	notify_mailbox *mailbox;    /* NULL: there is none */
	trl_http_out *out;          /* to the mail server; NULL: there is none */
	char *smtp_password;        /* locked memory, a NUL behind it; or NULL */
	trl_sealer **sealers;       /* of tokens in links, one a kind (tokens.c) */
	trl_sealer *unsubscribe;
	struct trl_offload words; /* what takes more than the loop's time */
	trl_metric *mails;        /* by what became of them */
	struct notify_feed *feed; /* what open streams show (feed.h) */
};

extern const struct trl_service notify_service;

/* The bound of what is counted as unread. */
enum { NOTIFY_UNREAD_MAX = 1000 };

/* ---- check_config.c, maintain.c: the commands --------------------------------- */

/* Whether the settings make sense; else trl_complain says what does not. */
bool notify_check_config(const void *config);
enum trl_code notify_maintain(const char *admin_url, const void *config) TRL_MUST_CHECK;

/* ---- settings.c --------------------------------------------------------------------
 */

/* How a tenant's notifications go out, with Slack's sealed address; empty where
 * nothing was set. Errors: faults. */
enum trl_code notify_settings_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    Notify__V1__Settings *out) TRL_MUST_CHECK;

/* ---- inbox.c ----------------------------------------------------------------------
 */

/* Wakes whoever watches a person's inbox (topic "notify.person"); after the commit. */
void notify_person_changed(struct notify *self, struct trl_id account);

/* ---- values.c: an event for templates ----------------------------------------------
 */

/* "2026-11-24 21:57 UTC". */
const char *notify_time_text(trl_arena *arena, int64_t wall_us);
/* What of a message may be shown, as a map. */
struct notify_value *notify_value_of(
    trl_arena *arena, const struct trl_message *rules, const ProtobufCMessage *message);

/* ---- example.c ------------------------------------------------------------------ */

/* What a kind's words are shown with in a preview; each list has so many items. */
struct notify_value *notify_example(
    struct notify *self, trl_ctx *ctx, const char *kind, size_t items);

/* ---- names.c: names in mails to people outside ---------------------------------- */

/* A name without the words that read as an address or a link; "…" where nothing is
 * left. */
const char *notify_name_plain(trl_arena *arena, const char *name);
/* Makes all names of a map so. */
void notify_names_plain(trl_arena *arena, struct notify_value *values);

/* ---- own_words.c, check.c, compose.c: a message in its words
 * ---------------------------------- */

/* Work on words. make() does it on the loop with a few steps, and again on a thread
 * with many where these did not suffice; it touches nothing but what is its own, and
 * the arena. Errors: TRL_INVALID (where run.what tells why; names the part), TRL_BUSY,
 * TRL_DEADLINE. */
struct notify_work {
	bool (*make)(struct notify_work *work);
	trl_arena *arena;
	struct notify_run run;
	const char *part; /* that it is at */
};
enum trl_code notify_work_do(
    struct notify *self, trl_ctx *ctx, struct notify_work *work) TRL_MUST_CHECK;

/* Refuses what is not well formed, and a layout without its place for the message.
 * Errors: TRL_INVALID (names the part), TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_words_check(
    struct notify *self, trl_ctx *ctx, const struct notify_words *words) TRL_MUST_CHECK;
/* The words of a kind for a locale (may be NULL), and those of the layout around them
 * (layout may be NULL): each the organisation's own or built-in, in that language, its
 * base, or English. tenant nil: built-in ones alone. Errors: TRL_NOT_FOUND. */
enum trl_code notify_words_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    const char *kind, const char *locale, struct notify_words *words,
    struct notify_words *layout) TRL_MUST_CHECK;

struct notify_message {
	const char *subject, *summary;
	const char *action; /* "": no button */
	const char *text, *html;
};

/* Errors: TRL_INVALID (the words are not well formed, or grow beyond the bounds; names
 * the part), TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_compose_words(struct notify *self, trl_ctx *ctx,
    const struct notify_words *words, const struct notify_words *layout,
    const struct notify_value *values, struct notify_message *out) TRL_MUST_CHECK;
/* Finds the words and fills them. Errors: TRL_NOT_FOUND, TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_compose(struct notify *self, trl_ctx *ctx, trl_pg *pg,
    struct trl_id tenant, const char *kind, const char *locale,
    const struct notify_value *values, struct notify_message *out) TRL_MUST_CHECK;

/* ---- events_in.c: what is heard
 * ----------------------------------------------------------- */

/* Tells an event of notify's own, under one id: to the other services, to people,
 * streams and webhooks. event has its type, tenant (the batch's), subject and payload.
 * Errors: faults. */
enum trl_code notify_tell_own(struct notify *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event *event) TRL_MUST_CHECK;

/* ---- audience.c: whom a fact is told to
 * ---------------------------------------------- */

struct notify_fact {
	const struct trl_event_type *type; /* NULL: of another release */
	const ProtobufCMessage *payload;
	const struct notify_value *values; /* of the payload */
	struct trl_id tenant, event_id;
};

/* Errors: TRL_INTERNAL (what was stored cannot be read). */
enum trl_code notify_fact_read(
    trl_ctx *ctx, const Notify__V1__Fact *fact, struct notify_fact *out) TRL_MUST_CHECK;
/* The same, and the kind that it is told as. Errors: TRL_INTERNAL, TRL_UNAVAILABLE (the
 * fact's type or the kind is of another release). */
enum trl_code notify_told_read(trl_ctx *ctx, const Notify__V1__Fact *fact,
    const char *kind_name, struct notify_fact *out,
    const struct trl_told_kind **kind) TRL_MUST_CHECK;

/* ---- tell.c: telling one person or address
 * ------------------------------------------- */

struct notify_letter {
	Notify__V1__Person person;
	Notify__V1__Settings settings; /* the organisation's */
	const char *sender;            /* whose name it bears */
	const char *link;              /* "": none */
	struct notify_message message;
};

/* Makes the message of a fact for whom it is told to. unsubscribe is a page, or NULL.
 * Errors: TRL_UNAVAILABLE (nothing was heard of the person or organisation yet). */
enum trl_code notify_message_make(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Telling *telling, const struct trl_told_kind *kind,
    const struct notify_fact *fact, const char *unsubscribe,
    struct notify_letter *out) TRL_MUST_CHECK;
/* Adds what every template may show: product, account, sender. */
void notify_add_frame(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Person *person, const char *sender, struct notify_value *values);
/* What a person chose of a kind, and when a mail that may wait should go. */
enum trl_code notify_wishes_read(struct notify *self, trl_ctx *ctx,
    struct trl_id account, const char *kind, Notify__V1__Wishes *out) TRL_MUST_CHECK;

/* Whether one who was to get a mail wants it still, and his address is proven. */
enum trl_code notify_wants_still(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Telling *telling, const struct trl_told_kind *kind,
    const struct notify_letter *letter, bool *wanted) TRL_MUST_CHECK;

/* ---- mail.c
 * -------------------------------------------------------------------------- */

struct notify_posting {
	struct trl_id tenant; /* of the delivery's row */
	struct trl_id id;     /* the delivery's, and the mail's */
	const char *kind, *to;
	const char *unsubscribe; /* token, or NULL */
	int64_t at_us;
	unsigned attempt;
};

/* Sends a mail in a job, and records what became of it. Returns what the job's run()
 * returns. */
enum trl_code notify_post(struct notify *self, trl_ctx *ctx,
    const struct notify_posting *posting,
    const struct notify_letter *letter) TRL_MUST_CHECK;

/* ---- tokens.c
 * ------------------------------------------------------------------------ */

void notify_tokens_open(struct notify *self, const uint8_t *seal_key);
void notify_tokens_close(struct notify *self);
/* The token sealed in a fact; NULL: there is none, or it cannot be opened. */
const char *notify_token_open(struct notify *self, trl_ctx *ctx,
    const struct trl_told_kind *kind, const struct notify_fact *fact);
/* What turns off a person's mails of a kind. */
const char *notify_unsubscribe_token(
    struct notify *self, trl_ctx *ctx, struct trl_id account, const char *kind);
/* Where a reader finds the page for it; NULL where token is. */
const char *notify_unsubscribe_page(
    struct notify *self, trl_ctx *ctx, const char *token);

/* ---- subscriptions and jobs
 * ---------------------------------------------------------- */

extern const struct trl_subscription notify_hears_facts;
extern const struct trl_job_kind notify_dispatch_job, notify_audience_job,
    notify_tell_job, notify_mail_job, notify_slack_job, notify_digests_job,
    notify_digest_job;
extern const struct trl_cron notify_digests_cron;
