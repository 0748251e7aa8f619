/* media.CreateFile - a file in one request: its bytes are the body, or the file of a
 * form. It goes the way of every upload, but nobody else knows of that one: it has no
 * length until all has come, so no job finishes it, and whatever goes wrong before the
 * answer is recorded leaves nothing of it. Only a process that dies leaves it to the
 * sweep. (Over 400 lines: bytes and forms go one way, step by step.) */
#include <string.h>
#include <strings.h>

#include <trl/stream.h>
#include <trl/utf8.h>

#include "file/file.h"
#include "form/disposition.h"
#include "form/form.h"
#include "upload/create.h"
#include "upload/end.h"
#include "upload/finish.h"
#include "upload/tus.h"
#include "upload/writer.h"

enum {
	/* What of a form may stand behind its file: at least so many bytes more than
	 * its body has, the file has not. */
	BEHIND_MAX = FORM_BESIDE_MAX + 80,
	/* The same of all of a form: before and behind it, three heads, two values. */
	BESIDE_MAX = 2 * FORM_BESIDE_MAX + 3 * (FORM_HEAD_MAX + 80) + 2 * FORM_VALUE_MAX
};

struct post {
	struct media *media;
	const Media__V1__CreateFileRequest *in;
	struct tus_metadata metadata;
	struct upload_plan plan;
	struct digest_wish wish[DIGEST_CONTENTS];
	digests *digests;   /* of the body, whatever it is */
	uint64_t length;    /* of the body; UINT64_MAX: not known */
	uint64_t read;      /* of it */
	upload_row *row;    /* NULL: there is none yet */
	upload_row *former; /* what this request had made before its process died */
	upload_writer *writer;
	const char *name_field, *collection_field;
};

static enum trl_code
malformed(trl_ctx *ctx, const char *why)
{
	return trl_fail(ctx, TRL_MALFORMED, "%s", why);
}

/* What the head says, beside the body. */
static const char *
read_head(trl_ctx *ctx, struct post *post)
{
	const Media__V1__CreateFileRequest *in = post->in;
	struct disposition disposition = { 0 };
	const struct tus_value *value;
	const char *why;

	why = tus_metadata(ctx->arena, in->upload_metadata, &post->metadata);
	if (!why && in->content_disposition)
		why = disposition_read(ctx->arena, in->content_disposition,
		    strlen(in->content_disposition), &disposition);
	if (!why && in->content_digest)
		why = digest_read_content(in->content_digest, post->wish);
	if (!why)
		why = tus_text(&post->metadata, "filetype", "type", &post->plan.type);
	if (!why)
		why = tus_text(&post->metadata, "collection", "collection",
		    &post->plan.collection);
	if (why)
		return why;
	post->length = in->has_content_length ? in->content_length : UINT64_MAX;
	post->plan.metadata = in->upload_metadata;
	if ((value = tus_value(&post->metadata, "filename", "name"))) {
		post->plan.name = value->data;
		post->plan.name_len = value->len;
	}
	if (disposition.filename) {
		post->plan.name = disposition.filename;
		post->plan.name_len = strlen(disposition.filename);
	}
	return NULL;
}

/* Whether so many bytes can be: before anything is asked for. */
static enum trl_code
check_size(trl_ctx *ctx, const struct post *post, uint64_t bytes)
{
	const struct collection *collection =
	    collections_find(post->media->collections, post->plan.collection);

	if (!collection || bytes <= collection->max_bytes)
		return TRL_OK; /* that there is none is said by upload_create */
	return trl_fail(ctx, TRL_TOO_LARGE,
	    "A file of the collection %s can have %llu bytes at most.",
	    collection->name, (unsigned long long)collection->max_bytes);
}

/* The bytes begin: of how many, where that is known. */
static enum trl_code
begin(trl_ctx *ctx, struct post *post, uint64_t length)
{
	const struct upload_body body = { .length = length, .creates = true };
	upload_row *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = TRL_OK;

	if (post->plan.type) /* parameters say nothing about what it is */
		post->plan.type = kinds_says_nothing(post->plan.type)
				      ? NULL
				      : trl_arena_strndup(ctx->arena, post->plan.type,
					    strcspn(post->plan.type, ";"));
	if (length != UINT64_MAX) {
		rc = check_size(ctx, post, length);
		post->plan.length = length; /* its room is reserved */
	}
	post->plan.writes = length != 0;
	post->plan.creates = true;
	if (rc == TRL_OK)
		rc = upload_create(post->media, ctx, &post->plan, NULL, row);
	if (rc == TRL_OK && row->finished_at)
		post->former = row; /* the body is of no interest any more */
	if (rc == TRL_OK && post->former)
		rc = trl_fail(
		    ctx, TRL_EXISTS, "This request has made its file already.");
	if (rc != TRL_OK)
		return rc;
	post->row = row;
	return post->plan.writes
		   ? upload_begun(post->media, ctx, row, &body, &post->writer)
		   : TRL_OK;
}

