/* job.c - a picture that came is looked at, and what its collection names is made of
 * it. Each step finds what was done before, so the job may be run again at any point.
 */
#include "variant/variant.h"

#include <string.h>

#include <sodium.h>

#include <trl/log.h>

#include "file/file.h"
#include "kinds/kinds.h"
#include "variant/renderer.h"

enum {
	FAILED_MAX = 3, /* times that the renderer may have ended over one */
	FAILED_US = 15000000,
	ATTEMPTS = 1000, /* processes that die count as such, and say nothing */
	AGAIN_MIN_US = 5000000
};
static const int64_t AGAIN_MAX_US = INT64_C(3600000000);

static bool
is_picture(const struct media *self, const media_file *file)
{
	const struct kind kind = kinds_of(file->type);

	return kind.picture && (!kind.heif || self->config->heif);
}

/* What is no picture has no place in such a collection. */
static bool
takes_only_pictures(const struct media *self, const char *collection)
{
	const struct collection *found =
	    collections_find(self->collections, collection);

	if (!found || !found->types)
		return false;
	for (const char *const *type = found->types; *type; type++)
		if (strncmp(*type, "image/", 6) != 0)
			return false;
	return true;
}

bool
variant_begin(struct media *self, const media_file *file, trl_batch *work)
{
	Media__V1__FileDue due = MEDIA__V1__FILE_DUE__INIT;

	if (!is_picture(self, file))
		return false;
	trl_set(&due, file_id, file->id);
	trl_batch_job(work, &variant_job, NULL, &due.base);
	return takes_only_pictures(self, file->collection);
}

/* It was looked at: the picture is not to be rendered. */
static enum trl_code
settle_refused(
    struct media *self, trl_ctx *ctx, const media_file *file, const char *reason)
{
	struct file_verdict verdict = { .reason = reason };

	if (takes_only_pictures(self, file->collection))
		verdict.state = MEDIA__V1__FILE__STATE__rejected;
	return file_settle(self, ctx, trl_value_id(file->id), &verdict);
}

static char *
base64_of(trl_ctx *ctx, const struct picture_reply *said)
{
	const size_t len = sodium_base64_encoded_len(
	    said->thumb_hash_len, sodium_base64_VARIANT_ORIGINAL);

	return sodium_bin2base64(trl_arena_alloc(ctx->arena, len), len,
	    said->thumb_hash, said->thumb_hash_len, sodium_base64_VARIANT_ORIGINAL);
}

/* *fine: it can be rendered, and file says what it is. */
static enum trl_code
look(struct media *self, trl_ctx *ctx, media_file *file, bool *fine)
{
	const struct picture_request asked = { .task = PICTURE_LOOK };
	struct picture_reply said;
	struct file_verdict verdict = { 0 };
	struct trl_buf bytes = { 0 };
	enum trl_code rc = renderer_takes(ctx, file);

	if (rc == TRL_OK)
		rc = renderer_ask(
		    self, ctx, trl_value_id(file->id), &asked, &said, &bytes);
	trl_buf_fini(&bytes);
	*fine = rc == TRL_OK;
	if (rc == TRL_INVALID) {
		const char *reason = trl_arena_strdup(ctx->arena, ctx->err.message);

		trl_err_clear(ctx);
		return settle_refused(self, ctx, file, reason);
	}
	if (rc != TRL_OK)
		return rc;
	verdict.width = said.width;
	verdict.height = said.height;
	verdict.frames = said.frames;
	verdict.thumb_hash = file->thumb_hash = base64_of(ctx, &said);
	trl_set(file, frames, said.frames);
	if (file_state(file) == MEDIA__V1__FILE__STATE__processing &&
	    takes_only_pictures(self, file->collection))
		verdict.state = MEDIA__V1__FILE__STATE__ready;
	return file_settle(self, ctx, trl_value_id(file->id), &verdict);
}

