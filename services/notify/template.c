/* template.c - see template.h. The text itself is the program: rendering walks over it
 * and, at a section, walks its inside as often as there are values. So nothing is
 * built, and what bounds it is the depth, the tags that one rendering comes by, and
 * the length of what it writes. Our own, for Debian has such a library for every
 * language but C, and those have no bounds. */
#include "template.h"

#include <string.h>

struct tag {
	enum { VARIABLE, RAW, OPEN, INVERTED, CLOSE, COMMENT } kind;
	const char *begin, *end; /* of the whole tag, or of its line if it is alone */
	const char *name;
	size_t name_len;
};

struct walk {
	const char *begin, *end; /* the whole text */
	struct notify_template_error *error;
	enum notify_escape escape;
	struct trl_buf *out;
	size_t out_max;
	unsigned tags;
	/* What names are looked up in, the innermost last. */
	const struct notify_value *scopes[NOTIFY_TEMPLATE_DEPTH + 1];
	size_t n_scopes;
};

static bool
wrong(struct walk *walk, const char *at, const char *what)
{
	unsigned line = 1;

	for (const char *p = walk->begin; p < at; p++)
		line += *p == '\n';
	*walk->error = (struct notify_template_error){ line, what };
	return false;
}

/* ---- tags ---------------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_name(const char *name, size_t len)
{
	bool part = false;

	if (len == 1 && *name == '.')
		return true;
	if (len == 0 || len > 100)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.' && !part)
			return false;
		part = name[i] != '.';
		if (part && !(name[i] >= 'a' && name[i] <= 'z') &&
		    !(name[i] >= '0' && name[i] <= '9') && name[i] != '_')
			return false;
	}
	return part;
}

/* A tag that is alone on its line is the line. */
static void
widen(const struct walk *walk, struct tag *tag)
{
	const char *begin = tag->begin, *end = tag->end;

	while (begin > walk->begin && is_blank(begin[-1]))
		begin--;
	while (end < walk->end && (is_blank(*end) || *end == '\r'))
		end++;
	if ((begin > walk->begin && begin[-1] != '\n') ||
	    (end < walk->end && *end != '\n'))
		return;
	tag->begin = begin;
	tag->end = end + (end < walk->end);
}

static bool
read_name(struct walk *walk, struct tag *tag, const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	tag->name = from;
	tag->name_len = (size_t)(to - from);
	if (!is_name(tag->name, tag->name_len))
		return wrong(walk, tag->begin,
		    "a tag holds a name like tenant.name: small letters, digits, _");
	if (tag->kind == RAW &&
	    !(tag->name_len == 7 && memcmp(tag->name, "content", 7) == 0))
		return wrong(walk, tag->begin,
		    "values are always escaped: write {{name}}, not {{{name}}}");
	return true;
}

/* The next tag from at on; begin is NULL where there is none. False: it is wrong. */
static bool
next_tag(struct walk *walk, const char *at, const char *end, struct tag *tag)
{
	static const char kinds[] = "#^/!";
	const char *begin = memmem(at, (size_t)(end - at), "{{", 2), *inside, *close;
	const char *kind;

	tag->begin = begin;
	if (!begin)
		return true;
	if (++walk->tags > NOTIFY_TEMPLATE_TAGS)
		return wrong(walk, begin, "there is no end to it");
	inside = begin + 2;
	tag->kind = VARIABLE;
	if (inside < end && *inside == '{') {
		tag->kind = RAW;
		inside++;
	} else if (inside < end && (kind = strchr(kinds, *inside)) && *kind) {
		tag->kind = OPEN + (int)(kind - kinds);
		inside++;
	}
	close = memmem(inside, (size_t)(end - inside), tag->kind == RAW ? "}}}" : "}}",
	    tag->kind == RAW ? 3 : 2);
	if (!close)
		return wrong(walk, begin, "a tag is not closed");
	tag->end = close + (tag->kind == RAW ? 3 : 2);
	if (tag->kind != COMMENT && !read_name(walk, tag, inside, close))
		return false;
	if (tag->kind >= OPEN)
		widen(walk, tag);
	return true;
}

static bool
same_name(const struct tag *a, const struct tag *b)
{
	return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

static bool
check(struct walk *walk)
{
	struct tag open[NOTIFY_TEMPLATE_DEPTH], tag;
	size_t depth = 0;
	const char *at = walk->begin;

	if (walk->end - walk->begin > NOTIFY_TEMPLATE_BYTES)
		return wrong(walk, walk->begin, "it is too long");
	for (;;) {
		if (!next_tag(walk, at, walk->end, &tag))
			return false;
		if (!tag.begin)
			break;
		at = tag.end;
		if (tag.kind == OPEN || tag.kind == INVERTED) {
			if (depth == NOTIFY_TEMPLATE_DEPTH)
				return wrong(
				    walk, tag.name, "sections lie too deep in another");
			open[depth++] = tag;
		} else if (tag.kind == CLOSE) {
			if (depth == 0 || !same_name(&open[depth - 1], &tag))
				return wrong(walk, tag.name,
				    "a section is closed that was not the last opened");
			depth--;
		}
	}
	if (depth > 0)
		return wrong(walk, open[depth - 1].name, "a section is not closed");
	return true;
}

bool
notify_template_check(const char *text, struct notify_template_error *error)
{
	struct walk walk = {
		.begin = text, .end = text + strlen(text), .error = error
	};

	return check(&walk);
}

/* ---- writing --------------------------------------------------------------------- */

static bool
write_words(struct walk *walk, const char *from, const char *to)
{
	if ((size_t)(to - from) > walk->out_max - walk->out->len)
		return wrong(walk, from, "what it makes is too long");
	if (walk->escape != NOTIFY_PLAIN) {
		trl_buf_add(walk->out, from, (size_t)(to - from));
		return true;
	}
	for (; from < to; from++)
		trl_buf_add(walk->out, (unsigned char)*from < 0x20 ? " " : from, 1);
	return true;
}

static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '`':
		return "&#96;";
	default:
		return NULL;
	}
}

