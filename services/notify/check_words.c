/* check_words.c - what an organisation may not put in the place of the built-in words:
 * it is refused when it is given, so that no mail fails of it later. */
#include <string.h>

#include "notify.h"
#include "template.h"

static enum trl_code
check_part(trl_ctx *ctx, const char *field, const char *words)
{
	struct notify_template_error error;

	if (!words || notify_template_check(words, &error))
		return TRL_OK;
	trl_err_violation(ctx, trl_arena_printf(ctx->arena, "/%s", field),
	    "Line %u: %s.", error.line, error.what);
	return trl_fail_field(
	    ctx, TRL_INVALID, field, "Line %u: %s.", error.line, error.what);
}

/* A layout without the place for the message would send mails that say nothing. It is
 * looked for in what comes out, so that a comment that names it is none; and there must
 * be one whatever other values a message has. */
static enum trl_code
check_place(
    trl_ctx *ctx, const char *field, const char *words, enum notify_escape escape)
{
	static const char message[] =
	    "<\n>"; /* stays itself in the braces of it alone */
	struct notify_value *values = notify_value_map(ctx->arena);
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };
	struct notify_template_error error;

	notify_value_add_text(ctx->arena, values, "content", message);
	if (notify_template_render(words, values, escape, &out, &error) &&
	    out.len > 0 && memmem(out.data, out.len, message, strlen(message)) != NULL)
		return TRL_OK;
	trl_err_violation(ctx, trl_arena_printf(ctx->arena, "/%s", field),
	    "{{{content}}} is missing: the place where the layout holds the message.");
	return trl_fail_field(ctx, TRL_INVALID, field,
	    "{{{content}}} is missing: the place where the layout holds the message.");
}

enum trl_code
notify_words_check(trl_ctx *ctx, const struct notify_words *words)
{
	enum trl_code rc = check_part(ctx, "subject", words->subject);

	if (rc == TRL_OK)
		rc = check_part(ctx, "summary", words->summary);
	if (rc == TRL_OK)
		rc = check_part(ctx, "action", words->action);
	if (rc == TRL_OK)
		rc = check_part(ctx, "text", words->text);
	if (rc == TRL_OK)
		rc = check_part(ctx, "html", words->html);
	if (rc != TRL_OK || strcmp(words->kind, "layout") != 0)
		return rc;
	rc = check_place(ctx, "text", words->text, NOTIFY_TEXT);
	return rc == TRL_OK ? check_place(ctx, "html", words->html, NOTIFY_HTML) : rc;
}
