/* render.h - a document becomes a PDF. */
#pragma once

#include <cairo.h>

#include <trl/buf.h>

#include "pdf/document.h"

enum { RENDER_PAGES_MAX = 200 };

/* Appends the PDF to out; logo may be NULL. The same document, logo and fonts give the
 * same bytes. *missing: how many characters no font has, which are shown as boxes with
 * their numbers. NULL, or what is wrong. */
const char *render(const struct document *document, cairo_surface_t *logo,
    struct trl_buf *out, unsigned *missing);
