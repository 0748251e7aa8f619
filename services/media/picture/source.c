/* source.c - see source.h. Only five loaders of vips can be reached, each by its own
 * name: what a file is called or what vips thinks it is decides nothing. */
#include "picture/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <trl/compiler.h>

#include "picture/exif.h"
#include "picture/walk.h"

#define SEQUENTIALLY "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR

/* vips wants to write to no file, but says so nowhere. */
static void *
bytes_of(const struct source *source)
{
	return (void *)(uintptr_t)source->data;
}

/* The decoder of WebP holds up to four copies, so it leaves nothing to a better filter
 * where they are large. */
static double
webp_scale(const struct source *source, double shrink, bool all_frames)
{
	const int frames = all_frames ? source->frames : 1;
	double by = shrink > 1 ? shrink : 1;

	if ((double)source->width * source->height * frames / (by * by) > PICTURE_LARGE)
		by = shrink > 0.5 ? 2 * shrink : 1;
	return 1 / by;
}

VipsImage *
source_read(const struct source *source, double shrink, bool all_frames)
{
	const int n = all_frames && source->frames > 1 ? -1 : 1;
	const int by = shrink >= 8 ? 8 : shrink >= 4 ? 4 : shrink >= 2 ? 2 : 1;
	VipsImage *out = NULL;
	void *const data = bytes_of(source);
	int failed;

	switch (source->format) {
	case PICTURE_JPEG: /* its scans are counted by us */
		failed = vips_jpegload_buffer(data, source->len, &out, "shrink", by,
		    "unlimited", TRUE, SEQUENTIALLY, NULL);
		break;
	case PICTURE_PNG:
		failed =
		    vips_pngload_buffer(data, source->len, &out, SEQUENTIALLY, NULL);
		break;
	case PICTURE_WEBP:
		failed = vips_webpload_buffer(data, source->len, &out, "scale",
		    webp_scale(source, shrink, all_frames), "n", n, SEQUENTIALLY, NULL);
		break;
	case PICTURE_GIF:
		failed = vips_gifload_buffer(
		    data, source->len, &out, "n", n, SEQUENTIALLY, NULL);
		break;
	default:
		failed =
		    vips_heifload_buffer(data, source->len, &out, SEQUENTIALLY, NULL);
		break;
	}
	return failed ? NULL : out;
}

TRL_PRINTF(2, 3)
static const char *
reason(char room[PICTURE_REASON_MAX], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(room, PICTURE_REASON_MAX, fmt, args);
	va_end(args);
	return room;
}

static const char *
judge_beside(size_t beside, char room[PICTURE_REASON_MAX])
{
	if (beside <= PICTURE_METADATA_MAX)
		return NULL;
	return reason(room, "The picture has %zu bytes of metadata; %d are allowed.",
	    beside, PICTURE_METADATA_MAX);
}

static const char *
judge_jpeg(const struct source *source, char room[PICTURE_REASON_MAX])
{
	unsigned scans;
	size_t beside;

	walk_jpeg(source->data, source->len, &scans, &beside);
	if (scans > PICTURE_SCANS_MAX)
		return reason(room, "The picture has %u scans; %d are allowed.", scans,
		    PICTURE_SCANS_MAX);
	return judge_beside(beside, room);
}

static const char *
judge_png(const struct source *source, char room[PICTURE_REASON_MAX])
{
	struct walk_png found;

	walk_png(source->data, source->len, &found);
	if (found.texts > PICTURE_CHUNKS_MAX)
		return reason(room, "The picture has %u texts; %d are allowed.",
		    found.texts, PICTURE_CHUNKS_MAX);
	if (found.packs > PICTURE_PACKS_MAX)
		return reason(room,
		    "The picture has %u compressed texts and profiles; %d are allowed.",
		    found.packs, PICTURE_PACKS_MAX);
	if (found.packed > PICTURE_PACKED_MAX)
		return reason(room,
		    "The picture has %zu bytes of compressed texts and profiles; %d "
		    "are "
		    "allowed.",
		    found.packed, PICTURE_PACKED_MAX);
	return judge_beside(found.beside, room);
}

static const char *
too_many_frames(unsigned frames, char room[PICTURE_REASON_MAX])
{
	return reason(room, "The picture has %u frames; %d are allowed.", frames,
	    PICTURE_FRAMES_MAX);
}

/* A GIF that was cut off would be shown as far as it goes, a WebP not at all. */
static const char *
judge_frames(const struct source *source, char room[PICTURE_REASON_MAX])
{
	struct walk_frames found;

	if (source->format == PICTURE_GIF)
		walk_gif(source->data, source->len, &found);
	else
		walk_webp(source->data, source->len, &found);
	if (found.frames > PICTURE_FRAMES_MAX)
		return too_many_frames(found.frames, room);
	if (found.cut_off)
		return "The picture is broken: it is cut off.";
	return judge_beside(found.beside, room);
}