/* One that cannot be made in this way (it is too large in GIF, say) is left out. */
static enum trl_code
make_one(struct media *self, trl_ctx *ctx, const media_file *file,
    const struct collection_variant *variant, const char *accept)
{
	const struct options_picture of = variant_picture(file);
	const struct trl_id id = trl_value_id(file->id);
	media_rendition *made = media_v1_rendition_new(ctx);
	struct options options;
	enum trl_code rc;

	if (options_read(variant->options, &options))
		return TRL_OK; /* variants_check said it */
	options = options_decided(&options, &of, accept);
	rc = made_find(self, ctx, id, &options, made);
	if (rc == TRL_OK && !made->etag)
		rc = made_make(self, ctx, id, &options, made);
	if (rc != TRL_INVALID)
		return rc;
	trl_log(TRL_LOG_INFO, ctx, "a variant of a picture cannot be made",
	    TRL_LOG_STR("variant", variant->name),
	    TRL_LOG_STR("reason", ctx->err.message));
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
make_all(struct media *self, trl_ctx *ctx, const media_file *file)
{
	const struct collection *collection =
	    collections_find(self->collections, file->collection);
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && collection && i < collection->n_variants;
	     i++) {
		const struct collection_variant *variant = &collection->variants[i];

		rc = make_one(self, ctx, file, variant, "image/webp");
		if (rc == TRL_OK) /* the same one, but where Accept decides */
			rc = make_one(self, ctx, file, variant, NULL);
	}
	return rc;
}

static bool
is_wanted(const media_file *file)
{
	return file->state == MEDIA__V1__FILE__STATE__ready ||
	       file->state == MEDIA__V1__FILE__STATE__processing;
}

static enum trl_code
work_on(struct media *self, trl_ctx *ctx, media_file *file)
{
	bool fine = file->has_width;
	enum trl_code rc = TRL_OK;

	if (file->reason || !is_picture(self, file))
		return TRL_OK;
	if (!fine)
		rc = look(self, ctx, file, &fine);
	return rc == TRL_OK && fine && is_wanted(file) ? make_all(self, ctx, file) : rc;
}

/* Not the picture's fault (the store is away, others are in front, the renderer cannot
 * be started): it waits as long as that takes. Nothing is judged by it. */
static enum trl_code
come_again(trl_ctx *ctx, const struct trl_job *job)
{
	const int64_t waited_us = trl_now(ctx) - job->made_at_us;
	int64_t wait_us = waited_us / 4;

	if (wait_us < AGAIN_MIN_US)
		wait_us = AGAIN_MIN_US;
	if (wait_us > AGAIN_MAX_US)
		wait_us = AGAIN_MAX_US;
	if (ctx->err.code != TRL_BUSY)
		trl_log_err(ctx);
	trl_err_clear(ctx);
	return trl_job_again(ctx, trl_now(ctx) + wait_us);
}

/* What renders it was ended by it each time: whoever sent it meant that, or it is as
 * bad as if. What was made before stays. */
static enum trl_code
give_up(struct media *self, trl_ctx *ctx, const media_file *file)
{
	trl_log_err(ctx);
	trl_err_clear(ctx);
	return file->has_width ? TRL_OK
			       : settle_refused(self, ctx, file,
				     "The picture could not be rendered.");
}

/* The same once more; the payload counts, for attempts count deaths of this process. */
static enum trl_code
count_failure(
    struct media *self, trl_ctx *ctx, const media_file *file, uint32_t failures)
{
	Media__V1__FileDue *due = media_v1_file_due_new(ctx);
	trl_batch *work;
	char key[TRL_ID_TEXT];

	trl_log_err(ctx);
	trl_err_clear(ctx);
	trl_set(due, file_id, file->id);
	trl_set(due, failures, failures);
	trl_id_format(trl_value_id(file->id), key);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_job(work, &variant_job,
	    &(struct trl_job_terms){
		.key = key, .run_at_us = trl_now(ctx) + (int64_t)failures * FAILED_US },
	    &due->base);
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
run(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	const Media__V1__FileDue *due =
	    (const Media__V1__FileDue *)(const void *)job->payload;
	media_file *file = media_v1_file_new(ctx);
	enum trl_code rc = file_find(self, ctx, trl_value_id(due->file_id), file);

	if (rc == TRL_OK && file_has_no_hash(file))
		return trl_job_again(ctx, trl_now(ctx) + FILE_HASH_US);
	if (rc == TRL_OK)
		rc = work_on(self, ctx, file);
	if (rc == TRL_OK)
		return rc;
	if (rc == TRL_NOT_FOUND) { /* it went meanwhile */
		trl_err_clear(ctx);
		return TRL_OK;
	}
	if (!trl_child_failed(ctx))
		return come_again(ctx, job);
	rc = due->failures + 1 < FAILED_MAX
		 ? count_failure(self, ctx, file, due->failures + 1)
		 : give_up(self, ctx, file);
	return rc == TRL_OK ? rc : come_again(ctx, job);
}

const struct trl_job_kind variant_job = {
	.name = "variants",
	.message = &media_v1_file_due_rules,
	.run = run,
	.slots = 4,
	.per_tenant = 2,
	.attempts = ATTEMPTS,
	.timeout_ms = 180000,
};
