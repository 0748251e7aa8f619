/* link.c - links: rows that can be taken away, and the URLs that name them. A link
 * opens one file, or what is made of it, and opens nothing once its row is gone. */
#include <string.h>

#include <trl/page.h>

#include "content/content.h"
#include "file/file.h"
#include "variant/variant.h"
#include "link/link.h"

enum { MINUTE_S = 60, DEFAULT_S = 3600 };

const char *
link_url(
    const struct media *self, trl_ctx *ctx, const media_file *file, const char *options)
{
	const struct link_claim claim = { .tenant = ctx->tenant,
		.file = trl_value_id(file->id),
		.options = options };

	return link_sign(ctx->arena, self->link_keys, &claim);
}

/* The file, if the caller may create links to it.
 * Errors: TRL_NOT_FOUND, TRL_DENIED. */
static enum trl_code
read_file(struct media *self, trl_ctx *ctx, ProtobufCBinaryData id, media_file *file)
{
	enum trl_code rc = file_read(self, ctx, trl_value_id(id), file);

	if (rc == TRL_OK && file->state == MEDIA__V1__FILE__STATE__deleted)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such file.");
	if (rc == TRL_OK && !media_may_change(ctx, trl_value_id(file->maker)))
		rc = trl_fail(ctx, TRL_DENIED,
		    "Only whoever made this file may create links to it.");
	return rc;
}

/* A link of another file is none of this path. */
static enum trl_code
judge_delete(struct media *self, trl_ctx *ctx, const Media__V1__DeleteLinkRequest *in,
    const Media__V1__Link *before)
{
	media_file file = MEDIA__V1__FILE__INIT;

	if (!trl_id_eq(trl_value_id(in->file_id), trl_value_id(before->file_id)))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such link.");
	return read_file(self, ctx, before->file_id, &file);
}

/* Wall microseconds; a whole minute, which is not before what was asked for. */
static int64_t
expiry(trl_ctx *ctx, const Media__V1__CreateLinkRequest *asked)
{
	const int64_t end_s = trl_now(ctx) / 1000000 +
			      (asked->has_expires_in ? asked->expires_in : DEFAULT_S);

	return (end_s + MINUTE_S - 1) / MINUTE_S * MINUTE_S * INT64_C(1000000);
}

/* Errors: TRL_NOT_FOUND, TRL_DENIED, TRL_CONFLICT (the file is not ready), TRL_INVALID
 * (options, or the file is no picture). */
enum trl_code
media_judge_link(struct media *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const Media__V1__Link *before, Media__V1__Link *after)
{
	const Media__V1__CreateLinkRequest *asked =
	    (const Media__V1__CreateLinkRequest *)in;
	media_file file = MEDIA__V1__FILE__INIT;
	enum trl_code rc;

	if (before)
		return judge_delete(
		    self, ctx, (const Media__V1__DeleteLinkRequest *)in, before);
	rc = read_file(self, ctx, after->file_id, &file);
	if (rc == TRL_OK)
		rc = content_ready(ctx, &file);
	if (rc != TRL_OK)
		return rc;
	after->options = (char *)LINK_WHOLE;
	if (asked->options) {
		const char *options;

		rc = variant_options_check(self, ctx, &file, asked->options, &options);
		if (rc != TRL_OK)
			return rc;
		after->options = (char *)(uintptr_t)options;
	}
	after->expires_at = trl_value_time(ctx, expiry(ctx, asked));
	return TRL_OK;
}

/* Those of the same file that have expired go with the next one. What comes at the same
 * moment may pass the bounds by a few. */
void
media_join_link(struct media *self, trl_ctx *ctx, trl_batch *work,
    const Media__V1__Link *before, const Media__V1__Link *after)
{
	const struct trl_arg tenant = TRL_ARG_ID("tenant_id", ctx->tenant);

	(void)self;
	if (before)
		return;
	trl_batch_add(work, &media_sql_link_expire, &after->base, tenant,
	    TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_add(work, &media_sql_link_room, &after->base, tenant);
	if (strcmp(after->options, LINK_WHOLE) != 0)
		trl_batch_add(work, &media_sql_link_sizes, &after->base, tenant);
}

enum trl_code
media_show_link(struct media *self, trl_ctx *ctx, Media__V1__Link **links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct link_claim claim = {
			.expires = (uint64_t)links[i]->expires_at->seconds,
			.tenant = ctx->tenant,
			.file = trl_value_id(links[i]->file_id),
			.options = links[i]->options,
			.link = trl_value_id(links[i]->id),
		};

		links[i]->url =
		    (char *)(uintptr_t)link_sign(ctx->arena, self->link_keys, &claim);
	}
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND, TRL_DENIED, TRL_INVALID (page_token). */
enum trl_code
media_list_links(struct media *self, trl_ctx *ctx,
    const Media__V1__ListLinksRequest *in, Media__V1__ListLinksReply *out)
{
	media_file file = MEDIA__V1__FILE__INIT;
	struct trl_page page;
	enum trl_code rc;

	rc = read_file(self, ctx, in->file_id, &file);
	if (rc == TRL_OK)
		rc = trl_page_open(ctx, "media.links", trl_value_id(in->file_id),
		    in->page_size, in->page_token, &page);
	if (rc == TRL_OK)
		rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
		    &media_sql_link_live, &in->base, &out->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("before", trl_page_before(&page)),
		    TRL_ARG_TIME("now", trl_now(ctx)),
		    TRL_ARG_INT("limit", page.size + 1));
	if (rc != TRL_OK)
		return rc;
	trl_page_cut(ctx, &page, page.size, "id", &out->base);
	return media_show_link(self, ctx, out->items, out->n_items);
}
