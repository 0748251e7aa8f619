/* events_parked.c - trellis events parked: the events that could not be applied. */
#include "ctl.h"

#include <operator_v1.trl.h>

enum { PAGE = 100 };

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
