/* log_level.c - from which level on services log: shown, or set in each process. */
#include "ctl.h"

#include <stdio.h>

#include <operator_v1.trl.h>

static void
show_log_level(void *into, const char *service, const ProtobufCMessage *out)
{
	const Operator__V1__LogLevel *reply = (const void *)out;
	const ProtobufCEnumDescriptor *levels =
	    &operator__v1__log_level__level__descriptor;
	const int shown[] = { (int)reply->level, (int)reply->configured };

	ctl_table_add(into, "%s", service);
	for (size_t i = 0; i < TRL_COUNT(shown); i++) {
		const ProtobufCEnumValue *value =
		    protobuf_c_enum_descriptor_get_value(levels, shown[i]);
		ctl_table_add(into, "%s", value != NULL ? value->name : "?");
	}
}

/* [SERVICE] [LEVEL]. False: said. */
static bool
read_log_level(struct ctl *ctl, Operator__V1__SetLogLevelRequest *in)
{
	for (unsigned i = 0; i < ctl->args.n_words; i++) {
		const char *word = ctl->args.words[i];
		const ProtobufCEnumValue *level =
		    protobuf_c_enum_descriptor_get_value_by_name(
			&operator__v1__log_level__level__descriptor, word);
		const struct ctl_service *service = ctl_service_named(ctl, word);

		if (level != NULL && i + 1 == ctl->args.n_words) {
			in->has_level = true;
			in->level = (Operator__V1__LogLevel__Level)level->value;
		} else if (service != NULL && i == 0) {
			for (unsigned j = 0; j < ctl->n_services; j++)
				ctl->services[j].wanted = &ctl->services[j] == service;
		} else {
			fprintf(stderr,
			    "trellis: '%s' is neither a service nor debug, info, warn "
			    "or error\n",
			    word);
			return false;
		}
	}
	return true;
}

enum ctl_exit
ctl_log_level(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "LOGS FROM", "CONFIGURED" };
	Operator__V1__GetLogLevelRequest get =
	    OPERATOR__V1__GET_LOG_LEVEL_REQUEST__INIT;
	Operator__V1__SetLogLevelRequest set =
	    OPERATOR__V1__SET_LOG_LEVEL_REQUEST__INIT;
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	struct ctl_look look = { &operator_v1_get_log_level, &get.base, show_log_level,
		&table };
	enum ctl_exit status;

	if (!read_log_level(ctl, &set))
		return CTL_MISUSED;
	if (set.has_level) {
		look.method = &operator_v1_set_log_level;
		look.in = &set.base;
	}
	status = ctl_look(ctl, ctx, &look);
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return status;
}
