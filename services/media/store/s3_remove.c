/* s3_remove.c - what lies in the bucket goes. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 100 };

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

struct names {
	char *each[AT_ONCE]; /* "ID KEY" */
	size_t n;
};

static void
add_name(void *self, const struct s3_item *item)
{
	struct names *names = self;

	if (names->n < AT_ONCE) {
		trl_assert(
		    asprintf(&names->each[names->n], "%s %s", item->id, item->key) > 0);
		names->n++;
	}
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

/* A page, from the begin of what is left. */
static enum trl_code
remove_page(trl_ctx *ctx, struct s3_store *store, struct s3_page *page)
{
	struct names names = { .n = 0 };
	enum trl_code rc = s3_list_page(ctx, store, page, AT_ONCE, add_name, &names);

	for (size_t i = 0; i < names.n; i++) {
		if (rc == TRL_OK)
			rc = remove_name(ctx, store, names.each[i]);
		free(names.each[i]);
	}
	return rc;
}

static enum trl_code
remove_kind(trl_ctx *ctx, struct s3_store *store, const char *prefix, bool uploads)
{
	struct s3_page *page = calloc(1, sizeof *page);
	enum trl_code rc;

	trl_assert(page != NULL);
	page->prefix = prefix;
	page->uploads = uploads;
	do
		rc = remove_page(ctx, store, page);
	while (rc == TRL_OK && page->more);
	free(page);
	return rc;
}

enum trl_code
s3_remove_all(trl_ctx *ctx, struct s3_store *store, const char *prefix)
{
	enum trl_code rc = remove_kind(ctx, store, prefix, true);

	return rc == TRL_OK ? remove_kind(ctx, store, prefix, false) : rc;
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
s3_remove_tenant(trl_ctx *ctx, media_store *base, struct trl_id tenant)
{
	char prefix[TRL_ID_TEXT + 1];

	trl_id_format(tenant, prefix);
	strcat(prefix, "/");
	return s3_remove_all(ctx, (struct s3_store *)base, prefix);
}

enum trl_code
s3_forget(trl_ctx *ctx, media_store *base, const struct store_found *found)
{
	return remove_name(ctx, (struct s3_store *)base, found->name);
}
