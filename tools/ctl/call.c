/* call.c - trellis call: any method of any contract by its descriptor, as the operator.
 * The JSON is read by the contract's rules, the answer printed by them, secrets too: it
 * is the operator's own call. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/json.h>
#include <trl/member.h>
#include <trl/value.h>
#include <trl/wire.h>

enum { TEXT_MAX = 1 << 20 };

const char *
ctl_read_file(trl_ctx *ctx, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = trl_arena_alloc(ctx->arena, TEXT_MAX + 1);
	const char *wrong = NULL;
	size_t n;

	if (file == NULL) {
		fprintf(stderr, "trellis: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	n = fread(text, 1, TEXT_MAX + 1, file);
	if (ferror(file))
		wrong = strerror(errno);
	else if (n > TEXT_MAX)
		wrong = "it is longer than 1 MiB";
	else
		text[n] = '\0';
	if (file != stdin)
		fclose(file);
	if (wrong)
		fprintf(stderr, "trellis: %s: %s\n", path, wrong);
	return wrong ? NULL : text;
}

/* The request's text: the word itself, @file, or - for what stands on the input. */
static const char *
read_text(trl_ctx *ctx, const char *word)
{
	if (word == NULL)
		return "{}";
	if (word[0] == '@')
		return ctl_read_file(ctx, word + 1);
	return strcmp(word, "-") == 0 ? ctl_read_file(ctx, word) : word;
}

bool
ctl_take_id(const char *option, const char *text, struct trl_id *out)
{
	if (text == NULL || trl_id_parse(text, strlen(text), out))
		return true;
	fprintf(stderr, "trellis: %s '%.60s' is not an id of 36 characters\n", option,
	    text);
	return false;
}

bool
ctl_take_word_id(const struct ctl *ctl, const char *what, struct trl_id *out)
{
	const char *word = ctl->args.words[0];

	if (trl_id_parse(word, strlen(word), out))
		return true;
	fprintf(stderr, "trellis: '%.60s' is not the id of %s\n", word, what);
	return false;
}

/* The tenant stands in the request or behind --tenant; one tells the other. */
static void
settle_tenant(trl_ctx *ctx, const struct trl_method *method, ProtobufCMessage *in)
{
	const ProtobufCFieldDescriptor *field;
	ProtobufCBinaryData *id;

	if (method->tenant_field < 0)
		return;
	field = &method->in->descriptor->fields[method->tenant_field];
	id = trl_member_at(field, in);
	if (trl_member_present(field, in)) {
		if (trl_id_is_nil(ctx->tenant) && method->auth == TRL_AUTH_TENANT)
			ctx->tenant = trl_value_id(*id);
	} else if (!trl_id_is_nil(ctx->tenant)) {
		*id = trl_value_bytes(ctx, ctx->tenant);
		trl_member_mark(field, in);
	}
}

/* The service to ask: the contract's own, or the one named where several serve it. */
static const struct ctl_service *
whom(struct ctl *ctl, const struct trl_method *method)
{
	const struct ctl_service *service = ctl_service_named(
	    ctl, ctl->args.service ? ctl->args.service : method->service);

	if (service != NULL)
		return service;
	if (ctl->args.service == NULL)
		fprintf(stderr,
		    "trellis: several services serve %s; say which by --service\n",
		    method->name);
	else
		fprintf(stderr, "trellis: --service takes one service here\n");
	return NULL;
}

