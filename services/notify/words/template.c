/* template.c - see template.h. The text itself is the program: rendering walks over it
 * and, at a section, walks its inside as often as there are values. So nothing is
 * built, and what bounds it is the depth, the length of what it writes, and its steps:
 * whatever is read, looked at or written again and again is paid for each time. Our
 * own, for Debian has such a library for every language but C, and those have no
 * bounds.
 *
 * Over 400 lines: reading tags and writing what they stand for share one walk. */
#include "words/template.h"

#include <string.h>

/* What costs a step: so many bytes; and what a tag costs. */
enum { BYTES = 8, TAG = 8 };

struct tag {
	enum { VARIABLE, RAW, OPEN, INVERTED, CLOSE, COMMENT } kind;
	const char *begin, *end; /* of the whole tag, or of its line if it is alone */
	const char *name;
	size_t name_len;
};

struct walk {
	const char *begin, *end; /* the whole text */
	struct notify_run *run;
	enum notify_escape escape;
	struct trl_buf *out;
	size_t out_max;
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
	walk->run->line = line;
	walk->run->what = what;
	return false;
}

static bool
spend(struct walk *walk, const char *at, size_t steps)
{
	if (steps <= walk->run->left) {
		walk->run->left -= steps;
		return true;
	}
	walk->run->spent = true;
	return wrong(
	    walk, at, "it takes too many steps: sections stand too often in others");
}

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
static bool
widen(struct walk *walk, struct tag *tag)
{
	const char *begin = tag->begin, *end = tag->end;

	while (begin > walk->begin && is_blank(begin[-1]))
		begin--;
	while (end < walk->end && (is_blank(*end) || *end == '\r'))
		end++;
	if (!spend(walk, tag->begin,
		(size_t)(tag->begin - begin + (end - tag->end)) / BYTES))
		return false;
	if ((begin > walk->begin && begin[-1] != '\n') ||
	    (end < walk->end && *end != '\n'))
		return true;
	tag->begin = begin;
	tag->end = end + (end < walk->end);
	return true;
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
		    "a tag holds a name like tenant.name: lower-case letters, digits, "
		    "_");
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
	if (!spend(walk, at, TAG + (size_t)((begin ? begin : end) - at) / BYTES))
		return false;
	if (!begin)
		return true;
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
	if (!spend(walk, begin, (size_t)((close ? close : end) - begin) / BYTES))
		return false;
	if (!close)
		return wrong(walk, begin, "a tag is not closed");
	tag->end = close + (tag->kind == RAW ? 3 : 2);
	if (tag->kind != COMMENT && !read_name(walk, tag, inside, close))
		return false;
	return tag->kind < OPEN || widen(walk, tag);
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
notify_template_check(const char *text, struct notify_run *run)
{
	struct walk walk = { .begin = text, .end = text + strlen(text), .run = run };

	return check(&walk);
}

static bool
write_words(struct walk *walk, const char *from, const char *to)
{
	if ((size_t)(to - from) > walk->out_max - walk->out->len)
		return wrong(walk, from, "what it makes is too long");
	if (!spend(walk, from, (size_t)(to - from) / BYTES))
		return false;
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

/* How one character of a value is written; NULL: as it is. */
static const char *
written(const struct walk *walk, const struct tag *tag, char c)
{
	if (tag->kind == RAW)
		return NULL;
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return " ";
	return walk->escape == NOTIFY_HTML ? entity(c) : NULL;
}

/* With the decimal sign of the words' language. */
static const char *
as_spoken(const struct walk *walk, const struct notify_value *value, char buffer[64])
{
	size_t i;

	if (!value->decimal || !walk->run->comma)
		return value->text;
	for (i = 0; value->text[i] && i < 63; i++)
		buffer[i] = value->text[i] == '.' ? ',' : value->text[i];
	buffer[i] = '\0';
	return buffer;
}

/* No value ends a line, in no part: a header would follow, or words that look like
 * ours. */
static bool
write_value(struct walk *walk, const struct tag *tag, const char *text)
{
	const char *from = text;

	for (;; text++) {
		const char *as = *text ? written(walk, tag, *text) : NULL;

		if (*text && !as)
			continue;
		if ((size_t)(text - from) + 8 > walk->out_max - walk->out->len)
			return wrong(walk, tag->begin, "what it makes is too long");
		if (!spend(walk, tag->begin, 1 + (size_t)(text - from) / BYTES * 2))
			return false;
		trl_buf_add(walk->out, from, (size_t)(text - from));
		if (!*text)
			return true;
		trl_buf_adds(walk->out, as);
		from = text + 1;
	}
}

/* NULL: there is none. */
static const struct notify_value *
child(const struct notify_value *map, const char *name, size_t len, size_t *looked_at)
{
	const struct notify_value *at =
	    map->kind == NOTIFY_VALUE_MAP ? map->first : NULL;

	for (; at; at = at->next, (*looked_at)++)
		if (strlen(at->name) == len && memcmp(at->name, name, len) == 0)
			break;
	return at;
}

/* The first part of a name is looked up from the innermost section outwards, the rest
 * within what it names. *found NULL: there is none. */
static bool
look_up(struct walk *walk, const struct tag *tag, const struct notify_value **found)
{
	const char *name = tag->name, *end = name + tag->name_len, *dot;
	const struct notify_value *value = NULL;
	size_t looked_at = 0;

	if (tag->name_len == 1 && *name == '.') {
		*found = walk->scopes[walk->n_scopes - 1];
		return true;
	}
	dot = memchr(name, '.', tag->name_len);
	for (size_t i = walk->n_scopes; i > 0 && !value; i--)
		value = child(walk->scopes[i - 1], name,
		    (size_t)((dot ? dot : end) - name), &looked_at);
	while (value && dot) {
		name = dot + 1;
		dot = memchr(name, '.', (size_t)(end - name));
		value =
		    child(value, name, (size_t)((dot ? dot : end) - name), &looked_at);
	}
	*found = value;
	return spend(walk, tag->begin, looked_at);
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
	const struct notify_value *value;
	struct tag tag = { .end = open->end };
	int depth = 1;

	if (!look_up(walk, open, &value))
		return false;
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
		char spoken[64];
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
			fine = look_up(walk, &tag, &value);
			if (fine && value && value->kind == NOTIFY_VALUE_TEXT)
				fine = write_value(
				    walk, &tag, as_spoken(walk, value, spoken));
		}
		if (!fine)
			return false;
	}
}

bool
notify_template_render(const char *text, const struct notify_value *values,
    enum notify_escape escape, struct trl_buf *out, struct notify_run *run)
{
	struct walk walk = { .begin = text,
		.end = text + strlen(text),
		.run = run,
		.escape = escape,
		.out = out,
		.out_max = out->len + (escape == NOTIFY_PLAIN ? NOTIFY_TEMPLATE_LINE
							      : NOTIFY_TEMPLATE_OUT) };

	if (!check(&walk))
		return false;
	walk.scopes[walk.n_scopes++] = values;
	return render(&walk, walk.begin, walk.end);
}
