/* mesh.c - the way to the services: one end of the bus, as the caller "ctl", and the
 * one actor that carries out a command. Every wait has an end: --timeout bounds each
 * question, and a service that cannot be reached is given up sooner. */
#include "ctl.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/config.h>
#include <trl/method.h>
#include <trl/wire.h>

enum {
	REACH_MS = 1500,
	SPARE_MS = 3000,
	POLL_MS = 5,
	FOLLOW_MS = INT32_MAX,
	WORST_MS = 60000
};

struct ctl_service *
ctl_service_named(struct ctl *ctl, const char *name)
{
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (strcmp(ctl->services[i].name, name) == 0)
			return &ctl->services[i];
	return NULL;
}

/* ---- opening
 * ----------------------------------------------------------------------------- */

static void
give_key(void *self, const char *rest, const char *value)
{
	struct ctl *ctl = self;
	char name[44];
	size_t n = 0;
	for (; rest[n] != '\0' && n + 1 < sizeof name; n++)
		name[n] = (char)tolower((unsigned char)rest[n]);
	name[n] = '\0';
	if (!trl_bus_key(ctl->bus, name, value)) {
		fprintf(
		    stderr, "trellis: TRELLIS_BUS_KEY_%s_FILE holds no key\n", rest);
		ctl->status = CTL_FAILED;
	}
}

/* Marks those that --service names, or all. */
static bool
want_services(struct ctl *ctl)
{
	char list[300], *save = NULL;
	const char *all[CTL_SERVICES_MAX + 1];

	for (unsigned i = 0; i < ctl->n_services; i++) {
		ctl->services[i].wanted = ctl->args.service == NULL;
		all[i] = ctl->services[i].name;
	}
	all[ctl->n_services] = NULL;
	snprintf(list, sizeof list, "%s", ctl->args.service ? ctl->args.service : "");
	for (char *name = strtok_r(list, ", ", &save); name != NULL;
	     name = strtok_r(NULL, ", ", &save)) {
		struct ctl_service *service = ctl_service_named(ctl, name);
		if (service == NULL) {
			const char *near = ctl_nearest(name, all);
			fprintf(stderr, "trellis: there is no service '%s'%s%s%s\n",
			    name, near ? "; did you mean '" : "", near ? near : "",
			    near ? "'?" : "");
			return false;
		}
		service->wanted = true;
	}
	return true;
}

static bool
open_bus(struct ctl *ctl)
{
	struct trl_bus_net_options net = {
		.tls_ca = ctl->tls_ca,
		.tls_cert = ctl->tls_cert,
		.tls_key =
		    ctl->tls_key ? (const char *)trl_secret_bytes(ctl->tls_key) : NULL,
		.tls_key_len = ctl->tls_key ? trl_secret_len(ctl->tls_key) : 0,
	};
	struct trl_bus_options options = { .service = "ctl" };
	const char *why;

	ctl->loop = trl_loop_new(NULL);
	ctl->net = trl_bus_net_open(ctl->loop, &net);
	ctl->bus = trl_bus_open(ctl->net, &options);
	if (!trl_config_family("TRELLIS_BUS_KEY_", give_key, ctl))
		ctl->status = CTL_FAILED;
	for (unsigned i = 0; i < ctl->n_services && ctl->status == CTL_FINE; i++)
		if (ctl->services[i].wanted &&
		    !trl_bus_peer(ctl->bus, ctl->services[i].name,
			ctl->services[i].address, &why)) {
			fprintf(stderr, "trellis: the address of %s, %s: %s\n",
			    ctl->services[i].name, ctl->services[i].address, why);
			ctl->status = CTL_FAILED;
		}
	return ctl->status == CTL_FINE;
}

/* ---- asking
 * ------------------------------------------------------------------------------ */

const char *
ctl_advice(trl_ctx *ctx, const struct ctl_service *service)
{
	return trl_arena_printf(ctx->arena,
	    "%s does not answer at %s, or does not accept this command's key; "
	    "tools/up starts it, tools/logs %s tells why it stopped",
	    service->name, service->address, service->name);
}

bool
ctl_reach(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service)
{
	while (!trl_bus_reachable(ctl->bus, service->name) &&
	       trl_mono_us() < ctl->reach_until_us)
		if (trl_sleep(ctx, POLL_MS) != TRL_OK)
			break;
	trl_err_clear(ctx);
	return trl_bus_reachable(ctl->bus, service->name);
}

