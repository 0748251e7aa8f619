/* variant.h - pictures in other sizes and formats: those that a file's collection
 * names, made by a job once the file is there, and those that a signed URL asks for,
 * made when they are asked for. */
#pragma once

#include <trl/jobs.h>

#include "content/content.h"
#include "media.h"
#include "variant/made.h"
#include "variant/options.h"

variants *variants_open(trl_loop *loop, const struct media_config *config);
/* When nothing is made any more (variants_idle). */
void variants_close(variants **all);
bool variants_idle(const variants *all);
/* Whether the variants that collections name can be made; false: trl_complain said
 * which cannot. */
bool variants_check(const collections *all);
/* What is known of a picture; of one that was not looked at (it has no width) only its
 * type. */
struct options_picture variant_picture(const media_file *file);
/* Whether what was made under the key is of the sizes that a collection has for
 * pictures of a type: as the job makes them, or for clients of either kind. */
bool variant_is_named(const struct media *self, const char *collection,
    const char *type, const char *key);

/* job.c */

/* Adds to the batch that makes a file ready what is to be done for a picture: it is
 * looked at (width, height, frames, thumb_hash), and the variants that its collection
 * names are made. True: its collection takes only pictures, so the file is to be
 * processing until it was looked at, which the job ends (file_settle). */
bool variant_begin(struct media *self, const media_file *file, trl_batch *work);
extern const struct trl_job_kind variant_job;

/* give.c */

/* The canonical text of options, for URLs, in ctx's arena; text may be a name of the
 * collection's variants, too. What a URL may ask for is not all that a collection may
 * name: no AVIF, which is too dear to be made while somebody waits.
 * Errors: TRL_INVALID (options, and what is wrong; the file is no picture). */
enum trl_code variant_options_check(struct media *self, trl_ctx *ctx,
    const media_file *file, const char *text, const char **canonical) TRL_MUST_CHECK;
/* Answers with a variant of a file that is ready; it is made where it is not there.
 * options are a name or a text. what is content_of_file with all that the route decides
 * (cache, is_inline); the rest is set here. accept is the header's, or NULL.
 * Errors: TRL_NOT_FOUND (there is no such variant, or the file is no picture),
 * TRL_INVALID (the picture cannot be rendered, and why), TRL_BUSY and TRL_UNAVAILABLE
 * (with a time to come again), and those of content_give. */
enum trl_code variant_give(struct media *self, trl_ctx *ctx, const media_file *file,
    const char *options, struct content what, const char *accept,
    const struct content_asked *asked, Media__V1__ContentBytes *out) TRL_MUST_CHECK;

/* show.c: fills in the variants of pictures that are shown; their url is but the
 * canonical text of their options. Errors: faults. */
enum trl_code variant_show(
    struct media *self, trl_ctx *ctx, media_file **files, size_t n) TRL_MUST_CHECK;
