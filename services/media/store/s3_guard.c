/* s3_guard.c - whose bucket it is. Two installations in one would sweep away each
 * other's files, for neither has rows of them. So the bucket holds an id in the object
 * trellis-media, and the one row of store_directory says which. The row is written
 * first, for of several replicas only one can, then the object, then the row says that
 * it is there (marked): until then nobody has put anything anywhere, and where whoever
 * claimed it does not come to that, another may in a minute, in whatever bucket it has.
 * A row that is marked and a bucket without the object are not about one another. Asked
 * before the first request, until it is known. */
#include "s3.h"

#include <stdio.h>
#include <string.h>

#include <media_v1.trl.h>

#include <trl/batch.h>
#include <trl/log.h>
#include <trl/value.h>

#include "media_sql.h"

enum { CLAIM_US = 60000000 };

static enum trl_code
refuse(trl_ctx *ctx, struct s3_store *store, const char *why)
{
	enum trl_code rc = trl_fail(ctx, TRL_UNAVAILABLE, "the bucket %s", why);

	trl_err_retry_after(ctx, S3_AGAIN_MS);
	if (store->base.refused[0] == '\0')
		trl_log(TRL_LOG_ERROR, NULL,
		    "the bucket is not this installation's, so no bytes are written or "
		    "read",
		    TRL_LOG_STR("bucket", store->prefix), TRL_LOG_STR("why", why));
	store_refuse(&store->base, ctx->err.message);
	return rc;
}

static enum trl_code
read_mark(trl_ctx *ctx, struct s3_store *store, bool *marked, struct store_mark *is)
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
	    !store_mark_read((const char *)answer.body.data, answer.body.len, is))
		rc = refuse(ctx, store, "has an object trellis-media without an id");
	return rc;
}

static enum trl_code
write_mark(trl_ctx *ctx, struct s3_store *store, const struct store_mark *is)
{
	char text[STORE_MARK_BYTES];
	const struct s3_ask ask = { .method = "PUT",
		.key = S3_OWNER,
		.type = "text/plain",
		.body = text,
		.body_len = store_mark_write(is, text) };

	return s3_there(ctx, s3_do(ctx, store, &ask));
}

static enum trl_code
is_being_claimed(trl_ctx *ctx)
{
	enum trl_code rc =
	    trl_fail(ctx, TRL_UNAVAILABLE, "another process is claiming the bucket");

	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

/* Of several at once one has its row; the others come again and find it. */
static enum trl_code
claim(trl_ctx *ctx, struct s3_store *store, const Media__V1__StoreRow *row)
{
	trl_batch *work = trl_batch_new(ctx, store->pg, TRL_SCOPE_NOBODY);
	const struct trl_id id = trl_id_random();
	enum trl_code rc;

	if (row->has_id)
		trl_batch_add(work, &media_sql_store_claim_anew, NULL,
		    TRL_ARG_ID("id", id), TRL_ARG_ID("before", trl_value_id(row->id)),
		    TRL_ARG_TIME("now", trl_wall_us()));
	else
		trl_batch_add(work, &media_sql_store_claim, NULL, TRL_ARG_ID("id", id),
		    TRL_ARG_TIME("now", trl_wall_us()), TRL_ARG_BOOL("marked", false));
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK)
		store->claimed = id;
	if (rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	return is_being_claimed(ctx);
}

static enum trl_code
say_marked(trl_ctx *ctx, struct s3_store *store, struct trl_id id)
{
	trl_batch *work = trl_batch_new(ctx, store->pg, TRL_SCOPE_NOBODY);

	trl_batch_add(work, &media_sql_store_marked, NULL, TRL_ARG_ID("id", id));
	return trl_batch_write_unrecorded(work);
}

static bool
is_mine(const struct s3_store *store, const Media__V1__StoreRow *row)
{
	return row->has_id && trl_id_eq(store->claimed, trl_value_id(row->id));
}

static enum trl_code
take(trl_ctx *ctx, struct s3_store *store, const Media__V1__StoreRow *row)
{
	const bool is_old =
	    row->has_id &&
	    trl_wall_us() - trl_value_time_us(row->created_at) > CLAIM_US;
	struct store_mark is = { .sweeps = row->has_id ? (uint64_t)row->sweeps : 0 };
	enum trl_code rc = TRL_OK;

	if (row->has_id && row->marked)
		return refuse(ctx, store,
		    "holds no files of this installation: it has no object "
		    "trellis-media; copy it from where the files were before");
	if (row->has_id && !is_mine(store, row) && !is_old)
		return is_being_claimed(ctx);
	if (!is_mine(store, row))
		rc = claim(ctx, store, row);
	is.id = store->claimed;
	if (rc == TRL_OK)
		rc = write_mark(ctx, store, &is);
	return rc == TRL_OK ? say_marked(ctx, store, is.id) : rc;
}

static enum trl_code
compare(trl_ctx *ctx, struct s3_store *store, const Media__V1__StoreRow *row,
    struct trl_id id)
{
	if (!row->has_id || !trl_id_eq(id, trl_value_id(row->id)))
		return refuse(ctx, store,
		    "holds files of another installation: its object trellis-media has "
		    "another id; give each a bucket of its own, or remove that object "
		    "if the other one no longer exists");
	return row->marked ? TRL_OK : say_marked(ctx, store, id);
}

enum trl_code
s3_make_sure(trl_ctx *ctx, media_store *base)
{
	struct s3_store *store = (struct s3_store *)base;
	Media__V1__StoreRow *row = media_v1_store_row_new(ctx);
	struct store_mark is = { .sweeps = 0 };
	bool marked = false;
	enum trl_code rc = trl_batch_get_one(
	    ctx, store->pg, TRL_SCOPE_NOBODY, &media_sql_store_owner, NULL, &row->base);

	if (rc == TRL_OK)
		rc = read_mark(ctx, store, &marked, &is);
	if (rc == TRL_OK)
		rc = marked ? compare(ctx, store, row, is.id) : take(ctx, store, row);
	if (rc == TRL_CONFLICT) { /* another has claimed it anew meanwhile */
		trl_err_clear(ctx);
		rc = is_being_claimed(ctx);
	}
	if (rc == TRL_OK)
		store_is_sure(base);
	return rc;
}

enum trl_code
s3_sweeps(trl_ctx *ctx, media_store *base, uint64_t *sweeps, const uint64_t *set)
{
	struct s3_store *store = (struct s3_store *)base;
	struct store_mark is = { .sweeps = 0 };
	bool marked = false;
	enum trl_code rc = read_mark(ctx, store, &marked, &is);

	if (rc == TRL_OK && !marked)
		rc = trl_fail(
		    ctx, TRL_UNAVAILABLE, "the bucket's object trellis-media is gone");
	if (rc != TRL_OK)
		return rc;
	*sweeps = is.sweeps;
	is.sweeps = set ? *set : is.sweeps;
	return set ? write_mark(ctx, store, &is) : TRL_OK;
}
