/* table.c - see table.h. Columns of numbers are as wide as their widest; the text has
 * the rest. */
#include "pdf/table.h"

#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

#define GAP 10.0        /* between columns */
#define HEAD 20.0       /* the names of columns */
#define FORWARD 20.0    /* the sum of the pages before */
#define AIR 4.5         /* above and below a line */
#define SUM_WIDTH 270.0 /* of the block of sums */
#define TEXT_LEAST 170.0
#define NUMBER_MOST 150.0

/* The longest text is the widest: they are digits. */
static double
widest(struct table *table, enum document_column column)
{
	const struct document *document = table->document;
	const char *longest = "";
	double cells, name;

	for (size_t i = 0; i < document->n_lines; i++) {
		const char *cell = document->lines[i].cells[column];

		if (cell && strlen(cell) > strlen(longest))
			longest = cell;
	}
	cells = pen_width(table->pen, table->font, longest);
	name = pen_width(table->pen, PEN_SMALL, document->columns[column]);
	if (name > 75)
		name = 75; /* it wraps */
	cells = cells > name ? cells : name;
	return (cells > NUMBER_MOST ? NUMBER_MOST : cells) + 1;
}

static void
measure_columns(struct table *table)
{
	double right;

	for (table->font = PEN_BODY;; table->font = PEN_SMALL) {
		right = MARGIN + CONTENT - 6;
		for (int i = COLUMNS - 1; i > COLUMN_TEXT; i--) {
			table->width[i] = widest(table, (enum document_column)i);
			table->x[i] = right - table->width[i];
			right = table->x[i] - GAP;
		}
		table->x[COLUMN_TEXT] = MARGIN + 6;
		table->width[COLUMN_TEXT] = right - table->x[COLUMN_TEXT];
		if (table->width[COLUMN_TEXT] >= TEXT_LEAST || table->font == PEN_SMALL)
			break;
	}
	if (table->width[COLUMN_TEXT] < 60)
		table->width[COLUMN_TEXT] = 60;
}

static struct item *
add(struct table *table, enum item_kind kind, size_t index)
{
	struct item *item = &table->items[table->n_items++];

	*item = (struct item){ .kind = kind, .index = index };
	return item;
}

static void
measure_lines(struct table *table)
{
	for (size_t i = 0; i < table->document->n_lines; i++) {
		const struct document_line *line = &table->document->lines[i];
		struct item *item = add(table, ITEM_LINE, i);
		const char *text = line->cells[COLUMN_TEXT];

		item->text = pen_layout(table->pen, table->font, text ? text : "",
		    table->width[COLUMN_TEXT], PEN_START);
		item->height = 2 * AIR + pen_height(item->text);
		if (line->below) {
			item->below = pen_layout(table->pen, PEN_SMALL, line->below,
			    table->width[COLUMN_TEXT], PEN_START);
			item->height += 1 + pen_height(item->below);
		}
	}
}

static const struct {
	enum pen_font font;
	double air;
} sum_looks[] = { [SUM_PLAIN] = { PEN_BODY, 2.5 },
	[SUM_BOLD] = { PEN_BOLD, 3.5 },
	[SUM_STRONG] = { PEN_STRONG, 5 } };

static void
measure_sums(struct table *table)
{
	for (size_t i = 0; i < table->document->n_sums; i++) {
		const struct document_sum *sum = &table->document->sums[i];
		struct item *item = add(table, ITEM_SUM, i);
		const enum pen_font font = sum_looks[sum->weight].font;
		const double value = pen_width(table->pen, font, sum->value) + GAP;

		item->text = pen_layout(
		    table->pen, font, sum->label, SUM_WIDTH - 12 - value, PEN_START);
		item->height = 2 * sum_looks[sum->weight].air + pen_height(item->text);
	}
}

/* A line of text that wraps each; empty ones are space. */
static void
measure_texts(struct table *table, enum item_kind kind, const char *text)
{
	const enum pen_font font = kind == ITEM_NOTE ? PEN_BODY : PEN_SMALL;

	while (*text) {
		const size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);
		struct item *item = add(table, kind, 0);

		trl_assert(line);
		item->text = pen_layout(table->pen, font, line,
		    kind == ITEM_NOTE ? CONTENT * 0.8 : CONTENT, PEN_START);
		item->height = pen_height(item->text) + (kind == ITEM_NOTE ? 3 : 0.5);
		free(line);
		text += len + (text[len] == '\n');
	}
}

static size_t
count_lines(const char *text)
{
	size_t n = 1;

	for (; text && *text; text++)
		n += *text == '\n';
	return n;
}

static void
measure(struct table *table)
{
	const struct document *document = table->document;
	size_t n = document->n_lines + document->n_sums + count_lines(document->footer);

	for (size_t i = 0; i < document->n_notes; i++)
		n += count_lines(document->notes[i]);
	table->items = calloc(n, sizeof *table->items);
	trl_assert(table->items);
	measure_columns(table);
	measure_lines(table);
	measure_sums(table);
	for (size_t i = 0; i < document->n_notes; i++)
		measure_texts(table, ITEM_NOTE, document->notes[i]);
	if (document->footer)
		measure_texts(table, ITEM_FOOTER, document->footer);
	trl_assert(table->n_items <= n);
}

static double
height_of(const struct table *table, enum item_kind kind)
{
	double height = 0;

	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].kind == kind)
			height += table->items[i].height;
	return height;
}

/* Where an item is, or at the top of the next page where it does not fit. */
static void
place_item(struct table *table, struct item *item, double *y, double top)
{
	if (*y + item->height > BOTTOM) {
		table->n_pages++;
		*y = top;
	}
	item->page = table->n_pages;
	item->y = *y;
	*y += item->height;
}

