/* notify.ListTemplates, GetTemplate, PutTemplate, DeleteTemplate, PreviewTemplate - an
 * organisation's own words. Every change is a new version; the newest counts, and one
 * that says "gone" brings the built-in words back. */
#include <string.h>

#include <trl/change.h>
#include <trl/page.h>

#include "words/words.h"

static const char list_name[] = "notify.templates";
static const char shown_in_layout[] = "member_updated"; /* in its preview */

enum { TEMPLATES_MAX = 200, VERSIONS_KEPT = 20 };

typedef Notify__V1__Template template;

static void
show(trl_ctx *ctx, const struct notify_words *words, template *out)
{
	trl_arena *arena = ctx->arena;

	out->kind = trl_arena_strdup(arena, words->kind);
	out->locale = trl_arena_strdup(arena, words->locale);
	trl_set(out, version, 0);
	trl_set(out, custom, false);
	out->subject = trl_arena_strdup(arena, words->subject);
	out->summary = trl_arena_strdup(arena, words->summary);
	if (words->action)
		out->action = trl_arena_strdup(arena, words->action);
	out->text = trl_arena_strdup(arena, words->text);
	out->html = trl_arena_strdup(arena, words->html);
}

/* The newest version of the organisation's; *own is false where there is none. */
static enum trl_code
read_own(struct notify *self, trl_ctx *ctx, const char *kind, const char *locale,
    template *out, bool *own)
{
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_template_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("kind", kind),
	    TRL_ARG_TEXT("locale", locale));
	*own = out->has_version && !out->gone;
	if (out->action && !*out->action)
		out->action = NULL;
	out->has_gone = false;
	return rc;
}

/* Kinds are those that have built-in words; locales any. */
static bool
is_kind(const char *kind)
{
	return notify_words_of(kind, "en") != NULL;
}

static enum trl_code
no_template(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_NOT_FOUND, "There is no such template.");
}

static void
add_entry(trl_ctx *ctx, Notify__V1__ListTemplatesReply *out, const char *kind,
    const char *locale)
{
	Notify__V1__TemplateEntry *entry = notify_v1_template_entry_new(ctx);

	entry->kind = trl_arena_strdup(ctx->arena, kind);
	entry->locale = trl_arena_strdup(ctx->arena, locale);
	trl_set(entry, version, 0);
	trl_set(entry, custom, false);
	out->items[out->n_items++] = entry;
}

static int
compare(
    const char *kind_a, const char *locale_a, const char *kind_b, const char *locale_b)
{
	const int kinds = strcmp(kind_a, kind_b);

	return kinds ? kinds : strcmp(locale_a, locale_b);
}

/* The built-in ones and the organisation's own in their places. */
static void
merge(trl_ctx *ctx, const Notify__V1__ListTemplatesReply *own,
    Notify__V1__ListTemplatesReply *out)
{
	size_t i = 0, k = 0;

	out->items = trl_arena_alloc(ctx->arena,
	    (notify_words_built_in_count + own->n_items + 1) * sizeof out->items[0]);
	while (i < notify_words_built_in_count || k < own->n_items) {
		const struct notify_words *words = &notify_words_built_in[i];
		const int order = i == notify_words_built_in_count ? 1
				  : k == own->n_items
				      ? -1
				      : compare(words->kind, words->locale,
					    own->items[k]->kind, own->items[k]->locale);

		if (order < 0)
			add_entry(ctx, out, words->kind, words->locale);
		else
			out->items[out->n_items++] = own->items[k++];
		i += order <= 0;
	}
}

