/* table.c - what people see: aligned tables. Nothing that came from a service reaches a
 * terminal as a control character. */
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
