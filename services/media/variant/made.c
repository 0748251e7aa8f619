/* made.c - see made.h. What is made is made by an actor of its own, whom all that want
 * it wait for; the last of them frees it. */
#include "variant/made.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>

#include "file/file.h"
#include "variant/renderer.h"
#include "variant/variant.h"
#include "variant/wish.h"

enum {
	MAKE_TIMEOUT_MS = 60000,
	ANSWER_MS = 500, /* of a request that is left to say that it waited in vain */
	ETAG_BYTES = 16
};

struct wanting {
	struct wanting *next;
	struct trl_ticket ticket;
	uint64_t until_us;
	bool in_vain;
};

struct making {
	struct making *next;
	struct media *self;
	struct trl_id tenant, file;
	struct options options;
	char key[OPTIONS_TEXT_MAX];
	struct wanting *first;
	size_t users; /* its actor, and who waits */
	size_t waiting;
	size_t place;     /* among its organisation's */
	uint64_t from_us; /* not earlier than then is it begun with; 0: nobody knows */
	enum trl_code rc;
	struct trl_err err;
	bool done;
};

enum trl_code
made_find(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out)
{
	char *key = trl_arena_alloc(ctx->arena, OPTIONS_TEXT_MAX);

	options_key(options, key);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_rendition_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("file_id", file),
	    TRL_ARG_TEXT("key", key));
}

/* Of the bytes, so that it is right whatever made them. */
static char *
etag_of(trl_ctx *ctx, const struct trl_buf *bytes)
{
	uint8_t hash[ETAG_BYTES];
	char *text = trl_arena_alloc(ctx->arena, 2 * ETAG_BYTES + 3);

	crypto_generichash(hash, sizeof hash, bytes->data, bytes->len, NULL, 0);
	text[0] = '"';
	(void)sodium_bin2hex(text + 1, 2 * ETAG_BYTES + 1, hash, sizeof hash);
	memcpy(text + 1 + 2 * ETAG_BYTES, "\"", 2);
	return text;
}

/* The file was purged since its bytes were read, and whoever did that may have seen
 * nothing yet of what was made of them. */
static enum trl_code
remove_again(const struct making *making, trl_ctx *ctx)
{
	const struct store_object all = { making->tenant, making->file, NULL };
	const struct trl_err err = ctx->err;

	trl_err_clear(ctx);
	if (store_remove(ctx, making->self->store, &all) != TRL_OK)
		trl_log_err(ctx); /* the sweep does it */
	trl_err_clear(ctx);
	ctx->err = err;
	return TRL_NOT_FOUND;
}

/* Bytes first: a row whose bytes are missing would be found. */
static enum trl_code
keep(const struct making *making, trl_ctx *ctx, const struct picture_reply *said,
    const struct trl_buf *bytes)
{
	const struct store_object object = { making->tenant, making->file,
		making->key };
	Media__V1__Renditions *gone = media_v1_renditions_new(ctx);
	trl_batch *work;
	enum trl_code rc =
	    store_put(ctx, making->self->store, &object, bytes->data, bytes->len);

	if (rc != TRL_OK)
		return rc;
	rc = wish_make_room(making->self, ctx, making->file, making->key, gone);
	if (rc != TRL_OK)
		return rc == TRL_NOT_FOUND ? remove_again(making, ctx) : rc;
	work = trl_batch_new(ctx, making->self->pg, TRL_SCOPE_TENANT(making->tenant));
	trl_batch_add(work, &media_sql_rendition_put, NULL,
	    TRL_ARG_ID("tenant_id", making->tenant),
	    TRL_ARG_ID("file_id", making->file), TRL_ARG_TEXT("key", making->key),
	    TRL_ARG_TEXT("type", options_type((enum picture_format)said->format)),
	    TRL_ARG_INT("size", (int64_t)bytes->len), TRL_ARG_INT("width", said->width),
	    TRL_ARG_INT("height", said->height),
	    TRL_ARG_TEXT("etag", etag_of(ctx, bytes)),
	    TRL_ARG_TIME("created_at", trl_now(ctx)));
	for (size_t i = 0; i < gone->n_items; i++)
		trl_batch_add(work, &media_sql_rendition_forget, &gone->items[i]->base,
		    TRL_ARG_ID("tenant_id", making->tenant));
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK)
		wish_remove(making->self, ctx, making->file, gone);
	return rc == TRL_NOT_FOUND ? remove_again(making, ctx) : rc;
}

/* Another replica may have been faster. */
static enum trl_code
make(const struct making *making, trl_ctx *ctx)
{
	const struct options *options = &making->options;
	const struct picture_request asked = { .task = PICTURE_MAKE,
		.fit = options->fit,
		.format = options->format,
		.width = options->width,
		.height = options->height,
		.quality = options->quality };
	media_rendition *there = media_v1_rendition_new(ctx);
	struct picture_reply said;
	struct trl_buf bytes = { 0 };
	enum trl_code rc = made_find(making->self, ctx, making->file, options, there);

	if (rc != TRL_OK || there->etag)
		return rc;
	rc = renderer_ask(making->self, ctx, making->file, &asked, &said, &bytes);
	if (rc == TRL_OK)
		rc = keep(making, ctx, &said, &bytes);
	trl_buf_fini(&bytes);
	return rc;
}

/* When each is begun with, if those before it take as long as others lately did.
 * Organisations take turns: of another's as many are before it as of its own. Newer
 * ones are first in the list. */