void
ctl_sign(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const ProtobufCMessage *in)
{
	static const char scope[] = "trellis operator";
	crypto_generichash_state state;
	const uint8_t *data;
	size_t len;

	if (method->effect != TRL_WRITE)
		return;
	ctx->idempotency.key = ctl->args.key;
	ctx->idempotency.from_client = ctl->args.key != NULL;
	crypto_generichash(ctx->idempotency.scope, sizeof ctx->idempotency.scope,
	    (const uint8_t *)scope, sizeof scope, NULL, 0);
	trl_wire_encode(ctx->arena, in, &data, &len);
	crypto_generichash_init(&state, NULL, 0, sizeof ctx->idempotency.request);
	crypto_generichash_update(
	    &state, (const uint8_t *)method->name, strlen(method->name) + 1);
	crypto_generichash_update(&state, ctx->tenant.bytes, sizeof ctx->tenant.bytes);
	crypto_generichash_update(&state, data, len);
	crypto_generichash_final(
	    &state, ctx->idempotency.request, sizeof ctx->idempotency.request);
}

/* --timeout, or the usual, or what a method takes where that is longer. */
static int64_t
timeout_of(const struct ctl *ctl, const struct trl_method *method)
{
	int64_t ms = ctl->args.timeout_ms;
	return (ctl->args.given & CTL_TIMEOUT) != 0 || ms > method->timeout_ms
		   ? ms
		   : method->timeout_ms;
}

bool
ctl_ask(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const struct trl_method *method, const ProtobufCMessage *in, ProtobufCMessage **out)
{
	return ctl_ask_at(ctl, ctx, service, NULL, method, in, out);
}

bool
ctl_ask_at(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const char *at, const struct trl_method *method, const ProtobufCMessage *in,
    ProtobufCMessage **out)
{
	struct trl_call_terms terms = {
		.to = service->name,
		.at = at,
		.timeout_ms = (uint32_t)timeout_of(ctl, method),
	};
	struct ctl_error *error = &ctl->errors[ctl->n_errors];
	enum trl_code rc = TRL_UNAVAILABLE;
	const char *text;

	if (ctl_reach(ctl, ctx, service)) {
		trl_trace_new(&ctx->trace);
		ctl_sign(ctl, ctx, method, in);
		rc = trl_bus_call_with(ctx, ctl->bus, method, in, &terms, out);
		if (rc == TRL_OK)
			return true;
		/* A service tells a fault only to its log. */
		text = ctx->err.message[0] != '\0' ? ctx->err.message
		       : rc == TRL_BUSY            ? "it has too much to do; try again"
						   : "it failed; tools/logs tells why";
		error->message = trl_arena_strdup(ctx->arena, text);
		trl_err_clear(ctx);
	} else {
		error->message = ctl_advice(ctx, service);
	}
	error->service = service->name;
	error->code = rc;
	if (ctl->n_errors + 1 < CTL_SERVICES_MAX)
		ctl->n_errors++;
	return false;
}

/* ---- a run
 * ------------------------------------------------------------------------------- */

static void
carry_out(trl_ctx *ctx, void *arg)
{
	struct ctl *ctl = arg;
	ctx->principal.kind = TRL_OPERATOR;
	ctx->principal.address = ctx->principal.user_agent = "";
	trl_trace_new(&ctx->trace);
	ctl->status = ctl->args.command->run(ctl, ctx);
	for (unsigned i = 0; i < ctl->n_errors; i++)
		if ((ctl->args.given & CTL_JSON) == 0)
			fprintf(stderr, "trellis: %s: %s: %s\n", ctl->errors[i].service,
			    trl_code_name(ctl->errors[i].code), ctl->errors[i].message);
	if (ctl->n_errors > 0 && ctl->status == CTL_FINE)
		ctl->status = CTL_FAILED;
	ctl->done = true;
}

static bool
is_done(void *self)
{
	return ((struct ctl *)self)->done;
}

enum ctl_exit
ctl_run(struct ctl *ctl)
{
	/* Each service may take the whole of --timeout. */
	uint64_t each = (ctl->args.given & CTL_TIMEOUT) != 0
			    ? (uint64_t)ctl->args.timeout_ms
			    : WORST_MS;
	uint64_t ms = each * (ctl->n_services + 1) + SPARE_MS;
	if ((ctl->args.given & CTL_FOLLOW) != 0)
		ms = FOLLOW_MS;
	struct trl_spawn spec = { .name = ctl->args.command->name,
		.run = carry_out,
		.arg = ctl,
		.timeout_ms = (uint32_t)ms };

	signal(SIGPIPE, SIG_IGN);
	if (!want_services(ctl))
		return CTL_MISUSED;
	if (!open_bus(ctl))
		return CTL_FAILED;
	ctl->reach_until_us =
	    trl_mono_us() + 1000ull * (ctl->args.timeout_ms < REACH_MS
					      ? (uint64_t)ctl->args.timeout_ms
					      : REACH_MS);
	if (trl_spawn(ctl->loop, &spec) != TRL_OK ||
	    !trl_loop_run_until(ctl->loop, is_done, ctl, (uint32_t)ms + SPARE_MS)) {
		fprintf(stderr, "trellis: gave up waiting\n");
		return CTL_FAILED;
	}
	return ctl->status;
}
