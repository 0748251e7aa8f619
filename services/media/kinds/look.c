/* look.c - how a file begins is shown to trellis-sniff. */
#include <string.h>

#include <trl/log.h>

#include "kinds/kinds.h"

const struct trl_child_kind kinds_child = { .name = "sniff",
	.request_max = KINDS_HEAD_MAX,
	.reply_max = KINDS_TYPE_MAX,
	.timeout_ms = 5000,
	.idle_ms = 60000,
	.queue = 64 };

enum trl_code
kinds_look(trl_ctx *ctx, trl_child *sniff, const void *head, size_t len,
    const char *declared, const char *name, struct kind *out)
{
	const uint8_t *said;
	size_t said_len;
	enum trl_code rc;

	if (len == 0)
		return kinds_judge(ctx, NULL, declared, name, out);
	rc = trl_child_ask(ctx, sniff, head,
	    len < KINDS_HEAD_MAX ? len : KINDS_HEAD_MAX, &said, &said_len);
	if (rc != TRL_OK && trl_child_failed(ctx)) {
		/* It would be so each time: then nothing is known of the file. */
		trl_log_err(ctx);
		trl_err_clear(ctx);
		return kinds_judge(ctx, NULL, NULL, NULL, out);
	}
	if (rc != TRL_OK)
		return rc;
	return kinds_judge(ctx,
	    trl_arena_strndup(ctx->arena, (const char *)said, said_len), declared, name,
	    out);
}
