/* logo.h - a PNG from outside, as an image for the page. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <cairo.h>

/* *out is NULL where len is 0, or something is wrong with it, which is returned. libpng
 * does not see what catalogue/logo.h refuses. */
const char *logo_read(const uint8_t *data, size_t len, cairo_surface_t **out);