/* Against what its header says. */
static const char *
judge_header(const struct source *source, char room[PICTURE_REASON_MAX])
{
	const int64_t pixels = (int64_t)source->width * source->height;

	if (source->width > PICTURE_SIDE_MAX || source->height > PICTURE_SIDE_MAX)
		return reason(room,
		    "The picture is %d x %d pixels; a side may have %d.", source->width,
		    source->height, PICTURE_SIDE_MAX);
	if (pixels > PICTURE_PIXELS_MAX)
		return reason(room,
		    "The picture is %d x %d, which is %lld megapixels; %d are allowed.",
		    source->width, source->height,
		    (long long)((pixels + 999999) / 1000000),
		    PICTURE_PIXELS_MAX / 1000000);
	if (source->frames > PICTURE_FRAMES_MAX)
		return too_many_frames((unsigned)source->frames, room);
	if (pixels * source->frames > PICTURE_ALL_MAX)
		return reason(room,
		    "The picture's %d frames have %lld megapixels in all; %d are "
		    "allowed.",
		    source->frames,
		    (long long)((pixels * source->frames + 999999) / 1000000),
		    PICTURE_ALL_MAX / 1000000);
	return NULL;
}

static int
orientation_of(VipsImage *image)
{
	const void *exif;
	size_t len;

	if (!vips_image_get_typeof(image, VIPS_META_EXIF_NAME) ||
	    vips_image_get_blob(image, VIPS_META_EXIF_NAME, &exif, &len))
		return 1;
	return exif_orientation(exif, len);
}

static bool
is_plain(const VipsImage *image)
{
	return image->BandFmt == VIPS_FORMAT_UCHAR &&
	       (image->Type == VIPS_INTERPRETATION_sRGB ||
		   image->Type == VIPS_INTERPRETATION_B_W) &&
	       !vips_image_get_typeof(image, VIPS_META_ICC_NAME);
}

static bool
is_heif(const struct source *source)
{
	return source->format == PICTURE_AVIF || source->format == PICTURE_HEIC;
}

static const char *
read_header(struct source *source)
{
	VipsImage *image = source_read(source, 1, false);

	if (!image)
		return "The picture is broken: its header cannot be read.";
	source->width = image->Xsize;
	source->height = image->Ysize;
	source->frames = is_heif(source) ? 1 : vips_image_get_n_pages(image);
	/* The decoder of HEIF turns by the file's own box (irot, imir); what EXIF says
	 * would turn it twice. */
	source->orientation =
	    is_heif(source) || source->frames > 1 ? 1 : orientation_of(image);
	source->plain = is_plain(image);
	g_object_unref(image);
	return NULL;
}

static const char *
judge(struct source *source, bool heif, char room[PICTURE_REASON_MAX])
{
	const char *wrong = NULL;

	source->format = walk_format(source->data, source->len);
	if (source->format == PICTURE_ANY || (is_heif(source) && !heif))
		return heif ? "This is not a JPEG, PNG, WebP, GIF, AVIF or HEIC."
			    : "This is not a JPEG, PNG, WebP or GIF.";
	if (source->format == PICTURE_JPEG)
		wrong = judge_jpeg(source, room);
	if (source->format == PICTURE_PNG)
		wrong = judge_png(source, room);
	if (source->format == PICTURE_GIF || source->format == PICTURE_WEBP)
		wrong = judge_frames(source, room);
	if (!wrong)
		wrong = read_header(source);
	return wrong ? wrong : judge_header(source, room);
}

const char *
source_open(struct source *out, int file, bool heif, char room[PICTURE_REASON_MAX])
{
	struct stat about;
	void *data;
	const char *wrong;

	*out = (struct source){ 0 };
	if (fstat(file, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size == 0)
		return "The file is empty.";
	if (about.st_size > PICTURE_FILE_MAX)
		return reason(room, "A picture may have %d MiB; the file has %lld.",
		    PICTURE_FILE_MAX >> 20,
		    (long long)((about.st_size + (1 << 20) - 1) >> 20));
	data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (data == MAP_FAILED)
		return "The picture needs more memory than is allowed.";
	out->data = data;
	out->len = (size_t)about.st_size;
	wrong = judge(out, heif, room);
	if (wrong)
		source_close(out);
	return wrong;
}

void
source_close(struct source *source)
{
	if (source->data)
		trl_assert(munmap(bytes_of(source), source->len) == 0);
	source->data = NULL;
}
