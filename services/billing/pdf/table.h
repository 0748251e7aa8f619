/* table.h - what follows the head of a document, cut into pages: its lines, its sums,
 * its notes. First everything is measured and given its page and place, so that each
 * page can say of how many it is; then it is drawn. */
#pragma once

#include "pdf/document.h"
#include "pdf/pen.h"

#define MARGIN 50.0
#define CONTENT (PEN_WIDTH - 2 * MARGIN)
#define TOP 66.0                   /* of the pages behind the first */
#define BOTTOM (PEN_HEIGHT - 62.0) /* above what stands at each page's foot */

enum item_kind { ITEM_LINE, ITEM_SUM, ITEM_NOTE, ITEM_FOOTER };

struct item {
	enum item_kind kind;
	size_t index;              /* of the document's line or sum */
	PangoLayout *text, *below; /* below may be NULL */
	double height, y;
	unsigned page; /* from 1 */
};

struct table {
	struct pen *pen;
	const struct document *document;
	enum pen_font font; /* of its cells */
	double x[COLUMNS], width[COLUMNS];
	size_t n_items;
	struct item *items;
	unsigned n_pages;
};

/* Measures and places, from y of the first page on. */
void table_init(
    struct table *table, struct pen *pen, const struct document *document, double y);
void table_fini(struct table *table);
/* Draws what is on a page. */
void table_draw(const struct table *table, unsigned page);
