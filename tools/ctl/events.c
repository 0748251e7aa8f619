/* events.c - trellis events lag, parked, redrive, skip, replay, forget, new-epoch: how
 * far subscriptions are, what is parked, and what is to be done about it. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trellis/empty.trl.h>
#include <operator_v1.trl.h>

enum { PAGE = 100 };

/* ---- lag
 * --------------------------------------------------------------------------------- */

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

/* ---- parked
 * ------------------------------------------------------------------------------ */

static void
show_parked(
    struct ctl_table *t, const char *service, const Operator__V1__ParkedEvent *parked)
{
	const Operator__V1__Event *event = parked->event;
	char text[TRL_ID_TEXT] = "";

	ctl_table_add(t, "%s", service);
	ctl_table_add(t, "%s", parked->subscription ? parked->subscription : "");
	if (event != NULL)
		trl_id_format(trl_value_id(event->id), text);
	ctl_table_add(t, "%s", text);
	ctl_table_add(t, "%s", event && event->type ? event->type : "");
	text[0] = '\0';
	if (event != NULL && event->has_subject_id)
		trl_id_format(trl_value_id(event->subject_id), text);
	ctl_table_add(t, "%s", text);
	ctl_table_add(t, "%s", ctl_time_text(text, parked->parked_at));
	ctl_table_add(t, "%.100s", parked->error ? parked->error : "");
}

static void
list_parked(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    struct ctl_table *table, int64_t *left)
{
	Operator__V1__ListParkedRequest in = OPERATOR__V1__LIST_PARKED_REQUEST__INIT;
	ProtobufCMessage *out;

	while (*left > 0) {
		const Operator__V1__ListParkedReply *reply;
		in.has_limit = true;
		in.limit = (uint32_t)(*left < PAGE ? *left : PAGE);
		if (!ctl_ask(
			ctl, ctx, service, &operator_v1_list_parked, &in.base, &out))
			return;
		reply = (const void *)out;
		if (reply->n_parked == 0)
			return;
		for (size_t i = 0; i < reply->n_parked; i++)
			if ((ctl->args.given & CTL_JSON) != 0)
				ctl_json_item(ctl, service->name,
				    &operator_v1_parked_event_rules,
				    &reply->parked[i]->base);
			else
				show_parked(table, service->name, reply->parked[i]);
		*left -= (int64_t)reply->n_parked;
		in.has_after_id = true;
		in.after_id = reply->parked[reply->n_parked - 1]->event->id;
	}
}

enum ctl_exit
ctl_events_parked(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "SUBSCRIPTION", "EVENT", "TYPE",
		"SUBJECT", "PARKED AT", "ERROR" };
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	int64_t left = ctl->args.limit;

	if ((ctl->args.given & CTL_JSON) != 0)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (ctl->services[i].wanted)
			list_parked(ctl, ctx, &ctl->services[i], &table, &left);
	if ((ctl->args.given & CTL_JSON) != 0)
		ctl_json_close(ctl);
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return CTL_FINE;
}

/* ---- redrive, skip
 * ----------------------------------------------------------------------- */

/* Asks every service that is wanted; not having it is no failure. Gives how
 * many did it. */
static unsigned
change_all(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const ProtobufCMessage *in, const char *done)
{
	bool json = (ctl->args.given & CTL_JSON) != 0;
	unsigned n = 0;

	if (json)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++) {
		const struct ctl_service *service = &ctl->services[i];
		ProtobufCMessage *out;
		if (!service->wanted)
			continue;
		if (!ctl_ask(ctl, ctx, service, method, in, &out)) {
			if (ctl->errors[ctl->n_errors - 1].code == TRL_NOT_FOUND)
				ctl->n_errors--;
			continue;
		}
		n++;
		if (json)
			ctl_json_item(ctl, service->name, method->out, out);
		else if (method->out == &operator_v1_settled_reply_rules)
			trl_buf_printf(&ctl->out, "%s: %s; %" PRIu64 " applied\n",
			    service->name, done,
			    ((Operator__V1__SettledReply *)(void *)out)->applied);
		else
			trl_buf_printf(&ctl->out, "%s: %s\n", service->name, done);
	}
	if (json)
		ctl_json_close(ctl);
	return n;
}

