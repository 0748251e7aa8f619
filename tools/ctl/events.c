/* events.c - trellis events redrive, skip, replay, forget, new-epoch: what is to be
 * done about events that are parked, and where subscriptions go on. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <operator_v1.trl.h>

static const char EVENT[] = "an event; trellis events parked shows them";

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

enum ctl_exit
ctl_events_redrive(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__RedriveRequest in = OPERATOR__V1__REDRIVE_REQUEST__INIT;
	struct trl_id id;

	if (!ctl_take_word_id(ctl, EVENT, &id))
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

	if (!ctl_take_word_id(ctl, EVENT, &id))
		return CTL_MISUSED;
	in.has_event_id = true;
	in.event_id = trl_value_bytes(ctx, id);
	return end(ctl,
	    change_all(ctl, ctx, &operator_v1_skip, &in.base, "left out for good"),
	    "parked the event");
}

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
