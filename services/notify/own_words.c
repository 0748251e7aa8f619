/* own_words.c - an organisation's own words in the place of the built-in ones, sought
 * in a person's language first and in English last; of one language, its own first. */
#include <string.h>

#include "notify.h"

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

enum trl_code
notify_words_read(struct notify *self, trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    const char *kind, const char *locale, struct notify_words *out)
{
	Notify__V1__Templates rows = NOTIFY__V1__TEMPLATES__INIT;
	const char *locales[NOTIFY_LOCALES];
	char *buffer = trl_arena_alloc(ctx->arena, 64);
	size_t n = 0;

	(void)self;
	notify_locales(locale, buffer, locales);
	while (locales[n])
		n++;
	if (!trl_id_is_nil(tenant)) {
		trl_batch *work = trl_batch_new(ctx, pg, TRL_SCOPE_TENANT(tenant));
		enum trl_code rc;

		trl_batch_get(work, &notify_sql_template_find, NULL, &rows.base,
		    TRL_ARG_ID("tenant_id", tenant), TRL_ARG_TEXT("kind", kind),
		    TRL_ARG_TEXTS("locales", locales, n));
		rc = trl_batch_read(work);
		if (rc != TRL_OK)
			return rc;
	}
	for (size_t i = 0; i < n; i++) {
		const struct notify_words *built_in = notify_words_of(kind, locales[i]);

		if (take_own(&rows, locales[i], out))
			return TRL_OK;
		if (built_in) {
			*out = *built_in;
			return TRL_OK;
		}
	}
	return trl_fail(ctx, TRL_NOT_FOUND, "There are no words for %s.", kind);
}
