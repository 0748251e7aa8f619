/* What notify adds to an organisation's settings
 * (proto/trellis/notify/v1/notify.proto), which say how its notifications go out. The
 * address of its Slack lets anybody post there, so it is kept sealed and not shown. It
 * is looked at as a webhook's is: here without resolving its name, on each post after.
 */
#include <string.h>

#include <trl/http_out.h>

#include "choices.h"

enum trl_code
notify_settings_read(
    trl_ctx *ctx, trl_pg *pg, struct trl_id tenant, Notify__V1__Settings *out)
{
	return trl_batch_get_one(ctx, pg, TRL_SCOPE_TENANT(tenant),
	    &notify_sql_settings_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", tenant));
}

/* Errors: TRL_INVALID (slack_url). */
enum trl_code
notify_judge_settings(struct notify *self, trl_ctx *ctx,
    const ProtobufCMessage *request, const Notify__V1__Settings *before,
    Notify__V1__Settings *after)
{
	const Notify__V1__UpdateSettingsRequest *in = (const void *)request;
	ProtobufCBinaryData sealed;
	const char *wrong;

	(void)before;
	if (trl_clears(ctx, request, "slack_url"))
		after->has_slack_sealed = false;
	if (!in->slack_url)
		return TRL_OK;
	wrong = trl_http_out_refused(self->webhook_out, in->slack_url);
	if (wrong) {
		trl_err_violation(ctx, "/slack_url", "It cannot be called: %s.", wrong);
		return trl_fail_field(ctx, TRL_INVALID, "slack_url",
		    "The URL cannot be called: %s.", wrong);
	}
	sealed.data = trl_seal(
	    self->slack, ctx->arena, in->slack_url, strlen(in->slack_url), &sealed.len);
	trl_set(after, slack_sealed, sealed);
	return TRL_OK;
}

enum trl_code
notify_show_settings(
    struct notify *self, trl_ctx *ctx, Notify__V1__Settings **rows, size_t n)
{
	(void)self, (void)ctx;
	for (size_t i = 0; i < n; i++) {
		trl_set(rows[i], slack, rows[i]->has_slack_sealed);
		trl_set(rows[i], product_events, rows[i]->product_events);
	}
	return TRL_OK;
}
