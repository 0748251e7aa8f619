/* kept.c - see kept.h. */
#include "catalogue/kept.h"

#include <stdlib.h>

#include <trl/arena.h>
#include <trl/clock.h>

/* Nobody's turn lasts as long. */
#define REPLACED_KEPT_US (3600 * UINT64_C(1000000))

struct catalogue_kept {
	struct catalogue_kept *next; /* read before it */
	int64_t version;
	uint64_t replaced_us; /* monotonic; 0: it is the newest */
	trl_arena *arena;
	const billing_catalogue *catalogue;
};

static const struct catalogue_kept *
find(const struct billing *self, int64_t version)
{
	for (const struct catalogue_kept *at = self->kept; at; at = at->next)
		if (at->version == version)
			return at;
	return NULL;
}

static void
drop_from(struct catalogue_kept **place)
{
	struct catalogue_kept *at = TRL_TAKE(*place);

	while (at) {
		struct catalogue_kept *next = at->next;

		trl_arena_free(&at->arena);
		free(at);
		at = next;
	}
}

/* Those behind one that was replaced long ago were replaced before it. */
static void
drop_old(struct billing *self)
{
	struct catalogue_kept **place = &self->kept;
	uint64_t now = trl_mono_us();

	while (*place && ((*place)->replaced_us == 0 ||
			     now - (*place)->replaced_us < REPLACED_KEPT_US))
		place = &(*place)->next;
	drop_from(place);
}

static const struct catalogue_kept *
keep(struct billing *self, const Billing__V1__CatalogueRow *row)
{
	struct catalogue_kept *kept = calloc(1, sizeof *kept);

	trl_assert(kept != NULL);
	kept->arena = trl_arena_new(0);
	kept->version = row->version;
	kept->catalogue = (const billing_catalogue *)protobuf_c_message_unpack(
	    &billing__v1__catalogue__descriptor, trl_arena_protobuf(kept->arena),
	    row->document.len, row->document.data);
	if (!kept->catalogue) {
		drop_from(&kept);
		return NULL;
	}
	if (self->kept)
		self->kept->replaced_us = trl_mono_us();
	kept->next = self->kept;
	self->kept = kept;
	drop_old(self);
	return kept;
}

enum trl_code
catalogue_of(
    struct billing *self, trl_ctx *ctx, int64_t version, const billing_catalogue **out)
{
	Billing__V1__CatalogueRow row = BILLING__V1__CATALOGUE_ROW__INIT;
	const struct catalogue_kept *kept = find(self, version);
	enum trl_code rc;

	if (version == 0) {
		*out = billing_v1_catalogue_new(ctx);
		return TRL_OK;
	}
	if (kept) {
		*out = kept->catalogue;
		return TRL_OK;
	}
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &billing_sql_catalogue_of, NULL, &row.base,
	    TRL_ARG_INT("version", version));
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	/* Somebody may have read it meanwhile, or a newer one, which stays the newest.
	 */
	if (!find(self, version) && self->kept && self->kept->version > version)
		return catalogue_read(ctx, &row, out);
	kept = find(self, version);
	if (!kept)
		kept = keep(self, &row);
	if (!kept)
		return trl_fail(ctx, TRL_INTERNAL, "the catalogue cannot be read");
	*out = kept->catalogue;
	return TRL_OK;
}

void
catalogue_forget(struct billing *self)
{
	drop_from(&self->kept);
}
