/* s3_guard.c - whose bucket it is. Two installations in one would sweep away each
 * other's files, for neither has rows of them. So the bucket holds an id in the object
 * trellis-media, and the one row of store_directory says which. The row is written
 * first, for of several replicas only one can; a row that is older and finds no id is
 * about another bucket. Asked before the first request, until it is known. */
#include "s3.h"

#include <stdio.h>
#include <string.h>

#include <media_v1.trl.h>

#include <trl/batch.h>
#include <trl/log.h>
#include <trl/value.h>

#include "media_sql.h"

enum { FRESH_US = 600000000 };

static enum trl_code
refuse(trl_ctx *ctx, struct s3_store *store, const char *why)
{
	enum trl_code rc = trl_fail(ctx, TRL_UNAVAILABLE, "the bucket %s", why);

	trl_err_retry_after(ctx, S3_AGAIN_MS);
	if (!store->refused)
		trl_log(TRL_LOG_ERROR, NULL,
		    "the bucket is not this installation's, so no bytes are taken or "
		    "given",
		    TRL_LOG_STR("bucket", store->prefix), TRL_LOG_STR("why", why));
	store->refused = true;
	return rc;
}

static enum trl_code
read_mark(trl_ctx *ctx, struct s3_store *store, bool *marked, struct trl_id *id)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	const struct s3_ask ask = { .method = "GET", .key = S3_OWNER };
	enum trl_code rc = s3_ask(ctx, store, &ask, &answer);

	*marked = rc == TRL_OK;
	if (rc == TRL_NOT_FOUND) {
		trl_err_clear(ctx);
		return TRL_OK;
	}
	if (rc == TRL_OK &&
	    !trl_id_parse((const char *)answer.body.data,
		answer.body.len < TRL_ID_TEXT - 1 ? answer.body.len : TRL_ID_TEXT - 1,
		id))
		rc = refuse(ctx, store, "has an object trellis-media without an id");
	return rc;
}

static enum trl_code
write_mark(trl_ctx *ctx, struct s3_store *store, struct trl_id id)
{
	char text[TRL_ID_TEXT + 1];
	const struct s3_ask ask = { .method = "PUT",
		.key = S3_OWNER,
		.type = "text/plain",
		.body = text,
		.body_len = TRL_ID_TEXT };

	trl_id_format(id, text);
	strcat(text, "\n");
	return s3_there(ctx, s3_do(ctx, store, &ask));
}

/* Of several at once one has its row; the others come again and find it. */
static enum trl_code
claim(trl_ctx *ctx, struct s3_store *store, struct trl_id id)
{
	trl_batch *work = trl_batch_new(ctx, store->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_add(work, &media_sql_store_claim, NULL, TRL_ARG_ID("id", id),
	    TRL_ARG_TIME("now", trl_wall_us()));
	rc = trl_batch_write_unrecorded(work);
	if (rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	rc = trl_fail(ctx, TRL_UNAVAILABLE, "another process is claiming the bucket");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

static enum trl_code
take(trl_ctx *ctx, struct s3_store *store, const Media__V1__StoreRow *row)
{
	const struct trl_id id = row->has_id ? trl_value_id(row->id) : trl_id_random();
	enum trl_code rc = TRL_OK;

	if (row->has_id &&
	    trl_wall_us() - trl_value_time_us(row->created_at) > FRESH_US)
		return refuse(ctx, store,
		    "holds no files of this installation: it has no object "
		    "trellis-media; copy it from where the files lay before");
	if (!row->has_id)
		rc = claim(ctx, store, id);
	return rc == TRL_OK ? write_mark(ctx, store, id) : rc;
}

enum trl_code
s3_make_sure(trl_ctx *ctx, media_store *base)
{
	struct s3_store *store = (struct s3_store *)base;
	Media__V1__StoreRow *row = media_v1_store_row_new(ctx);
	struct trl_id id = trl_id_nil;
	bool marked = false;
	enum trl_code rc = trl_batch_get_one(
	    ctx, store->pg, TRL_SCOPE_NOBODY, &media_sql_store_owner, NULL, &row->base);

	if (rc == TRL_OK)
		rc = read_mark(ctx, store, &marked, &id);
	if (rc == TRL_OK && !marked)
		rc = take(ctx, store, row);
	else if (rc == TRL_OK && !(row->has_id && trl_id_eq(id, trl_value_id(row->id))))
		rc = refuse(ctx, store,
		    "holds files of another installation: its object trellis-media has "
		    "another id; give each a bucket of its own, or remove that object "
		    "where the other one is no more");
	if (rc == TRL_OK)
		base->sure = true;
	return rc;
}
