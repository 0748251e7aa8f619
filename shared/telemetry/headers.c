/* headers.c - what goes along with each request to a collector, mostly a key: a list as
 * OTEL_EXPORTER_OTLP_HEADERS has it, which is W3C Baggage without properties. */
#include <stdlib.h>
#include <string.h>

#include <trl/buf.h>

#include "otlp.h"

static bool
is_name(const char *text, size_t len)
{
	/* RFC 9110, 5.6.2 */
	static const char token[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return len > 0 && strspn(text, token) >= len;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* False: it holds what no header may. */
static bool
put_value(struct trl_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1,
			    low = i + 2 < len ? hex(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
		trl_buf_add(out, &c, 1);
	}
	return true;
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && strchr(" \t\r\n", **text) != NULL) {
		++*text;
		--*len;
	}
	while (*len > 0 && strchr(" \t\r\n", (*text)[*len - 1]) != NULL)
		--*len;
}

/* One line more in out, ended by NUL. */
static const char *
put_line(struct trl_buf *out, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len), *value;
	size_t name_len, value_len;

	if (equals == NULL)
		return "one of them has no \"=\"";
	value = equals + 1;
	value_len = len - (size_t)(value - text);
	name_len = (size_t)(equals - text);
	trim(&text, &name_len);
	trim(&value, &value_len);
	if (!is_name(text, name_len))
		return "a header's name is none";
	trl_buf_add(out, text, name_len);
	trl_buf_add(out, ": ", 2);
	if (!put_value(out, value, value_len))
		return "a header's value holds what none may";
	trl_buf_add(out, "", 1);
	return NULL;
}

const char *
otlp_headers_read(const char *text, struct otlp_headers *out)
{
	struct trl_buf lines = { 0 };
	size_t n = 0, at = 0;
	const char *wrong = NULL;

	while (wrong == NULL && text != NULL && *text != '\0') {
		size_t len = strcspn(text, ","), rest = len;
		const char *one = text;

		trim(&one, &rest);
		if (n == OTLP_HEADERS_MAX)
			wrong = "there are more than 32";
		else if (rest > 0) {
			wrong = put_line(&lines, one, rest);
			n++;
		}
		text += len + (text[len] == ',');
	}
	if (wrong != NULL || out == NULL) {
		trl_buf_fini(&lines);
		return wrong;
	}
	*out = (struct otlp_headers){ .storage = (char *)lines.data, .len = lines.len };
	for (size_t i = 0; i < n; i++) {
		out->lines[i] = out->storage + at;
		at += strlen(out->lines[i]) + 1;
	}
	return NULL;
}
