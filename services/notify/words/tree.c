/* tree.c - what templates are filled with, as a tree in an arena. */
#include <string.h>

#include "words/template.h"

struct notify_value *
notify_value_map(trl_arena *arena)
{
	struct notify_value *map = trl_arena_zalloc(arena, sizeof *map);

	map->kind = NOTIFY_VALUE_MAP;
	return map;
}

struct notify_value *
notify_value_add(
    trl_arena *arena, struct notify_value *parent, const char *name, int kind)
{
	struct notify_value *value = trl_arena_zalloc(arena, sizeof *value);

	value->name = name;
	value->kind = kind;
	if (parent->last)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	return value;
}

void
notify_value_add_text(
    trl_arena *arena, struct notify_value *parent, const char *name, const char *text)
{
	if (text)
		notify_value_add(arena, parent, name, NOTIFY_VALUE_TEXT)->text = text;
}

const struct notify_value *
notify_value_at(const struct notify_value *map, const char *path)
{
	const struct notify_value *at = map;

	while (at && *path) {
		const size_t len = strcspn(path, ".");
		const struct notify_value *child;

		if (at->kind != NOTIFY_VALUE_MAP)
			return NULL;
		for (child = at->first; child; child = child->next)
			if (strlen(child->name) == len &&
			    memcmp(child->name, path, len) == 0)
				break;
		at = child;
		path += len + (path[len] == '.');
	}
	return at;
}

const char *
notify_value_text_at(const struct notify_value *map, const char *path)
{
	const struct notify_value *value = notify_value_at(map, path);

	return value && value->kind == NOTIFY_VALUE_TEXT ? value->text : "";
}
