/* media.GetUpload, PatchUpload, DeleteUpload - existing uploads, by tus 1.0.0, whose
 * version the edge has checked. */

#include <trl/log.h>
#include <trl/stream.h>

#include "upload/create.h"
#include "upload/end.h"
#include "upload/finish.h"
#include "upload/length.h"
#include "upload/row.h"
#include "upload/tus.h"
#include "upload/writer.h"

enum { AGAIN_MS = 1000, DELETE_TRIES = 3, POLL_MS = 20 };

/* Whether it cannot be finished because its collection is no longer configured. That
 * may change, so the bytes stay; but its owner need not wait for it. */
static bool
is_unconfigured(const struct media *self, const upload_row *row, enum trl_code why)
{
	return why == TRL_UNAVAILABLE && !row->concat &&
	       !collections_find(self->collections, row->collection);
}

static enum trl_code
say_unconfigured(trl_ctx *ctx, const upload_row *row)
{
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_GONE,
	    "The collection %s no longer exists, so this upload cannot become a file: "
	    "begin a new one in another collection. You can delete this one, and so "
	    "can whoever manages files.",
	    row->collection);
}

/* Finishes what a process that died has left. That this fails at the moment, or that
 * another is about to do it, says nothing about how far the upload came. */
static enum trl_code
finish_left(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	enum trl_code rc = TRL_OK;

	if (upload_is_whole(row) && !row->finished_at)
		rc = upload_try_finish(self, ctx, trl_value_id(row->id));
	if (rc == TRL_OK)
		return rc;
	if (is_unconfigured(self, row, rc))
		return say_unconfigured(ctx, row);
	if (trl_is_fault(rc))
		trl_log_err(ctx);
	trl_err_clear(ctx);
	if (rc == TRL_UNSUPPORTED_MEDIA_TYPE || rc == TRL_GONE)
		return trl_fail(ctx, TRL_GONE, "The upload has ended.");
	return TRL_OK;
}

enum trl_code
media_get_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__GetUploadRequest *in, Media__V1__UploadProgress *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	bool pending = false;
	enum trl_code rc = upload_look(self, ctx, trl_value_id(in->upload_id), row);

	if (rc == TRL_OK)
		rc = finish_left(self, ctx, row);
	if (rc == TRL_OK && upload_is_final(row))
		rc = upload_is_pending(self, ctx, row, &pending);
	if (rc != TRL_OK)
		return rc;
	if (!pending) /* a final one has no offset until its parts are assembled */
		trl_set(out, upload_offset, (uint64_t)row->received);
	if (row->has_length)
		trl_set(out, upload_length, (uint64_t)row->length);
	else
		out->upload_defer_length = (char *)"1";
	out->upload_metadata = row->metadata;
	out->upload_concat = row->concat;
	out->upload_expires = row->expires_at;
	return TRL_OK;
}

/* The upload is complete: a body can only exceed it. */
static enum trl_code
expect_nothing(trl_ctx *ctx, const struct upload_body *body)
{
	struct trl_piece piece = { .len = 0 };
	enum trl_code rc = TRL_OK;

	if (body->length != 0 && trl_stream_of(ctx))
		rc = trl_stream_read(ctx, trl_stream_of(ctx), &piece);
	if (rc == TRL_OK && piece.len > 0)
		rc = trl_fail(
		    ctx, TRL_TOO_LARGE, "The upload has all of its bytes already.");
	return rc == TRL_OK ? digests_tell_nothing(ctx, &body->checksum, body->digest)
			    : rc;
}

/* Whoever fences a writer takes over its upload, or ends it, the next moment: waits to
 * see which, so that a client of an ended upload is not told that another continues. */
static enum trl_code
overtaken(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	const uint64_t until_us = trl_mono_us() + (uint64_t)UPLOAD_ANSWER_MS * 1000;
	const struct trl_err err = ctx->err;
	Media__V1__UploadRow *now = media_v1_upload_row_new(ctx);
	enum trl_code rc;

	trl_err_clear(ctx);
	do {
		rc = upload_find(self, ctx, trl_value_id(row->id), now);
		if (rc == TRL_OK && !now->has_id)
			return trl_fail(ctx, TRL_GONE, "The upload has ended.");
		if (rc == TRL_OK && now->generation != row->generation)
			break;
		if (rc == TRL_OK)
			rc = trl_sleep(ctx, POLL_MS);
	} while (rc == TRL_OK && trl_mono_us() < until_us);
	trl_err_clear(ctx);
	ctx->err = err;
	return err.code;
}