/* Leaves what comes after "kind/locale", so many. */
static void
cut_page(trl_ctx *ctx, struct trl_page *page, Notify__V1__ListTemplatesReply *out)
{
	char *kind = page->after_text, *slash = strchr(kind, '/');
	const Notify__V1__TemplateEntry *last;
	size_t from = 0;

	if (slash) {
		*slash = '\0';
		while (from < out->n_items &&
		       compare(out->items[from]->kind, out->items[from]->locale, kind,
			   slash + 1) <= 0)
			from++;
	}
	out->items += from;
	out->n_items -= from;
	if (out->n_items <= page->size)
		return;
	out->n_items = page->size;
	last = out->items[page->size - 1];
	out->next_page_token = trl_page_token_text(ctx, list_name, ctx->tenant,
	    trl_arena_printf(ctx->arena, "%s/%s", last->kind, last->locale));
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
notify_list_templates(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListTemplatesRequest *in, Notify__V1__ListTemplatesReply *out)
{
	Notify__V1__ListTemplatesReply own = NOTIFY__V1__LIST_TEMPLATES_REPLY__INIT;
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, list_name, ctx->tenant, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &notify_sql_templates_list, NULL, &own.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_INT("limit", TEMPLATES_MAX));
	if (rc != TRL_OK)
		return rc;
	merge(ctx, &own, out);
	cut_page(ctx, &page, out);
	return TRL_OK;
}

/* Errors: TRL_NOT_FOUND. */
enum trl_code
notify_get_template(struct notify *self, trl_ctx *ctx,
    const Notify__V1__GetTemplateRequest *in, Notify__V1__Template *out)
{
	const struct notify_words *words = notify_words_of(in->kind, in->locale);
	bool own;
	enum trl_code rc = read_own(self, ctx, in->kind, in->locale, out, &own);

	if (rc != TRL_OK)
		return rc;
	if (own) {
		trl_set(out, custom, true);
		return TRL_OK;
	}
	notify__v1__template__init(out);
	if (!words)
		return no_template(ctx);
	show(ctx, words, out);
	return TRL_OK;
}

/* One that is new counts against the tenant's room. */
static enum trl_code
store(struct notify *self, trl_ctx *ctx, const template *row, bool is_new,
    const char *action, ProtobufCMessage *reply)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	if (is_new)
		trl_batch_add(work, &notify_sql_template_room, NULL,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_INT("allowed", TEMPLATES_MAX));
	trl_batch_add(work, &notify_sql_template_insert, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("kind", row->kind),
	    TRL_ARG_TEXT("locale", row->locale), TRL_ARG_INT("version", row->version),
	    TRL_ARG_BOOL("gone", row->gone), TRL_ARG_TEXT("subject", row->subject),
	    TRL_ARG_TEXT("summary", row->summary ? row->summary : ""),
	    TRL_ARG_TEXT("action", row->action ? row->action : ""),
	    TRL_ARG_TEXT("text", row->text), TRL_ARG_TEXT("html", row->html),
	    TRL_ARG_TIME("updated_at", trl_now(ctx)));
	trl_batch_add(work, &notify_sql_template_trim, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_TEXT("kind", row->kind),
	    TRL_ARG_TEXT("locale", row->locale), TRL_ARG_INT("version", row->version),
	    TRL_ARG_INT("keep", VERSIONS_KEPT));
	trl_batch_audit(work, action, ctx->tenant, "template", NULL);
	return trl_batch_write(work, reply);
}

/* Errors: TRL_INVALID (messages of that kind are sent on no organisation's behalf). */
static enum trl_code
may_have_own(trl_ctx *ctx, const char *kind_name)
{
	const struct trl_told_kind *kind = trl_told_kind_by_name(kind_name);

	if (!kind || kind->own_words) /* the layout is no kind */
		return TRL_OK;
	return trl_fail_field(ctx, TRL_INVALID, "kind",
	    "Messages of this kind are not sent on an organisation's behalf, or go to "
	    "people outside it; their words are the installation's.");
}

/* Makes an example of a message in words that are not stored yet, with so many items in
 * each list: a layout's around a message as it is. Errors: TRL_INVALID (the words are
 * not well formed, grow beyond the bounds, or take too many steps), faults. */