struct hashing {
	digests *digests;
	const uint8_t *data;
	size_t len;
};

static void
hash_on_thread(void *arg)
{
	const struct hashing *work = arg;

	digests_add(work->digests, work->data, work->len);
}

/* The next of the body. */
static enum trl_code
next(trl_ctx *ctx, struct post *post, struct trl_piece *piece)
{
	struct hashing work = { .digests = post->digests };
	enum trl_code rc;

	*piece = (struct trl_piece){ .fd = -1 };
	if (!trl_stream_of(ctx))
		return TRL_OK;
	rc = trl_stream_read(ctx, trl_stream_of(ctx), piece);
	if (rc != TRL_OK || piece->len == 0)
		return rc;
	post->read += piece->len;
	if (!post->digests)
		return TRL_OK;
	work.data = piece->data;
	work.len = piece->len;
	return trl_offload(ctx, &post->media->uploads->hashing, hash_on_thread, &work);
}

static enum trl_code
read_raw(trl_ctx *ctx, struct post *post)
{
	struct trl_piece piece;
	enum trl_code rc;

	if (post->in->content_type)
		post->plan.type = post->in->content_type;
	rc = begin(ctx, post, trl_stream_of(ctx) ? post->length : 0);
	while (rc == TRL_OK && post->writer) {
		rc = next(ctx, post, &piece);
		if (rc != TRL_OK || piece.len == 0)
			break;
		rc = upload_add(ctx, post->writer, piece.data, piece.len);
	}
	return rc;
}

static enum trl_code
take_field(trl_ctx *ctx, struct post *post, const struct form_part *part)
{
	const char **into = NULL;

	if (strcmp(part->name, "name") == 0)
		into = &post->name_field;
	else if (strcmp(part->name, "collection") == 0)
		into = &post->collection_field;
	if (!into)
		return malformed(
		    ctx, trl_arena_printf(ctx->arena,
			     "The form has a field \"%.100s\"; it may have name and "
			     "collection, before its file.",
			     trl_utf8_valid(part->name, strlen(part->name)) ? part->name
									    : "?"));
	if (*into)
		return malformed(ctx, "The form has a field twice.");
	if (!trl_utf8_valid(part->value, part->len))
		return malformed(ctx, "A field of the form is not UTF-8.");
	*into = part->value;
	return TRL_OK;
}

/* The fields before it are all there. */
static enum trl_code
begin_file(trl_ctx *ctx, struct post *post, const struct form_part *part, size_t left)
{
	const char *name = post->name_field ? post->name_field : part->filename;
	uint64_t least = 0;
	enum trl_code rc;

	if (name) {
		post->plan.name = name;
		post->plan.name_len = strlen(name);
	}
	if (post->collection_field)
		post->plan.collection = post->collection_field;
	if (part->type)
		post->plan.type = part->type;
	if (post->length != UINT64_MAX && post->length - post->read + left > BEHIND_MAX)
		least = post->length - post->read + left - BEHIND_MAX;
	rc = check_size(ctx, post, least);
	post->plan.length = least; /* so much is reserved at once */
	return rc == TRL_OK ? begin(ctx, post, UINT64_MAX) : rc;
}

/* left: what of the piece was not read yet. */
static enum trl_code
take_step(trl_ctx *ctx, struct post *post, enum form_step step,
    const struct form_part *part, size_t left)
{
	switch (step) {
	case FORM_FIELD:
		return take_field(ctx, post, part);
	case FORM_FILE:
		return begin_file(ctx, post, part, left);
	case FORM_BYTES:
		return upload_add(ctx, post->writer, part->data, part->len);
	case FORM_WRONG:
		return malformed(ctx, part->wrong);
	default:
		return TRL_OK;
	}
}

/* What is taken may be what another run of this request has reserved. */
static enum trl_code
look_for_room(trl_ctx *ctx, struct post *post, uint64_t least)
{
	uint8_t key[UPLOAD_REQUEST_KEY];
	upload_row *other = media_v1_upload_row_new(ctx);
	enum trl_code rc = quota_look(post->media, ctx, least);

	if (rc != TRL_TOO_LARGE || !upload_request_key(ctx, key))
		return rc;
	trl_err_clear(ctx);
	rc = upload_again(post->media, ctx, key, other);
	return rc == TRL_OK && !other->has_id ? quota_look(post->media, ctx, least)
					      : rc;
}

/* What the head says of a form's file, before a byte of the form is asked for: it has
 * the body's bytes but for what may stand beside them. Which collection it goes to is
 * known later, unless the head says that. */
