/* renderer.c - see renderer.h. */
#include "variant/renderer.h"

#include <string.h>
#include <unistd.h>

#include "file/file.h"
#include "variant/made.h"

/* Whoever took that process over could say anything. */
static bool
is_possible(const struct picture_request *asked, const struct picture_reply *said,
    size_t n_bytes)
{
	if (!memchr(said->reason, '\0', sizeof said->reason))
		return false;
	if (said->status == PICTURE_REJECTED)
		return said->reason[0] && n_bytes == 0;
	if (said->status != PICTURE_DONE || said->width == 0 || said->height == 0 ||
	    said->width > PICTURE_SIDE_MAX || said->height > PICTURE_SIDE_MAX ||
	    said->frames == 0 || said->frames > PICTURE_FRAMES_MAX)
		return false;
	if (asked->task == PICTURE_LOOK)
		return n_bytes == 0 && said->thumb_hash_len <= PICTURE_HASH_MAX;
	return n_bytes > 0 && said->format == asked->format;
}

static enum trl_code
read_reply(trl_ctx *ctx, const struct picture_request *asked,
    struct picture_reply *said, struct trl_buf *reply)
{
	if (reply->len < sizeof *said)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "trellis-picture's answer is too short");
	memcpy(said, reply->data, sizeof *said);
	trl_buf_shift(reply, sizeof *said);
	if (!is_possible(asked, said, reply->len))
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "trellis-picture's answer is impossible");
	if (said->status == PICTURE_REJECTED)
		return trl_fail(ctx, TRL_INVALID, "%s", said->reason);
	return TRL_OK;
}

enum trl_code
renderer_takes(trl_ctx *ctx, const media_file *file)
{
	if (file->size <= PICTURE_FILE_MAX)
		return TRL_OK;
	return trl_fail(ctx, TRL_INVALID,
	    "A picture may have %d MiB; the file has %llu.", PICTURE_FILE_MAX >> 20,
	    (unsigned long long)((file->size + (1 << 20) - 1) >> 20));
}

/* With a process at hand: so no more is copied from a bucket at once than is rendered.
 */
static enum trl_code
ask_it(struct media *self, trl_ctx *ctx, trl_child *child, struct trl_id file,
    const struct picture_request *asked, struct trl_buf *reply)
{
	const struct store_object object = { ctx->tenant, file, "" };
	struct picture_request whole = *asked;
	int descriptor;
	enum trl_code rc = store_fetch(ctx, self->store, &object, &descriptor);

	if (rc != TRL_OK)
		return file_judge_bytes(self, ctx, file, rc);
	whole.heif = self->config->heif;
	rc = trl_child_ask_file(ctx, child, &whole, sizeof whole, descriptor, reply);
	close(descriptor);
	return rc;
}

enum trl_code
renderer_ask(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct picture_request *asked, struct picture_reply *said,
    struct trl_buf *bytes)
{
	trl_child *child;
	enum trl_code rc = turns_take(ctx, self->variants->turns, &child);

	if (rc != TRL_OK)
		return rc;
	rc = ask_it(self, ctx, child, file, asked, bytes);
	turns_leave(self->variants->turns, child);
	return rc == TRL_OK ? read_reply(ctx, asked, said, bytes) : rc;
}
