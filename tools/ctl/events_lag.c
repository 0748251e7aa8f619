/* events_lag.c - trellis events lag: how far subscriptions are, and whoever reads. */
#include "ctl.h"

#include <inttypes.h>
#include <string.h>

#include <operator_v1.trl.h>

struct lag {
	struct ctl_table here, there;
};

/* All lanes of a subscription in one line; they come together. */
static void
show_subscription(struct ctl_table *t, const char *service,
    Operator__V1__Lane *const *lanes, size_t n)
{
	const Google__Protobuf__Timestamp *oldest = NULL;
	uint64_t behind = 0, parked = 0, head = 0;
	bool live = true;
	char text[32];

	for (size_t i = 0; i < n; i++) {
		const Google__Protobuf__Timestamp *at = lanes[i]->oldest_at;
		behind += lanes[i]->head > lanes[i]->cursor
			      ? lanes[i]->head - lanes[i]->cursor
			      : 0;
		parked += lanes[i]->parked;
		head += lanes[i]->head;
		live = live && lanes[i]->live;
		if (at != NULL && (oldest == NULL || trl_value_time_us(at) <
							 trl_value_time_us(oldest)))
			oldest = at;
	}
	ctl_table_add(t, "%s", service);
	ctl_table_add(t, "%s", lanes[0]->subscription ? lanes[0]->subscription : "");
	ctl_table_add(t, "%s", lanes[0]->producer ? lanes[0]->producer : "");
	ctl_table_add(t, "%s", live ? "live" : "reads the snapshot");
	ctl_table_add(t, "%" PRIu64, behind);
	ctl_table_add(t, "%" PRIu64, parked);
	ctl_table_add(t, "%" PRIu64, head);
	ctl_table_add(t, "%s", ctl_time_text(text, oldest));
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void
show_subscribers(struct ctl_table *t, const char *service,
    Operator__V1__Subscriber *const *lanes, size_t n)
{
	uint64_t behind = 0, head = 0;

	for (size_t i = 0; i < n; i++) {
		behind += lanes[i]->head > lanes[i]->acknowledged
			      ? lanes[i]->head - lanes[i]->acknowledged
			      : 0;
		head += lanes[i]->head;
	}
	ctl_table_add(t, "%s", service);
	ctl_table_add(t, "%s", lanes[0]->service ? lanes[0]->service : "");
	ctl_table_add(t, "%s", lanes[0]->subscription ? lanes[0]->subscription : "");
	ctl_table_add(t, "%" PRIu64, behind);
	ctl_table_add(t, "%" PRIu64, head);
}

static void
show_lag(struct lag *lag, const char *service, const Operator__V1__LagReply *reply)
{
	for (size_t i = 0, n; i < reply->n_lanes; i += n) {
		for (n = 1;
		     i + n < reply->n_lanes && same(reply->lanes[i]->subscription,
						   reply->lanes[i + n]->subscription);)
			n++;
		show_subscription(&lag->here, service, &reply->lanes[i], n);
	}
	for (size_t i = 0, n; i < reply->n_subscribers; i += n) {
		Operator__V1__Subscriber *const *s = &reply->subscribers[i];
		for (n = 1; i + n < reply->n_subscribers &&
			    same(s[0]->service, s[n]->service) &&
			    same(s[0]->subscription, s[n]->subscription);)
			n++;
		show_subscribers(&lag->there, service, s, n);
	}
}

enum ctl_exit
ctl_events_lag(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "SUBSCRIPTION", "READS",
		"STATE", "BEHIND", "PARKED", "OF", "OLDEST" };
	static const char *const heads_there[] = { "SERVICE", "READ BY", "SUBSCRIPTION",
		"BEHIND", "OF" };
	Operator__V1__LagRequest in = OPERATOR__V1__LAG_REQUEST__INIT;
	struct lag lag = {
		.here = { .heads = heads, .n_columns = TRL_COUNT(heads) },
		.there = { .heads = heads_there, .n_columns = TRL_COUNT(heads_there) },
	};
	bool json = (ctl->args.given & CTL_JSON) != 0;

	if (json)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++) {
		const struct ctl_service *service = &ctl->services[i];
		ProtobufCMessage *out;
		if (!service->wanted ||
		    !ctl_ask(ctl, ctx, service, &operator_v1_lag, &in.base, &out))
			continue;
		if (json)
			ctl_json_item(
			    ctl, service->name, &operator_v1_lag_reply_rules, out);
		else
			show_lag(&lag, service->name, (const void *)out);
	}
	if (json)
		ctl_json_close(ctl);
	ctl_table_put(&lag.here, &ctl->out, ctl_is_terminal());
	if (ctl->out.len > 0 && lag.there.n_cells > 0)
		trl_buf_adds(&ctl->out, "\n");
	ctl_table_put(&lag.there, &ctl->out, ctl_is_terminal());
	return CTL_FINE;
}
