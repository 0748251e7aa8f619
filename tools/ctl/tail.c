/* tail.c - trellis events tail: the newest events of the services' logs, and with
 * --follow what comes after them. For programs each event is CloudEvents JSON beside
 * its place in the log: in one object, or, where it goes on, an object a line. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trl/json.h>

#include <operator_v1.trl.h>

enum { POLL_MS = 500, LANES_MAX = 64, LIMIT = 20, MOST = 200 };

struct place {
	size_t n;
	uint64_t after[LANES_MAX];
};

static void
add_json(struct ctl *ctl, const char *service, const Operator__V1__Event *event)
{
	struct trl_buf *out = &ctl->out;
	bool lines = (ctl->args.given & CTL_FOLLOW) != 0;

	if (!lines && out->data[out->len - 1] != '[')
		trl_buf_adds(out, ",");
	trl_buf_adds(out, "{\"service\":");
	trl_json_string(out, service, strlen(service));
	trl_buf_printf(out, ",\"lane\":%" PRIu32 ",\"seq\":%" PRIu64 ",\"event\":%s}",
	    event->lane, event->seq, event->cloud_event ? event->cloud_event : "null");
	trl_buf_adds(out, lines ? "\n" : "");
}

static void
add_row(struct ctl_table *t, const char *service, const Operator__V1__Event *event)
{
	char text[TRL_ID_TEXT];
	unsigned ms = (unsigned)(trl_value_time_us(event->at) / 1000 % 1000);

	/* With milliseconds always: rows are sorted by this text. */
	ctl_table_add(t, "%.19s.%03uZ", ctl_time_text(text, event->at), ms);
	ctl_table_add(t, "%s", service);
	ctl_table_add(t, "%" PRIu32 "/%" PRIu64, event->lane, event->seq);
	ctl_table_add(t, "%s", event->type ? event->type : "");
	text[0] = '\0';
	if (event->has_tenant_id)
		trl_id_format(trl_value_id(event->tenant_id), text);
	ctl_table_add(t, "%s", text);
	text[0] = '\0';
	if (event->has_subject_id)
		trl_id_format(trl_value_id(event->subject_id), text);
	ctl_table_add(t, "%s", text);
}

/* The next events of one service; false: it does not answer. */
static bool
read_one(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    struct place *place, struct ctl_table *table)
{
	Operator__V1__TailEventsRequest in = OPERATOR__V1__TAIL_EVENTS_REQUEST__INIT;
	const Operator__V1__TailEventsReply *reply;
	ProtobufCMessage *out;

	in.n_after = place->n;
	in.after = place->after;
	in.type = (char *)(uintptr_t)ctl->args.type;
	in.has_limit = true;
	in.limit = (uint32_t)((ctl->args.given & CTL_LIMIT) == 0 ? LIMIT
			      : ctl->args.limit < MOST           ? ctl->args.limit
								 : MOST);
	if (!ctl_ask(ctl, ctx, service, &operator_v1_tail_events, &in.base, &out))
		return false;
	reply = (const void *)out;
	for (size_t i = 0; i < reply->n_events; i++)
		if ((ctl->args.given & CTL_JSON) != 0)
			add_json(ctl, service->name, reply->events[i]);
		else
			add_row(table, service->name, reply->events[i]);
	place->n = reply->n_after < LANES_MAX ? reply->n_after : LANES_MAX;
	for (size_t i = 0; i < place->n; i++)
		place->after[i] = reply->after[i];
	return true;
}

/* What was gathered goes out at once. */
static bool
flush(struct ctl *ctl)
{
	bool fine = fwrite(ctl->out.data, 1, ctl->out.len, stdout) == ctl->out.len &&
		    fflush(stdout) == 0;
	trl_buf_clear(&ctl->out);
	return fine;
}

/* A service that is away is said once, and asked again. */
static void
say_away(struct ctl *ctl, bool *said)
{
	for (unsigned i = 0; i < ctl->n_errors && !*said; i++)
		fprintf(stderr, "trellis: %s: %s; going on\n", ctl->errors[i].service,
		    ctl->errors[i].message);
	*said = ctl->n_errors > 0;
	ctl->n_errors = 0;
}

static enum ctl_exit
follow(struct ctl *ctl, trl_ctx *ctx, struct place *places, struct ctl_table *table)
{
	bool said = false;

	for (;;) {
		ctl_table_put_rows(table, &ctl->out);
		if (ctl->out.len > 0 && !flush(ctl))
			return CTL_FINE; /* whoever read it has gone */
		if (trl_sleep(ctx, POLL_MS) != TRL_OK)
			return CTL_FINE;
		ctl->reach_until_us = trl_mono_us() + POLL_MS * 1000;
		for (unsigned i = 0; i < ctl->n_services; i++)
			if (ctl->services[i].wanted)
				read_one(
				    ctl, ctx, &ctl->services[i], &places[i], table);
		say_away(ctl, &said);
	}
}

enum ctl_exit
ctl_events_tail(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "AT", "SERVICE", "LANE/SEQ", "TYPE",
		"TENANT", "SUBJECT" };
	static struct place places[CTL_SERVICES_MAX];
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	bool goes_on = (ctl->args.given & CTL_FOLLOW) != 0;
	bool json = (ctl->args.given & CTL_JSON) != 0;

	if (json && !goes_on)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (ctl->services[i].wanted)
			read_one(ctl, ctx, &ctl->services[i], &places[i], &table);
	if (json && !goes_on)
		ctl_json_close(ctl);
	if (!goes_on) {
		ctl_table_sort(&table);
		ctl_table_put(&table, &ctl->out, ctl_is_terminal());
		return CTL_FINE;
	}
	return follow(ctl, ctx, places, &table);
}
