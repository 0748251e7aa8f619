/* billing.c - trellis billing catalogue: a file of what is sold, on its way to the
 * billing service, which judges it. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include <trl/json.h>
#include <trl/wire.h>

#include <billing_v1.trl.h>

static Billing__V1__ApplyCatalogueRequest *
request_of(struct ctl *ctl, trl_ctx *ctx, const char *text, bool apply)
{
	const char *json = trl_arena_printf(ctx->arena,
	    "{\"apply\":%s,\"catalogue\":%s}", apply ? "true" : "false", text);
	Billing__V1__ApplyCatalogueRequest *in =
	    billing_v1_apply_catalogue_request_new(ctx);
	enum trl_code rc = trl_json_decode(
	    ctx, billing_v1_apply_catalogue.in, json, strlen(json), &in->base);

	if (rc == TRL_OK)
		return in;
	ctl_show_error(ctl, ctx, rc);
	return NULL;
}

static void
show(struct ctl *ctl, const char *action, const Billing__V1__ApplyCatalogueReply *reply)
{
	bool check = strcmp(action, "check") == 0;

	for (size_t i = 0; i < reply->n_changes && !check; i++) {
		ctl_plain(&ctl->out, reply->changes[i]);
		trl_buf_adds(&ctl->out, "\n");
	}
	if (check)
		trl_buf_printf(&ctl->out,
		    "Nothing is wrong; it would change %zu thing%s.\n",
		    reply->n_changes, reply->n_changes == 1 ? "" : "s");
	else if (reply->n_changes == 0)
		trl_buf_adds(&ctl->out, "It is in force as it is.\n");
	else if (strcmp(action, "apply") == 0)
		trl_buf_printf(&ctl->out, "Version %lld is in force.\n",
		    (long long)reply->version);
}

enum ctl_exit
ctl_billing_catalogue(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const actions[] = { "check", "diff", "apply", NULL };
	const char *action = ctl->args.words[0], *text;
	const struct ctl_service *billing = ctl_service_named(ctl, "billing");
	Billing__V1__ApplyCatalogueRequest *in;
	ProtobufCMessage *out = NULL;
	size_t known = 0;

	while (actions[known] && strcmp(actions[known], action) != 0)
		known++;
	if (!actions[known]) {
		fprintf(
		    stderr, "trellis: say check, diff or apply, and then the file\n");
		return CTL_MISUSED;
	}
	text = ctl_read_file(ctx, ctl->args.words[1]);
	in = text ? request_of(ctl, ctx, text, strcmp(action, "apply") == 0) : NULL;
	if (!in)
		return CTL_MISUSED;
	if (!ctl_call_one(
		ctl, ctx, billing, &billing_v1_apply_catalogue, &in->base, &out))
		return CTL_FAILED;
	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_json_encode(&ctl->out, billing_v1_apply_catalogue.out, out, false);
		trl_buf_adds(&ctl->out, "\n");
	} else {
		show(ctl, action, (const Billing__V1__ApplyCatalogueReply *)out);
	}
	return CTL_FINE;
}