static enum trl_code
try_words(struct notify *self, trl_ctx *ctx, const struct notify_words *words,
    size_t items, struct notify_message *out)
{
	const bool is_layout = strcmp(words->kind, "layout") == 0;
	const char *kind = is_layout ? shown_in_layout : words->kind;
	struct notify_words stored, layout;
	enum trl_code rc = notify_words_check(self, ctx, words);

	if (rc == TRL_OK)
		rc = notify_words_read(
		    ctx, self->pg, ctx->tenant, kind, words->locale, &stored, &layout);
	if (rc != TRL_OK)
		return rc;
	return notify_compose_words(self, ctx, is_layout ? &stored : words,
	    is_layout ? words : &layout, notify_example(self, ctx, kind, items), out);
}

/* Errors: TRL_NOT_FOUND (no such kind), TRL_INVALID (a kind without own words, not well
 * formed, a layout without its place, or too much where lists are full),
 * TRL_PRECONDITION, TRL_QUOTA, TRL_CONFLICT. */
enum trl_code
notify_put_template(struct notify *self, trl_ctx *ctx,
    const Notify__V1__PutTemplateRequest *in, Notify__V1__Template *out)
{
	const struct notify_words words = { .kind = in->kind,
		.locale = in->locale,
		.subject = in->subject,
		.summary = in->summary ? in->summary : "",
		.action = in->action,
		.text = in->text,
		.html = in->html };
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	struct notify_message made;
	bool own;
	enum trl_code rc = TRL_OK;

	if (!is_kind(in->kind))
		return no_template(ctx);
	rc = may_have_own(ctx, in->kind);
	if (rc == TRL_OK)
		rc = try_words(self, ctx, &words, NOTIFY_LIST_MAX, &made);
	if (rc == TRL_OK)
		rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		template before = NOTIFY__V1__TEMPLATE__INIT;

		rc = read_own(self, ctx, in->kind, in->locale, &before, &own);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, own ? before.version : 0);
		if (rc != TRL_OK)
			return rc;
		show(ctx, &words, out);
		out->version = before.version + 1;
		out->custom = true;
		out->updated_at = trl_value_time(ctx, trl_now(ctx));
		rc = store(self, ctx, out, before.version == 0,
		    "notify.template.update", &out->base);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND (the organisation has none), TRL_PRECONDITION, TRL_CONFLICT. */
enum trl_code
notify_delete_template(struct notify *self, trl_ctx *ctx,
    const Notify__V1__DeleteTemplateRequest *in, Trellis__Empty *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	bool own;
	enum trl_code rc;

	rc = trl_change_begin(&change, ctx, ctx->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		template row = NOTIFY__V1__TEMPLATE__INIT;

		rc = read_own(self, ctx, in->kind, in->locale, &row, &own);
		if (rc == TRL_OK && !own)
			rc = no_template(ctx);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, row.version);
		if (rc != TRL_OK)
			return rc;
		row.version++;
		row.gone = true;
		rc =
		    store(self, ctx, &row, false, "notify.template.delete", &out->base);
	} while (trl_change_again(&change, &rc));
	return rc;
}

/* Errors: TRL_NOT_FOUND, TRL_INVALID (not well formed; grows beyond the bounds). */
enum trl_code
notify_preview_template(struct notify *self, trl_ctx *ctx,
    const Notify__V1__PreviewTemplateRequest *in, Notify__V1__Preview *out)
{
	struct notify_words words;
	struct notify_message made;
	enum trl_code rc;

	if (!is_kind(in->kind))
		return no_template(ctx);
	rc = notify_words_read(
	    ctx, self->pg, ctx->tenant, in->kind, in->locale, &words, NULL);
	if (rc != TRL_OK)
		return rc;
	words.locale = in->locale;
	words.subject = in->subject ? in->subject : words.subject;
	words.summary = in->summary ? in->summary : words.summary;
	words.action = in->action ? in->action : words.action;
	words.text = in->text ? in->text : words.text;
	words.html = in->html ? in->html : words.html;
	rc = try_words(self, ctx, &words, 1, &made);
	if (rc != TRL_OK)
		return rc;
	out->subject = trl_arena_strdup(ctx->arena, made.subject);
	out->summary = trl_arena_strdup(ctx->arena, made.summary);
	out->text = trl_arena_strdup(ctx->arena, made.text);
	out->html = trl_arena_strdup(ctx->arena, made.html);
	return TRL_OK;
}
