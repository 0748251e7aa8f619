/* open.c - media.GetSigned: bytes for whoever has a URL that we signed. A URL that we
 * did not sign costs a hash and no look at anything; one that we did is looked up each
 * time, so that revoking a link works everywhere at once. */
#include <string.h>

#include "content/content.h"
#include "link/link.h"
#include "variant/variant.h"

/* Errors: TRL_DENIED, TRL_GONE. */
static enum trl_code
read_claim(struct media *self, trl_ctx *ctx, const Media__V1__GetSignedRequest *in,
    struct link_claim *claim)
{
	const struct link_path path = { in->signature, in->key, in->expires, in->tenant,
		in->file, in->options, in->link };

	if (!link_read(self->link_keys, &path, claim))
		return trl_fail(ctx, TRL_DENIED, "This link was altered.");
	if (claim->expires && claim->expires <= (uint64_t)(trl_now(ctx) / 1000000))
		return trl_fail(ctx, TRL_GONE, "This link has expired.");
	return TRL_OK;
}

/* Reads the file that it opens, and the link if it names one.
 * Errors: TRL_NOT_FOUND, TRL_GONE, TRL_CONFLICT (the file is not ready). */
static enum trl_code
read_rows(struct media *self, trl_ctx *ctx, const struct link_claim *claim,
    media_file *file, Media__V1__Link *link)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(claim->tenant));
	const struct trl_arg tenant = TRL_ARG_ID("tenant_id", claim->tenant);
	const struct collection *collection;
	enum trl_code rc;

	if (!trl_id_is_nil(claim->link))
		trl_batch_get(work, &media_sql_link_open, NULL, &link->base, tenant,
		    TRL_ARG_ID("id", claim->link), TRL_ARG_ID("file_id", claim->file));
	trl_batch_get(work, &media_sql_file_get, NULL, &file->base, tenant,
	    TRL_ARG_ID("id", claim->file));
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = content_ready(ctx, file);
	if (rc != TRL_OK)
		return rc;
	if (!trl_id_is_nil(claim->link) && !link->has_version)
		return trl_fail(ctx, TRL_GONE, "This link was revoked.");
	collection = collections_find(self->collections, file->collection);
	if (!claim->expires &&
	    (!collection || collection->visibility != COLLECTION_PUBLIC))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	return TRL_OK;
}

static enum content_cache
cache_of(const struct link_claim *claim)
{
	return !claim->expires              ? CONTENT_PUBLIC
	       : trl_id_is_nil(claim->link) ? CONTENT_SIGNED
					    : CONTENT_LINKED;
}

enum trl_code
media_get_signed(struct media *self, trl_ctx *ctx,
    const Media__V1__GetSignedRequest *in, Media__V1__ContentBytes *out)
{
	const struct content_asked asked = CONTENT_ASKED(in);
	Media__V1__Link link = MEDIA__V1__LINK__INIT;
	media_file file = MEDIA__V1__FILE__INIT;
	struct link_claim claim;
	struct content what;
	enum trl_code rc;

	rc = read_claim(self, ctx, in, &claim);
	if (rc == TRL_OK)
		rc = read_rows(self, ctx, &claim, &file, &link);
	if (rc != TRL_OK)
		return rc;
	ctx->tenant = claim.tenant; /* as the signature allows */
	what = content_of_file(self, ctx, &file);
	what.permission = 0; /* whoever has the URL */
	what.cache = cache_of(&claim);
	if (claim.expires)
		what.left_s = claim.expires - (uint64_t)(trl_now(ctx) / 1000000);
	if (strcmp(claim.options, LINK_WHOLE) != 0) {
		what.is_inline = !link.download;
		return variant_give(
		    self, ctx, &file, claim.options, what, in->accept, &asked, out);
	}
	what.may_redirect = !trl_id_is_nil(claim.link);
	if (link.download)
		what.is_inline = false;
	return content_give(self, ctx, &what, &asked, out);
}
