/* collection.c - see collection.h. What is not understood is refused at the start, with
 * the place: a collection that is wider than its author meant would be found by those
 * who look for such. */
#include "collection/collection.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <trl/arena.h>
#include <trl/complain.h>

#include "kinds/kinds.h"

enum { COLLECTIONS_MAX = 100, LIST_MAX = 50, NAME_MAX_LEN = 40 };

static const char built_in[] =
    "{\"collections\": ["
    "{\"name\": \"files\", \"visibility\": \"tenant\", \"max_bytes\": 5497558138880,"
    " \"variants\": [{\"name\": \"thumb\", \"options\": \"w_320,h_320,fit_contain\"},"
    " {\"name\": \"large\", \"options\": \"w_1600,h_1600,fit_contain\"}]},"
    "{\"name\": \"private\", \"visibility\": \"private\", \"max_bytes\": 5497558138880,"
    " \"variants\": [{\"name\": \"thumb\", \"options\": \"w_320,h_320,fit_contain\"}]},"
    "{\"name\": \"pictures\", \"visibility\": \"public\", \"max_bytes\": 26214400,"
    " \"types\": [\"image/jpeg\", \"image/png\", \"image/webp\", \"image/gif\"],"
    " \"variants\": [{\"name\": \"thumb\", \"options\": \"w_320,h_320,fit_contain\"},"
    " {\"name\": \"large\", \"options\": \"w_1600,h_1600,fit_contain\"}]}]}";

struct collections {
	trl_arena *arena;
	struct collection all[COLLECTIONS_MAX];
	size_t n;
};

static bool
wrong(const char *where, const char *what)
{
	trl_complain("TRELLIS_MEDIA_COLLECTIONS: %s: %s.", where, what);
	return false;
}

/* A member that is a slug, which is kept. */
static bool
read_name(collections *self, const json_t *from, const char *where, const char **out)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	const size_t len = name ? strlen(name) : 0;

	if (len == 0 || len > NAME_MAX_LEN || name[0] < 'a' || name[0] > 'z' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return wrong(where, "its name is not one of a-z, 0-9 and hyphens, "
				    "a letter first, of 40 characters at most");
	*out = trl_arena_strdup(self->arena, name);
	return true;
}

static bool
knows_all(const json_t *object, const char *const *known, const char *where)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return wrong(where, "it is not an object");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			return wrong(where, "it has an unknown member");
	}
	return true;
}

static bool
read_visibility(const json_t *from, const char *where, enum collection_visibility *out)
{
	static const char *const names[] = { "private", "tenant", "public" };
	const char *text = json_string_value(json_object_get(from, "visibility"));

	for (size_t i = 0; text && i < TRL_COUNT(names); i++)
		if (strcmp(names[i], text) == 0) {
			*out = (enum collection_visibility)i;
			return true;
		}
	return wrong(where, "its visibility is not private, tenant or public");
}

static bool
read_types(
    collections *self, const json_t *from, const char *where, struct collection *out)
{
	const json_t *types = json_object_get(from, "types");
	const size_t n = json_array_size(types);
	const char **list;

	if (!types)
		return true;
	if (!json_is_array(types) || n == 0 || n > LIST_MAX)
		return wrong(where, "its types are not a list of 1 to 50");
	list = trl_arena_zalloc(self->arena, (n + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++) {
		const char *type = json_string_value(json_array_get(types, i));

		if (!type || !kinds_listable(type))
			return wrong(where, "one of its types is not a media type such "
					    "as image/png or image/*");
		list[i] = trl_arena_strdup(self->arena, type);
	}
	list[n] = NULL;
	out->types = list;
	return true;
}

static bool
read_variants(
    collections *self, const json_t *from, const char *where, struct collection *out)
{
	static const char *const known[] = { "name", "options", NULL };
	const json_t *variants = json_object_get(from, "variants");
	const size_t n = json_array_size(variants);
	struct collection_variant *list;

	if (!variants)
		return true;
	if (!json_is_array(variants) || n > LIST_MAX)
		return wrong(where, "its variants are not a list of at most 50");
	list = trl_arena_zalloc(self->arena, (n + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(variants, i);
		const char *options =
		    json_string_value(json_object_get(one, "options"));

		if (!knows_all(one, known, where) ||
		    !read_name(self, one, where, &list[i].name))
			return false;
		for (size_t j = 0; j < i; j++)
			if (strcmp(list[j].name, list[i].name) == 0)
				return wrong(
				    where, "two of its variants have the same name");
		if (!options)
			return wrong(where, "one of its variants has no options");
		list[i].options = trl_arena_strdup(self->arena, options);
	}
	out->variants = list;
	out->n_variants = n;
	return true;
}

static bool
read_one(collections *self, const json_t *from)
{
	static const char *const known[] = { "name", "visibility", "max_bytes", "types",
		"variants", NULL };
	struct collection *out = &self->all[self->n];
	const json_t *most = json_object_get(from, "max_bytes");

	if (!knows_all(from, known, "a collection") ||
	    !read_name(self, from, "a collection", &out->name) ||
	    !read_visibility(from, out->name, &out->visibility) ||
	    !read_types(self, from, out->name, out) ||
	    !read_variants(self, from, out->name, out))
		return false;
	if (collections_find(self, out->name))
		return wrong(out->name, "there are two of this name");
	if (!json_is_integer(most) || json_integer_value(most) < 1 ||
	    json_integer_value(most) > 5497558138880)
		return wrong(out->name, "its max_bytes is not 1 to 5497558138880");
	out->max_bytes = (uint64_t)json_integer_value(most);
	self->n++;
	return true;
}

static bool
read_all(collections *self, const json_t *root)
{
	static const char *const known[] = { "collections", NULL };
	const json_t *list = json_object_get(root, "collections");
	const size_t n = json_array_size(list);

	if (!knows_all(root, known, "all of it"))
		return false;
	if (n == 0 || n > COLLECTIONS_MAX)
		return wrong("all of it", "\"collections\" is not a list of 1 to 100");
	for (size_t i = 0; i < n; i++)
		if (!read_one(self, json_array_get(list, i)))
			return false;
	return true;
}

bool
collections_read(const char *json, collections **out)
{
	const char *text = json ? json : built_in;
	json_error_t error;
	json_t *root = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, &error);
	collections *self;
	bool fine;

	if (!root) {
		trl_complain("TRELLIS_MEDIA_COLLECTIONS is not JSON: line %d: %s.",
		    error.line, error.text);
		return false;
	}
	self = calloc(1, sizeof *self);
	trl_assert(self);
	self->arena = trl_arena_new(1 << 20);
	fine = read_all(self, root);
	json_decref(root);
	if (!fine)
		collections_free(&self);
	else
		*out = self;
	return fine;
}

void
collections_free(collections **all)
{
	collections *self = TRL_TAKE(*all);

	if (!self)
		return;
	trl_arena_free(&self->arena);
	free(self);
}

const struct collection *
collections_all(const collections *all, size_t *n)
{
	*n = all->n;
	return all->all;
}

const struct collection *
collections_find(const collections *all, const char *name)
{
	if (!name || !*name)
		return all->n ? &all->all[0] : NULL;
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->all[i].name, name) == 0)
			return &all->all[i];
	return NULL;
}

void
collections_bound(collections *all, uint64_t max_bytes)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->all[i].max_bytes > max_bytes)
			all->all[i].max_bytes = max_bytes;
}
