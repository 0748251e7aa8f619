/* words.h - what a message says: an event as values, the words of its kind (built-in
 * ones, from the folders words/ of all services, or an organisation's own in their
 * place), and both put together. The language of the words is in template.h. */
#pragma once

#include <trl/told_kind.h>

#include "notify.h"
#include "words/template.h"

struct notify_words {
	const char *kind, *locale;
	const char *subject, *summary, *action; /* action NULL: no button */
	const char *text, *html;
};

/* words.c. The table is made by embed.py; rising by kind and locale. */
extern const struct notify_words notify_words_built_in[];
extern const size_t notify_words_built_in_count;

enum { NOTIFY_LOCALES = 4 }; /* that one is sought under */

/* Where words for a locale are sought: "de-AT", "de", "en"; NULL-ended. Texts lie in
 * buffer. locale may be NULL. */
void notify_locales(
    const char *locale, char buffer[64], const char *out[NOTIFY_LOCALES]);
/* NULL: there are none in that very locale. */
const struct notify_words *notify_words_of(const char *kind, const char *locale);

/* values.c: an event for templates. */
enum { NOTIFY_LIST_MAX = 50 }; /* items of a list that templates are shown */
/* "2026-11-24 21:57 UTC". */
const char *notify_time_text(trl_arena *arena, int64_t wall_us);
/* What of a message may be shown, as a map. */
struct notify_value *notify_value_of(
    trl_arena *arena, const struct trl_message *rules, const ProtobufCMessage *message);
/* Adds what every template may show: product, account, sender. */
void notify_add_frame(struct notify *self, trl_ctx *ctx,
    const Notify__V1__Person *person, const char *sender, struct notify_value *values);

/* fact.c: what happened, as it is told. */
struct notify_fact {
	const struct trl_event_type *type; /* NULL: of another release */
	const ProtobufCMessage *payload;
	const struct notify_value *values; /* of the payload */
	struct trl_id tenant, event_id;
};

/* Errors: TRL_INTERNAL (what was stored cannot be read). */
enum trl_code notify_fact_read(
    trl_ctx *ctx, const Notify__V1__Fact *fact, struct notify_fact *out) TRL_MUST_CHECK;
/* The same, and the kind that it is told as. Errors: TRL_INTERNAL, TRL_UNAVAILABLE (the
 * fact's type or the kind is of another release). */
enum trl_code notify_told_read(trl_ctx *ctx, const Notify__V1__Fact *fact,
    const char *kind_name, struct notify_fact *out,
    const struct trl_told_kind **kind) TRL_MUST_CHECK;
/* What is kept of an event that is to be told; in ctx's arena. */
void notify_fact_write(
    trl_ctx *ctx, const struct trl_event *event, Notify__V1__Fact *out);

/* names.c: names in mails to people outside. */
/* A name without the words that read as an address or a link; "…" where nothing is
 * left. */
const char *notify_name_plain(trl_arena *arena, const char *name);
/* Makes all names of a map so. */
void notify_names_plain(trl_arena *arena, struct notify_value *values);

/* compose.c: a message in its words. */
/* Work on words. make() does it on the loop with a few steps, and again on a thread
 * with many where these did not suffice; it touches nothing but what is its own, and
 * the arena. Errors: TRL_INVALID (where run.what tells why; names the part), TRL_BUSY,
 * TRL_DEADLINE. */
struct notify_work {
	bool (*make)(struct notify_work *work);
	trl_arena *arena;
	struct notify_run run;
	const char *part; /* that it is at */
};
enum trl_code notify_work_do(
    struct notify *self, trl_ctx *ctx, struct notify_work *work) TRL_MUST_CHECK;

/* check.c: refuses what is not well formed, and a layout without its place for the
 * message. Errors: TRL_INVALID (names the part), TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_words_check(
    struct notify *self, trl_ctx *ctx, const struct notify_words *words) TRL_MUST_CHECK;
/* own_words.c: the words of a kind for a locale (may be NULL), and those of the layout
 * around them (layout may be NULL): each the organisation's own or built-in, in that
 * language, its base, or English. tenant nil: only built-in ones. Errors:
 * TRL_NOT_FOUND. */
enum trl_code notify_words_read(trl_ctx *ctx, trl_pg *pg, struct trl_id tenant,
    const char *kind, const char *locale, struct notify_words *words,
    struct notify_words *layout) TRL_MUST_CHECK;

struct notify_message {
	const char *subject, *summary;
	const char *action; /* "": no button */
	const char *text, *html;
};

/* Errors: TRL_INVALID (the words are not well formed, or grow beyond the bounds; names
 * the part), TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_compose_words(struct notify *self, trl_ctx *ctx,
    const struct notify_words *words, const struct notify_words *layout,
    const struct notify_value *values, struct notify_message *out) TRL_MUST_CHECK;
/* Finds the words and fills them. Errors: TRL_NOT_FOUND, TRL_BUSY, TRL_DEADLINE. */
enum trl_code notify_compose(struct notify *self, trl_ctx *ctx, trl_pg *pg,
    struct trl_id tenant, const char *kind, const char *locale,
    const struct notify_value *values, struct notify_message *out) TRL_MUST_CHECK;

/* example.c */
/* What a kind's words are shown with in a preview; each list has so many items. */
struct notify_value *notify_example(
    struct notify *self, trl_ctx *ctx, const char *kind, size_t items);
