/* look.c - the same question to every process of every service, and a table or a list
 * of the answers: trellis actors, peers, config; stats.c has one of its own. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <operator_v1.trl.h>

enum { PROCESSES_MAX = 64 };

/* The processes of one service; of several, each is called by its address too. */
static void
ask_each(struct ctl *ctl, trl_ctx *ctx, const struct ctl_look *look,
    const struct ctl_service *service)
{
	const char *at[PROCESSES_MAX] = { NULL };
	size_t n;

	ctl_reach(ctl, ctx, service);
	n = trl_bus_addresses(ctl->bus, service->name, at, PROCESSES_MAX);
	for (size_t i = 0; i < n || i == 0; i++) {
		char name[200];
		ProtobufCMessage *out;
		if (!ctl_ask_at(ctl, ctx, service, at[i], look->method, look->in, &out))
			continue;
		if (look->note != NULL)
			look->note(look->into, out);
		snprintf(name, sizeof name, "%s%s%s", service->name, n > 1 ? " " : "",
		    n > 1 ? strstr(at[i], "://") + 3 : "");
		if ((ctl->args.given & CTL_JSON) != 0)
			ctl_json_item_at(
			    ctl, service->name, at[i], look->method->out, out);
		else
			look->show(look->into, name, out);
	}
}

enum ctl_exit
ctl_look(struct ctl *ctl, trl_ctx *ctx, const struct ctl_look *look)
{
	bool json = (ctl->args.given & CTL_JSON) != 0;

	if (json)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (ctl->services[i].wanted)
			ask_each(ctl, ctx, look, &ctl->services[i]);
	if (json)
		ctl_json_close(ctl);
	return CTL_FINE;
}

static void
show_actors(void *into, const char *service, const ProtobufCMessage *out)
{
	static const char *const states[] = {
		[OPERATOR__V1__ACTOR__STATE__ready] = "ready",
		[OPERATOR__V1__ACTOR__STATE__running] = "running",
		[OPERATOR__V1__ACTOR__STATE__parked] = "parked",
	};
	const Operator__V1__ActorsReply *reply = (const void *)out;
	struct ctl_table *t = into;
	char text[TRL_ID_TEXT];
	struct trl_id tenant;

	for (size_t i = 0; i < reply->n_actors; i++) {
		const Operator__V1__Actor *a = reply->actors[i];
		ctl_table_add(t, "%s", service);
		ctl_table_add(t, "%s", a->name ? a->name : "");
		ctl_table_add(t, "%s", ctl_ms_text(text, a->age_ms));
		ctl_table_add(t, "%s",
		    a->state < TRL_COUNT(states) && states[a->state] != NULL
			? states[a->state]
			: "?");
		ctl_table_add(t, "%s", a->parked_on ? a->parked_on : "");
		ctl_table_add(
		    t, "%s", a->parked_on ? ctl_ms_text(text, a->parked_ms) : "");
		text[0] = '\0';
		if (a->has_tenant_id && a->tenant_id.len == sizeof tenant.bytes) {
			memcpy(tenant.bytes, a->tenant_id.data, sizeof tenant.bytes);
			trl_id_format(tenant, text);
		}
		ctl_table_add(t, "%s", text);
	}
}

enum ctl_exit
ctl_actors(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "ACTOR", "AGE", "STATE",
		"PARKED ON", "FOR", "TENANT" };
	Operator__V1__ActorsRequest in = OPERATOR__V1__ACTORS_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct ctl_look look = { &operator_v1_actors, &in.base, show_actors, &table };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return status;
}

struct peers {
	struct ctl_table calls, callers;
};

static void
show_peers(void *into, const char *service, const ProtobufCMessage *out)
{
	static const char *const states[] = {
		[OPERATOR__V1__PEER__STATE__up] = "up",
		[OPERATOR__V1__PEER__STATE__down] = "down",
		[OPERATOR__V1__PEER__STATE__draining] = "draining",
		[OPERATOR__V1__PEER__STATE__shunned] = "shunned",
	};
	const Operator__V1__PeersReply *reply = (const void *)out;
	struct peers *peers = into;

	for (size_t i = 0; i < reply->n_peers; i++) {
		const Operator__V1__Peer *p = reply->peers[i];
		ctl_table_add(&peers->calls, "%s", service);
		ctl_table_add(&peers->calls, "%s", p->service ? p->service : "");
		ctl_table_add(&peers->calls, "%s", p->address ? p->address : "");
		ctl_table_add(&peers->calls, "%s",
		    p->state < TRL_COUNT(states) && states[p->state] != NULL
			? states[p->state]
			: "?");
		ctl_table_add(&peers->calls, "%" PRIu32, p->in_flight);
		ctl_table_add(&peers->calls, "%s", p->unready ? p->unready : "");
	}
	for (size_t i = 0; i < reply->n_callers; i++) {
		const Operator__V1__Caller *c = reply->callers[i];
		ctl_table_add(&peers->callers, "%s", service);
		ctl_table_add(&peers->callers, "%s", c->service ? c->service : "");
		ctl_table_add(&peers->callers, "%" PRIu32, c->running);
	}
}

enum ctl_exit
ctl_peers(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "CALLS", "AT", "STATE",
		"IN FLIGHT", "NOT READY" };
	static const char *const caller_heads[] = { "SERVICE", "CALLED BY", "RUNNING" };
	Operator__V1__PeersRequest in = OPERATOR__V1__PEERS_REQUEST__INIT;
	struct peers peers = {
		.calls = { .heads = heads, .n_columns = TRL_COUNT(heads) },
		.callers = { .heads = caller_heads,
		    .n_columns = TRL_COUNT(caller_heads) },
	};
	struct ctl_look look = { &operator_v1_peers, &in.base, show_peers, &peers };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&peers.calls, &ctl->out, ctl_is_terminal());
	if (ctl->out.len > 0 && peers.callers.n_cells > 0)
		trl_buf_adds(&ctl->out, "\n");
	ctl_table_put(&peers.callers, &ctl->out, ctl_is_terminal());
	return status;
}

static void
show_config(void *into, const char *service, const ProtobufCMessage *out)
{
	const Operator__V1__ConfigReply *reply = (const void *)out;

	for (size_t i = 0; i < reply->n_settings; i++) {
		const Operator__V1__Setting *s = reply->settings[i];
		ctl_table_add(into, "%s", service);
		ctl_table_add(into, "%s", s->name ? s->name : "");
		ctl_table_add(into, "%s", s->value ? s->value : "");
	}
}

enum ctl_exit
ctl_config(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "SETTING", "VALUE" };
	Operator__V1__ConfigRequest in = OPERATOR__V1__CONFIG_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct ctl_look look = { &operator_v1_config, &in.base, show_config, &table };
	enum ctl_exit status = ctl_look(ctl, ctx, &look);

	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return status;
}
