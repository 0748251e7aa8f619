/* head.c - see head.h. */
#include "form/head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "form/disposition.h"

/* Whether a line of the head is the field name; *value is what it says. */
static bool
is_field(const char *line, size_t len, const char *name, const char **value, size_t *n)
{
	const size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' ||
	    strncasecmp(line, name, name_len) != 0)
		return false;
	*value = line + name_len + 1;
	*n = len - name_len - 1;
	while (*n > 0 && (**value == ' ' || **value == '\t')) {
		(*value)++;
		(*n)--;
	}
	while (*n > 0 && ((*value)[*n - 1] == ' ' || (*value)[*n - 1] == '\t'))
		(*n)--;
	return true;
}

static bool
is_plain(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') ||
		    line[i] == 0x7f)
			return false;
	return true;
}

static bool
is_as_it_is(const char *coding, size_t len)
{
	static const char *const codings[] = { "binary", "8bit", "7bit" };

	for (size_t i = 0; i < TRL_COUNT(codings); i++)
		if (strlen(codings[i]) == len &&
		    strncasecmp(coding, codings[i], len) == 0)
			return true;
	return false;
}

/* NULL, or what is wrong. */
static const char *
read_line(trl_arena *arena, const char *line, size_t len, struct disposition *found,
    struct form_part *out)
{
	const char *value;
	size_t n;

	if (!is_plain(line, len) || !memchr(line, ':', len) || *line == ' ' ||
	    *line == '\t')
		return "A part of the form has a head that cannot be read.";
	if (is_field(line, len, "content-disposition", &value, &n)) {
		if (found->type)
			return "A part of the form has Content-Disposition twice.";
		return disposition_read(arena, value, n, found);
	}
	if (is_field(line, len, "content-type", &value, &n))
		out->type = trl_arena_strndup(arena, value, n);
	if (is_field(line, len, "content-transfer-encoding", &value, &n) &&
	    !is_as_it_is(value, n))
		return "A part of the form has a Content-Transfer-Encoding; send its "
		       "bytes as they are.";
	return NULL;
}

const char *
form_head_read(trl_arena *arena, const char *head, size_t len, struct form_part *out)
{
	const char *at = head, *const end = head + len;
	struct disposition found = { 0 };
	const char *why = NULL;

	*out = (struct form_part){ 0 };
	while (!why && at < end) {
		const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);

		why = read_line(arena, at, (size_t)(line_end - at), &found, out);
		at = line_end + 2;
	}
	if (why)
		return why;
	if (!found.type || strcmp(found.type, "form-data") != 0 || !found.name)
		return "A part of the form has no Content-Disposition: form-data with "
		       "a "
		       "name.";
	out->name = found.name;
	out->filename = found.filename;
	return NULL;
}
