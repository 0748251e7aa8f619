/* store.c - bytes that no row refers to: whole files, what was made of pictures,
 * unfinished uploads (an S3 server's multipart uploads among them), and scraps. */
#include <stdio.h>

#include <trl/log.h>

#include "store/store.h"
#include "sweep/sweep.h"

enum { UNKNOWN_MIN = 20 };

/* Whether rows refer to what was found, in its order. */
static enum trl_code
look_up(
    struct sweep *sweep, const struct store_listing *page, Media__V1__SweepKnown *out)
{
	trl_ctx *ctx = sweep->ctx;
	struct trl_id *tenants =
	    trl_arena_alloc(ctx->arena, (page->n + 1) * sizeof *tenants);
	struct trl_id *files =
	    trl_arena_alloc(ctx->arena, (page->n + 1) * sizeof *files);
	const char **parts = trl_arena_alloc(ctx->arena, (page->n + 1) * sizeof *parts);

	for (size_t i = 0; i < page->n; i++) {
		tenants[i] = page->found[i].tenant;
		files[i] = page->found[i].file;
		parts[i] = page->found[i].part;
	}
	return trl_batch_get_one(ctx, sweep->self->sys, TRL_SCOPE_NOBODY,
	    &media_sql_sweep_known, NULL, &out->base,
	    TRL_ARG_IDS("tenants", tenants, page->n),
	    TRL_ARG_IDS("files", files, page->n),
	    TRL_ARG_TEXTS("parts", parts, page->n));
}

static Media__V1__Swept__What
what_of(enum store_kind kind)
{
	switch (kind) {
	case STORE_WHOLE:
		return MEDIA__V1__SWEPT__WHAT__orphan;
	case STORE_MADE:
		return MEDIA__V1__SWEPT__WHAT__rendition;
	case STORE_UPLOAD:
		return MEDIA__V1__SWEPT__WHAT__unfinished;
	default:
		return MEDIA__V1__SWEPT__WHAT__scrap;
	}
}

static bool
is_referred_to(enum store_kind kind, const Media__V1__SweepKnownRow *known)
{
	switch (kind) {
	case STORE_WHOLE:
		return known->file || known->upload;
	case STORE_MADE:
		return known->file && known->rendition;
	case STORE_UPLOAD: /* or its parts are put together still */
		return known->upload || known->processing;
	default:
		return false;
	}
}

/* Whether so much of what lies there is of no file that the tables know that it is
 * rather the rows which are not the ones of this store: another database, another
 * installation's bucket. Then nothing is removed unless the operator says so. All kinds
 * count: a page may hold nothing but renditions, tails, or multipart uploads. */
static bool
looks_wrong(const struct store_listing *page, const Media__V1__SweepKnown *known)
{
	size_t ours = 0, unknown = 0;

	for (size_t i = 0; i < known->n_items; i++)
		if (!trl_id_is_nil(page->found[i].file)) {
			ours++;
			unknown += !known->items[i]->file && !known->items[i]->upload;
		}
	return unknown >= UNKNOWN_MIN && unknown * 10 > ours;
}

static enum trl_code
hold_back(struct sweep *sweep)
{
	sweep->held = true;
	sweep_held("unknown");
	trl_log(TRL_LOG_ERROR, sweep->ctx,
	    "the store has too many files that are not in the tables: none of them is "
	    "removed",
	    TRL_LOG_STR("after", sweep->place.after ? sweep->place.after : ""));
	return TRL_OK;
}

/* That it cannot be removed is not the store's being away, which has just listed it. */
static enum trl_code
remove_one(struct sweep *sweep, const struct store_found *found)
{
	enum trl_code rc = TRL_OK;

	if (!sweep->dry_run)
		rc = store_forget(sweep->ctx, sweep->self->store, found);
	if (rc == TRL_OK)
		sweep_count(sweep, what_of(found->kind), found->size);
	sweep->failures = 0;
	return sweep_pass(sweep, rc, found->name);
}

static enum trl_code
remove_unknown(struct sweep *sweep, const struct store_listing *page,
    const Media__V1__SweepKnown *known)
{
	const int64_t before_us = trl_now(sweep->ctx) - SWEEP_DAY_US;
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < known->n_items; i++) {
		const struct store_found *found = &page->found[i];

		/* What is without a file is not ours, and left alone. */
		if (!trl_id_is_nil(found->file) && found->changed_us < before_us &&
		    !is_referred_to(found->kind, known->items[i]))
			rc = remove_one(sweep, found);
	}
	return rc;
}

enum trl_code
sweep_store(struct sweep *sweep, bool *over)
{
	Media__V1__SweepKnown known = MEDIA__V1__SWEEP_KNOWN__INIT;
	trl_ctx *ctx = sweep->ctx;
	struct store_listing *page = trl_arena_zalloc(ctx->arena, sizeof *page);
	enum trl_code rc;

	if (sweep->place.after)
		snprintf(page->after, sizeof page->after, "%s", sweep->place.after);
	rc = store_list(ctx, sweep->self->store, page);
	if (rc == TRL_OK)
		rc = look_up(sweep, page, &known);
	if (rc == TRL_OK)
		rc = !sweep->force && looks_wrong(page, &known)
			 ? hold_back(sweep)
			 : remove_unknown(sweep, page, &known);
	sweep_passed(sweep, page->passed);
	*over = page->ended;
	sweep->place.after = page->after;
	return rc;
}
