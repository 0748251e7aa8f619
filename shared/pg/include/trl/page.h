/* page.h - opaque page tokens over a keyset: every list is ordered by one id, number
 * (UUIDv7, sequence) or name, so a page stays where it was while rows come and go.
 *
 * A token is base64url of a version byte, a keyed-less BLAKE2b tag of 8 bytes
 * over list name and scope (a token of another list or tenant is refused), and
 * the last key. It holds no secret and grants nothing. */
#pragma once

#include <trl/ctx.h>
#include <trl/member.h>

enum { TRL_PAGE_TEXT_MAX = 255 }; /* bytes of a name */

struct trl_page {
	const char *list;
	struct trl_id scope;
	uint32_t size;        /* rows to show; ask for size + 1 */
	struct trl_id after;  /* nil: from the start */
	int64_t after_number; /* the same for numbered lists, 0: from the start */
	char
	    after_text[TRL_PAGE_TEXT_MAX + 1]; /* and for lists by name; "": the same */
};

/* Reads page_size (0: 20) and page_token (NULL or "": start).
 * Errors: TRL_INVALID (field page_token). */
enum trl_code trl_page_open(trl_ctx *ctx, const char *list, struct trl_id scope,
    uint32_t page_size, const char *page_token, struct trl_page *out) TRL_MUST_CHECK;
/* Of a list with the newest first, the id that its rows come before. */
struct trl_id trl_page_before(const struct trl_page *page);
/* Leaves of a reply's items, rows in the order of their field key, most of them and the
 * page's size at most, and sets its next_page_token where there are more. list, of
 * trl_page_open, lies there still. */
void trl_page_cut(trl_ctx *ctx, const struct trl_page *page, size_t most,
    const char *key, ProtobufCMessage *reply);
/* The token that continues after a key, in ctx's arena. */
char *trl_page_token_id(
    trl_ctx *ctx, const char *list, struct trl_id scope, struct trl_id last);
char *trl_page_token_number(
    trl_ctx *ctx, const char *list, struct trl_id scope, int64_t last);
/* last: 1 to TRL_PAGE_TEXT_MAX bytes of UTF-8. */
char *trl_page_token_text(
    trl_ctx *ctx, const char *list, struct trl_id scope, const char *last);
/* Of lists by something that several rows may share, with the id beside it: after and
 * after_number, or after_text, are both set. */
char *trl_page_token_number_id(
    trl_ctx *ctx, const struct trl_page *page, int64_t last, struct trl_id id);
char *trl_page_token_text_id(
    trl_ctx *ctx, const struct trl_page *page, const char *last, struct trl_id id);
