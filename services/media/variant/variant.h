/* variant.h - pictures in other sizes and formats: those that a file's collection
 * names, made by a job once the file exists, and those that a signed URL asks for, made
 * on demand. */
#pragma once

#include <trl/jobs.h>

#include "content/content.h"
#include "media.h"
#include "variant/made.h"
#include "variant/options.h"

variants *variants_open(trl_loop *loop, const struct media_config *config);
/* When nothing is being made (variants_idle). */
void variants_close(variants **all);
bool variants_idle(const variants *all);
/* Whether all variants that collections name can be made; false: trl_complain said
 * which cannot. */
bool variants_check(const collections *all);
/* What is known of a picture; if it was not inspected yet (it has no width), only its
 * type. */
struct options_picture variant_picture(const media_file *file);
/* Whether a rendition's key is one of a collection's named variants for pictures of a
 * type: as the job makes them, or as f_auto decides for any client. */
bool variant_is_named(const struct media *self, const char *collection,
    const char *type, const char *key);

/* job.c */

/* Adds, to the batch that makes a file ready, the job that inspects a picture (width,
 * height, frames, thumb_hash) and makes the variants that its collection names. True:
 * the collection takes only pictures, so the file has to be processing until the job
 * has inspected it (file_settle). */
bool variant_begin(struct media *self, const media_file *file, trl_batch *work);
extern const struct trl_job_kind variant_job;

/* give.c */

/* The canonical text of options, for URLs, in ctx's arena; text may also be the name of
 * one of the collection's variants. Unlike a collection, a URL may not ask for AVIF,
 * which takes too long to make while somebody waits.
 * Errors: TRL_INVALID (what is wrong with the options; the file is not a picture). */
enum trl_code variant_options_check(struct media *self, trl_ctx *ctx,
    const media_file *file, const char *text, const char **canonical) TRL_MUST_CHECK;
/* Answers with a variant of a file that is ready, making it if need be. options is a
 * variant's name or a text. what is content_of_file with what the route decides (cache,
 * is_inline); the rest is set here. accept is the header's, or NULL.
 * Errors: TRL_NOT_FOUND (no such variant, or not a picture), TRL_INVALID (why the
 * picture cannot be rendered), TRL_BUSY and TRL_UNAVAILABLE (with retry-after), and
 * those of content_give. */
enum trl_code variant_give(struct media *self, trl_ctx *ctx, const media_file *file,
    const char *options, struct content what, const char *accept,
    const struct content_asked *asked, Media__V1__ContentBytes *out) TRL_MUST_CHECK;

/* show.c: fills in the variants of files that are shown; as url only the canonical text
 * of their options. Errors: faults. */
enum trl_code variant_show(
    struct media *self, trl_ctx *ctx, media_file **files, size_t n) TRL_MUST_CHECK;
