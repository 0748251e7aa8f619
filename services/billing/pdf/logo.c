/* logo.c - see logo.h. */
#include "pdf/logo.h"

#include <string.h>

#include "catalogue/logo.h"

struct source {
	const uint8_t *at;
	size_t left;
};

static cairo_status_t
take(void *self, unsigned char *out, unsigned len)
{
	struct source *source = self;

	if (source->left < len)
		return CAIRO_STATUS_READ_ERROR;
	memcpy(out, source->at, len);
	source->at += len;
	source->left -= len;
	return CAIRO_STATUS_SUCCESS;
}

const char *
logo_read(const uint8_t *data, size_t len, cairo_surface_t **out)
{
	struct source source = { data, len };
	cairo_surface_t *image;
	const char *wrong;

	*out = NULL;
	if (len == 0)
		return NULL;
	wrong = logo_check(data, len);
	if (wrong)
		return wrong;
	image = cairo_image_surface_create_from_png_stream(take, &source);
	if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
		cairo_surface_destroy(image);
		return "cannot be read";
	}
	*out = image;
	return NULL;
}