void
ctl_show_error(struct ctl *ctl, trl_ctx *ctx, enum trl_code rc)
{
	const struct trl_err *err = &ctx->err;
	const char *text = err->message[0] != '\0'
			       ? err->message
			       : "it failed; tools/logs tells why, by the trace";
	char trace[33];

	for (size_t i = 0; i < sizeof ctx->trace.trace_id; i++)
		snprintf(trace + 2 * i, 3, "%02x", ctx->trace.trace_id[i]);
	if ((ctl->args.given & CTL_JSON) == 0) {
		fprintf(stderr, "trellis: %s: %s%s%s\n", trl_code_name(rc), text,
		    trl_is_fault(rc) ? "; trace " : "", trl_is_fault(rc) ? trace : "");
		for (size_t i = 0; i < err->n_violations; i++)
			fprintf(stderr, "  %s %s\n", err->violations[i].pointer,
			    err->violations[i].detail);
		return;
	}
	trl_buf_printf(&ctl->out,
	    "{\"error\":{\"code\":\"%s\",\"trace_id\":\"%s\",\"message\":",
	    trl_code_name(rc), trace);
	trl_json_string(&ctl->out, text, strlen(text));
	trl_buf_adds(&ctl->out, ",\"violations\":[");
	for (size_t i = 0; i < err->n_violations; i++) {
		const struct trl_violation *v = &err->violations[i];
		trl_buf_adds(&ctl->out, i > 0 ? ",{\"pointer\":" : "{\"pointer\":");
		trl_json_string(&ctl->out, v->pointer, strlen(v->pointer));
		trl_buf_adds(&ctl->out, ",\"detail\":");
		trl_json_string(&ctl->out, v->detail, strlen(v->detail));
		trl_buf_adds(&ctl->out, "}");
	}
	trl_buf_adds(&ctl->out, "]}}\n");
}

bool
ctl_call_one(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const struct trl_method *method, ProtobufCMessage *in, ProtobufCMessage **out)
{
	struct trl_call_terms terms = { 0 };
	enum trl_code rc;

	if (service == NULL) {
		fprintf(stderr, "trellis: no address of the service is known "
				"(TRELLIS_PEER_...)\n");
		return false;
	}
	terms.to = service->name;
	if ((ctl->args.given & CTL_TIMEOUT) != 0)
		terms.timeout_ms = (uint32_t)ctl->args.timeout_ms;
	settle_tenant(ctx, method, in);
	ctl_sign(ctl, ctx, method, in);
	if (!ctl_reach(ctl, ctx, service))
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "%s", ctl_advice(ctx, service));
	else
		rc = trl_bus_call_with(ctx, ctl->bus, method, in, &terms, out);
	if (rc != TRL_OK)
		ctl_show_error(ctl, ctx, rc);
	return rc == TRL_OK;
}

static enum ctl_exit
ask(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const struct ctl_service *service, ProtobufCMessage *in)
{
	struct trl_buf json = { 0 };
	ProtobufCMessage *out = NULL;

	if (!ctl_call_one(ctl, ctx, service, method, in, &out))
		return CTL_FAILED;
	trl_json_encode(&json, method->out, out, false);
	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_buf_add(&ctl->out, json.data, json.len);
		trl_buf_adds(&ctl->out, "\n");
	} else {
		ctl_json_pretty(&ctl->out, (const char *)json.data, json.len);
	}
	trl_buf_fini(&json);
	return CTL_FINE;
}

enum ctl_exit
ctl_call(struct ctl *ctl, trl_ctx *ctx)
{
	const struct trl_method *method;
	const struct ctl_service *service;
	ProtobufCMessage *in;
	const char *text;
	char why[300];
	enum trl_code rc;

	method = ctl_method(ctl->args.words[0], why);
	if (method == NULL) {
		fprintf(stderr, "trellis: %s\n", why);
		return CTL_MISUSED;
	}
	service = whom(ctl, method);
	text = read_text(ctx, ctl->args.n_words > 1 ? ctl->args.words[1] : NULL);
	if (service == NULL || text == NULL ||
	    !ctl_take_id("--tenant", ctl->args.tenant, &ctx->tenant) ||
	    !ctl_take_id("--account", ctl->args.account, &ctx->principal.account))
		return CTL_MISUSED;
	in = trl_message_new(ctx->arena, method->in->descriptor);
	rc = trl_json_decode(ctx, method->in, text, strlen(text), in);
	if (rc != TRL_OK) {
		ctl_show_error(ctl, ctx, rc);
		return CTL_MISUSED;
	}
	ctx->principal.role = TRL_OWNER;
	return ask(ctl, ctx, method, service, in);
}
