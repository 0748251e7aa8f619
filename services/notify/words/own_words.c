/* own_words.c - an organisation's own words in the place of the built-in ones, sought
 * in a person's language first and in English last; of one language, its own first. */
#include <string.h>

#include "words/words.h"

static bool
take_own(
    const Notify__V1__Templates *rows, const char *locale, struct notify_words *out)
{
	for (size_t i = 0; i < rows->n_items; i++) {
		const Notify__V1__Template *row = rows->items[i];

		if (strcmp(row->locale, locale) != 0 || row->gone)
			continue;
		*out = (struct notify_words){ .kind = row->kind,
			.locale = row->locale,
			.subject = row->subject,
			.summary = row->summary,
			.action = row->action && *row->action ? row->action : NULL,
			.text = row->text,
			.html = row->html };
		return true;
	}
	return false;
}

/* What to look for: each language in its turn. */
struct sought {
	const char *locales[NOTIFY_LOCALES];
	size_t n;
	char buffer[64];
};

static enum trl_code
choose(trl_ctx *ctx, const Notify__V1__Templates *rows, const char *kind,
    const struct sought *sought, struct notify_words *out)
{
	for (size_t i = 0; i < sought->n; i++) {
		const char *locale = sought->locales[i];
		const struct notify_words *built_in = notify_words_of(kind, locale);

		if (take_own(rows, locale, out))
			return TRL_OK;
		if (built_in) {
			*out = *built_in;
			return TRL_OK;
		}
	}
	return trl_fail(ctx, TRL_NOT_FOUND, "There are no words for %s.", kind);
}

static void
find(trl_batch *work, struct trl_id tenant, const char *kind,
    const struct sought *sought, Notify__V1__Templates *rows)
{
	trl_batch_get(work, &notify_sql_template_find, NULL, &rows->base,
	    TRL_ARG_ID("tenant_id", tenant), TRL_ARG_TEXT("kind", kind),
	    TRL_ARG_TEXTS("locales", sought->locales, sought->n));
}

enum trl_code
notify_words_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant, const char *kind,
    const char *locale, struct notify_words *words, struct notify_words *layout)
{
	Notify__V1__Templates own = NOTIFY__V1__TEMPLATES__INIT,
			      around = NOTIFY__V1__TEMPLATES__INIT;
	struct sought *sought = trl_arena_zalloc(ctx->arena, sizeof *sought);
	enum trl_code rc = TRL_OK;

	notify_locales(locale, sought->buffer, sought->locales);
	while (sought->locales[sought->n])
		sought->n++;
	if (!trl_id_is_nil(tenant)) {
		trl_batch *work = trl_batch_new(ctx, pg, TRL_SCOPE_TENANT(tenant));

		find(work, tenant, kind, sought, &own);
		if (layout)
			find(work, tenant, "layout", sought, &around);
		rc = trl_batch_read(work);
	}
	if (rc == TRL_OK)
		rc = choose(ctx, &own, kind, sought, words);
	if (rc == TRL_OK && layout)
		rc = choose(ctx, &around, "layout", sought, layout);
	return rc;
}
