/* save.c - see save.h. No saver writes anything beside the picture. */
#include "picture/save.h"

#include "picture/webp.h"

/* AVIF is dear: so little effort that 4,096 x 4,096 ends in time. */
enum { AVIF_EFFORT = 3, WEBP_EFFORT = 4, GIF_EFFORT = 5 };

/* What cannot be seen through lies on white. */
static int
save_jpeg(VipsImage *image, int quality, void **data, size_t *len)
{
	VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
	VipsImage *flat = NULL;
	int failed = vips_image_hasalpha(image)
			 ? vips_flatten(image, &flat, "background", white, NULL)
			 : vips_copy(image, &flat, NULL);

	vips_area_unref(VIPS_AREA(white));
	if (!failed)
		failed = vips_jpegsave_buffer(flat, data, len, "Q", quality,
		    "optimize_coding", TRUE, "strip", TRUE, NULL);
	if (flat)
		g_object_unref(flat);
	return failed;
}

int
save(VipsImage *image, enum picture_format format, int quality, struct trl_buf *out)
{
	const size_t at = out->len;
	void *data = NULL;
	size_t len = 0;
	int failed;

	switch (format) {
	case PICTURE_JPEG:
		failed = save_jpeg(image, quality ? quality : 80, &data, &len);
		break;
	case PICTURE_PNG:
		failed = vips_pngsave_buffer(image, &data, &len, "strip", TRUE, NULL);
		break;
	case PICTURE_GIF:
		failed = vips_gifsave_buffer(
		    image, &data, &len, "effort", GIF_EFFORT, "strip", TRUE, NULL);
		break;
	case PICTURE_AVIF:
		failed = vips_heifsave_buffer(image, &data, &len, "compression",
		    VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "bitdepth", 8, "Q",
		    quality ? quality : 55, "effort", AVIF_EFFORT, "strip", TRUE, NULL);
		break;
	default:
		failed = vips_webpsave_buffer(image, &data, &len, "Q",
		    quality ? quality : 80, "effort", WEBP_EFFORT, "strip", TRUE, NULL);
		break;
	}
	if (!failed)
		trl_buf_add(out, data, len);
	g_free(data);
	if (!failed && format == PICTURE_WEBP && !webp_strip(out, at))
		return -1;
	return failed;
}
