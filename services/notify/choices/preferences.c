/* notify.GetPreferences, PutPreferences - what a person wants to be told, and how. What
 * was chosen lies over the catalogue: a kind that comes later is as its contract has
 * it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <trl/change.h>
#include <trl/member.h>

#include "choices/choices.h"

typedef Notify__V1__Choice choice;

static enum trl_offer
offer_of(const struct trl_told_kind *kind, Notify__V1__Choice__Channel channel)
{
	return channel == NOTIFY__V1__CHOICE__CHANNEL__email ? kind->email
							     : kind->inbox;
}

static choice *
find(choice **choices, size_t n, const char *kind, Notify__V1__Choice__Channel channel)
{
	for (size_t i = 0; i < n; i++)
		if (choices[i]->channel == channel &&
		    strcmp(choices[i]->kind, kind) == 0)
			return choices[i];
	return NULL;
}

static choice *
choice_new(trl_ctx *ctx, const struct trl_told_kind *kind,
    Notify__V1__Choice__Channel channel, const choice *chosen)
{
	choice *made = notify_v1_choice_new(ctx);

	made->kind = trl_arena_strdup(ctx->arena, kind->name);
	trl_set(made, channel, channel);
	trl_set(made, mandatory, kind->mandatory);
	trl_set(made, enabled,
	    kind->mandatory || !chosen ? offer_of(kind, channel) == TRL_OFFER_ON
				       : chosen->enabled);
	return made;
}

/* Lays what was chosen over the catalogue: every kind and channel, in its order. */
static void
complete(trl_ctx *ctx, choice **chosen, size_t n, Notify__V1__Preferences *out)
{
	out->choices = trl_arena_alloc(
	    ctx->arena, (2 * trl_told_kinds_count + 1) * sizeof(choice *));
	out->n_choices = 0;
	for (size_t i = 0; i < trl_told_kinds_count; i++) {
		const struct trl_told_kind *kind = &trl_told_kinds[i];

		for (int channel = NOTIFY__V1__CHOICE__CHANNEL__email;
		     channel <= NOTIFY__V1__CHOICE__CHANNEL__inbox; channel++) {
			if (offer_of(kind, channel) == TRL_OFFER_NONE)
				continue;
			out->choices[out->n_choices++] = choice_new(
			    ctx, kind, channel, find(chosen, n, kind->name, channel));
		}
	}
}

/* Where nothing was chosen. */
static void
fill_in(trl_ctx *ctx, Notify__V1__Preferences *out)
{
	trl_set(out, version, out->version);
	if (!out->has_digest)
		trl_set(out, digest, NOTIFY__V1__PREFERENCES__DIGEST__immediate);
	if (!out->time_zone)
		out->time_zone = trl_arena_strdup(ctx->arena, "UTC");
}

/* A row would fill the one list that Preferences has, so it has a message of its own.
 */
static enum trl_code
read_chosen(struct notify *self, trl_ctx *ctx, Notify__V1__Preferences *out,
    Notify__V1__Choices *chosen)
{
	struct trl_id account = ctx->principal.account;
	Notify__V1__PreferenceRow row = NOTIFY__V1__PREFERENCE_ROW__INIT;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));
	enum trl_code rc;

	trl_batch_get(work, &notify_sql_preference_get, NULL, &row.base,
	    TRL_ARG_ID("account_id", account));
	trl_batch_get(work, &notify_sql_choices_list, NULL, &chosen->base,
	    TRL_ARG_ID("account_id", account));
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		trl_member_copy_all(&row.base, &out->base);
	return rc;
}

/* Errors: none but faults. */
enum trl_code
notify_get_preferences(struct notify *self, trl_ctx *ctx,
    const Notify__V1__GetPreferencesRequest *in, Notify__V1__Preferences *out)
{
	Notify__V1__Choices chosen = NOTIFY__V1__CHOICES__INIT;
	enum trl_code rc;

	(void)in;
	rc = read_chosen(self, ctx, out, &chosen);
	if (rc != TRL_OK)
		return rc;
	fill_in(ctx, out);
	complete(ctx, chosen.items, chosen.n_items, out);
	return TRL_OK;
}

static enum trl_code
refuse(trl_ctx *ctx, const char *pointer, const char *field, const char *why)
{
	trl_err_violation(ctx, pointer, "%s", why);
	return trl_fail_field(ctx, TRL_INVALID, field, "%s", why);
}

/* Files of the same form that are no zones of IANA's: whole copies of them, of which
 * one counts leap seconds, and whatever the machine has. */
static bool
lies_beside_the_zones(const char *name)
{
	return strncmp(name, "right/", 6) == 0 || strncmp(name, "posix/", 6) == 0 ||
	       strcmp(name, "localtime") == 0 || strcmp(name, "posixrules") == 0;
}

#define ZONES "/usr/share/zoneinfo/"

/* The file's four bytes tell a zone from the folders and lists beside it (RFC 8536,
 * 3.1). */
static bool
is_zone(trl_ctx *ctx, const char *name)
{
	FILE *file = fopen(trl_arena_printf(ctx->arena, ZONES "%s", name), "re");
	char magic[4] = "";
	bool is;

	if (!file)
		return false;
	is = !lies_beside_the_zones(name) && fread(magic, 1, 4, file) == 4 &&
	     memcmp(magic, "TZif", 4) == 0;
	(void)fclose(file);
	return is;
}

/* The name that tzdata keeps for a zone, in its letters' case: a former one like
 * US/Pacific is a line "L America/Los_Angeles US/Pacific" of its list (zic(8)), and is
 * no file where only the present ones are installed. */
