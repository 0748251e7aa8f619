/* end.c - an upload ends before it is a file, or long after. The row goes first, with
 * its room: bytes that a process leaves behind when it dies here are the sweep's. */
#include <trl/log.h>

#include "upload/methods.h"
#include "upload/writer.h"

static bool
has_bytes(const upload_row *row)
{
	return !row->finished_at || (row->concat && !upload_is_final(row));
}

enum trl_code
upload_remove(
    struct media *self, trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply)
{
	const struct trl_id id = trl_value_id(row->id);
	const struct store_object object = upload_object(ctx->tenant, id);
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	enum trl_code rc;

	trl_batch_add(work, &media_sql_upload_delete, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id),
	    TRL_ARG_INT("generation", row->generation),
	    TRL_ARG_INT("reserved", row->reserved));
	quota_release(work, (uint64_t)row->reserved);
	rc = reply ? quota_write(self, work, NULL, reply)
		   : quota_write_unrecorded(self, work, NULL);
	if (rc != TRL_OK || !has_bytes(row))
		return rc;
	rc = store_abandon(ctx, self->store, &object);
	if (rc != TRL_OK) { /* it is so for whoever asks; the sweep takes the bytes */
		trl_log_err(ctx);
		trl_err_clear(ctx);
	}
	return TRL_OK;
}

enum trl_code
upload_expire(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	return upload_remove(self, ctx, row, NULL);
}
