/* render.c - see render.h: the head of the first page, and the pages one by one. */
#include "pdf/render.h"

#include <cairo-pdf.h>

#include <trl/compiler.h>

#include "invoice/texts.h"
#include "pdf/pen.h"
#include "pdf/table.h"

#define COLUMN 158.0 /* of the three below the title */
#define BETWEEN 10.6

static cairo_status_t
keep(void *self, const unsigned char *data, unsigned len)
{
	trl_buf_add(self, data, len);
	return CAIRO_STATUS_SUCCESS;
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* The seller's logo, or its name; beside it what this is. Gives where it ends. */
static double
draw_title(struct pen *pen, const struct document *document, cairo_surface_t *logo)
{
	const double x = MARGIN + 2 * (COLUMN + BETWEEN) - 60, width = COLUMN + 60;
	const double name_width = x - MARGIN - BETWEEN;
	const enum pen_font font =
	    pen_width(pen, PEN_TITLE, document->title) < width ? PEN_TITLE : PEN_NAME;
	double y = 46, left = 46;

	if (logo) {
		pen_image(pen, logo, MARGIN, left, 180, 56);
		left += 56;
	} else if (document->seller.n > 0) {
		left += pen_text(pen, PEN_NAME, PEN_BLACK, PEN_START,
		    document->seller.lines[0], MARGIN, left + 4, name_width);
	}
	y += pen_text(pen, font, PEN_BLACK, PEN_END, document->title, x,
	    font == PEN_TITLE ? y - 5 : y, width);
	if (document->subtitle)
		y += pen_text(pen, PEN_BODY, PEN_GREY, PEN_END, document->subtitle, x,
		    y - 3, width);
	if (document->stamp)
		y += pen_text(
		    pen, PEN_NAME, PEN_RED, PEN_END, document->stamp, x, y, width);
	return larger(y, left);
}

static double
draw_party(struct pen *pen, const struct document_party *party, double x, double y)
{
	y += pen_text(pen, PEN_SMALL, PEN_GREY, PEN_START, party->label, x, y, COLUMN) +
	     3;
	for (size_t i = 0; i < party->n; i++)
		y += pen_text(pen, i == 0 ? PEN_BOLD : PEN_BODY, PEN_BLACK, PEN_START,
			 party->lines[i], x, y, COLUMN) +
		     1;
	return y;
}

static double
draw_facts(struct pen *pen, const struct document *document, double x, double y)
{
	for (size_t i = 0; i < document->n_facts; i++) {
		const struct document_fact *fact = &document->facts[i];

		y += pen_text(pen, PEN_SMALL, PEN_GREY, PEN_START, fact->label, x, y,
			 COLUMN) +
		     1;
		y += pen_text(pen, i == 0 ? PEN_BOLD : PEN_BODY, PEN_BLACK, PEN_START,
			 fact->value, x, y, COLUMN) +
		     5;
	}
	return y;
}

/* Gives where the table begins. */
static double
draw_head(struct pen *pen, const struct document *document, cairo_surface_t *logo)
{
	const double y = draw_title(pen, document, logo) + 26;
	double end = draw_party(pen, &document->seller, MARGIN, y);

	end = larger(
	    end, draw_party(pen, &document->buyer, MARGIN + COLUMN + BETWEEN, y));
	end =
	    larger(end, draw_facts(pen, document, MARGIN + 2 * (COLUMN + BETWEEN), y));
	return end + 22;
}

/* What each page has at its foot, and each but the first at its top. */
static void
draw_edges(
    struct pen *pen, const struct document *document, unsigned page, unsigned pages)
{
	char one[16], all[16], text[128];

	(void)snprintf(one, sizeof one, "%u", page);
	(void)snprintf(all, sizeof all, "%u", pages);
	text_fill(text, sizeof text, TEXT_PAGE, document->locale, one, all);
	pen_rule(pen, MARGIN, PEN_HEIGHT - 48, CONTENT, 0.5);
	pen_text(pen, PEN_SMALL, PEN_GREY, PEN_START, document->name, MARGIN,
	    PEN_HEIGHT - 42, CONTENT * 0.7);
	pen_text(pen, PEN_SMALL, PEN_GREY, PEN_END, text, MARGIN + CONTENT * 0.7,
	    PEN_HEIGHT - 42, CONTENT * 0.3);
	if (page > 1 && document->seller.n > 0)
		pen_text(pen, PEN_SMALL, PEN_GREY, PEN_START, document->seller.lines[0],
		    MARGIN, 40, CONTENT);
}

static const char *
draw(struct pen *pen, const struct document *document, cairo_surface_t *logo)
{
	struct table table;
	const char *wrong = NULL;

	table_init(&table, pen, document, draw_head(pen, document, logo));
	if (table.n_pages > RENDER_PAGES_MAX)
		wrong = "it has more than 200 pages";
	for (unsigned page = 1; !wrong && page <= table.n_pages; page++) {
		table_draw(&table, page);
		draw_edges(pen, document, page, table.n_pages);
		cairo_show_page(pen->cairo);
	}
	table_fini(&table);
	return wrong;
}

/* Of the file itself. Its dates are the document's, or no two would be the same. */
static void
describe(cairo_surface_t *surface, const struct document *document)
{
	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_TITLE, document->name);
	if (document->seller.n > 0)
		cairo_pdf_surface_set_metadata(
		    surface, CAIRO_PDF_METADATA_AUTHOR, document->seller.lines[0]);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Trellis");
	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_CREATE_DATE, document->issued);
	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_MOD_DATE, document->issued);
}

const char *
render(const struct document *document, cairo_surface_t *logo, struct trl_buf *out,
    unsigned *missing)
{
	cairo_surface_t *surface =
	    cairo_pdf_surface_create_for_stream(keep, out, PEN_WIDTH, PEN_HEIGHT);
	const char *wrong;
	struct pen pen;

	describe(surface, document);
	pen_init(&pen, surface, document->language, document->rtl);
	wrong = draw(&pen, document, logo);
	*missing = pen.missing;
	pen_fini(&pen);
	cairo_surface_finish(surface);
	if (!wrong && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		wrong = cairo_status_to_string(cairo_surface_status(surface));
	cairo_surface_destroy(surface);
	return wrong;
}
