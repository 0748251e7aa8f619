/* compose.c - a message in its words: subject, summary, and the mail's two bodies,
 * each the kind's words inside the layout's. An organisation's own words that make too
 * much of a message are left for the built-in ones: a message is sent. */
#include <string.h>

#include <trl/log.h>

#include "notify.h"

static const char *
render(trl_ctx *ctx, const char *words, const struct notify_value *values,
    enum notify_escape escape, struct notify_template_error *error)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	if (!words)
		return "";
	if (!notify_template_render(words, values, escape, &out, error))
		return NULL;
	trl_buf_add(&out, "", 1);
	return trl_arena_strdup(ctx->arena, (const char *)out.data);
}

/* The layout sees what the kind's words see, and the message they made. */
static struct notify_value *
for_layout(trl_ctx *ctx, const struct notify_value *values,
    const struct notify_message *made, const char *content)
{
	struct notify_value *map = notify_value_map(ctx->arena);

	notify_value_add_text(ctx->arena, map, "content", content);
	notify_value_add_text(ctx->arena, map, "subject", made->subject);
	notify_value_add_text(ctx->arena, map, "summary", made->summary);
	notify_value_add_text(ctx->arena, map, "action", made->action);
	map->last->next = values->first;
	map->last = values->last;
	return map;
}

static bool
compose(trl_ctx *ctx, const struct notify_words *words,
    const struct notify_words *layout, const struct notify_value *values,
    struct notify_message *out, struct notify_template_error *error)
{
	const char *text, *html;
	const bool leads = notify_value_text_at(values, "link")[0] != '\0';

	out->subject = render(ctx, words->subject, values, NOTIFY_PLAIN, error);
	out->summary = render(ctx, words->summary, values, NOTIFY_PLAIN, error);
	out->action =
	    render(ctx, leads ? words->action : NULL, values, NOTIFY_PLAIN, error);
	text = render(ctx, words->text, values, NOTIFY_TEXT, error);
	html = render(ctx, words->html, values, NOTIFY_HTML, error);
	if (!out->subject || !out->summary || !out->action || !text || !html)
		return false;
	out->text = render(
	    ctx, layout->text, for_layout(ctx, values, out, text), NOTIFY_TEXT, error);
	out->html = render(
	    ctx, layout->html, for_layout(ctx, values, out, html), NOTIFY_HTML, error);
	return out->text && out->html;
}

enum trl_code
notify_compose_words(trl_ctx *ctx, const struct notify_words *words,
    const struct notify_words *layout, const struct notify_value *values,
    struct notify_message *out)
{
	struct notify_template_error error = { 0 };

	if (compose(ctx, words, layout, values, out, &error))
		return TRL_OK;
	return trl_fail(ctx, TRL_INVALID, "Line %u: %s.", error.line, error.what);
}

enum trl_code
notify_compose(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant, const char *kind,
    const char *locale, const struct notify_value *values, struct notify_message *out)
{
	struct notify_words words, layout;
	enum trl_code rc;

	rc = notify_words_read(ctx, pg, tenant, kind, locale, &words, &layout);
	if (rc == TRL_OK)
		rc = notify_compose_words(ctx, &words, &layout, values, out);
	if (rc != TRL_INVALID || trl_id_is_nil(tenant))
		return rc;
	trl_log(TRL_LOG_WARN, ctx, "an organisation's own words were left aside",
	    TRL_LOG_STR("kind", kind), TRL_LOG_STR("error", ctx->err.message));
	trl_err_clear(ctx);
	return notify_compose(ctx, pg, trl_id_nil, kind, locale, values, out);
}
