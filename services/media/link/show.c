/* show.c - what is shown of files beside their rows: where they can be fetched. */
#include "link/link.h"
#include "variant/variant.h"

/* Where anybody may fetch it. */
static void
show_url(const struct media *self, trl_ctx *ctx, media_file *file)
{
	const struct collection *collection =
	    collections_find(self->collections, file->collection);

	if (collection && collection->visibility == COLLECTION_PUBLIC &&
	    file->state == MEDIA__V1__FILE__STATE__ready)
		file->url = (char *)(uintptr_t)link_url(self, ctx, file, LINK_WHOLE);
}

enum trl_code
media_show_file(struct media *self, trl_ctx *ctx, media_file **files, size_t n)
{
	enum trl_code rc = variant_show(self, ctx, files, n);

	for (size_t i = 0; rc == TRL_OK && i < n; i++) {
		show_url(self, ctx, files[i]);
		for (size_t k = 0; k < files[i]->n_variants; k++) {
			Media__V1__Variant *variant = files[i]->variants[k];

			variant->url = (char *)(uintptr_t)link_url(
			    self, ctx, files[i], variant->url);
		}
	}
	return rc;
}