static enum trl_code
patch(struct media *self, trl_ctx *ctx, const Media__V1__PatchUploadRequest *in,
    const struct upload_body *body, Media__V1__PatchedUpload *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	upload_writer *writer = NULL;
	uint64_t offset = in->upload_offset;
	enum trl_code rc = upload_take(
	    self, ctx, trl_value_id(in->upload_id), offset, body, row, &writer);

	if (rc == TRL_OK && !writer) {
		rc = expect_nothing(ctx, body);
	} else if (rc == TRL_OK) {
		rc = upload_receive(ctx, &writer, &offset);
		if (rc == TRL_CONFLICT)
			rc = overtaken(self, ctx, row);
	}
	if (rc != TRL_OK)
		return rc;
	trl_set(out, upload_offset, offset);
	out->upload_expires = offset == in->upload_offset
				  ? row->expires_at
				  : trl_value_time(ctx, upload_expiry(self, ctx));
	if (row->has_length && offset == (uint64_t)row->length && !row->finished_at)
		rc = upload_finish(self, ctx, trl_value_id(in->upload_id), NULL);
	return is_unconfigured(self, row, rc) ? say_unconfigured(ctx, row) : rc;
}

enum trl_code
media_patch_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__PatchUploadRequest *in, Media__V1__PatchedUpload *out)
{
	struct upload_late late = { .taken = false };
	struct upload_body body;
	const char *why = upload_read_body(in->upload_checksum, in->content_digest,
	    in->has_content_length, in->content_length, &body);
	enum trl_code rc = TRL_OK;

	if (!why && !in->has_upload_offset)
		why = "Upload-Offset is missing.";
	if (why)
		return trl_fail(ctx, TRL_MALFORMED, "%s", why);
	trl_unchanged(ctx); /* the offset says whether it has happened */
	if (body.length == 0)
		rc = digests_tell_nothing(ctx, &body.checksum, body.digest);
	if (rc == TRL_OK && in->has_upload_length)
		rc = upload_settle_length(self, ctx, in, &body, &late);
	if (rc == TRL_OK)
		rc = patch(self, ctx, in, &body, out);
	if (late.taken &&
	    (rc == TRL_TOO_LARGE || rc == TRL_CHECKSUM || rc == TRL_MALFORMED))
		upload_unsettle_length(self, ctx, trl_value_id(in->upload_id), &late);
	return rc;
}

/* An upload of the caller's, or anybody's for those who manage files. */
static enum trl_code
read_to_end(struct media *self, trl_ctx *ctx, struct trl_id id, upload_row *row)
{
	enum trl_code rc = upload_find(self, ctx, id, row);

	if (rc == TRL_OK &&
	    (!row->has_id || !media_may_change(ctx, trl_value_id(row->uploader))))
		rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	/* A complete one that cannot become a file may be ended: the sweep waits. */
	if (rc == TRL_OK && upload_is_expired(ctx, row) &&
	    (row->finished_at || !upload_is_whole(row)))
		rc = trl_fail(ctx, TRL_GONE, "The upload has expired.");
	return rc;
}

/* *stays: a conflict will not pass by itself. */
static enum trl_code
delete_once(struct media *self, trl_ctx *ctx, struct trl_id id, bool *stays,
    Trellis__Empty *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	bool pending = false;
	enum trl_code rc = read_to_end(self, ctx, id, row);

	if (rc == TRL_OK && upload_is_final(row))
		rc = upload_is_pending(self, ctx, row, &pending);
	*stays = pending;
	if (rc == TRL_OK && pending)
		rc = trl_fail(ctx, TRL_CONFLICT,
		    "Its file is still being assembled; delete the file afterwards.");
	return rc == TRL_OK
		   ? upload_end_now(self, ctx, row, UPLOAD_FENCE_MS, &out->base)
		   : rc;
}

enum trl_code
media_delete_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__DeleteUploadRequest *in, Trellis__Empty *out)
{
	enum trl_code rc = TRL_OK;
	bool stays = false;

	for (unsigned tries = 0; rc == TRL_OK; tries++) {
		rc = delete_once(self, ctx, trl_value_id(in->upload_id), &stays, out);
		if (rc != TRL_CONFLICT || stays || tries == DELETE_TRIES)
			break;
		trl_err_clear(ctx);
		rc = TRL_OK;
		if (tries + 1 == DELETE_TRIES)
			rc = trl_sleep(ctx, AGAIN_MS);
	}
	if (rc == TRL_CONFLICT && !stays) {
		trl_err_clear(ctx);
		rc =
		    trl_fail(ctx, TRL_BUSY, "another request keeps writing the upload");
		trl_err_retry_after(ctx, AGAIN_MS);
	}
	return rc;
}
