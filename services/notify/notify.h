/* notify.h - the notify service's state, and what its files share. Known within this
 * folder alone. */
#pragma once

#include <trl/batch.h>
#include <trl/http_out.h>
#include <trl/seal.h>
#include <trl/service.h>
#include <trl/value.h>
#include <trellis/notify/v1/notify.server.h>

#include "config.h"
#include "notify_sql.h"

struct notify_kinds;

struct notify {
	trl_loop *loop;
	trl_bus *bus;
	trl_pg *pg;
	trl_pg *sys; /* what jobs and subscriptions work by; NULL in tests of methods */
	const struct notify_config *config;
	struct notify_kinds *kinds;
	trl_sealer *slack;          /* addresses of Slack's webhooks */
	trl_sealer *webhook_sealer; /* secrets of webhook endpoints */
	trl_http_out
	    *webhook_out; /* calls webhooks, under TRELLIS_WEBHOOK_ALLOW_CIDRS */
	struct notify_feed *feed; /* what open streams show (feed.h) */
};

extern const struct trl_service notify_service;

/* The bound of what is counted as unread. */
enum { NOTIFY_UNREAD_MAX = 1000 };

/* ---- maintain.c: the command -------------------------------------------------- */

enum trl_code notify_maintain(const char *admin_url, const void *config) TRL_MUST_CHECK;

/* ---- kinds.c: the catalogue --------------------------------------------------- */

struct notify_kinds *notify_kinds_new(void);
void notify_kinds_free(struct notify_kinds **kinds);
/* The catalogue as it was at most a minute ago, in ctx's arena. Errors: faults. */
enum trl_code notify_kinds_read(
    struct notify *self, trl_ctx *ctx, Notify__V1__Kinds **out) TRL_MUST_CHECK;
/* NULL: there is no such kind. */
const Notify__V1__Kind *notify_kind_by_name(
    const Notify__V1__Kinds *kinds, const char *kind);

/* ---- settings.c --------------------------------------------------------------------
 */

/* Refuses a stale If-Match. Errors: TRL_PRECONDITION. */
enum trl_code notify_if_match(trl_ctx *ctx, int64_t version) TRL_MUST_CHECK;
/* How a tenant's notifications go out, with Slack's sealed address; empty where
 * nothing was set. Errors: faults. */
enum trl_code notify_settings_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    Notify__V1__Settings *out) TRL_MUST_CHECK;

/* ---- inbox.c ----------------------------------------------------------------------
 */

/* Wakes whoever watches a person's inbox (topic "notify.person"); after the commit. */
void notify_person_changed(struct notify *self, struct trl_id account);
