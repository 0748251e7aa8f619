/* compose.c - a message in its words: subject, summary, and the mail's two bodies,
 * each the kind's words inside the layout's. What takes few steps is made here and now;
 * what takes more is made again on a thread, up to a bound. An organisation's own words
 * that make too much of a message are left for the built-in ones: a message is sent. */
#include <string.h>

#include <trl/log.h>

#include "words/words.h"

static void
work_on_thread(void *arg)
{
	struct notify_work *work = arg;

	work->run = (struct notify_run){ .left = NOTIFY_STEPS };
	(void)work->make(work); /* run.what says it */
}

enum trl_code
notify_work_do(struct notify *self, trl_ctx *ctx, struct notify_work *work)
{
	const struct notify_run *run = &work->run;
	enum trl_code rc = TRL_OK;
	const char *said;

	work->arena = ctx->arena;
	work->run = (struct notify_run){ .left = NOTIFY_STEPS_ON_LOOP };
	if (!work->make(work) && run->spent)
		rc = trl_offload(ctx, &self->words, work_on_thread, work);
	if (rc != TRL_OK || !run->what)
		return rc;
	said = run->line
		   ? trl_arena_printf(ctx->arena, "Line %u: %s.", run->line, run->what)
		   : trl_arena_printf(ctx->arena, "%s.", run->what);
	return trl_fail_field(ctx, TRL_INVALID, work->part, "%s", said);
}

struct composing {
	struct notify_work work;
	const struct notify_words *words, *layout;
	const struct notify_value *values;
	struct notify_message *out;
};

static const char *
render(struct composing *c, const char *part, const char *words,
    const struct notify_value *values, enum notify_escape escape)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	c->work.part = part;
	c->work.run.comma = notify_has_comma(c->words->locale);
	if (!words)
		return "";
	if (!notify_template_render(words, values, escape, &out, &c->work.run))
		return NULL;
	/* Words may come to nothing, and then the buffer was never made. */
	return out.len
		   ? trl_arena_strndup(c->work.arena, (const char *)out.data, out.len)
		   : "";
}

/* The layout sees what the kind's words see, and the message they made. */
static struct notify_value *
for_layout(const struct composing *c, const char *content)
{
	struct notify_value *map = notify_value_map(c->work.arena);

	notify_value_add_text(c->work.arena, map, "content", content);
	notify_value_add_text(c->work.arena, map, "subject", c->out->subject);
	notify_value_add_text(c->work.arena, map, "summary", c->out->summary);
	notify_value_add_text(c->work.arena, map, "action", c->out->action);
	map->last->next = c->values->first;
	map->last = c->values->last;
	return map;
}

static bool
compose(struct notify_work *work)
{
	struct composing *c = (struct composing *)work;
	const struct notify_words *words = c->words, *layout = c->layout;
	const struct notify_value *values = c->values;
	const bool leads = notify_value_text_at(values, "link")[0] != '\0';
	struct notify_message *out = c->out;
	const char *text, *html;

	if (!(out->subject =
		    render(c, "subject", words->subject, values, NOTIFY_PLAIN)) ||
	    !(out->summary =
		    render(c, "summary", words->summary, values, NOTIFY_PLAIN)) ||
	    !(out->action = render(
		  c, "action", leads ? words->action : NULL, values, NOTIFY_PLAIN)) ||
	    !(text = render(c, "text", words->text, values, NOTIFY_TEXT)) ||
	    !(html = render(c, "html", words->html, values, NOTIFY_HTML)))
		return false;
	out->text = render(c, "text", layout->text, for_layout(c, text), NOTIFY_TEXT);
	out->html = out->text ? render(c, "html", layout->html, for_layout(c, html),
				    NOTIFY_HTML)
			      : NULL;
	return out->html != NULL;
}

enum trl_code
notify_compose_words(struct notify *self, trl_ctx *ctx,
    const struct notify_words *words, const struct notify_words *layout,
    const struct notify_value *values, struct notify_message *out)
{
	struct composing c = { .work.make = compose,
		.words = words,
		.layout = layout,
		.values = values,
		.out = out };

	return notify_work_do(self, ctx, &c.work);
}

enum trl_code
notify_compose(struct notify *self, trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    const char *kind, const char *locale, const struct notify_value *values,
    struct notify_message *out)
{
	struct notify_words words, layout;
	enum trl_code rc;

	rc = notify_words_read(ctx, pg, tenant, kind, locale, &words, &layout);
	if (rc == TRL_OK)
		rc = notify_compose_words(self, ctx, &words, &layout, values, out);
	if (rc != TRL_INVALID || trl_id_is_nil(tenant))
		return rc;
	trl_log(TRL_LOG_WARN, ctx, "an organisation's own words were not used",
	    TRL_LOG_STR("kind", kind), TRL_LOG_STR("error", ctx->err.message));
	trl_err_clear(ctx);
	return notify_compose(self, ctx, pg, trl_id_nil, kind, locale, values, out);
}
