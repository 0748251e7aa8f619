/* pen.c - see pen.h. */
#include "pdf/pen.h"

#include <string.h>

#include <trl/compiler.h>

/* Latin, Greek and Cyrillic of Noto Sans; fontconfig finds the other scripts. */
#define FAMILY "Noto Sans"

static const struct {
	double size;
	PangoWeight weight;
} faces[PEN_FONTS] = {
	[PEN_BODY] = { 9, PANGO_WEIGHT_NORMAL },
	[PEN_BOLD] = { 9, PANGO_WEIGHT_BOLD },
	[PEN_SMALL] = { 7.5, PANGO_WEIGHT_NORMAL },
	[PEN_TITLE] = { 22, PANGO_WEIGHT_BOLD },
	[PEN_NAME] = { 14, PANGO_WEIGHT_BOLD },
	[PEN_STRONG] = { 11, PANGO_WEIGHT_BOLD },
};

void
pen_init(struct pen *pen, cairo_surface_t *surface, const char *language, bool rtl)
{
	cairo_font_options_t *options = cairo_font_options_create();

	*pen = (struct pen){ .cairo = cairo_create(surface), .rtl = rtl };
	pen->context = pango_cairo_create_context(pen->cairo);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	pango_cairo_context_set_font_options(pen->context, options);
	cairo_font_options_destroy(options);
	pango_cairo_context_set_resolution(pen->context, 72);
	pango_context_set_round_glyph_positions(pen->context, false);
	pango_context_set_base_dir(
	    pen->context, rtl ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_LTR);
	pango_context_set_language(
	    pen->context, pango_language_from_string(*language ? language : "en"));
	pen->whole = pango_attr_list_new();
	pango_attr_list_insert(pen->whole, pango_attr_insert_hyphens_new(false));
	for (size_t i = 0; i < PEN_FONTS; i++) {
		pen->fonts[i] = pango_font_description_from_string(FAMILY);
		pango_font_description_set_absolute_size(
		    pen->fonts[i], faces[i].size * PANGO_SCALE);
		pango_font_description_set_weight(pen->fonts[i], faces[i].weight);
	}
}

void
pen_fini(struct pen *pen)
{
	for (size_t i = 0; i < PEN_FONTS; i++)
		pango_font_description_free(pen->fonts[i]);
	pango_attr_list_unref(pen->whole);
	g_object_unref(pen->context);
	cairo_destroy(pen->cairo);
}

/* Whether a text is written from right to left: its first letter is of such a script
 * (UAX 9, rules P2 and P3). One without a letter is as the page is. */
static bool
is_rtl(const char *text, bool page)
{
	for (; *text; text = g_utf8_next_char(text)) {
		const gunichar c = g_utf8_get_char(text);

		if (c == 0x200e || c == 0x200f) /* the marks that say it */
			return c == 0x200f;
		if (!g_unichar_isalpha(c))
			continue;
		switch (g_unichar_get_script(c)) {
		case G_UNICODE_SCRIPT_ARABIC:
		case G_UNICODE_SCRIPT_HEBREW:
		case G_UNICODE_SCRIPT_SYRIAC:
		case G_UNICODE_SCRIPT_THAANA:
		case G_UNICODE_SCRIPT_NKO:
		case G_UNICODE_SCRIPT_ADLAM:
			return true;
		default:
			return false;
		}
	}
	return page;
}

/* Pango turns the sides of a line round whose direction is not the page's. */
static PangoAlignment
alignment(const struct pen *pen, const char *text, enum pen_side side)
{
	bool left = (side == PEN_START) != pen->rtl;

	if (is_rtl(text, pen->rtl) != pen->rtl)
		left = !left;
	return left ? PANGO_ALIGN_LEFT : PANGO_ALIGN_RIGHT;
}

PangoLayout *
pen_layout(struct pen *pen, enum pen_font font, const char *text, double width,
    enum pen_side side)
{
	PangoLayout *layout = pango_layout_new(pen->context);

	pango_layout_set_font_description(layout, pen->fonts[font]);
	pango_layout_set_single_paragraph_mode(layout, true);
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_attributes(layout, pen->whole);
	if (width > 0)
		pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_alignment(layout, alignment(pen, text, side));
	pango_layout_set_text(layout, text, -1);
	return layout;
}

double
pen_height(PangoLayout *layout)
{
	int width, height;

	pango_layout_get_size(layout, &width, &height);
	return (double)height / PANGO_SCALE;
}

double
pen_width(struct pen *pen, enum pen_font font, const char *text)
{
	PangoLayout *layout = pen_layout(pen, font, text, 0, PEN_START);
	int width, height;

	pango_layout_get_size(layout, &width, &height);
	g_object_unref(layout);
	return (double)width / PANGO_SCALE;
}

static double
mirrored(const struct pen *pen, double x, double width)
{
	return pen->rtl ? PEN_WIDTH - x - width : x;
}

static void
dip(struct pen *pen, enum pen_ink ink)
{
	static const double inks[][3] = { [PEN_BLACK] = { 0.11, 0.14, 0.18 },
		[PEN_GREY] = { 0.40, 0.44, 0.50 },
		[PEN_RED] = { 0.75, 0.13, 0.13 } };

	cairo_set_source_rgb(pen->cairo, inks[ink][0], inks[ink][1], inks[ink][2]);
}

void
pen_put(struct pen *pen, PangoLayout *layout, enum pen_ink ink, double x, double y,
    double width)
{
	pen->missing += (unsigned)pango_layout_get_unknown_glyphs_count(layout);
	dip(pen, ink);
	cairo_move_to(pen->cairo, mirrored(pen, x, width), y);
	pango_cairo_show_layout(pen->cairo, layout);
}

double
pen_text(struct pen *pen, enum pen_font font, enum pen_ink ink, enum pen_side side,
    const char *text, double x, double y, double width)
{
	PangoLayout *layout = pen_layout(pen, font, text, width, side);
	const double height = pen_height(layout);

	pen_put(pen, layout, ink, x, y, width);
	g_object_unref(layout);
	return height;
}

void
pen_rule(struct pen *pen, double x, double y, double width, double thickness)
{
	cairo_set_source_rgb(pen->cairo, 0.80, 0.83, 0.87);
	cairo_rectangle(pen->cairo, mirrored(pen, x, width), y, width, thickness);
	cairo_fill(pen->cairo);
}

void
pen_field(struct pen *pen, double x, double y, double width, double height)
{
	cairo_set_source_rgb(pen->cairo, 0.955, 0.963, 0.972);
	cairo_rectangle(pen->cairo, mirrored(pen, x, width), y, width, height);
	cairo_fill(pen->cairo);
}

void
pen_image(struct pen *pen, cairo_surface_t *image, double x, double y, double width,
    double height)
{
	const double w = cairo_image_surface_get_width(image);
	const double h = cairo_image_surface_get_height(image);
	const double scale = width / w < height / h ? width / w : height / h;

	cairo_save(pen->cairo);
	cairo_translate(pen->cairo, mirrored(pen, x, w * scale), y);
	cairo_scale(pen->cairo, scale, scale);
	cairo_set_source_surface(pen->cairo, image, 0, 0);
	cairo_paint(pen->cairo);
	cairo_restore(pen->cairo);
}
