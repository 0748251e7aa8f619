/* choices.h - what people and organisations chose: a person's preferences, an
 * organisation's settings. */
#pragma once

#include "words/words.h"

/* settings.c */
/* How a tenant's notifications go out, with Slack's sealed address; empty where
 * nothing was set. Errors: faults. */
enum trl_code notify_settings_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    Notify__V1__Settings *out) TRL_MUST_CHECK;

/* wishes.c: what a person wants of a kind. */
/* What a person chose of a kind, and when a mail that may wait should go. */
enum trl_code notify_wishes_read(struct notify *self, trl_ctx *ctx,
    struct trl_id account, const char *kind, Notify__V1__Wishes *out) TRL_MUST_CHECK;
/* Whether a channel that is offered so is wanted; chosen: there is a choice. */
bool notify_wants(
    const struct trl_told_kind *kind, enum trl_offer offer, bool chosen, bool choice);
/* The same of mails. Those that may wait go only to proven addresses: others may be
 * somebody else's. */
bool notify_wants_mail(
    const struct trl_told_kind *kind, const Notify__V1__Wishes *wishes, bool proven);
