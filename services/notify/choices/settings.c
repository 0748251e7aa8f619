/* notify.GetSettings, UpdateSettings - how an organisation's notifications go out. The
 * address of its Slack lets anybody post there, so it is kept sealed and not shown. It
 * is looked at as a webhook's is: here without resolving its name, on each post after.
 */
#include <string.h>

#include <trl/change.h>
#include <trl/http_out.h>

#include "choices/choices.h"

enum trl_code
notify_settings_read(
    trl_ctx *ctx, trl_pg *pg, struct trl_id tenant, Notify__V1__Settings *out)
{
	trl_batch *work = trl_batch_new(ctx, pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_get(work, &notify_sql_settings_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", tenant));
	return trl_batch_read(work);
}

/* Where nothing was set; and what only jobs may have is not shown. */
static void
show(Notify__V1__Settings *out)
{
	out->has_version = out->has_slack = true;
	out->has_slack_sealed = false;
	out->slack_sealed = (ProtobufCBinaryData){ 0 };
}

/* Errors: none but faults. */
enum trl_code
notify_get_settings(struct notify *self, trl_ctx *ctx,
    const Notify__V1__GetSettingsRequest *in, Notify__V1__Settings *out)
{
	enum trl_code rc = notify_settings_read(ctx, self->pg, ctx->tenant, out);

	(void)in;
	if (rc == TRL_OK)
		show(out);
	return rc;
}

static bool
clears(const Notify__V1__UpdateSettingsRequest *in, const char *field)
{
	for (size_t i = 0; i < in->n_clear; i++)
		if (strcmp(in->clear[i], field) == 0)
			return true;
	return false;
}

static void
take(char **field, char *wanted, bool cleared)
{
	if (wanted || cleared)
		*field = cleared ? NULL : wanted;
}

static enum trl_code
take_slack(struct notify *self, trl_ctx *ctx,
    const Notify__V1__UpdateSettingsRequest *in, Notify__V1__Settings *out)
{
	const char *wrong;
	size_t len;

	if (clears(in, "slack_url")) {
		out->has_slack_sealed = false;
	} else if (in->slack_url) {
		wrong = trl_http_out_refused(self->webhook_out, in->slack_url);
		if (wrong) {
			trl_err_violation(
			    ctx, "/slack_url", "It cannot be called: %s.", wrong);
			return trl_fail_field(ctx, TRL_INVALID, "slack_url",
			    "The URL cannot be called: %s.", wrong);
		}
		out->slack_sealed.data = trl_seal(self->slack, ctx->arena,
		    in->slack_url, strlen(in->slack_url), &len);
		out->slack_sealed.len = len;
		out->has_slack_sealed = true;
	}
	out->slack = out->has_slack_sealed;
	return TRL_OK;
}

static enum trl_code
take_changes(struct notify *self, trl_ctx *ctx,
    const Notify__V1__UpdateSettingsRequest *in, Notify__V1__Settings *out)
{
	enum trl_code rc = take_slack(self, ctx, in, out);

	if (rc != TRL_OK)
		return rc;
	take(&out->sender_name, in->sender_name, clears(in, "sender_name"));
	take(&out->reply_to, in->reply_to, clears(in, "reply_to"));
	take(&out->locale, in->locale, clears(in, "locale"));
	out->updated_at = trl_value_time(ctx, trl_now(ctx));
	return TRL_OK;
}

static enum trl_code
store(struct notify *self, trl_ctx *ctx, Notify__V1__Settings *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const int64_t former = out->version++;

	trl_batch_add(work, &notify_sql_settings_put, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_INT("version", out->version),
	    TRL_ARG_TEXT("sender_name", out->sender_name),
	    TRL_ARG_TEXT("reply_to", out->reply_to),
	    TRL_ARG_TEXT("locale", out->locale),
	    out->has_slack_sealed ? TRL_ARG_BYTES("slack_sealed",
					out->slack_sealed.data, out->slack_sealed.len)
				  : TRL_ARG_NULL("slack_sealed"),
	    TRL_ARG_TIME("updated_at", trl_now(ctx)),
	    TRL_ARG_INT("former_version", former));
	show(out);
	trl_batch_audit(
	    work, "notify.settings.update", ctx->tenant, "settings", &out->base);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_INVALID (slack_url), TRL_PRECONDITION (If-Match), TRL_CONFLICT. */
enum trl_code
notify_update_settings(struct notify *self, trl_ctx *ctx,
    const Notify__V1__UpdateSettingsRequest *in, Notify__V1__Settings *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc;

	rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		notify__v1__settings__init(out);
		rc = notify_settings_read(ctx, self->pg, ctx->tenant, out);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, out->version);
		if (rc == TRL_OK)
			rc = take_changes(self, ctx, in, out);
		if (rc != TRL_OK)
			return rc;
		rc = store(self, ctx, out);
	} while (trl_change_again(&change, &rc));
	return rc;
}