static void
foresee(variants *all)
{
	const uint64_t apart_us = turns_apart_us(all->turns), now_us = trl_mono_us();

	for (struct making *at = all->first; at; at = at->next) {
		at->place = 0;
		for (const struct making *old = at->next; old; old = old->next)
			at->place += trl_id_eq(old->tenant, at->tenant);
	}
	for (struct making *at = all->first; at; at = at->next) {
		uint64_t before = 0;
		bool is_older = false;

		for (const struct making *each = all->first; each; each = each->next) {
			before += each->place < at->place ||
				  (is_older && each->place == at->place);
			is_older |= each == at;
		}
		at->from_us = apart_us ? now_us + before * apart_us : 0;
	}
}

/* Whoever will not have it in time is told so now, and when to come again. */
static void
tell_in_vain(variants *all)
{
	foresee(all);
	for (struct making *at = all->first; at; at = at->next)
		for (struct wanting *each = at->first; each; each = each->next)
			if (!each->in_vain && at->from_us > each->until_us) {
				each->in_vain = true;
				(void)trl_wake(each->ticket);
			}
}

static void
let_go(struct making *making)
{
	if (--making->users == 0)
		free(making);
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct making *making = arg;

	ctx->service = "media";
	ctx->tenant = making->tenant;
	making->rc = make(making, ctx);
	making->err = ctx->err; /* whoever waits is told, and tells it */
	making->err.violations = NULL;
	making->err.n_violations = 0;
	making->done = true;
	for (struct making **at = &making->self->variants->first; *at;
	     at = &(*at)->next)
		if (*at == making) {
			*at = making->next;
			break;
		}
	for (struct wanting *each = making->first; each; each = each->next)
		(void)trl_wake(each->ticket);
	tell_in_vain(making->self->variants);
	let_go(making);
}

static enum trl_code
begin(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, struct making **out)
{
	struct making *making = calloc(1, sizeof *making);
	const struct trl_spawn spawn = { .name = "make a rendition",
		.run = run,
		.arg = making,
		.timeout_ms = MAKE_TIMEOUT_MS };

	trl_assert(making);
	*making = (struct making){ .self = self,
		.tenant = ctx->tenant,
		.file = file,
		.options = *options,
		.users = 1 };
	options_key(options, making->key);
	if (trl_spawn(ctx->loop, &spawn) != TRL_OK) {
		free(making);
		return trl_fail(ctx, TRL_BUSY, "too many actors");
	}
	making->next = self->variants->first;
	self->variants->first = making;
	tell_in_vain(self->variants);
	*out = making;
	return TRL_OK;
}

static struct making *
going_on(const struct media *self, const trl_ctx *ctx, struct trl_id file,
    const struct options *options)
{
	char key[OPTIONS_TEXT_MAX];
	struct making *at = self->variants->first;

	options_key(options, key);
	while (at && !(trl_id_eq(at->tenant, ctx->tenant) &&
			 trl_id_eq(at->file, file) && strcmp(at->key, key) == 0))
		at = at->next;
	return at;
}

static enum trl_code
come_again(trl_ctx *ctx, const struct making *making)
{
	const uint64_t now_us = trl_mono_us();
	uint64_t ms = making->from_us > now_us ? (making->from_us - now_us) / 1000 : 0;
	enum trl_code rc =
	    trl_fail(ctx, TRL_BUSY, "The picture is being rendered; try again.");

	if (ms < TURN_RETRY_AFTER_MS)
		ms = TURN_RETRY_AFTER_MS;
	trl_err_retry_after(ctx, ms < MAKE_TIMEOUT_MS ? (uint32_t)ms : MAKE_TIMEOUT_MS);
	return rc;
}

static void
wait_no_more(struct making *making, const struct wanting *me)
{
	making->waiting--;
	for (struct wanting **at = &making->first; *at; at = &(*at)->next)
		if (*at == me) {
			*at = me->next;
			return;
		}
}

/* It is made whether somebody waits or not, so whoever has waited for as long as a
 * request may, or would do so in vain, finds it later. */
static enum trl_code
wait_for(struct making *making, trl_ctx *ctx)
{
	const uint32_t left_ms = trl_time_left_ms(ctx);
	const uint32_t may_ms = left_ms > ANSWER_MS ? left_ms - ANSWER_MS : 1;
	struct wanting me = { .next = making->first,
		.until_us = trl_mono_us() + (uint64_t)may_ms * 1000 };
	enum trl_code rc;

	if (making->waiting >= MADE_WAITING_MAX || making->from_us > me.until_us)
		return come_again(ctx, making);
	me.ticket = trl_park_begin(ctx);
	making->first = &me;
	making->users++;
	making->waiting++;
	rc = trl_park_for(ctx, me.ticket, "a rendition", may_ms);
	if ((rc == TRL_DEADLINE && ctx->err.code == TRL_OK) ||
	    (rc == TRL_OK && !making->done))
		rc = come_again(ctx, making);
	wait_no_more(making, &me);
	if (rc == TRL_OK && making->rc != TRL_OK) {
		rc = making->rc;
		ctx->err = making->err;
	}
	let_go(making);
	return rc;
}

enum trl_code
made_make(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct options *options, media_rendition *out)
{
	struct making *making = going_on(self, ctx, file, options);
	enum trl_code rc = TRL_OK;

	if (!making)
		rc = begin(self, ctx, file, options, &making);
	if (rc == TRL_OK)
		rc = wait_for(making, ctx);
	if (rc == TRL_OK)
		rc = made_find(self, ctx, file, options, out);
	if (rc == TRL_OK && !out->etag)
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "a rendition is gone at once");
	return rc;
}
