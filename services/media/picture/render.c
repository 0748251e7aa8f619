/* render.c - see render.h. The steps are those of vips_thumbnail, but with the size
 * decided by us, frames cut one by one and nothing left to what a file says of itself.
 *
 * Each step takes the image over and gives the next; NULL goes through all of them. */
#include "picture/render.h"

#include <string.h>

#include <trl/compiler.h>

/* What was made of one that is needed no more. */
static VipsImage *
instead(VipsImage *was, int failed, VipsImage *const *made)
{
	g_object_unref(was);
	return failed ? NULL : *made;
}

/* 16 bits to 8, before anything is computed of them. */
static VipsImage *
in_bytes(VipsImage *in)
{
	VipsImage *made = NULL, *out = NULL;

	if (!in || in->BandFmt == VIPS_FORMAT_UCHAR)
		return in;
	made = instead(in, vips_msb(in, &made, NULL), &made);
	if (!made)
		return NULL;
	return instead(made,
	    vips_copy(made, &out, "interpretation",
		made->Bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB,
		NULL),
	    &out);
}

static VipsImage *
scaled(VipsImage *in, int width, int height, int frames)
{
	VipsImage *out = NULL;
	const double across = (double)width / (in ? in->Xsize : 1);
	const double down = (double)height * frames / (in ? in->Ysize : 1);

	if (!in || (across == 1 && down == 1))
		return in;
	return instead(in, vips_resize(in, &out, across, "vscale", down, NULL), &out);
}

/* A transparent pixel's colour must not show at the edges. */
static VipsImage *
scaled_with_alpha(VipsImage *in, int width, int height, int frames)
{
	VipsImage *out = NULL;

	if (!in || !vips_image_hasalpha(in) ||
	    (in->Xsize == width && in->Ysize == height * frames))
		return scaled(in, width, height, frames);
	in = instead(in, vips_premultiply(in, &out, NULL), &out);
	in = scaled(in, width, height, frames);
	if (!in)
		return NULL;
	in = instead(in, vips_unpremultiply(in, &out, NULL), &out);
	return in ? instead(in, vips_cast(in, &out, VIPS_FORMAT_UCHAR, NULL), &out)
		  : NULL;
}

/* By the profile that the file has, where it fits the picture; CMYK without one by that
 * of vips. */
static VipsImage *
in_srgb(VipsImage *in)
{
	const bool cmyk = in && in->Type == VIPS_INTERPRETATION_CMYK;
	VipsImage *out = NULL;

	if (!in)
		return NULL;
	if (vips_image_get_typeof(in, VIPS_META_ICC_NAME) &&
	    vips_icc_transform(in, &out, "srgb", "embedded", TRUE, "intent",
		VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE, NULL) == 0)
		return instead(in, 0, &out);
	vips_error_clear();
	if (cmyk)
		return instead(in,
		    vips_icc_transform(in, &out, "srgb", "input_profile", "cmyk",
			"intent", VIPS_INTENT_RELATIVE, "black_point_compensation",
			TRUE, NULL),
		    &out);
	return instead(
	    in, vips_colourspace(in, &out, VIPS_INTERPRETATION_sRGB, NULL), &out);
}

static VipsImage *
upright(VipsImage *in, int orientation)
{
	VipsImage *out;

	if (!in || orientation == 1)
		return in;
	out = vips_image_copy_memory(in); /* it is read across now, and is small */
	in = instead(in, out == NULL, &out);
	if (!in)
		return NULL;
	vips_image_set_int(in, VIPS_META_ORIENTATION, orientation);
	return instead(in, vips_autorot(in, &out, NULL), &out);
}

static VipsImage *
cut_frame(VipsImage *in, const struct size *size, int frame)
{
	VipsImage *out = NULL;

	return vips_extract_area(in, &out, size->left, frame * size->height + size->top,
		   size->kept_width, size->kept_height, NULL)
		   ? NULL
		   : out;
}

static VipsImage *
cut(VipsImage *in, const struct size *size, int frames)
{
	VipsImage *parts[PICTURE_FRAMES_MAX] = { NULL }, *out = NULL;
	int failed = 0;

	if (!in ||
	    (size->kept_width == size->width && size->kept_height == size->height))
		return in;
	for (int i = 0; i < frames && !failed; i++)
		failed = (parts[i] = cut_frame(in, size, i)) == NULL;
	if (!failed)
		failed = vips_arrayjoin(parts, &out, frames, "across", 1, NULL);
	for (int i = 0; i < frames; i++)
		if (parts[i])
			g_object_unref(parts[i]);
	return instead(in, failed, &out);
}

static void *
drop_field(VipsImage *image, const char *name, GValue *value, void *unused)
{
	static const char *const kept[] = { "delay", "loop" };

	(void)value;
	(void)unused;
	for (size_t i = 0; i < TRL_COUNT(kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return NULL;
	(void)vips_image_remove(image, name);
	return NULL;
}

/* Nothing stays but what an animation needs. */
static VipsImage *
bare(VipsImage *in, int height, int frames)
{
	VipsImage *out = NULL;

	if (!in)
		return NULL;
	in = instead(in, vips_copy(in, &out, "xres", 1.0, "yres", 1.0, NULL), &out);
	if (!in)
		return NULL;
	(void)vips_image_map(in, drop_field, NULL);
	if (frames > 1) {
		vips_image_set_int(in, VIPS_META_PAGE_HEIGHT, height);
		vips_image_set_int(in, VIPS_META_N_PAGES, frames);
	}
	return in;
}

/* How much of the shrinking the decoder does; at least a factor of two is left to a
 * better filter. */
static double
shrink_of(const struct source *source, int width, int height)
{
	const double across = (double)source->width / width;
	const double down = (double)source->height / height;
	const double both = across < down ? across : down;

	return both / 2;
}

VipsImage *
render(
    const struct source *source, const struct picture_request *asked, bool all_frames)
{
	const int frames = all_frames ? source->frames : 1;
	const bool turned = source->orientation >= 5;
	const struct size size = size_of(turned ? source->height : source->width,
	    turned ? source->width : source->height, asked);
	const int width = turned ? size.height : size.width;
	const int height = turned ? size.width : size.height;
	VipsImage *image =
	    source_read(source, shrink_of(source, width, height), all_frames);

	image = in_bytes(image);
	image = scaled_with_alpha(image, width, height, frames);
	image = in_srgb(image);
	image = upright(image, source->orientation);
	image = cut(image, &size, frames);
	return bare(image, size.kept_height, frames);
}