/* The sums stay together, and are not alone on a page: the last line goes with them. */
static void
place_sums(struct table *table, double *y)
{
	const size_t first = table->document->n_lines;
	struct item *last = first > 1 ? &table->items[first - 1] : NULL;

	*y += 10;
	if (*y + height_of(table, ITEM_SUM) > BOTTOM) {
		table->n_pages++;
		*y = TOP;
		if (last && last->page == table->n_pages - 1 &&
		    last[-1].page == last->page) {
			last->page = table->n_pages;
			last->y = TOP + HEAD + FORWARD;
			*y = last->y + last->height + 10;
		}
	}
	for (size_t i = first; i < table->n_items; i++)
		if (table->items[i].kind == ITEM_SUM)
			place_item(table, &table->items[i], y, TOP);
}

static void
place(struct table *table, double y)
{
	const double footer = height_of(table, ITEM_FOOTER);

	table->n_pages = 1;
	y += HEAD;
	for (size_t i = 0; i < table->document->n_lines; i++)
		place_item(table, &table->items[i], &y, TOP + HEAD + FORWARD);
	place_sums(table, &y);
	y += 22;
	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].kind == ITEM_NOTE)
			place_item(table, &table->items[i], &y, TOP);
	if (footer == 0)
		return;
	if (y + 14 + footer > BOTTOM) {
		table->n_pages++;
		y = TOP;
	}
	y = BOTTOM - footer > TOP ? BOTTOM - footer : TOP; /* at the foot of the last */
	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].kind == ITEM_FOOTER)
			place_item(table, &table->items[i], &y, TOP);
}

void
table_init(
    struct table *table, struct pen *pen, const struct document *document, double y)
{
	*table = (struct table){ .pen = pen, .document = document };
	measure(table);
	place(table, y);
}

void
table_fini(struct table *table)
{
	for (size_t i = 0; i < table->n_items; i++) {
		g_clear_object(&table->items[i].text);
		g_clear_object(&table->items[i].below);
	}
	free(table->items);
	table->items = NULL;
}

/* The names of the columns, above the first line of a page, and what was before it. */
static void
draw_head(const struct table *table, const struct item *first)
{
	struct pen *pen = table->pen;
	const struct document *document = table->document;
	const char *forward = document->lines[first->index].forward;
	double y = first->y - HEAD - (first->page > 1 ? FORWARD : 0);

	pen_field(pen, MARGIN, y, CONTENT, HEAD - 3);
	for (int i = 0; i < COLUMNS; i++)
		pen_text(pen, PEN_SMALL, PEN_GREY,
		    i == COLUMN_TEXT ? PEN_START : PEN_END, document->columns[i],
		    table->x[i] - (i == COLUMN_TEXT ? 0 : 4), y + 3,
		    table->width[i] + (i == COLUMN_TEXT ? 0 : 4));
	if (first->page == 1)
		return;
	y += HEAD;
	pen_text(pen, table->font, PEN_GREY, PEN_START, document->forward_label,
	    table->x[COLUMN_TEXT], y + 2, table->width[COLUMN_TEXT]);
	pen_text(pen, table->font, PEN_GREY, PEN_END, forward, table->x[COLUMN_AMOUNT],
	    y + 2, table->width[COLUMN_AMOUNT]);
	pen_rule(pen, MARGIN, y + FORWARD - 1, CONTENT, 0.5);
}

static void
draw_line(const struct table *table, const struct item *item)
{
	const struct document_line *line = &table->document->lines[item->index];
	struct pen *pen = table->pen;
	double y = item->y + AIR;

	for (int i = COLUMN_TEXT + 1; i < COLUMNS; i++)
		if (line->cells[i])
			pen_text(pen, table->font, PEN_BLACK, PEN_END, line->cells[i],
			    table->x[i], y, table->width[i]);
	pen_put(pen, item->text, PEN_BLACK, table->x[COLUMN_TEXT], y,
	    table->width[COLUMN_TEXT]);
	if (item->below)
		pen_put(pen, item->below, PEN_GREY, table->x[COLUMN_TEXT],
		    y + pen_height(item->text) + 1, table->width[COLUMN_TEXT]);
	pen_rule(pen, MARGIN, item->y + item->height - 0.5, CONTENT, 0.5);
}

static void
draw_sum(const struct table *table, const struct item *item)
{
	const struct document_sum *sum = &table->document->sums[item->index];
	const enum pen_font font = sum_looks[sum->weight].font;
	const double x = MARGIN + CONTENT - SUM_WIDTH, width = SUM_WIDTH - 12;
	struct pen *pen = table->pen;
	const double air = sum_looks[sum->weight].air;

	if (sum->weight == SUM_STRONG)
		pen_field(pen, x, item->y, SUM_WIDTH, item->height - 1);
	pen_put(pen, item->text, sum->weight == SUM_PLAIN ? PEN_GREY : PEN_BLACK, x + 6,
	    item->y + air, width - pen_width(pen, font, sum->value) - GAP);
	pen_text(
	    pen, font, PEN_BLACK, PEN_END, sum->value, x + 6, item->y + air, width);
}

void
table_draw(const struct table *table, unsigned page)
{
	bool has_head = false;

	for (size_t i = 0; i < table->n_items; i++) {
		const struct item *item = &table->items[i];

		if (item->page != page)
			continue;
		if (item->kind == ITEM_LINE) {
			if (!has_head)
				draw_head(table, item);
			has_head = true;
			draw_line(table, item);
		} else if (item->kind == ITEM_SUM) {
			draw_sum(table, item);
		} else {
			pen_put(table->pen, item->text,
			    item->kind == ITEM_NOTE ? PEN_BLACK : PEN_GREY, MARGIN,
			    item->y, item->kind == ITEM_NOTE ? CONTENT * 0.8 : CONTENT);
		}
	}
}
