/* message.c - the message of a fact for one recipient: who it is about, who did it, the
 * organisation, the link, in the recipient's language. */
#include <string.h>

#include "telling/telling.h"

/* What is known of those it is about. */
struct known {
	Notify__V1__Organisation tenant;
	Notify__V1__Person by; /* who did it, where it was a person */
};

/* All in one round trip. */
static enum trl_code
read_known(struct notify *self, trl_ctx *ctx, const Notify__V1__Telling *telling,
    const struct notify_fact *fact, struct notify_outgoing *out, struct known *known)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(fact->tenant));
	const char *by = notify_value_text_at(fact->values, "by");
	struct trl_id id;

	notify__v1__person__init(&out->person);
	notify__v1__settings__init(&out->settings);
	notify__v1__organisation__init(&known->tenant);
	notify__v1__person__init(&known->by);
	if (telling->has_account_id)
		trl_batch_get(work, &notify_sql_account_copy_get, NULL,
		    &out->person.base,
		    TRL_ARG_ID("account_id", trl_value_id(telling->account_id)));
	else
		trl_batch_get(work, &notify_sql_account_copy_find, NULL,
		    &out->person.base, TRL_ARG_TEXT("email", telling->email));
	if (!trl_id_is_nil(fact->tenant)) {
		trl_batch_get(work, &notify_sql_settings_get, NULL, &out->settings.base,
		    TRL_ARG_ID("tenant_id", fact->tenant));
		trl_batch_get(work, &notify_sql_tenant_copy_get, NULL,
		    &known->tenant.base, TRL_ARG_ID("tenant_id", fact->tenant));
	}
	if (trl_id_parse(by, strlen(by), &id))
		trl_batch_get(work, &notify_sql_account_copy_get, NULL, &known->by.base,
		    TRL_ARG_ID("account_id", id));
	return trl_batch_read(work);
}

/* The one who did it, by name; nobody where it was no person, or one not heard of. */
static void
add_actor(trl_ctx *ctx, const Notify__V1__Person *by, struct notify_value *values)
{
	struct notify_value *map;

	if (!by->display_name)
		return;
	map = notify_value_add(ctx->arena, values, "by", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "display_name", by->display_name);
	notify_value_add_text(ctx->arena, map, "email", by->email);
}

static enum trl_code
add_tenant(trl_ctx *ctx, const struct notify_fact *fact,
    const Notify__V1__Organisation *row, struct notify_value *values, const char **name)
{
	const char *told = notify_value_text_at(fact->values, "tenant_name");
	char *id = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);
	struct notify_value *map;

	*name = NULL;
	if (trl_id_is_nil(fact->tenant))
		return TRL_OK;
	if (!row->display_name && !*told)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "nothing was heard of the organisation yet");
	trl_id_format(fact->tenant, id);
	*name = row->display_name ? row->display_name : told;
	map = notify_value_add(ctx->arena, values, "tenant", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "id", id);
	notify_value_add_text(ctx->arena, map, "name", *name);
	notify_value_add_text(ctx->arena, map, "slug", row->slug);
	return TRL_OK;
}

/* The button's link, of which the token is opened only now. */
static enum trl_code
add_link(struct notify *self, trl_ctx *ctx, const struct trl_told_kind *kind,
    const struct notify_fact *fact, struct notify_value *values)
{
	struct notify_run run = { .left = NOTIFY_STEPS_ON_LOOP };
	TRL_AUTO(trl_buf_fini) struct trl_buf link = { 0 };
	struct notify_value *own = notify_value_map(ctx->arena);
	const char *token = notify_token_open(self, ctx, kind, fact);

	if (!kind->page)
		return TRL_OK;
	if (kind->seal && !token)
		return trl_fail(ctx, TRL_INTERNAL, "a sealed token cannot be opened");
	notify_value_add_text(ctx->arena, own, "token", token ? token : "");
	own->last->next = values->first;
	own->last = values->last;
	trl_buf_adds(&link, self->config->public_url);
	if (!notify_template_render(kind->page, own, NOTIFY_PLAIN, &link, &run))
		return trl_fail(ctx, TRL_INTERNAL, "the page of %s: line %u: %s",
		    kind->name, run.line, run.what);
	trl_buf_add(&link, "", 1);
	notify_value_add_text(ctx->arena, values, "link",
	    trl_arena_strdup(ctx->arena, (const char *)link.data));
	return TRL_OK;
}

enum trl_code
notify_message_make(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Telling *telling, const struct trl_told_kind *kind,
    const struct notify_fact *fact, const char *unsubscribe,
    struct notify_outgoing *out)
{
	struct notify_value *values = notify_value_map(ctx->arena);
	const char *name = NULL, *locale = NULL;
	struct known known;
	enum trl_code rc = read_known(self, ctx, telling, fact, out, &known);

	if (rc == TRL_OK && telling->has_account_id && !out->person.email)
		rc = trl_fail(
		    ctx, TRL_UNAVAILABLE, "nothing was heard of the person yet");
	if (rc == TRL_OK)
		rc = add_tenant(ctx, fact, &known.tenant, values, &name);
	if (rc != TRL_OK)
		return rc;
	add_actor(ctx, &known.by, values);
	if (telling->email)
		out->person.email = telling->email;
	if (!out->person.display_name)
		out->person.display_name = trl_arena_strdup(ctx->arena,
		    notify_value_text_at(fact->values, "account.display_name"));
	/* Not on the organisation's behalf: in the installation's frame, and nobody's
	 * name is a link. */
	if (!kind->own_words) {
		out->settings.sender_name = out->settings.reply_to = NULL;
		name = NULL;
		out->person.display_name = (char *)(uintptr_t)notify_name_plain(
		    ctx->arena, out->person.display_name);
	}
	if (kind->locale)
		locale = notify_value_text_at(fact->values, kind->locale);
	if (kind->about) /* Slack's readers are several */
		locale = out->settings.locale;
	else if (!locale || !*locale)
		locale = out->person.locale ? out->person.locale : out->settings.locale;
	out->sender = out->settings.sender_name ? out->settings.sender_name
		      : name                    ? name
						: self->product;
	*notify_value_add(ctx->arena, values, "event", NOTIFY_VALUE_MAP) =
	    (struct notify_value){ .name = "event",
		    .kind = NOTIFY_VALUE_MAP,
		    .first = fact->values->first,
		    .last = fact->values->last };
	if (!kind->own_words)
		notify_names_plain(ctx->arena, values);
	notify_value_add_text(ctx->arena, values, "at",
	    notify_time_text(ctx->arena, trl_value_time_us(telling->fact->at)));
	notify_value_add_text(ctx->arena, values, "unsubscribe", unsubscribe);
	notify_add_frame(self, ctx, &out->person, out->sender, values);
	out->link = NULL;
	rc = add_link(self, ctx, kind, fact, values);
	if (rc == TRL_OK)
		rc = notify_compose(self, ctx, self->sys,
		    kind->own_words ? fact->tenant : trl_id_nil, kind->name, locale,
		    values, &out->message);
	out->link = notify_value_text_at(values, "link");
	return rc;
}
