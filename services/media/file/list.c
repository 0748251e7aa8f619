/* media.ListFiles - what the caller sees of an organisation's files, by what is asked
 * of them, page by page in one of six orders. What is asked for is said once, by the
 * schema's function file_asked. */
#include <string.h>

#include <trl/page.h>

#include "file/file.h"

/* An order: its statement, and what its rows come one behind the other by. */
static const struct order {
	const char *list; /* names its pages' tokens */
	const struct trl_sql *sql;
	enum { BY_TIME, BY_SIZE, BY_NAME } by;
} orders[][2] = {
	{ { "media.files.oldest", &media_sql_file_list_oldest, BY_TIME },
	    { "media.files.newest", &media_sql_file_list_newest, BY_TIME } },
	{ { "media.files.name", &media_sql_file_list_name, BY_NAME },
	    { "media.files.name_back", &media_sql_file_list_name_back, BY_NAME } },
	{ { "media.files.smallest", &media_sql_file_list_smallest, BY_SIZE },
	    { "media.files.largest", &media_sql_file_list_largest, BY_SIZE } },
};

/* Without a word: the newest first; names from A on; the largest first. */
static const struct order *
order_of(const Media__V1__ListFilesRequest *in)
{
	const int sort =
	    in->has_sort ? in->sort : MEDIA__V1__FILE_ORDER__BY__created_at;
	const bool falls = in->has_order ? in->order == MEDIA__V1__FILE_ORDER__WAY__desc
					 : sort != MEDIA__V1__FILE_ORDER__BY__name;

	return &orders[sort - 1][falls];
}

static bool
manages(const trl_ctx *ctx)
{
	return trl_may(ctx, TRL_MAY_MEDIA_FILE_MANAGE);
}

/* The collections whose files everybody sees who may read any, as far as they are asked
 * for. NULL: none is, and the caller's own are all; or they manage files and see all.
 */
static struct trl_arg
shown_of(const struct media *self, trl_ctx *ctx, const Media__V1__ListFilesRequest *in)
{
	const bool trash =
	    in->has_state && in->state == MEDIA__V1__FILE__STATE__deleted;
	size_t all, n = 0;
	const struct collection *list = collections_all(self->collections, &all);
	const char **shown = trl_arena_alloc(ctx->arena, (all + 1) * sizeof *shown);

	for (size_t i = 0; i < all && !trash && !manages(ctx); i++)
		if (list[i].visibility != COLLECTION_PRIVATE &&
		    (!in->collection || strcmp(in->collection, list[i].name) == 0))
			shown[n++] = list[i].name;
	return n > 0 ? TRL_ARG_TEXTS("shown", shown, n) : TRL_ARG_NULL("shown");
}

static struct trl_arg
text(const char *name, const char *value)
{
	return value ? TRL_ARG_TEXT(name, value) : TRL_ARG_NULL(name);
}

static struct trl_arg
at(const char *name, const Google__Protobuf__Timestamp *value)
{
	return value ? TRL_ARG_TIME(name, trl_value_time_us(value))
		     : TRL_ARG_NULL(name);
}

static enum trl_code
read_page(struct media *self, trl_ctx *ctx, const Media__V1__ListFilesRequest *in,
    const struct order *order, const struct trl_page *page,
    Media__V1__ListFilesReply *out)
{
	const bool begun = !trl_id_is_nil(page->after);
	struct trl_arg key = TRL_ARG_INT("number", page->after_number);

	if (order->by == BY_TIME)
		key = TRL_ARG_TIME("at", page->after_number);
	else if (order->by == BY_NAME)
		key = TRL_ARG_TEXT("text", page->after_text);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    order->sql, NULL, &out->base, TRL_ARG_ID("tenant_id", ctx->tenant),
	    text("collection", in->collection), text("type", in->type),
	    in->has_state ? TRL_ARG_TEXT("state", media_v1_file_state_name(in->state))
			  : TRL_ARG_NULL("state"),
	    text("name", in->name), at("created_after", in->created_after),
	    at("created_before", in->created_before),
	    TRL_ARG_ID("me", media_caller(ctx)), TRL_ARG_BOOL("manages", manages(ctx)),
	    shown_of(self, ctx, in), key,
	    begun ? TRL_ARG_ID("after", page->after) : TRL_ARG_NULL("after"),
	    TRL_ARG_INT("limit", page->size + 1));
}

static char *
token_behind(trl_ctx *ctx, const struct trl_page *page, const struct order *order,
    const media_file *last)
{
	const struct trl_id id = trl_value_id(last->id);

	switch (order->by) {
	case BY_NAME:
		return trl_page_token_text_id(ctx, page, last->name, id);
	case BY_SIZE:
		return trl_page_token_number_id(ctx, page, (int64_t)last->size, id);
	default:
		return trl_page_token_number_id(
		    ctx, page, trl_value_time_us(last->created_at), id);
	}
}

/* No file has such a name, and no collection. */
static enum trl_code
refuse_empty(trl_ctx *ctx, const char *field, const char *value)
{
	if (!value || *value)
		return TRL_OK;
	return trl_fail_field(
	    ctx, TRL_INVALID, field, "Leave %s out, or say which.", field);
}

/* Errors: TRL_INVALID (name, collection, page_token). */
enum trl_code
media_list_files(struct media *self, trl_ctx *ctx,
    const Media__V1__ListFilesRequest *in, Media__V1__ListFilesReply *out)
{
	const struct order *order = order_of(in);
	struct trl_page page;
	enum trl_code rc = refuse_empty(ctx, "name", in->name);

	if (rc == TRL_OK)
		rc = refuse_empty(ctx, "collection", in->collection);
	if (rc == TRL_OK)
		rc = trl_page_open(ctx, order->list, ctx->tenant, in->page_size,
		    in->page_token, &page);
	if (rc == TRL_OK)
		rc = read_page(self, ctx, in, order, &page, out);
	if (rc != TRL_OK)
		return rc;
	if (out->n_items > page.size) {
		out->n_items = page.size;
		out->next_page_token =
		    token_behind(ctx, &page, order, out->items[page.size - 1]);
	}
	return media_show_file(self, ctx, out->items, out->n_items);
}
