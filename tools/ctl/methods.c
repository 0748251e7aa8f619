/* methods.c - which method a name means, and what a method is, for people. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <trl/member.h>
#include <trl/method.h>

/* Whether name is the whole of full, or its end behind a dot. */
static bool
means(const char *name, const char *full)
{
	size_t n = strlen(name), m = strlen(full);
	return n <= m && strcasecmp(full + m - n, name) == 0 &&
	       (n == m || full[m - n - 1] == '.');
}

static void
say_none(const char *name, char why[300])
{
	const char *names[512];
	size_t n = 0;

	for (size_t i = 0; i < trl_methods_count && n < TRL_COUNT(names) - 1; i++) {
		const char *full = trl_methods[i]->name, *last = strrchr(full, '.');
		names[n++] =
		    strchr(name, '.') != NULL || last == NULL ? full : last + 1;
	}
	names[n] = NULL;
	const char *near = ctl_nearest(name, names);
	snprintf(why, 300, "there is no method '%.80s'%s%s%s", name,
	    near ? "; did you mean '" : "; trellis call lists them", near ? near : "",
	    near ? "'?" : "");
}

const struct trl_method *
ctl_method(const char *name, char why[300])
{
	const struct trl_method *found = trl_method_by_name(name);
	size_t at = 0, n = 0;

	for (size_t i = 0; found == NULL && i < trl_methods_count; i++)
		if (means(name, trl_methods[i]->name)) {
			at += (size_t)snprintf(why + at, at < 300 ? 300 - at : 0,
			    "%s%s", n > 0 ? ", " : "", trl_methods[i]->name);
			if (at > 300)
				at = 300;
			n++;
		}
	if (found != NULL)
		return found;
	if (n == 0) {
		say_none(name, why);
		return NULL;
	}
	if (n > 1) {
		char all[300];
		memcpy(all, why, sizeof all);
		snprintf(why, 300, "'%.40s' may mean %.230s", name, all);
		return NULL;
	}
	return trl_method_by_name(why);
}

static const char *
type_of(const struct trl_field *rule, const ProtobufCFieldDescriptor *field)
{
	static const char *const formats[] = { [TRL_FORMAT_ID] = "id",
		[TRL_FORMAT_SLUG] = "slug",
		[TRL_FORMAT_EMAIL] = "email",
		[TRL_FORMAT_URL] = "url",
		[TRL_FORMAT_LOCALE] = "locale",
		[TRL_FORMAT_TOKEN] = "token",
		[TRL_FORMAT_NAME] = "name",
		[TRL_FORMAT_TIME_ZONE] = "time zone",
		[TRL_FORMAT_PERMISSION] = "permission" };

	if (rule->format != TRL_FORMAT_NONE && rule->format < TRL_COUNT(formats))
		return formats[rule->format];
	if (trl_field_is_time(field))
		return "time";
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return "text";
	case PROTOBUF_C_TYPE_BYTES:
		return "base64";
	case PROTOBUF_C_TYPE_BOOL:
		return "true|false";
	case PROTOBUF_C_TYPE_MESSAGE:
		return rule->message != NULL && rule->message->is_entry ? "map"
									: "object";
	case PROTOBUF_C_TYPE_ENUM:
		return "one of";
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FLOAT:
		return "number";
	default:
		return "whole number";
	}
}

static void
add_bounds(
    char text[160], const struct trl_field *rule, const ProtobufCFieldDescriptor *field)
{
	size_t at = 0;
	text[0] = '\0';
	if (field->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumDescriptor *values = field->descriptor;
		for (unsigned i = 0; i < values->n_values && at < 140; i++)
			at += (size_t)snprintf(text + at, 160 - at, "%s%s",
			    i > 0 ? ", " : "", values->values[i].name);
	}
	if (rule->has_min && rule->has_max)
		snprintf(text, 160, "%" PRId64 " to %" PRId64, rule->min, rule->max);
	else if (field->label == PROTOBUF_C_LABEL_REPEATED && rule->max_len > 0)
		snprintf(text, 160, "at most %" PRIu32 " items", rule->max_len);
	else if (field->type == PROTOBUF_C_TYPE_STRING && rule->max_len > 0)
		snprintf(text, 160, "at most %" PRIu32 " characters", rule->max_len);
}

static void
add_fields(struct ctl_table *table, const struct trl_message *rules, const char *prefix,
    bool request, int depth)
{
	const ProtobufCMessageDescriptor *type = rules->descriptor;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const struct trl_field *rule = &rules->fields[i];
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
		char name[160], bounds[160];

		if (rule->internal || (request && rule->output_only))
			continue;
		snprintf(name, sizeof name, "%s%s%s", prefix, field->name,
		    list && !(rule->message && rule->message->is_entry) ? "[]" : "");
		add_bounds(bounds, rule, field);
		ctl_table_add(table, "  %s", name);
		ctl_table_add(table, "%s", type_of(rule, field));
		ctl_table_add(table, "%s", bounds);
		ctl_table_add(table, "%s%s",
		    request && rule->required ? "required" : "",
		    rule->secret ? " secret" : "");
		if (rule->message != NULL && !rule->message->is_entry && depth > 0) {
			size_t n = strlen(name);
			snprintf(name + n, sizeof name - n, ".");
			add_fields(table, rule->message, name, request, depth - 1);
		}
	}
}

static const char *
auth_text(const struct trl_method *method)
{
	switch (method->auth) {
	case TRL_AUTH_PUBLIC:
		return "anybody";
	case TRL_AUTH_SESSION:
		return "a person: --account ID";
	case TRL_AUTH_TENANT:
		return "a tenant's member: --tenant ID";
	case TRL_AUTH_OPERATOR:
		return "the operator: --service NAME";
	default:
		return "other services";
	}
}

/* trellis call METHOD --help */
enum ctl_exit
ctl_call_help(struct ctl *ctl)
{
	static const char *const heads[] = { "  FIELD", "TYPE", "BOUNDS", "" };
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	char why[300];
	const struct trl_method *method = ctl_method(ctl->args.words[0], why);

	if (method == NULL) {
		fprintf(stderr, "trellis: %s\n", why);
		return CTL_MISUSED;
	}
	trl_buf_printf(&ctl->out, "%s\n  for %s; %s\n", method->name, auth_text(method),
	    method->effect == TRL_WRITE ? "changes something (--key makes it run once)"
					: "changes nothing");
	trl_buf_adds(&ctl->out, "\nIt takes:\n");
	add_fields(&table, method->in, "", true, 3);
	if (table.n_cells == 0)
		trl_buf_adds(&ctl->out, "  nothing\n");
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	trl_buf_adds(&ctl->out, "\nIt answers:\n");
	add_fields(&table, method->out, "", false, 3);
	if (table.n_cells == 0)
		trl_buf_adds(&ctl->out, "  nothing\n");
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return CTL_FINE;
}
