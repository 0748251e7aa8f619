/* give.c - media.GetVariant, and serving renditions. */
#include "variant/variant.h"

#include <string.h>

#include "file/file.h"
#include "kinds/kinds.h"
#include "variant/renderer.h"

enum { COME_AGAIN_MS = 1000 };

/* The options of a collection's named variant. NULL: it has none of this name. */
static const char *
named(const struct media *self, const char *collection, const char *name)
{
	const struct collection *found =
	    collections_find(self->collections, collection);

	for (size_t i = 0; found && i < found->n_variants; i++)
		if (strcmp(found->variants[i].name, name) == 0)
			return found->variants[i].options;
	return NULL;
}

static bool
is_picture(const struct media *self, const media_file *file)
{
	const struct kind kind = kinds_of(file->type);

	return kind.picture && (!kind.heif || self->config->heif);
}

enum trl_code
variant_options_check(struct media *self, trl_ctx *ctx, const media_file *file,
    const char *text, const char **canonical)
{
	const char *by_name = named(self, file->collection, text), *wrong;
	char *written = trl_arena_alloc(ctx->arena, OPTIONS_TEXT_MAX);
	struct options options;

	wrong = options_read(by_name ? by_name : text, &options);
	if (!wrong && !by_name && options.format == PICTURE_AVIF)
		wrong = "AVIF is made only for variants that the collection names";
	if (!wrong && !is_picture(self, file))
		wrong = "this file is not a picture that can be rendered";
	if (wrong)
		return trl_fail_field(ctx, TRL_INVALID, "options",
		    "These options are not valid: %s.", wrong);
	options_write(&options, written);
	*canonical = written;
	return TRL_OK;
}

/* Finds or makes what is served: options or, if that is AVIF and not made yet, the same
 * as WebP. */
static enum trl_code
find_or_make(struct media *self, trl_ctx *ctx, struct trl_id file,
    struct options *options, bool *meanwhile, media_rendition *out)
{
	enum trl_code rc = made_find(self, ctx, file, options, out);

	if (rc == TRL_OK && !out->etag && options->format == PICTURE_AVIF) {
		options->format = PICTURE_WEBP;
		*meanwhile = true;
		rc = made_find(self, ctx, file, options, out);
	}
	if (rc == TRL_OK && !out->etag)
		rc = made_make(self, ctx, file, options, out);
	return rc;
}

/* It could not be served. If the store has lost it, the next request makes it again. */
static enum trl_code
after_loss(struct media *self, trl_ctx *ctx, const media_rendition *made,
    const struct store_object *object)
{
	const struct trl_err err = ctx->err;
	trl_batch *work;
	uint64_t size;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = store_size(ctx, self->store, object, &size);
	if (rc != TRL_NOT_FOUND) {
		ctx->err = err;
		return TRL_INTERNAL;
	}
	trl_err_clear(ctx);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_rendition_forget, &made->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	rc = trl_batch_write_unrecorded(work);
	if (rc != TRL_OK)
		return rc;
	rc = trl_fail(
	    ctx, TRL_UNAVAILABLE, "a rendition's bytes are gone: %s", made->key);
	trl_err_retry_after(ctx, COME_AGAIN_MS);
	return rc;
}

/* The file's name, with the extension of the new type. */
static const char *
name_of(trl_ctx *ctx, const char *name, const char *type)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	const char *ending = strchr(type, '/') + 1;

	if (!name)
		return NULL;
	return trl_arena_printf(ctx->arena, "%.*s.%s",
	    dot && dot > name ? (int)(dot - name) : (int)strlen(name), name,
	    strcmp(ending, "jpeg") == 0 ? "jpg" : ending);
}

static enum trl_code
give_made(struct media *self, trl_ctx *ctx, const media_rendition *made,
    struct content *what, const struct content_asked *asked,
    Media__V1__ContentBytes *out)
{
	what->object.part = made->key;
	what->type = made->type;
	what->size = made->size;
	what->sha256 = NULL;
	what->etag = made->etag;
	what->modified_us = trl_value_time_us(made->created_at);
	what->name = name_of(ctx, what->name, made->type);
	return content_give(self, ctx, what, asked, out);
}

/* Errors: TRL_NOT_FOUND. */
static enum trl_code
read_options(struct media *self, trl_ctx *ctx, const media_file *file, const char *text,
    struct options *out)
{
	const char *by_name = named(self, file->collection, text);

	if (!is_picture(self, file))
		return trl_fail(ctx, TRL_NOT_FOUND,
		    "This file is %s, which has no variants.", file->type);
	if (options_read(by_name ? by_name : text, out))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such variant.");
	if (file->reason)
		return trl_fail(ctx, TRL_INVALID, "%s", file->reason);
	return renderer_takes(ctx, file);
}

/* Whether the format hangs on what is not known of the picture yet. */
static bool
may_be_another(
    const struct options *options, const media_file *file, const char *accept)
{
	const struct options_picture full = { .type = file->type },
				     clear = { .type = file->type, .has_alpha = true };

	return !file->has_width && options_decided(options, &full, accept).format !=
				       options_decided(options, &clear, accept).format;
}

enum trl_code
variant_give(struct media *self, trl_ctx *ctx, const media_file *file, const char *text,
    struct content what, const char *accept, const struct content_asked *asked,
    Media__V1__ContentBytes *out)
{
	const struct trl_id id = trl_value_id(file->id);
	media_rendition *made = media_v1_rendition_new(ctx);
	const struct options_picture of = variant_picture(file);
	struct options options;
	bool meanwhile;
	enum trl_code rc = read_options(self, ctx, file, text, &options);

	if (rc != TRL_OK)
		return rc;
	what.by_accept = options.automatic;
	meanwhile = may_be_another(&options, file, accept);
	options = options_decided(&options, &of, accept);
	rc = find_or_make(self, ctx, id, &options, &meanwhile, made);
	if (rc != TRL_OK)
		return rc;
	if (meanwhile) /* AVIF will replace it soon */
		what.cache = CONTENT_MINE;
	rc = give_made(self, ctx, made, &what, asked, out);
	return rc == TRL_INTERNAL ? after_loss(self, ctx, made, &what.object) : rc;
}

/* With a session: only variants that the collection names. */
enum trl_code
media_get_variant(struct media *self, trl_ctx *ctx,
    const Media__V1__GetVariantRequest *in, Media__V1__ContentBytes *out)
{
	const struct content_asked asked = CONTENT_ASKED(in);
	media_file file = MEDIA__V1__FILE__INIT;
	struct content what;
	enum trl_code rc = file_read(self, ctx, trl_value_id(in->file_id), &file);

	if (rc == TRL_OK)
		rc = content_ready(ctx, &file);
	if (rc == TRL_OK && !named(self, file.collection, in->variant))
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such variant.");
	if (rc != TRL_OK)
		return rc;
	what = content_of_file(self, ctx, &file);
	what.is_inline = true; /* whatever comes out is a picture */
	return variant_give(
	    self, ctx, &file, in->variant, what, in->accept, &asked, out);
}
