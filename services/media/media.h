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

/* see.c: who sees a file, and who may change it. */

/* Who makes what this caller makes: the account, or the API key. */
struct trl_id media_caller(const trl_ctx *ctx);
/* Who may see files of a collection; one that is no longer configured is private. */
Media__V1__File__Visibility media_visibility(
    const struct media *self, const char *collection);
/* Whether the caller sees files of a collection that maker made (nil: nobody who is
 * known). */
bool media_sees(const struct media *self, const trl_ctx *ctx, const char *collection,
    struct trl_id maker);
/* The permission without which the caller would not see it; 0: there is none. */
uint32_t media_sees_by(const struct media *self, const trl_ctx *ctx,
    const char *collection, struct trl_id maker);
/* Whether the caller may change a file that is seen. */
bool media_may_change(const trl_ctx *ctx, struct trl_id maker);

/* name.c: whether a file may be called so. Errors: TRL_INVALID (name). */
enum trl_code media_name_check(trl_ctx *ctx, const char *name) TRL_MUST_CHECK;
