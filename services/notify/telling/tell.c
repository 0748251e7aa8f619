/* tell.c - telling one person, or one address, of one fact: whether it is wanted, in
 * which language, and by which channels. The inbox is written here; a mail is another
 * job, which goes at once, after quiet hours, or with the next digest. All of it is
 * one transaction under the job's key, so it happens once. */
#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "feed/feed.h"
#include "words/template.h"

/* A person may be heard of later than what concerns him. */
static const uint32_t delays_s[] = { 1, 2, 4, 8, 15, 30, 60, 300, 900, 3600 };

/* What is known of those it is about. */
struct known {
	Notify__V1__Organisation tenant;
	Notify__V1__Person by; /* who did it, where it was a person */
};

/* All in one round trip. */
static enum trl_code
read_known(struct notify *self, trl_ctx *ctx, const Notify__V1__Telling *telling,
    const struct notify_fact *fact, struct notify_letter *out, struct known *known)
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

void
notify_add_frame(struct notify *self, trl_ctx *ctx, const Notify__V1__Person *person,
    const char *sender, struct notify_value *values)
{
	struct notify_value *map;
	size_t initial = 1;

	map = notify_value_add(ctx->arena, values, "product", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "name", self->product);
	notify_value_add_text(ctx->arena, map, "url", self->config->public_url);
	map = notify_value_add(ctx->arena, values, "account", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "email", person->email);
	notify_value_add_text(ctx->arena, map, "display_name", person->display_name);
	map = notify_value_add(ctx->arena, values, "sender", NOTIFY_VALUE_MAP);
	notify_value_add_text(ctx->arena, map, "name", sender);
	while (((unsigned char)sender[initial] & 0xc0) == 0x80)
		initial++;
	notify_value_add_text(ctx->arena, map, "initial",
	    *sender ? trl_arena_strndup(ctx->arena, sender, initial) : "");
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
    const struct notify_fact *fact, const char *unsubscribe, struct notify_letter *out)
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

/* ---- deciding -----------------------------------------------------------------------
 */

enum trl_code
notify_wishes_read(struct notify *self, trl_ctx *ctx, struct trl_id account,
    const char *kind, Notify__V1__Wishes *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_ACCOUNT(account));

	notify__v1__wishes__init(out);
	trl_batch_get(work, &notify_sql_wishes_get, NULL, &out->base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_TEXT("kind", kind),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_read(work);
}

static bool
wants(const struct trl_told_kind *kind, enum trl_offer offer, bool chosen, bool choice)
{
	if (offer == TRL_OFFER_NONE)
		return false;
	if (kind->mandatory || !chosen)
		return offer == TRL_OFFER_ON;
	return choice;
}

/* Mails that may wait go to proven addresses alone: others may be somebody else's. */
static bool
wants_mail(const struct trl_told_kind *kind, const Notify__V1__Wishes *wishes,
    const struct notify_letter *letter)
{
	return wants(kind, kind->email, wishes->has_email, wishes->email) &&
	       (kind->mandatory || letter->person.verified);
}

enum trl_code
notify_wants_still(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Telling *telling, const struct trl_told_kind *kind,
    const struct notify_letter *letter, bool *wanted)
{
	Notify__V1__Wishes wishes;
	enum trl_code rc = notify_wishes_read(
	    self, ctx, trl_value_id(telling->account_id), kind->name, &wishes);

	*wanted = rc == TRL_OK && wants_mail(kind, &wishes, letter);
	return rc;
}

