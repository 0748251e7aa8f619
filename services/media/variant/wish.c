/* wish.c - see wish.h. */
#include "variant/wish.h"

#include <string.h>

#include <trl/log.h>

#include "file/file.h"
#include "variant/variant.h"

/* Per picture: two of each size that its links ask for (sql/query/link_sizes.sql),
 * since f_auto is WebP or a format that every client knows. */
enum { WISHES_MAX = 64 };

/* Takes the oldest rendition on demand, other than the key's, out of there. NULL: there
 * are no more than may stay. */
static media_rendition *
take_oldest_wish(const struct media *self, const media_file *file, const char *key,
    Media__V1__Renditions *there)
{
	media_rendition **oldest = NULL, *taken;
	size_t wishes = 0;

	for (size_t i = 0; i < there->n_items; i++) {
		media_rendition *each = there->items[i];

		if (strcmp(each->key, key) == 0 ||
		    variant_is_named(self, file->collection, file->type, each->key))
			continue;
		wishes++;
		if (!oldest || trl_value_time_us(each->created_at) <
				   trl_value_time_us((*oldest)->created_at))
			oldest = &there->items[i];
	}
	if (wishes < WISHES_MAX)
		return NULL;
	taken = *oldest;
	*oldest = there->items[--there->n_items];
	return taken;
}

enum trl_code
wish_make_room(struct media *self, trl_ctx *ctx, struct trl_id id, const char *key,
    Media__V1__Renditions *gone)
{
	media_file *file = media_v1_file_new(ctx);
	Media__V1__Renditions *there = media_v1_renditions_new(ctx);
	media_rendition *oldest;
	enum trl_code rc = file_find(self, ctx, id, file);

	if (rc != TRL_OK || variant_is_named(self, file->collection, file->type, key))
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_rendition_list, NULL, &there->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_IDS("file_ids", &id, 1));
	if (rc != TRL_OK)
		return rc;
	gone->items =
	    trl_arena_alloc(ctx->arena, (there->n_items + 1) * sizeof(void *));
	while ((oldest = take_oldest_wish(self, file, key, there)))
		gone->items[gone->n_items++] = oldest;
	return TRL_OK;
}

void
wish_remove(struct media *self, trl_ctx *ctx, struct trl_id file,
    const Media__V1__Renditions *gone)
{
	for (size_t i = 0; i < gone->n_items; i++) {
		const struct store_object object = { ctx->tenant, file,
			gone->items[i]->key };

		if (store_remove(ctx, self->store, &object) != TRL_OK)
			trl_log_err(ctx);
		trl_err_clear(ctx);
	}
}
