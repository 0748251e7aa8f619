/* template.h - words with places for values: the sections and variables of Mustache
 * (mustache(5)) and nothing else of it, over values that stand in an arena. Known
 * within this folder; anywhere in it.
 *
 *   {{tenant.name}}             the value, escaped as the part demands
 *   {{#tenant}} ... {{/tenant}} where there is one; for each of a list ({{.}} is it)
 *   {{^tenant}} ... {{/tenant}} where there is none, or an empty one
 *   {{! words}}                 a comment
 *   {{{content}}}               not escaped: only of this name, which only the layout
 *                               has
 *
 * A tag of a section or a comment that has a line to itself takes the line with
 * it. Values are never read as templates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <trl/arena.h>
#include <trl/buf.h>

enum {
	NOTIFY_TEMPLATE_BYTES = 64 * 1024,
	NOTIFY_TEMPLATE_DEPTH = 8,
	NOTIFY_TEMPLATE_OUT = 256 * 1024, /* that one rendering makes */
	NOTIFY_TEMPLATE_LINE = 16 * 1024, /* the same of a plain line */
	/* What a message may take: a tag is eight steps, a value looked at one, and
	 * so are some eight bytes. A step is below 10 ns. */
	NOTIFY_STEPS = 1000000,
	NOTIFY_STEPS_ON_LOOP = 50000
};

/* tree.c: values. */

struct notify_value {
	const char *name; /* in a map; NULL in a list */
	enum {
		NOTIFY_VALUE_TEXT, /* "" counts as none */
		NOTIFY_VALUE_MAP,
		NOTIFY_VALUE_LIST
	} kind;
	const char *text;
	bool decimal; /* of a text: a number with a point, if the language has no comma
		       */
	struct notify_value *first, *last, *next; /* children; the next sibling */
};

struct notify_value *notify_value_map(trl_arena *arena);
/* Whether the language of a locale (may be NULL) writes decimals with a comma. */
bool notify_has_comma(const char *locale);
/* Adds an amount: "-1 234.50 EUR" of -123450, with spaces that do not break. */
void notify_value_add_money(trl_arena *arena, struct notify_value *parent,
    const char *name, int64_t minor, const char *currency);
/* Add to a map (name) or a list (NULL). Texts are not copied. A text that is NULL is
 * not added. */
void notify_value_add_text(
    trl_arena *arena, struct notify_value *parent, const char *name, const char *text);
struct notify_value *notify_value_add(
    trl_arena *arena, struct notify_value *parent, const char *name, int kind);
/* The value at a path like "member.account_id"; NULL: there is none. */
const struct notify_value *notify_value_at(
    const struct notify_value *map, const char *path);
/* Its text; "" where there is none. */
const char *notify_value_text_at(const struct notify_value *map, const char *path);

/* template.c: rendering. */

enum notify_escape {
	NOTIFY_PLAIN, /* a line: whatever would end it becomes a space, in the words too
		       */
	NOTIFY_TEXT,  /* text: a value stays within its line */
	NOTIFY_HTML   /* a value stays within its element or quoted attribute */
};

/* What renderings may take together, and why the last one ended. */
struct notify_run {
	size_t left;   /* steps */
	bool spent;    /* there were not enough of them */
	bool comma;    /* the words' language writes decimals with one */
	unsigned line; /* from 1; 0: it is none of one line */
	const char *what;
};

/* Whether it is well formed; run says what is wrong with it and where. */
bool notify_template_check(const char *text, struct notify_run *run);
/* Appends the words with the values of a map. False: it is not well formed, or grew
 * beyond the bounds, or took more steps than were left; out then holds a part. */
bool notify_template_render(const char *text, const struct notify_value *values,
    enum notify_escape escape, struct trl_buf *out, struct notify_run *run);
