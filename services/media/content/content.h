/* content.h - giving out the bytes of an object of the store as an answer of HTTP: all
 * of them, parts of them, or none where the client has them already. Whoever may have
 * them was asked before. For handlers of methods that give bytes. */
#pragma once

#include "content/condition.h"
#include "content/range.h"
#include "media.h"
#include "store/store.h"

/* Who may keep an answer. */
enum content_cache {
	CONTENT_MINE,   /* its client only, who asks each time whether it is still so */
	CONTENT_PUBLIC, /* anybody, for a year: bytes never change under their id */
	CONTENT_SIGNED, /* its client only, until the URL ends */
	CONTENT_LINKED  /* its client only, and not for long: the link may be revoked */
};

struct content {
	struct store_object object;
	const char *type, *name; /* name NULL: the answer has none */
	uint64_t size;
	const char *sha256; /* of all of it, 64 hexadecimal digits; NULL: unknown */
	const char *etag;   /* strong, with its quotes */
	int64_t modified_us;
	bool is_inline; /* shown in place, else kept as a file */
	enum content_cache cache;
	uint64_t left_s;     /* until the URL ends, of those that do */
	bool by_accept;      /* the Accept header chose it */
	bool may_redirect;   /* to where the store has it */
	uint32_t permission; /* without which the caller would not see it; 0: none */
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

/* Answers, writes the bytes and ends the stream of ctx, which is a method's that gives
 * some. Errors: TRL_PRECONDITION, TRL_RANGE, and faults of the store and the stream. */
enum trl_code content_give(struct media *self, trl_ctx *ctx, const struct content *what,
    const struct content_asked *asked, Media__V1__ContentBytes *out) TRL_MUST_CHECK;

/* The bytes of a file themselves. */
struct content content_of_file(
    const struct media *self, trl_ctx *ctx, const media_file *file);
/* Whether a file's bytes are given out in its state.
 * Errors: TRL_NOT_FOUND, TRL_CONFLICT (not yet, with a time to come again). */
enum trl_code content_ready(trl_ctx *ctx, const media_file *file) TRL_MUST_CHECK;
