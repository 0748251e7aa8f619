/* notify.ListNotifications, CountUnread, ReadNotification, ReadAllNotifications - what
 * a person was told in the product. The rows are the person's own, across tenants. */
#include <string.h>

#include <trl/page.h>

#include "telling/telling.h"

enum { UNREAD_MAX = 1000 }; /* that are counted */

void
notify_person_changed(struct notify *self, struct trl_id account)
{
	trl_bus_notify(self->bus, "notify.person", trl_id_nil, account);
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
notify_list_notifications(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListNotificationsRequest *in,
    Notify__V1__ListNotificationsReply *out)
{
	struct trl_id account = ctx->principal.account;
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, "notify.inbox", account, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(account),
	    &notify_sql_notifications_list, NULL, &out->base,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_BOOL("unread", in->unread),
	    TRL_ARG_ID("only", trl_value_id(in->tenant_id)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, page.size, "id", &out->base);
	return rc;
}

/* Errors: none but faults. */
enum trl_code
notify_count_unread(struct notify *self, trl_ctx *ctx,
    const Notify__V1__CountUnreadRequest *in, Notify__V1__CountUnreadReply *out)
{
	struct trl_id account = ctx->principal.account;

	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(account),
	    &notify_sql_unread_count, NULL, &out->base,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_ID("only", trl_value_id(in->tenant_id)),
	    TRL_ARG_INT("limit", UNREAD_MAX));
}

/* Errors: TRL_NOT_FOUND (also another person's), TRL_CONFLICT. */
enum trl_code
notify_read_notification(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ReadNotificationRequest *in, Notify__V1__Notification *out)
{
	struct trl_id account = ctx->principal.account;
	enum trl_code rc;
	trl_batch *work;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_ACCOUNT(account),
	    &notify_sql_notification_get, &in->base, &out->base,
	    TRL_ARG_ID("account_id", account));
	if (rc != TRL_OK)
		return rc;
	if (!out->read_at)
		out->read_at = trl_value_time(ctx, trl_now(ctx));
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));
	trl_batch_add(work, &notify_sql_notification_read, &out->base,
	    TRL_ARG_ID("account_id", account));
	rc = trl_batch_write(work, &out->base);
	if (rc == TRL_OK)
		notify_person_changed(self, account);
	return rc;
}

/* Errors: TRL_CONFLICT. */
enum trl_code
notify_read_all_notifications(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ReadAllNotificationsRequest *in, Trellis__Empty *out)
{
	struct trl_id account = ctx->principal.account;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));
	enum trl_code rc;

	trl_batch_add(work, &notify_sql_notifications_read, NULL,
	    TRL_ARG_ID("account_id", account),
	    TRL_ARG_ID("only", trl_value_id(in->tenant_id)),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	rc = trl_batch_write(work, &out->base);
	if (rc == TRL_OK)
		notify_person_changed(self, account);
	return rc;
}
