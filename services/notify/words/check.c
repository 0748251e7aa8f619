/* check.c - what an organisation may not put in the place of the built-in words:
 * it is refused when it is given, so that no mail fails of it later. Like composing, on
 * a thread where it takes more than a few steps. */
#include <string.h>

#include "words/words.h"

struct checking {
	struct notify_work work;
	const struct notify_words *words;
};

static bool
is_well_formed(struct checking *c, const char *part, const char *words)
{
	c->work.part = part;
	return !words || notify_template_check(words, &c->work.run);
}

/* A layout without the place for the message would send mails that say nothing. It is
 * looked for in what comes out, so that a comment that names it is none; and there must
 * be one whatever other values a message has. */
static bool
has_place(
    struct checking *c, const char *part, const char *words, enum notify_escape escape)
{
	static const char message[] = "<\n>"; /* left as it is only in its own braces */
	struct notify_value *values = notify_value_map(c->work.arena);
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	c->work.part = part;
	notify_value_add_text(c->work.arena, values, "content", message);
	if (!notify_template_render(words, values, escape, &out, &c->work.run))
		return false;
	if (out.len > 0 && memmem(out.data, out.len, message, strlen(message)) != NULL)
		return true;
	c->work.run.what =
	    "{{{content}}} is missing: the place where the layout holds the "
	    "message";
	c->work.run.line = 0;
	return false;
}

static bool
check(struct notify_work *work)
{
	struct checking *c = (struct checking *)work;
	const struct notify_words *words = c->words;

	return is_well_formed(c, "subject", words->subject) &&
	       is_well_formed(c, "summary", words->summary) &&
	       is_well_formed(c, "action", words->action) &&
	       is_well_formed(c, "text", words->text) &&
	       is_well_formed(c, "html", words->html) &&
	       (strcmp(words->kind, "layout") != 0 ||
		   (has_place(c, "text", words->text, NOTIFY_TEXT) &&
		       has_place(c, "html", words->html, NOTIFY_HTML)));
}

enum trl_code
notify_words_check(struct notify *self, trl_ctx *ctx, const struct notify_words *words)
{
	struct checking c = { .work.make = check, .words = words };

	return notify_work_do(self, ctx, &c.work);
}