static enum ctl_exit
end(const struct ctl *ctl, unsigned n, const char *what)
{
	const bool two = ctl->args.n_words > 1;

	if (n == 0 && ctl->n_errors == 0)
		fprintf(stderr, "trellis: no service has %s %s%s%s\n", what,
		    ctl->args.words[0], two ? " " : "", two ? ctl->args.words[1] : "");
	return n > 0 ? CTL_FINE : CTL_FAILED;
}

static bool
read_id(struct ctl *ctl, struct trl_id *id)
{
	const char *word = ctl->args.words[0];
	if (trl_id_parse(word, strlen(word), id))
		return true;
	fprintf(stderr,
	    "trellis: '%.60s' is not the id of an event; trellis events parked "
	    "shows them\n",
	    word);
	return false;
}

enum ctl_exit
ctl_events_redrive(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__RedriveRequest in = OPERATOR__V1__REDRIVE_REQUEST__INIT;
	struct trl_id id;

	if (!read_id(ctl, &id))
		return CTL_MISUSED;
	in.has_event_id = true;
	in.event_id = trl_value_bytes(ctx, id);
	return end(ctl,
	    change_all(ctl, ctx, &operator_v1_redrive, &in.base, "redriven"),
	    "parked the event");
}

enum ctl_exit
ctl_events_skip(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__SkipRequest in = OPERATOR__V1__SKIP_REQUEST__INIT;
	struct trl_id id;

	if (!read_id(ctl, &id))
		return CTL_MISUSED;
	in.has_event_id = true;
	in.event_id = trl_value_bytes(ctx, id);
	return end(ctl,
	    change_all(ctl, ctx, &operator_v1_skip, &in.base, "left out for good"),
	    "parked the event");
}

/* ---- replay, forget, new-epoch
 * ----------------------------------------------------------- */

/* --from: a number of each lane, or a moment. */
static bool
read_from(trl_ctx *ctx, const char *text, Operator__V1__ReplayRequest *in)
{
	int64_t at_us;
	char *last;
	unsigned long long seq;

	if (text == NULL)
		return true;
	seq = strtoull(text, &last, 10);
	if (*last == '\0' && last != text && text[0] != '-') {
		in->has_seq = true;
		in->seq = seq;
	} else if (trl_time_parse(text, strlen(text), &at_us)) {
		in->since = trl_value_time(ctx, at_us);
	} else {
		fprintf(stderr, "trellis: --from is a number, or a time such as "
				"2026-05-01T12:00:00Z\n");
		return false;
	}
	return true;
}

enum ctl_exit
ctl_events_replay(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__ReplayRequest in = OPERATOR__V1__REPLAY_REQUEST__INIT;

	in.subscription = (char *)(uintptr_t)ctl->args.words[0];
	in.has_again = true;
	in.again = (ctl->args.given & CTL_AGAIN) != 0;
	if (!read_from(ctx, ctl->args.from, &in))
		return CTL_MISUSED;
	return end(ctl,
	    change_all(ctl, ctx, &operator_v1_replay, &in.base, "the cursors are set"),
	    "the subscription");
}

enum ctl_exit
ctl_events_forget(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__ForgetRequest in = OPERATOR__V1__FORGET_REQUEST__INIT;

	in.service = (char *)(uintptr_t)ctl->args.words[0];
	in.subscription = (char *)(uintptr_t)ctl->args.words[1];
	return end(ctl,
	    change_all(ctl, ctx, &operator_v1_forget, &in.base, "it is forgotten"),
	    "the subscriber");
}

enum ctl_exit
ctl_events_new_epoch(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__NewEpochRequest in = OPERATOR__V1__NEW_EPOCH_REQUEST__INIT;

	for (unsigned i = 0; i < ctl->n_services; i++)
		ctl->services[i].wanted =
		    strcmp(ctl->services[i].name, ctl->args.words[0]) == 0;
	return end(ctl,
	    change_all(
		ctl, ctx, &operator_v1_new_epoch, &in.base, "a new epoch begins"),
	    "a log, or it is not a service:");
}
