/* answer.c - see answer.h. */
#include "picture/answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <trl/compiler.h>

#include "picture/render.h"
#include "picture/save.h"
#include "picture/strip.h"
#include "picture/thumbhash.h"

static void
reject(struct picture_reply *reply, const char *why)
{
	reply->status = PICTURE_REJECTED;
	(void)snprintf(reply->reason, sizeof reply->reason, "%s", why);
}

static bool
vips_says(const char *words)
{
	return strcasestr(vips_error_buffer(), words) != NULL;
}

/* Of what vips has to say, to whoever sent the file: nothing but what is no fault of
 * the file. Decoders say it in many ways that their memory is at its end, and that of
 * WebP in none. */
static const char *
reason_of(const struct source *source, bool late)
{
	const int64_t pixels = (int64_t)source->width * source->height * source->frames;

	if (late)
		return "The picture takes too long to decode.";
	if (vips_says("webpsave")) /* it has read all that there is */
		return "The picture is too large in this format.";
	if (vips_says("memory") ||
	    (pixels > PICTURE_LARGE && vips_says("unable to read pixels")))
		return "The picture needs more memory than is allowed.";
	return "The picture is broken: it cannot be decoded.";
}

static int64_t
cpu_s(void)
{
	struct timespec now;

	trl_assert(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
	return now.tv_sec;
}

struct clock {
	int64_t until_s;
	bool late;
};

/* Between pieces of it. */
static void
on_progress(VipsImage *image, VipsProgress *progress, void *arg)
{
	struct clock *clock = arg;

	(void)progress;
	if (cpu_s() < clock->until_s)
		return;
	clock->late = true;
	vips_image_set_kill(image, TRUE);
}

static void
watch(VipsImage *image, struct clock *clock)
{
	*clock = (struct clock){ .until_s = cpu_s() + PICTURE_CPU_S + 1 };
	vips_image_set_progress(image, TRUE);
	g_signal_connect(image, "eval", G_CALLBACK(on_progress), clock);
}

static enum picture_format
format_out(const struct source *source, uint32_t asked)
{
	if (asked != PICTURE_ANY)
		return (enum picture_format)asked;
	return source->format == PICTURE_AVIF || source->format == PICTURE_HEIC
		   ? PICTURE_WEBP
		   : source->format;
}

/* Where nothing has to change but what is beside the picture, the file as it lies may
 * be smaller than what was made of it anew: that is no larger then, and loses nothing.
 */
static void
keep_smaller(const struct source *source, const VipsImage *made,
    enum picture_format format, struct trl_buf *bytes)
{
	struct trl_buf bare = { 0 };

	if (format == source->format && source->plain && source->frames == 1 &&
	    source->orientation == 1 && made->Xsize == source->width &&
	    made->Ysize == source->height &&
	    strip(format, source->data, source->len, &bare) && bare.len < bytes->len) {
		const struct trl_buf larger = *bytes;

		*bytes = bare;
		bare = larger;
	}
	trl_buf_fini(&bare);
}

static void
make(const struct source *source, const struct picture_request *asked,
    struct picture_reply *reply, struct trl_buf *bytes)
{
	const enum picture_format format = format_out(source, asked->format);
	const bool moves =
	    source->frames > 1 && (format == PICTURE_GIF || format == PICTURE_WEBP);
	VipsImage *image = render(source, asked, moves);
	struct clock clock = { 0 };
	int failed = image == NULL;

	if (image) {
		watch(image, &clock);
		failed = save(image, format, (int)asked->quality, bytes);
	}
	if (!failed)
		keep_smaller(source, image, format, bytes);
	if (failed) {
		reject(reply, reason_of(source, clock.late));
	} else if (bytes->len > PICTURE_REPLY_MAX - sizeof *reply) {
		reject(reply, "The picture is too large in this format.");
	} else {
		reply->status = PICTURE_DONE;
		reply->format = format;
		reply->frames = moves ? (uint32_t)source->frames : 1;
		reply->width = (uint32_t)image->Xsize;
		reply->height = (uint32_t)image->Ysize / reply->frames;
	}
	if (image)
		g_object_unref(image);
}

/* The pixels of a small picture, as thumbhash wants them: RGBA. */
static uint8_t *
pixels_of(VipsImage *small, struct clock *clock)
{
	VipsImage *full = NULL;
	size_t len;
	uint8_t *pixels;

	if (vips_image_hasalpha(small))
		g_object_ref(full = small);
	else if (vips_addalpha(small, &full, NULL))
		return NULL;
	watch(full, clock);
	pixels = vips_image_write_to_memory(full, &len);
	if (pixels && len != (size_t)small->Xsize * (size_t)small->Ysize * 4) {
		g_free(pixels);
		pixels = NULL;
	}
	g_object_unref(full);
	return pixels;
}

static void
look(const struct source *source, struct picture_reply *reply)
{
	const struct picture_request small = { .width = THUMBHASH_SIDE_MAX,
		.height = THUMBHASH_SIDE_MAX,
		.fit = PICTURE_CONTAIN };
	const bool turned = source->orientation >= 5;
	VipsImage *image = render(source, &small, false);
	struct clock clock = { 0 };
	uint8_t *pixels = image ? pixels_of(image, &clock) : NULL;

	if (pixels) {
		reply->status = PICTURE_DONE;
		reply->format = source->format;
		reply->width = (uint32_t)(turned ? source->height : source->width);
		reply->height = (uint32_t)(turned ? source->width : source->height);
		reply->frames = (uint32_t)source->frames;
		reply->thumb_hash_len = (uint32_t)thumbhash(
		    image->Xsize, image->Ysize, pixels, reply->thumb_hash);
	} else {
		reject(reply, reason_of(source, clock.late));
	}
	g_free(pixels);
	if (image)
		g_object_unref(image);
}

/* The service checked it. */
static bool
is_right(const struct picture_request *asked)
{
	return (asked->task == PICTURE_LOOK || asked->task == PICTURE_MAKE) &&
	       asked->fit <= PICTURE_COVER && asked->format <= PICTURE_AVIF &&
	       asked->width <= PICTURE_WANTED_MAX &&
	       asked->height <= PICTURE_WANTED_MAX &&
	       asked->quality <= PICTURE_QUALITY_MAX;
}

void
answer(const uint8_t *data, size_t len, int file, struct trl_buf *reply)
{
	struct picture_request asked = { 0 };
	struct picture_reply said = { 0 };
	struct trl_buf bytes = { 0 };
	struct source source;
	const char *wrong;

	if (len == sizeof asked)
		memcpy(&asked, data, sizeof asked);
	trl_assert(is_right(&asked));
	wrong = source_open(&source, file, asked.heif, said.reason);
	if (wrong) {
		said.status = PICTURE_REJECTED;
		if (wrong != said.reason)
			reject(&said, wrong);
	} else if (asked.task == PICTURE_LOOK) {
		look(&source, &said);
	} else {
		make(&source, &asked, &said, &bytes);
	}
	source_close(&source);
	vips_error_clear();
	trl_buf_add(reply, &said, sizeof said);
	if (said.status == PICTURE_DONE)
		trl_buf_add(reply, bytes.data, bytes.len);
	trl_buf_fini(&bytes);
}
