/* pen.h - text and lines on a page, by cairo and pango. Measures are points, from the
 * upper corner where reading begins: in a language that is written from right to left
 * everything here is mirrored, so that callers do not think of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cairo.h>
#include <pango/pangocairo.h>

/* A4. */
#define PEN_WIDTH 595.276
#define PEN_HEIGHT 841.89

enum pen_font {
	PEN_BODY,
	PEN_BOLD,
	PEN_SMALL,
	PEN_TITLE,
	PEN_NAME,
	PEN_STRONG,
	PEN_FONTS
};
enum pen_ink { PEN_BLACK, PEN_GREY, PEN_RED };
enum pen_side { PEN_START, PEN_END }; /* where its lines begin, where they end */

struct pen {
	cairo_t *cairo;
	PangoContext *context;
	PangoFontDescription *fonts[PEN_FONTS];
	PangoAttrList *whole; /* where a word is cut it gets no hyphen: it may be an
				 address or a number */
	bool rtl;
	unsigned missing; /* characters that no font has, of what was drawn */
};

/* language chooses among the forms of a character (those of Japan or China). */
void pen_init(
    struct pen *pen, cairo_surface_t *surface, const char *language, bool rtl);
void pen_fini(struct pen *pen);

/* A text of one paragraph that wraps at width (0: never), to be measured and drawn,
 * then freed by g_object_unref. */
PangoLayout *pen_layout(struct pen *pen, enum pen_font font, const char *text,
    double width, enum pen_side side);
double pen_height(PangoLayout *layout);
/* How wide a text is on one line. */
double pen_width(struct pen *pen, enum pen_font font, const char *text);
/* Draws it in the column that begins at x and is width wide. */
void pen_put(struct pen *pen, PangoLayout *layout, enum pen_ink ink, double x, double y,
    double width);
/* The three in one; gives its height. */
double pen_text(struct pen *pen, enum pen_font font, enum pen_ink ink,
    enum pen_side side, const char *text, double x, double y, double width);
void pen_rule(struct pen *pen, double x, double y, double width, double thickness);
/* A light field behind what follows. */
void pen_field(struct pen *pen, double x, double y, double width, double height);
/* An image, no larger than width and height, in the corner at x, y. */
void pen_image(struct pen *pen, cairo_surface_t *image, double x, double y,
    double width, double height);
