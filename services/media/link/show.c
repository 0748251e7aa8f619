/* show.c - what is shown of files beside their rows: where they can be fetched. */
#include "link/link.h"
#include "variant/variant.h"

static bool
is_public(const struct media *self, const media_file *file)
{
	return media_visibility(self, file->collection) ==
		   MEDIA__V1__FILE__VISIBILITY__public &&
	       file->state == MEDIA__V1__FILE__STATE__ready;
}

/* What may be fetched by anybody has a URL for ever; the rest only the route of those
 * who may read it: a URL that opens it is a link, which somebody makes and takes back.
 */
static void
show_variants(const struct media *self, trl_ctx *ctx, media_file *file)
{
	char id[TRL_ID_TEXT];

	trl_id_format(trl_value_id(file->id), id);
	for (size_t i = 0; i < file->n_variants; i++) {
		Media__V1__Variant *variant = file->variants[i];

		variant->url =
		    is_public(self, file)
			? (char *)(uintptr_t)link_url(self, ctx, file, variant->url)
			: trl_arena_printf(ctx->arena, "/api/v1/files/%s/variants/%s",
			      id, variant->name);
	}
}

enum trl_code
media_show_file(struct media *self, trl_ctx *ctx, media_file **files, size_t n)
{
	enum trl_code rc = variant_show(self, ctx, files, n);

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		trl_set(
		    files[i], visibility, media_visibility(self, files[i]->collection));
		if (is_public(self, files[i]))
			files[i]->url = (char *)(uintptr_t)link_url(
			    self, ctx, files[i], LINK_WHOLE);
		show_variants(self, ctx, files[i]);
	}
	return rc;
}
