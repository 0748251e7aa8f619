/* tus.h - parses the header fields of tus 1.0.0. Pure; any thread. Functions that parse
 * one return NULL, or why it is not valid, as a sentence for the client. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <trl/arena.h>
#include <trl/compiler.h>
#include <trl/id.h>

#define TUS_PATH "/api/v1/uploads/"

enum {
	TUS_METADATA_BYTES = 4096,
	TUS_METADATA_KEYS = 32,
	TUS_PARTS = 256 /* of a final upload */
};

/* A value of Upload-Metadata; data is followed by a NUL that does not count. */
struct tus_value {
	const char *key;
	const char *data;
	size_t len;
};
struct tus_metadata {
	struct tus_value values[TUS_METADATA_KEYS];
	size_t n;
};
/* text NULL: the field is absent. */
const char *tus_metadata(
    trl_arena *arena, const char *text, struct tus_metadata *out) TRL_MUST_CHECK;
/* The value of the first of two keys that is there, or NULL. */
const struct tus_value *tus_value(
    const struct tus_metadata *metadata, const char *key, const char *or_key);
/* The same as text; *out is unchanged if neither is there. */
const char *tus_text(const struct tus_metadata *metadata, const char *key,
    const char *or_key, const char **out) TRL_MUST_CHECK;

/* Upload-Defer-Length. */
const char *tus_defer(const char *text) TRL_MUST_CHECK;

struct tus_concat {
	enum { TUS_WHOLE, TUS_PARTIAL, TUS_FINAL } kind;
	struct trl_id *parts; /* of a final one, in order; one may occur twice */
	size_t n_parts;
};
/* Upload-Concat; text NULL: an ordinary upload. Parts are named by path, or by absolute
 * URL with that path, whatever the host: only the id counts. */
const char *tus_concat(
    trl_arena *arena, const char *text, struct tus_concat *out) TRL_MUST_CHECK;
