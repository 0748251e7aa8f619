/* mail.h - one mail, from a message to the mail server's answer, and the tokens that
 * travel in links. */
#pragma once

#include "mail/mailbox.h"
#include "mail/mime.h"
#include "words/words.h"

/* A message as it goes out to one recipient. */
struct notify_outgoing {
	Notify__V1__Person person;
	Notify__V1__Settings settings; /* the organisation's */
	const char *sender;            /* whose name it bears */
	const char *link;              /* "": none */
	struct notify_message message;
};

/* post.c */
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
    const struct notify_outgoing *outgoing) TRL_MUST_CHECK;
/* Records that a mail is left out, and why. */
void notify_post_leave_out(struct notify *self, trl_ctx *ctx,
    const struct notify_posting *posting, const char *why);

/* tokens.c */
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