static char *
present_name(trl_ctx *ctx, const char *name)
{
	FILE *list = fopen(ZONES "tzdata.zi", "re");
	char line[512], first[256], second[256], *found = NULL;

	while (list && !found && fgets(line, sizeof line, list)) {
		const int n = line[0] == 'L' || line[0] == 'Z'
				  ? sscanf(line + 1, " %255s %255s", first, second)
				  : 0;

		if (n == 2 && strcasecmp(line[0] == 'L' ? second : first, name) == 0)
			found = trl_arena_strdup(ctx->arena, first);
	}
	if (list)
		(void)fclose(list);
	return found ? found : trl_arena_strdup(ctx->arena, name);
}

/* The contract knows the form of a zone; here whether there is one, and its name. NULL:
 * there is none. */
static char *
zone_of(trl_ctx *ctx, const char *name)
{
	char *present = present_name(ctx, name);

	if (strcmp(present, "Etc/UTC") == 0) /* as it stands where none was chosen */
		present = trl_arena_strdup(ctx->arena, "UTC");
	return is_zone(ctx, present) ? present : NULL;
}

static enum trl_code
check_choices(trl_ctx *ctx, const Notify__V1__PutPreferencesRequest *in)
{
	for (size_t i = 0; i < in->n_choices; i++) {
		const choice *wanted = in->choices[i];
		const struct trl_told_kind *kind = trl_told_kind_by_name(wanted->kind);
		const char *at = trl_arena_printf(ctx->arena, "/choices/%zu/kind", i);

		if (!kind || offer_of(kind, wanted->channel) == TRL_OFFER_NONE)
			return refuse(ctx, at, "choices",
			    "There is no such kind of message on this channel.");
		if (kind->mandatory && !wanted->enabled)
			return refuse(
			    ctx, at, "choices", "This message cannot be turned off.");
		if (find(in->choices, i, wanted->kind, wanted->channel))
			return refuse(
			    ctx, at, "choices", "This choice is given twice.");
	}
	return TRL_OK;
}

static enum trl_code
check(trl_ctx *ctx, const Notify__V1__PutPreferencesRequest *in)
{
	if (in->time_zone && !zone_of(ctx, in->time_zone))
		return refuse(
		    ctx, "/time_zone", "time_zone", "There is no such time zone.");
	if (in->has_quiet_from_minute != in->has_quiet_until_minute)
		return refuse(ctx, "/quiet_until_minute", "quiet_until_minute",
		    "Quiet hours need both a beginning and an end.");
	return check_choices(ctx, in);
}

static void
add_choices(trl_ctx *ctx, trl_batch *work, const Notify__V1__PutPreferencesRequest *in)
{
	const size_t n = in->n_choices;
	const char **columns[3];

	for (size_t c = 0; c < 3; c++)
		columns[c] = trl_arena_alloc(ctx->arena, (n + 1) * sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		columns[0][i] = in->choices[i]->kind;
		columns[1][i] =
		    in->choices[i]->channel == NOTIFY__V1__CHOICE__CHANNEL__email
			? "email"
			: "inbox";
		columns[2][i] = in->choices[i]->enabled ? "on" : "off";
	}
	trl_batch_add(work, &notify_sql_choices_insert, NULL,
	    TRL_ARG_ID("account_id", ctx->principal.account),
	    TRL_ARG_TEXTS("kinds", columns[0], n),
	    TRL_ARG_TEXTS("channels", columns[1], n),
	    TRL_ARG_TEXTS("enabled", columns[2], n));
}

static enum trl_code
store(struct notify *self, trl_ctx *ctx, const Notify__V1__PutPreferencesRequest *in,
    int64_t former, Notify__V1__Preferences *out)
{
	struct trl_id account = ctx->principal.account;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));

	trl_batch_add(work, &notify_sql_preference_put, &out->base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_INT("former_version", former));
	trl_batch_add(
	    work, &notify_sql_choices_clear, NULL, TRL_ARG_ID("account_id", account));
	if (in->n_choices)
		add_choices(ctx, work, in);
	return trl_batch_write(work, &out->base);
}

static void
take(trl_ctx *ctx, const Notify__V1__PutPreferencesRequest *in, int64_t former,
    Notify__V1__Preferences *out)
{
	trl_member_copy_all(&in->base, &out->base);
	trl_set(out, version, former + 1);
	if (in->time_zone)
		out->time_zone = zone_of(ctx, in->time_zone);
	out->updated_at = trl_value_time(ctx, trl_now(ctx));
	fill_in(ctx, out);
	complete(ctx, in->choices, in->n_choices, out);
}

/* Errors: TRL_INVALID (no such kind, zone), TRL_PRECONDITION (If-Match),
 * TRL_CONFLICT. */
enum trl_code
notify_put_preferences(struct notify *self, trl_ctx *ctx,
    const Notify__V1__PutPreferencesRequest *in, Notify__V1__Preferences *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc = check(ctx, in);

	if (rc == TRL_OK)
		rc = trl_change_begin(&change, ctx, ctx->principal.account);
	if (rc != TRL_OK)
		return rc;
	do {
		Notify__V1__Preferences before = NOTIFY__V1__PREFERENCES__INIT;
		Notify__V1__Choices chosen = NOTIFY__V1__CHOICES__INIT;

		rc = read_chosen(self, ctx, &before, &chosen);
		if (rc == TRL_OK)
			rc = trl_if_match(ctx, before.version);
		if (rc != TRL_OK)
			return rc;
		take(ctx, in, before.version, out);
		rc = store(self, ctx, in, before.version, out);
	} while (trl_change_again(&change, &rc));
	return rc;
}
