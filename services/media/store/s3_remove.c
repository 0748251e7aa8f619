/* s3_remove.c - what lies in the bucket goes. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 100, SIDE_BY_SIDE = 8, PER_ACTOR = 10 };

/* That it is not there is fine. */
static enum trl_code
remove_one(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask)
{
	enum trl_code rc = s3_do(ctx, store, ask);

	if (rc != TRL_NOT_FOUND && rc != TRL_GONE)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
remove_key(trl_ctx *ctx, struct s3_store *store, const char *key)
{
	const struct s3_ask ask = { .method = "DELETE", .key = key };

	return remove_one(ctx, store, &ask);
}

enum trl_code
s3_abort(trl_ctx *ctx, struct s3_store *store, const char *key, const char *id)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 };
	struct s3_ask ask = { .method = "DELETE", .key = key };

	trl_buf_adds(&query, "uploadId=");
	sigv4_encode(&query, id, strlen(id), false);
	trl_buf_add(&query, "", 1);
	ask.query = (const char *)query.data;
	return remove_one(ctx, store, &ask);
}

static enum trl_code
remove_name(trl_ctx *ctx, struct s3_store *store, const char *name)
{
	const char *key = strchr(name, ' ') + 1;
	char *id;
	enum trl_code rc;

	if (name[0] == ' ')
		return remove_key(ctx, store, key);
	id = strndup(name, (size_t)(key - 1 - name));
	trl_assert(id != NULL);
	rc = s3_abort(ctx, store, key, id);
	free(id);
	return rc;
}

/* A page's names, removed by some actors side by side: a server's answer takes its
 * time, whatever it is about. On the heap, for its actors may outlive whoever waits for
 * them. */
struct removal {
	struct s3_store *store;
	char *each[AT_ONCE]; /* "ID KEY" */
	size_t n, next;
	unsigned users; /* who waits, and those that remove */
	enum trl_code rc;
	struct trl_err err;
	struct trl_ticket waiting;
};

static void
unref(struct removal *it)
{
	if (--it->users > 0) {
		(void)trl_wake(it->waiting);
		return;
	}
	for (size_t i = 0; i < it->n; i++)
		free(it->each[i]);
	free(it);
}

static void
add_name(void *self, const struct s3_item *item)
{
	struct removal *it = self;

	if (it->n < AT_ONCE) {
		trl_assert(
		    asprintf(&it->each[it->n], "%s %s", item->id, item->key) > 0);
		it->n++;
	}
}

static void
remove_next(trl_ctx *ctx, void *arg)
{
	struct removal *it = arg;

	while (it->rc == TRL_OK && it->next < it->n) {
		const enum trl_code rc =
		    remove_name(ctx, it->store, it->each[it->next++]);

		if (rc != TRL_OK && it->rc == TRL_OK) {
			it->rc = rc;
			it->err = ctx->err;
		}
	}
}

static void
remove_beside(trl_ctx *ctx, void *arg)
{
	ctx->service = "media";
	remove_next(ctx, arg);
	unref(arg);
}

/* Where there is no room for another actor, the others do it. */
static void
spawn_removers(trl_ctx *ctx, struct removal *it)
{
	const struct trl_spawn spawn = { .name = "media-remove",
		.run = remove_beside,
		.arg = it,
		.timeout_ms = (uint32_t)trl_time_left_ms(ctx) };

	for (size_t i = 1; i < SIDE_BY_SIDE && i * PER_ACTOR < it->n; i++) {
		it->users++;
		if (trl_spawn(ctx->loop, &spawn) != TRL_OK)
			it->users--;
	}
}

static enum trl_code
await_removers(trl_ctx *ctx, struct removal *it)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && it->users > 1) {
		it->waiting = trl_park_begin(ctx);
		rc = trl_park(ctx, it->waiting, "s3 removal");
	}
	if (rc == TRL_OK && it->rc != TRL_OK) {
		trl_err_clear(ctx);
		ctx->err = it->err;
	}
	if (it->rc == TRL_OK) /* who is at it still stops */
		it->rc = rc;
	return it->rc;
}

/* A page, from the begin of what is left. */
static enum trl_code
remove_page(trl_ctx *ctx, struct s3_store *store, struct s3_page *page)
{
	struct removal *it = calloc(1, sizeof *it);
	enum trl_code rc;

	trl_assert(it != NULL);
	it->store = store;
	it->users = 1;
	rc = s3_list_page(ctx, store, page, AT_ONCE, add_name, it);
	if (rc == TRL_OK) {
		spawn_removers(ctx, it);
		remove_next(ctx, it);
		rc = await_removers(ctx, it);
	}
	unref(it);
	return rc;
}

/* Pages until that time, and one at least; *more: there are others. */
static enum trl_code
remove_until(trl_ctx *ctx, struct s3_store *store, struct s3_page *first,
    uint64_t until_us, bool *more)
{
	struct s3_page *page = calloc(1, sizeof *page);
	enum trl_code rc;

	trl_assert(page != NULL);
	*page = *first;
	do
		rc = remove_page(ctx, store, page);
	while (rc == TRL_OK && page->more && trl_mono_us() < until_us);
	*more = rc == TRL_OK && page->more;
	free(page);
	return rc;
}

static enum trl_code
remove_all_until(trl_ctx *ctx, struct s3_store *store, const char *prefix,
    uint64_t until_us, bool *more)
{
	struct s3_page page = { .prefix = prefix, .uploads = true };
	enum trl_code rc = remove_until(ctx, store, &page, until_us, more);

	if (rc != TRL_OK || *more)
		return rc;
	page.uploads = false;
	return remove_until(ctx, store, &page, until_us, more);
}

enum trl_code
s3_remove_all(trl_ctx *ctx, struct s3_store *store, const char *prefix)
{
	bool more;

	return remove_all_until(ctx, store, prefix, UINT64_MAX, &more);
}

enum trl_code
s3_abandon(trl_ctx *ctx, media_store *store, const struct store_object *object)
{
	const struct store_object all = { object->tenant, object->file, NULL };

	return s3_remove(ctx, store, &all);
}

enum trl_code
s3_remove(trl_ctx *ctx, media_store *base, const struct store_object *object)
{
	struct s3_store *store = (struct s3_store *)base;
	const struct store_object own = { object->tenant, object->file,
		object->part != NULL ? object->part : "" };
	char key[S3_KEY_BYTES];

	s3_key_of(&own, key);
	return object->part != NULL ? remove_key(ctx, store, key)
				    : s3_remove_all(ctx, store, key);
}

enum trl_code
s3_remove_tenant(trl_ctx *ctx, media_store *base, struct trl_id tenant, bool *more)
{
	struct s3_store *store = (struct s3_store *)base;
	char prefix[TRL_ID_TEXT + 1];

	trl_id_format(tenant, prefix);
	strcat(prefix, "/");
	return remove_all_until(ctx, store, prefix, store_until(ctx), more);
}

enum trl_code
s3_forget(trl_ctx *ctx, media_store *base, const struct store_found *found)
{
	return remove_name(ctx, (struct s3_store *)base, found->name);
}
