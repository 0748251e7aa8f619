/* media.h - the media service's state, and what its files share. */
#pragma once

#include <trl/batch.h>
#include <trl/child.h>
#include <trl/service.h>
#include <trl/value.h>
#include <media_v1.server.h>

#include "collection/collection.h"
#include "config.h"
#include "media_sql.h"
#include "store/store.h"

struct media {
	trl_pg *pg, *sys;
	trl_bus *bus;
	const struct media_config *config;
	collections *collections;
	trl_child *sniff;  /* kinds/kinds.h */
	struct scan *scan; /* scan/scan.h; NULL: there is none */
	struct variants *variants;
	media_store *store;
	struct link_keys *link_keys; /* link/sign.h */
	const uint8_t *seal_key;     /* the host's */
	struct uploads *uploads;     /* upload/upload.h */
	struct quota_copies *limits; /* quota/quota.h */
	/* upload_file_gone, for file/, which is below upload/. */
	enum trl_code (*drop_parts)(
	    struct media *self, trl_ctx *ctx, struct trl_id file);
};

extern const struct trl_service media_service;

/* Short names for the generated ones that many files use. */
typedef Media__V1__File media_file;

/* see.c: who may see a file, and who may change it. */

/* The maker of what this caller creates: the account, or the API key. */
struct trl_id media_caller(const trl_ctx *ctx);
/* The visibility of a collection; one that is no longer configured is private. */
Media__V1__File__Visibility media_visibility(
    const struct media *self, const char *collection);
/* Whether the caller may see files that maker (nil: unknown) made in a collection. */
bool media_sees(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id maker);
/* The permission without which the caller could not see it; 0: none is needed. */
uint32_t media_sees_by(const struct media *self, const trl_ctx *ctx,
    const char *collection, struct trl_id maker);
/* Whether the caller may change a file of this maker, which it may see. */
bool media_may_change(const trl_ctx *ctx, struct trl_id maker);

/* name.c: checks a file's name. Errors: TRL_INVALID (name). */
enum trl_code media_name_check(trl_ctx *ctx, const char *name) TRL_MUST_CHECK;
