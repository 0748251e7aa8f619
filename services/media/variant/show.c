/* show.c - the variants of a file as the API shows them. */
#include "variant/variant.h"

#include <string.h>

#include "kinds/kinds.h"

/* How many variants a file is shown with. */
static size_t
variants_of(const struct media *self, const media_file *file,
    const struct collection **collection)
{
	const struct kind kind = kinds_of(file->type);

	*collection = collections_find(self->collections, file->collection);
	if (!*collection || !kind.picture || (kind.heif && !self->config->heif) ||
	    file->state != MEDIA__V1__FILE__STATE__ready || file->reason)
		return 0;
	return (*collection)->n_variants;
}

static const media_rendition *
find(const Media__V1__Renditions *made, const media_file *file, const char *key)
{
	for (size_t i = 0; i < made->n_items; i++)
		if (trl_id_eq(trl_value_id(made->items[i]->file_id),
			trl_value_id(file->id)) &&
		    strcmp(made->items[i]->key, key) == 0)
			return made->items[i];
	return NULL;
}

static Media__V1__Variant *
show_one(trl_ctx *ctx, const media_file *file, const struct collection_variant *variant,
    const Media__V1__Renditions *made)
{
	Media__V1__Variant *out = media_v1_variant_new(ctx);
	char *text = trl_arena_alloc(ctx->arena, OPTIONS_TEXT_MAX);
	char key[OPTIONS_TEXT_MAX];
	const struct options_picture of = variant_picture(file);
	struct options options;
	const media_rendition *there;

	trl_assert(!options_read(variant->options, &options)); /* variants_check */
	options_write(&options, text);
	options = options_decided(&options, &of, "image/webp");
	options_key(&options, key);
	there = find(made, file, key);
	out->name = (char *)(uintptr_t)variant->name;
	out->url = text;
	out->type = (char *)(uintptr_t)options_type(options.format);
	trl_set(out, made, there != NULL);
	if (!there)
		return out;
	trl_set(out, width, there->width);
	trl_set(out, height, there->height);
	trl_set(out, size, there->size);
	return out;
}

static void
show_all(const struct media *self, trl_ctx *ctx, media_file *file,
    const Media__V1__Renditions *made)
{
	const struct collection *collection;
	const size_t n = variants_of(self, file, &collection);

	if (n == 0)
		return;
	file->variants = trl_arena_alloc(ctx->arena, n * sizeof(void *));
	for (file->n_variants = 0; file->n_variants < n; file->n_variants++)
		file->variants[file->n_variants] =
		    show_one(ctx, file, &collection->variants[file->n_variants], made);
}

enum trl_code
variant_show(struct media *self, trl_ctx *ctx, media_file **files, size_t n)
{
	struct trl_id *ids = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *ids);
	Media__V1__Renditions *made = media_v1_renditions_new(ctx);
	const struct collection *collection;
	size_t pictures = 0;
	enum trl_code rc;

	for (size_t i = 0; i < n; i++)
		if (variants_of(self, files[i], &collection) > 0)
			ids[pictures++] = trl_value_id(files[i]->id);
	if (pictures == 0)
		return TRL_OK;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_rendition_list, NULL, &made->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_IDS("file_ids", ids, pictures));
	for (size_t i = 0; rc == TRL_OK && i < n; i++)
		show_all(self, ctx, files[i], made);
	return rc;
}
