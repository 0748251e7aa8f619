/* collection.h - the collections that the installation configured
 * (TRELLIS_MEDIA_COLLECTIONS): each file belongs to one, which says how large it may be
 * and of which types, who may see it, and which sizes its pictures have. Read once; any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/compiler.h>

enum collection_visibility {
	COLLECTION_PRIVATE, /* to the creator, and those with media.file.manage */
	COLLECTION_TENANT,  /* to those who may read files */
	COLLECTION_PUBLIC   /* to anybody who has the file's URL */
};

/* A size of its pictures. */
struct collection_variant {
	const char *name;    /* a slug: "thumb" */
	const char *options; /* "w_320,h_320,fit_contain" (variant/) */
};

struct collection {
	const char *name; /* a slug */
	enum collection_visibility visibility;
	uint64_t max_bytes; /* of one file */
	const char *const
	    *types; /* a subtype may be a wildcard; NULL-ended; NULL: any */
	const struct collection_variant *variants;
	size_t n_variants;
};

typedef struct collections collections;

/* Reads them from JSON; NULL: the built-in ones. False: trl_complain said why. */
bool collections_read(const char *json, collections **out) TRL_MUST_CHECK;
void collections_free(collections **all);
/* Start-up: limits the files of all collections to this size, too. */
void collections_bound(collections *all, uint64_t max_bytes);
/* The first is the default collection. */
const struct collection *collections_all(const collections *all, size_t *n);
/* name NULL or "": the first. Returns NULL if there is no such collection. */
const struct collection *collections_find(const collections *all, const char *name);
