/* json.c - what programs see. */
#include "ctl.h"

#include <string.h>

#include <trl/json.h>

static void
break_line(struct trl_buf *out, unsigned depth)
{
	trl_buf_adds(out, "\n");
	for (unsigned i = 0; i < depth; i++)
		trl_buf_adds(out, "  ");
}

void
ctl_json_pretty(struct trl_buf *out, const char *json, size_t len)
{
	bool in_text = false;
	unsigned depth = 0;
	for (size_t i = 0; i < len; i++) {
		char c = json[i];
		bool opens = !in_text && (c == '{' || c == '[');
		bool closes = !in_text && (c == '}' || c == ']');
		if (c == '"' && (i == 0 || !in_text))
			in_text = true;
		else if (c == '"')
			in_text = false;
		if (in_text && c == '\\') { /* with what it escapes */
			trl_buf_add(out, &json[i], 2);
			i++;
			continue;
		}
		if (closes) {
			depth--;
			if (json[i - 1] != '{' && json[i - 1] != '[')
				break_line(out, depth);
		}
		trl_buf_add(out, &c, 1);
		if (opens) {
			depth++;
			if (i + 1 < len && json[i + 1] != '}' && json[i + 1] != ']')
				break_line(out, depth);
		}
		if (!in_text && c == ',')
			break_line(out, depth);
		if (!in_text && c == ':')
			trl_buf_adds(out, " ");
	}
	trl_buf_adds(out, "\n");
}

void
ctl_json_open(struct ctl *ctl)
{
	trl_buf_adds(&ctl->out, "{\"items\":[");
}

void
ctl_json_item(struct ctl *ctl, const char *service, const struct trl_message *rules,
    const ProtobufCMessage *message)
{
	ctl_json_item_at(ctl, service, NULL, rules, message);
}

void
ctl_json_item_at(struct ctl *ctl, const char *service, const char *at,
    const struct trl_message *rules, const ProtobufCMessage *message)
{
	struct trl_buf text = { 0 };
	trl_json_encode(&text, rules, message, false);
	if (ctl->out.data[ctl->out.len - 1] != '[')
		trl_buf_adds(&ctl->out, ",");
	trl_buf_adds(&ctl->out, "{\"service\":");
	trl_json_string(&ctl->out, service, strlen(service));
	if (at != NULL) {
		trl_buf_adds(&ctl->out, ",\"address\":");
		trl_json_string(&ctl->out, at, strlen(at));
	}
	trl_buf_adds(&ctl->out, text.len > 2 ? "," : "");
	trl_buf_add(&ctl->out, text.data + 1, text.len - 1);
	trl_buf_fini(&text);
}

void
ctl_json_close(struct ctl *ctl)
{
	trl_buf_adds(&ctl->out, "],\"errors\":[");
	for (unsigned i = 0; i < ctl->n_errors; i++) {
		const struct ctl_error *error = &ctl->errors[i];
		const char *code = trl_code_name(error->code);
		trl_buf_adds(&ctl->out, i > 0 ? ",{\"service\":" : "{\"service\":");
		trl_json_string(&ctl->out, error->service, strlen(error->service));
		trl_buf_printf(&ctl->out, ",\"code\":\"%s\",\"message\":", code);
		trl_json_string(&ctl->out, error->message, strlen(error->message));
		trl_buf_adds(&ctl->out, "}");
	}
	trl_buf_adds(&ctl->out, "]}\n");
}