/* No value ends a line, in no part: a header would follow, or words that look like
 * ours. */
static bool
write_value(struct walk *walk, const struct tag *tag, const char *text)
{
	for (; *text; text++) {
		const char *as = walk->escape == NOTIFY_HTML && tag->kind != RAW
				     ? entity(*text)
				     : NULL;

		if (walk->out->len + 8 > walk->out_max)
			return wrong(walk, tag->begin, "what it makes is too long");
		if (as)
			trl_buf_adds(walk->out, as);
		else if (tag->kind != RAW &&
			 ((unsigned char)*text < 0x20 || *text == 0x7f))
			trl_buf_add(walk->out, " ", 1);
		else
			trl_buf_add(walk->out, text, 1);
	}
	return true;
}

/* The first part of a name is looked up from the innermost section outwards, the rest
 * within what it names. */
static const struct notify_value *
look_up(const struct walk *walk, const struct tag *tag)
{
	char path[104];
	const struct notify_value *found = NULL;
	size_t first;

	if (tag->name_len == 1 && *tag->name == '.')
		return walk->scopes[walk->n_scopes - 1];
	memcpy(path, tag->name, tag->name_len);
	path[tag->name_len] = '\0';
	first = strcspn(path, ".");
	for (size_t i = walk->n_scopes; i > 0 && !found; i--) {
		const char kept = path[first];

		path[first] = '\0';
		found = notify_value_at(walk->scopes[i - 1], path);
		path[first] = kept;
		if (found && kept)
			return notify_value_at(found, path + first + 1);
	}
	return found;
}

static bool
is_none(const struct notify_value *value)
{
	if (!value)
		return true;
	if (value->kind == NOTIFY_VALUE_TEXT)
		return value->text[0] == '\0';
	return value->kind == NOTIFY_VALUE_LIST && !value->first;
}

static bool render(struct walk *walk, const char *at, const char *end);

static bool
render_inside(struct walk *walk, const struct notify_value *scope, const char *from,
    const char *to)
{
	bool fine;

	walk->scopes[walk->n_scopes++] = scope;
	fine = render(walk, from, to);
	walk->n_scopes--;
	return fine;
}

/* Finds the end of a section that is well formed; renders its inside. */
static bool
render_section(
    struct walk *walk, const struct tag *open, const char *end, const char **after)
{
	const struct notify_value *value = look_up(walk, open);
	struct tag tag = { .end = open->end };
	int depth = 1;

	while (depth > 0) {
		if (!next_tag(walk, tag.end, end, &tag))
			return false;
		depth += tag.kind == OPEN || tag.kind == INVERTED;
		depth -= tag.kind == CLOSE;
	}
	*after = tag.end;
	if (open->kind == INVERTED)
		return !is_none(value) || render(walk, open->end, tag.begin);
	if (is_none(value))
		return true;
	if (value->kind != NOTIFY_VALUE_LIST)
		return render_inside(walk, value, open->end, tag.begin);
	for (const struct notify_value *item = value->first; item; item = item->next)
		if (!render_inside(walk, item, open->end, tag.begin))
			return false;
	return true;
}

static bool
render(struct walk *walk, const char *at, const char *end)
{
	struct tag tag;

	for (;;) {
		const struct notify_value *value;
		bool fine = next_tag(walk, at, end, &tag);

		if (fine)
			fine = write_words(walk, at,
			    !tag.begin       ? end
			    : tag.begin < at ? at
					     : tag.begin);
		if (!fine || !tag.begin)
			return fine;
		at = tag.end;
		if (tag.kind == OPEN || tag.kind == INVERTED) {
			fine = render_section(walk, &tag, end, &at);
		} else if (tag.kind == VARIABLE || tag.kind == RAW) {
			value = look_up(walk, &tag);
			if (value && value->kind == NOTIFY_VALUE_TEXT)
				fine = write_value(walk, &tag, value->text);
		}
		if (!fine)
			return false;
	}
}

bool
notify_template_render(const char *text, const struct notify_value *values,
    enum notify_escape escape, struct trl_buf *out, struct notify_template_error *error)
{
	struct walk walk = { .begin = text,
		.end = text + strlen(text),
		.error = error,
		.escape = escape,
		.out = out,
		.out_max = out->len + NOTIFY_TEMPLATE_OUT };

	if (!check(&walk))
		return false;
	walk.tags = 0;
	walk.scopes[walk.n_scopes++] = values;
	return render(&walk, walk.begin, walk.end);
}
