/* row.c - an upload's row: how it is made and read, and how far it has come. */
#include "upload/row.h"

#include <string.h>

#include <trl/utf8.h>

#include "kinds/kinds.h"
#include "upload/writer.h"

enum { HOUR_S = 3600, CHECKPOINT_MS = 1000, TYPE_BYTES = 127 };

int64_t
upload_expiry(const struct media *self, const trl_ctx *ctx)
{
	return trl_now(ctx) + self->config->upload_hours * HOUR_S * 1000000;
}

struct store_object
upload_object(struct trl_id tenant, struct trl_id id)
{
	return (struct store_object){ .tenant = tenant, .file = id, .part = "" };
}

bool
upload_is_final(const upload_row *row)
{
	return row->concat && strncmp(row->concat, "final;", 6) == 0;
}

bool
upload_is_whole(const upload_row *row)
{
	return row->has_length && row->length == row->received;
}

bool
upload_is_expired(const trl_ctx *ctx, const upload_row *row)
{
	return trl_value_time_us(row->expires_at) <= trl_now(ctx);
}

enum trl_code
upload_read(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out)
{
	enum trl_code rc;

	media__v1__upload_row__init(out);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id),
	    TRL_ARG_ID("uploader", media_caller(ctx)));
	if (rc == TRL_OK && !out->has_id)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	return rc;
}

/* The row as it is; a job knows only its id. */
enum trl_code
upload_find(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out)
{
	media__v1__upload_row__init(out);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_find, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));
}

enum trl_code
upload_look(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *out)
{
	upload_writer *writer =
	    upload_writer_find(self->uploads, ctx->tenant, id, media_caller(ctx));
	enum trl_code rc = TRL_OK;

	if (writer)
		rc = upload_writer_ask(ctx, writer, CHECKPOINT_MS);
	if (rc == TRL_OK)
		rc = upload_read(self, ctx, id, out);
	if (rc == TRL_OK && out->has_holder &&
	    !trl_id_eq(trl_value_id(out->holder), self->uploads->holder)) {
		rc = upload_ask_holder(ctx, self, out, NULL);
		if (rc == TRL_OK)
			rc = upload_read(self, ctx, id, out);
	}
	if (rc == TRL_OK && upload_is_expired(ctx, out))
		rc = trl_fail(ctx, TRL_GONE, "The upload has expired.");
	return rc;
}

static enum trl_code
take_name(trl_ctx *ctx, const struct upload_plan *plan, upload_row *out)
{
	out->name = trl_arena_strdup(ctx->arena, "file");
	if (!plan->name)
		return TRL_OK;
	if (strlen(plan->name) != plan->name_len)
		return trl_fail_field(
		    ctx, TRL_INVALID, "name", "A name must not have zero bytes.");
	out->name = trl_arena_strdup(ctx->arena, plan->name);
	return media_name_check(ctx, out->name);
}

/* The declared type is checked again at the end, together with the bytes. */
static enum trl_code
take_type(trl_ctx *ctx, const struct upload_plan *plan,
    const struct collection *collection, upload_row *out)
{
	const size_t len = plan->type ? strlen(plan->type) : 0;

	if (len == 0)
		return TRL_OK;
	if (len > TYPE_BYTES || trl_utf8_plain(plan->type, len, "") != len ||
	    !kinds_is_type(plan->type))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "The declared type is not a media type such as image/png.");
	out->type = trl_arena_strdup(ctx->arena, plan->type);
	if (!kinds_may_be_listed(collection->types, plan->type, out->name))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "This collection does not take files of the type %s.", plan->type);
	return TRL_OK;
}

enum trl_code
upload_row_of(
    struct media *self, trl_ctx *ctx, const struct upload_plan *plan, upload_row *out)
{
	const struct collection *collection =
	    collections_find(self->collections, plan->collection);
	enum trl_code rc;

	media__v1__upload_row__init(out);
	if (!collection)
		return trl_fail_field(
		    ctx, TRL_INVALID, "collection", "There is no such collection.");
	rc = take_name(ctx, plan, out);
	if (rc == TRL_OK)
		rc = take_type(ctx, plan, collection, out);
	if (rc == TRL_OK && plan->has_length && plan->length > collection->max_bytes)
		rc = trl_fail(ctx, TRL_TOO_LARGE,
		    "A file of the collection %s can have %llu bytes at most.",
		    collection->name, (unsigned long long)collection->max_bytes);
	trl_set(out, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	out->collection = trl_arena_strdup(ctx->arena, collection->name);
	out->metadata =
	    plan->metadata ? trl_arena_strdup(ctx->arena, plan->metadata) : NULL;
	out->concat = plan->concat ? trl_arena_strdup(ctx->arena, plan->concat) : NULL;
	if (plan->has_length)
		trl_set(out, length, (int64_t)plan->length);
	trl_set(out, received, 0);
	trl_set(out, reserved, (int64_t)plan->length);
	trl_set(out, generation, plan->writes);
	if (plan->writes)
		trl_set(out, holder, trl_value_bytes(ctx, self->uploads->holder));
	trl_set(out, uploader, trl_value_bytes(ctx, media_caller(ctx)));
	if (ctx->principal.kind == TRL_PERSON)
		trl_set(out, created_by, trl_value_bytes(ctx, ctx->principal.account));
	out->expires_at = trl_value_time(ctx, upload_expiry(self, ctx));
	return rc;
}

void
upload_add_row(trl_ctx *ctx, const upload_row *row, const struct trl_id *parts,
    size_t n_parts, const struct upload_keys *keys, trl_batch *work)
{
	const void *final = keys ? keys->final : NULL;
	const void *request = keys ? keys->request : NULL;

	trl_batch_add(work, &media_sql_upload_insert, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TIME("now", trl_now(ctx)),
	    parts ? TRL_ARG_IDS("parts", parts, n_parts) : TRL_ARG_NULL("parts"),
	    final ? TRL_ARG_BYTES("final_key", final, UPLOAD_FINAL_KEY)
		  : TRL_ARG_NULL("final_key"),
	    request ? TRL_ARG_BYTES("request_key", request, UPLOAD_REQUEST_KEY)
		    : TRL_ARG_NULL("request_key"));
}
