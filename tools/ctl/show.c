/* show.c - what is printed: aligned tables for people, JSON for programs. Nothing that
 * came from a service reaches a terminal as a control character. */
#include "ctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/json.h>
#include <trl/utf8.h>

bool
ctl_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

void
ctl_plain(struct trl_buf *out, const char *text)
{
	size_t len = strlen(text);
	bool valid = trl_utf8_valid(text, len);
	for (size_t at = 0; at < len;) {
		size_t from = at;
		uint32_t c =
		    valid ? trl_utf8_next(text, len, &at) : (unsigned char)text[at++];
		bool plain = c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) &&
			     (valid || c < 0x80);
		if (plain)
			trl_buf_add(out, text + from, at - from);
		else
			trl_buf_adds(out, "?");
	}
}

/* ---- tables
 * ------------------------------------------------------------------------------ */

void
ctl_table_add(struct ctl_table *table, const char *fmt, ...)
{
	struct trl_buf cell = { 0 };
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	trl_assert(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	ctl_plain(&cell, text);
	trl_buf_add(&cell, "", 1);
	free(text);
	if (table->n_cells == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->cells =
		    realloc(table->cells, table->room * sizeof table->cells[0]);
		trl_assert(table->cells != NULL);
	}
	table->cells[table->n_cells++] = (char *)cell.data;
}

static size_t
width_of(const char *text)
{
	size_t len = strlen(text);
	return trl_utf8_valid(text, len) ? trl_utf8_count(text, len) : len;
}

static void
put_row(const struct ctl_table *table, const size_t *widths, const char *const *row,
    struct trl_buf *out)
{
	for (unsigned c = 0; c < table->n_columns; c++) {
		trl_buf_adds(out, row[c]);
		if (c + 1 == table->n_columns)
			break;
		for (size_t n = width_of(row[c]); n < widths[c] + 2; n++)
			trl_buf_adds(out, " ");
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	trl_buf_adds(out, "\n");
}

/* The first column decides; strcmp puts times of one form in order. */
static int
by_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
ctl_table_sort(struct ctl_table *table)
{
	if (table->n_cells > 0)
		qsort(table->cells, table->n_cells / table->n_columns,
		    table->n_columns * sizeof table->cells[0], by_first);
}

static void
put_rows(struct ctl_table *table, struct trl_buf *out, bool with_heads, bool bold)
{
	size_t widths[16];
	trl_assert(table->n_columns <= TRL_COUNT(widths) &&
		   table->n_cells % table->n_columns == 0);
	for (unsigned c = 0; c < table->n_columns; c++)
		widths[c] = width_of(table->heads[c]);
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = width_of(table->cells[i]);
		if (width > widths[i % table->n_columns])
			widths[i % table->n_columns] = width;
	}
	if (table->n_cells > 0 && with_heads) {
		trl_buf_adds(out, bold ? "\033[1m" : "");
		put_row(table, widths, table->heads, out);
		trl_buf_adds(out, bold ? "\033[0m" : "");
	}
	for (size_t i = 0; i < table->n_cells; i += table->n_columns)
		put_row(table, widths,
		    (const char *const *)(const void *)&table->cells[i], out);
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->n_cells = table->room = 0;
}

void
ctl_table_put(struct ctl_table *table, struct trl_buf *out, bool bold)
{
	put_rows(table, out, true, bold);
}

void
ctl_table_put_rows(struct ctl_table *table, struct trl_buf *out)
{
	put_rows(table, out, false, false);
}

/* ---- JSON
 * -------------------------------------------------------------------------------- */

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

/* ---- figures
 * ----------------------------------------------------------------------------- */

const char *
ctl_ms_text(char text[32], uint64_t ms)
{
	uint64_t s = ms / 1000;
	if (s == 0)
		snprintf(text, 32, "%" PRIu64 " ms", ms);
	else if (s < 60)
		snprintf(text, 32, "%.1f s", (double)ms / 1000);
	else if (s < 3600)
		snprintf(text, 32, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, 32, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(
		    text, 32, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s / 3600 % 24);
	return text;
}

const char *
ctl_bytes_text(char text[32], uint64_t bytes)
{
	snprintf(text, 32, "%.1f MB", (double)bytes / 1e6);
	return text;
}

const char *
ctl_time_text(char text[32], const Google__Protobuf__Timestamp *at)
{
	text[0] = '\0';
	if (at != NULL) {
		int64_t us = trl_value_time_us(at);
		trl_time_format(us - us % 1000000, text);
		text[10] = ' ';
	}
	return text;
}