/* The row, and what an open stream shows of it. */
static void
add_inbox(trl_ctx *ctx, trl_batch *work, struct trl_id account,
    const struct notify_fact *fact, const char *kind,
    const struct notify_letter *letter)
{
	Notify__V1__Notification *told = trl_arena_alloc(ctx->arena, sizeof *told);

	notify__v1__notification__init(told);
	told->has_id = told->has_event_id = true;
	told->id = trl_value_bytes(ctx, trl_new_id(ctx));
	told->event_id = trl_value_bytes(ctx, fact->event_id);
	told->has_tenant_id = !trl_id_is_nil(fact->tenant);
	told->tenant_id = trl_value_bytes(ctx, fact->tenant);
	told->kind = trl_arena_strdup(ctx->arena, kind);
	told->title = (char *)(uintptr_t)letter->message.subject;
	told->body = (char *)(uintptr_t)letter->message.summary;
	told->link = letter->link && *letter->link
			 ? trl_arena_strdup(ctx->arena, letter->link)
			 : NULL;
	told->created_at = trl_value_time(ctx, trl_now(ctx));
	trl_batch_add(work, &notify_sql_notification_insert, &told->base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("about_tenant", fact->tenant),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	notify_feed_add_told(ctx, work, account, told);
}

/* The domain: of one whose mail makes the relay wait, that of the others goes on. */
static struct trl_id
lane_of(trl_ctx *ctx, const char *email)
{
	const char *at = strrchr(email, '@');
	char *domain = trl_arena_strdup(ctx->arena, at ? at + 1 : email);
	struct trl_id lane;

	for (char *c = domain; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	crypto_generichash(lane.bytes, sizeof lane.bytes, (const uint8_t *)domain,
	    strlen(domain), NULL, 0);
	return lane;
}

static void
add_mail(trl_ctx *ctx, trl_batch *work, const Notify__V1__Telling *telling,
    const struct notify_fact *fact, const struct notify_letter *letter,
    int64_t run_at_us)
{
	const struct trl_job_terms terms = { .run_at_us = run_at_us,
		.lane = lane_of(ctx, letter->person.email) };

	trl_batch_add(work, &notify_sql_delivery_insert, NULL,
	    TRL_ARG_ID("tenant_id", fact->tenant),
	    TRL_ARG_ID("delivery_id", trl_value_id(telling->delivery_id)),
	    TRL_ARG_TEXT("kind", telling->kind), TRL_ARG_TEXT("channel", "email"),
	    TRL_ARG_ID("account_id", trl_value_id(telling->account_id)),
	    TRL_ARG_TEXT("address", letter->person.email),
	    TRL_ARG_ID("event_id", fact->event_id), TRL_ARG_TEXT("status", "waiting"),
	    TRL_ARG_TEXT("detail", ""), TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_job(work, &notify_mail_job, &terms, &telling->base);
}

static void
add_digest(trl_ctx *ctx, trl_batch *work, struct trl_id account,
    const struct notify_fact *fact, const char *kind,
    const struct notify_letter *letter, int64_t due_at_us)
{
	trl_batch_add(work, &notify_sql_digest_add, NULL,
	    TRL_ARG_ID("tenant_id", fact->tenant), TRL_ARG_ID("account_id", account),
	    TRL_ARG_TIME("due_at", due_at_us), TRL_ARG_ID("id", trl_new_id(ctx)),
	    TRL_ARG_TEXT("kind", kind), TRL_ARG_TEXT("title", letter->message.subject),
	    TRL_ARG_TEXT("body", letter->message.summary),
	    TRL_ARG_TEXT("link", letter->link && *letter->link ? letter->link : NULL),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

static enum trl_code
tell(struct notify *self, trl_ctx *ctx, const Notify__V1__Telling *telling,
    const struct trl_told_kind *kind, const struct notify_fact *fact,
    const struct notify_letter *letter)
{
	struct trl_id account = trl_value_id(telling->account_id);
	Notify__V1__Wishes wishes = NOTIFY__V1__WISHES__INIT;
	bool mail, inbox;
	enum trl_code rc = TRL_OK;
	trl_batch *work;

	if (telling->has_account_id)
		rc = notify_wishes_read(self, ctx, account, kind->name, &wishes);
	if (rc != TRL_OK)
		return rc;
	mail = wants_mail(kind, &wishes, letter);
	inbox = telling->has_account_id && !kind->seal &&
		wants(kind, kind->inbox, wishes.has_inbox, wishes.inbox);
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_BOTH(fact->tenant, account));
	if (inbox)
		add_inbox(ctx, work, account, fact, kind->name, letter);
	if (mail && kind->digest &&
	    wishes.digest > NOTIFY__V1__PREFERENCES__DIGEST__immediate)
		add_digest(ctx, work, account, fact, kind->name, letter,
		    trl_value_time_us(wishes.digest_at));
	else if (mail)
		add_mail(ctx, work, telling, fact, letter,
		    kind->mandatory ? 0 : trl_value_time_us(wishes.quiet_until));
	rc = trl_batch_write(work, NULL);
	if (rc == TRL_OK && inbox)
		notify_person_changed(self, account);
	return rc;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Telling *telling = (const void *)job->payload;
	const struct trl_told_kind *kind;
	struct notify_letter letter;
	struct notify_fact fact;
	enum trl_code rc;

	rc = notify_told_read(ctx, telling->fact, telling->kind, &fact, &kind);
	if (rc == TRL_OK)
		rc =
		    notify_message_make(self, ctx, telling, kind, &fact, NULL, &letter);
	return rc == TRL_OK ? tell(self, ctx, telling, kind, &fact, &letter) : rc;
}

const struct trl_job_kind notify_tell_job = {
	.name = "tell",
	.message = &notify_v1_telling_rules,
	.run = run,
	.attempts = 12,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