static enum trl_code
judge_form(trl_ctx *ctx, struct post *post)
{
	const uint64_t length = post->length;
	const uint64_t least =
	    length != UINT64_MAX && length > BESIDE_MAX ? length - BESIDE_MAX : 0;
	uint64_t most = 0;
	size_t n;
	const struct collection *all = collections_all(post->media->collections, &n);

	for (size_t i = 0; i < n; i++)
		if (all[i].max_bytes > most)
			most = all[i].max_bytes;
	if (post->plan.collection && *post->plan.collection) {
		const enum trl_code rc = check_size(ctx, post, least);

		if (rc != TRL_OK)
			return rc;
	} else if (least > most) {
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "No collection takes a file of more than %llu bytes.",
		    (unsigned long long)most);
	}
	return least > 0 ? look_for_room(ctx, post, least) : TRL_OK;
}

static enum trl_code
read_form(trl_ctx *ctx, struct post *post)
{
	const char *why = NULL;
	form *self = form_new(ctx->arena, post->in->content_type, &why);
	struct trl_piece piece = { .len = 1 };
	enum trl_code rc = TRL_OK;

	if (!self)
		return malformed(ctx, why);
	rc = judge_form(ctx, post);
	while (rc == TRL_OK && piece.len > 0) {
		const uint8_t *data;
		enum form_step step = FORM_FIELD;
		size_t left;

		rc = next(ctx, post, &piece);
		for (data = piece.data, left = piece.len;
		     rc == TRL_OK && step != FORM_MORE;) {
			struct form_part part;

			step = form_next(self, &data, &left, &part);
			rc = take_step(ctx, post, step, &part, left);
		}
	}
	if (rc == TRL_OK && (why = form_finish(self)))
		rc = malformed(ctx, why);
	return rc;
}

static bool
is_form(const char *type)
{
	static const char wanted[] = "multipart/form-data";

	return type && strncasecmp(type, wanted, strlen(wanted)) == 0;
}

/* All bytes are there, and are what they should be: they are made durable. */
static enum trl_code
end(trl_ctx *ctx, struct post *post)
{
	uint64_t size;

	if (post->digests && digests_end(post->digests) != DIGEST_FITS)
		return malformed(
		    ctx, "The body's digest is not the one in Content-Digest.");
	if (!post->writer)
		return TRL_OK;
	return upload_end(ctx, &post->writer, &size);
}

/* The file is as it is now. One that was purged since is no answer, and nobody else's.
 */
static enum trl_code
answer_former(trl_ctx *ctx, const struct post *post, media_file *out)
{
	const struct trl_id id = trl_value_id(post->former->id);
	trl_batch *work;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = file_find(post->media, ctx, id, out);
	if (rc == TRL_OK)
		rc = media_show_file(post->media, ctx, &out, 1);
	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, post->media->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_upload_told, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));
	return trl_batch_write(work, &out->base);
}

/* Nothing of it stays but what was answered for, or may have been. */
static enum trl_code
settle(trl_ctx *ctx, struct post *post, enum trl_code rc)
{
	const bool is_ours = rc == TRL_OK && !ctx->idempotency.replayed;

	digests_free(&post->digests);
	upload_leave(&post->writer);
	if (post->row && !is_ours && rc != TRL_UNCERTAIN)
		upload_drop(post->media, ctx, trl_value_id(post->row->id));
	switch (rc) {
	case TRL_MALFORMED:
	case TRL_INVALID:
	case TRL_TOO_LARGE:
	case TRL_UNSUPPORTED_MEDIA_TYPE:
	case TRL_STORAGE:
	case TRL_CONFLICT:
		return rc;
	case TRL_GONE: /* somebody who manages files has ended it */
		trl_err_clear(ctx);
		return trl_fail(ctx, TRL_CONFLICT, "The upload was ended meanwhile.");
	default:
		return trl_fold(ctx, rc);
	}
}

/* Errors: TRL_MALFORMED (a form that is none, a digest that does not fit), TRL_INVALID
 * (name, collection), TRL_TOO_LARGE, TRL_UNSUPPORTED_MEDIA_TYPE, TRL_STORAGE. */
enum trl_code
media_create_file(struct media *self, trl_ctx *ctx,
    const Media__V1__CreateFileRequest *in, media_file *out)
{
	struct post *post = trl_arena_zalloc(ctx->arena, sizeof *post);
	const char *why;
	enum trl_code rc;

	post->media = self;
	post->in = in;
	why = read_head(ctx, post);
	if (why)
		return malformed(ctx, why);
	post->digests = digests_new(NULL, post->wish);
	rc = is_form(in->content_type) ? read_form(ctx, post) : read_raw(ctx, post);
	if (rc == TRL_OK)
		rc = end(ctx, post);
	if (rc == TRL_OK)
		rc = upload_end_and_finish(self, ctx, trl_value_id(post->row->id), out);
	if (rc == TRL_EXISTS && post->former)
		rc = answer_former(ctx, post, out);
	return settle(ctx, post, rc);
}
