/* tus.c - see tus.h. https://tus.io/protocols/resumable-upload (1.0.0). */
#include "upload/tus.h"

#include <string.h>

#include <sodium.h>

const char *
tus_defer(const char *text)
{
	return strcmp(text, "1") == 0 ? NULL : "Upload-Defer-Length can only be 1.";
}

/* A word without spaces and commas, of visible ASCII. */
static bool
is_key(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] >= 127)
			return false;
	return len > 0;
}

static const char *
read_value(trl_arena *arena, const char *text, size_t len, struct tus_value *out)
{
	const size_t room = len / 4 * 3 + 4;
	char *data = trl_arena_alloc(arena, room);

	if (sodium_base642bin((uint8_t *)data, room - 1, text, len, NULL, &out->len,
		NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return "A value in Upload-Metadata is not base64.";
	data[out->len] = '\0';
	out->data = data;
	return NULL;
}

static const char *
read_pair(trl_arena *arena, const char *text, size_t len, struct tus_metadata *out)
{
	struct tus_value *value = &out->values[out->n];
	const char *space = memchr(text, ' ', len);
	const size_t key_len = space ? (size_t)(space - text) : len;

	if (!is_key(text, key_len))
		return "A key in Upload-Metadata is empty, or not visible ASCII.";
	if (out->n == TUS_METADATA_KEYS)
		return "Upload-Metadata can have 32 keys at most.";
	*value = (struct tus_value){ .key = trl_arena_strndup(arena, text, key_len),
		.data = "" };
	for (size_t i = 0; i < out->n; i++)
		if (strcmp(out->values[i].key, value->key) == 0)
			return "A key is in Upload-Metadata twice.";
	out->n++;
	return space ? read_value(arena, space + 1, len - key_len - 1, value) : NULL;
}

const char *
tus_metadata(trl_arena *arena, const char *text, struct tus_metadata *out)
{
	out->n = 0;
	if (!text || !*text)
		return NULL;
	if (strlen(text) > TUS_METADATA_BYTES)
		return "Upload-Metadata can have 4096 bytes at most.";
	for (;;) {
		const size_t len = strcspn(text, ",");
		const char *why = read_pair(arena, text, len, out);

		if (why || !text[len])
			return why;
		text += len + 1;
		text += *text == ' '; /* as some clients write a list */
	}
}

const struct tus_value *
tus_value(const struct tus_metadata *metadata, const char *key, const char *or_key)
{
	const struct tus_value *other = NULL;

	for (size_t i = 0; i < metadata->n; i++) {
		if (strcmp(metadata->values[i].key, key) == 0)
			return &metadata->values[i];
		if (strcmp(metadata->values[i].key, or_key) == 0)
			other = &metadata->values[i];
	}
	return other;
}

const char *
tus_text(const struct tus_metadata *metadata, const char *key, const char *or_key,
    const char **out)
{
	const struct tus_value *value = tus_value(metadata, key, or_key);

	if (!value)
		return NULL;
	if (strlen(value->data) != value->len)
		return "A type or a collection in Upload-Metadata has a zero byte.";
	*out = value->data;
	return NULL;
}

/* The path of a URL: what stands behind scheme and host, or all of it. */
static const char *
path_of(const char *url, size_t *len)
{
	const char *end = url + *len;
	const char *at;

	if (*len >= 7 && strncmp(url, "http://", 7) == 0)
		at = memchr(url + 7, '/', *len - 7);
	else if (*len >= 8 && strncmp(url, "https://", 8) == 0)
		at = memchr(url + 8, '/', *len - 8);
	else
		return url;
	if (!at)
		return NULL;
	*len = (size_t)(end - at);
	return at;
}

static bool
read_part(const char *url, size_t len, struct trl_id *out)
{
	const size_t before = sizeof TUS_PATH - 1;
	const char *path = path_of(url, &len);

	return path && len == before + TRL_ID_TEXT - 1 &&
	       memcmp(path, TUS_PATH, before) == 0 &&
	       trl_id_parse(path + before, len - before, out);
}

static const char *
read_parts(trl_arena *arena, const char *text, struct tus_concat *out)
{
	out->parts = trl_arena_alloc(arena, TUS_PARTS * sizeof *out->parts);
	for (;;) {
		const size_t len = strcspn(text, " ");

		if (out->n_parts == TUS_PARTS)
			return "An upload can be made of 256 parts at most.";
		if (!read_part(text, len, &out->parts[out->n_parts++]))
			return "Upload-Concat names something that is not an upload.";
		if (!text[len])
			return NULL;
		text += len + 1;
	}
}

const char *
tus_concat(trl_arena *arena, const char *text, struct tus_concat *out)
{
	*out = (struct tus_concat){ .kind = TUS_WHOLE };
	if (!text)
		return NULL;
	out->kind = TUS_PARTIAL;
	if (strcmp(text, "partial") == 0)
		return NULL;
	out->kind = TUS_FINAL;
	if (strncmp(text, "final;", 6) == 0)
		return read_parts(arena, text + 6, out);
	return "Upload-Concat must be partial, or final; and the paths of the uploads "
	       "to join.";
}
