/* content.h - serves the bytes of an object of the store as an HTTP answer: all of
 * them, ranges, or none if the client has them already. Permission was checked before.
 * For handlers of methods that give bytes. */
#pragma once

#include "content/condition.h"
#include "content/range.h"
#include "media.h"
#include "store/store.h"

/* Who may cache an answer. */
enum content_cache {
	CONTENT_MINE,   /* its client only, revalidating each time */
	CONTENT_PUBLIC, /* anybody, for a year: bytes never change under their id */
	CONTENT_SIGNED, /* its client only, until the URL expires */
	CONTENT_LINKED  /* its client only, briefly: the link may be revoked */
};

struct content {
	struct store_object object;
	const char *type, *name; /* name NULL: the answer has none */
	uint64_t size;
	const char *sha256; /* of the whole, 64 hexadecimal digits; NULL: unknown */
	const char *etag;   /* strong, with its quotes */
	int64_t modified_us;
	bool is_inline; /* else attachment */
	enum content_cache cache;
	uint64_t left_s;     /* until the URL expires, if it does */
	bool by_accept;      /* the Accept header chose it */
	bool may_redirect;   /* to the store's own URL */
	uint32_t permission; /* without which the caller may not see it; 0: none */
};

/* What a request asked for. */
struct content_asked {
	const char *verb, *range;
	struct content_conditions conditions;
};
#define CONTENT_ASKED(in)                                                              \
	((struct content_asked){ (in)->verb, (in)->range,                              \
	    { (in)->if_match, (in)->if_unmodified_since, (in)->if_none_match,          \
		(in)->if_modified_since, (in)->if_range } })

/* Answers, writes the bytes and ends ctx's stream. Errors: TRL_PRECONDITION, TRL_RANGE,
 * and faults of the store and the stream. */
enum trl_code content_give(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_asked *asked, Media__V1__ContentBytes *out) TRL_MUST_CHECK;

/* A file's own bytes. */
struct content content_of_file(
    const struct media *self, trl_ctx *ctx, const media_file *file);
/* Checks that a file's state lets its bytes be served.
 * Errors: TRL_NOT_FOUND, TRL_CONFLICT (not yet; with retry-after). */
enum trl_code content_ready(trl_ctx *ctx, const media_file *file) TRL_MUST_CHECK;
