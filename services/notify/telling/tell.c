/* tell.c - telling one person, or one address, of one fact: whether it is wanted, in
 * which language, and by which channels. The inbox is written here; a mail is another
 * job, which goes at once, after quiet hours, or with the next digest. All of it is
 * one transaction under the job's key, so it happens once. */
#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "feed/feed.h"
#include "telling/telling.h"

/* A person may be heard of later than what concerns them. */
static const uint32_t delays_s[] = { 1, 2, 4, 8, 15, 30, 60, 300, 900, 3600 };

/* An address may have been proven a moment ago, and this not be known here yet. Its
 * mail is a job all the same, and looks again when it runs. */
enum { PROOF_LATE_US = 20000000 };

static int64_t
mail_at(trl_ctx *ctx, const struct trl_told_kind *kind,
    const Notify__V1__Wishes *wishes, bool proven)
{
	int64_t quiet_until = trl_value_time_us(wishes->quiet_until);
	int64_t known_at = trl_now(ctx) + PROOF_LATE_US;

	if (kind->mandatory)
		return 0;
	return proven || quiet_until > known_at ? quiet_until : known_at;
}

/* The row, and what an open stream shows of it. */
static void
add_inbox(trl_ctx *ctx, trl_batch *work, struct trl_id account,
    const struct notify_fact *fact, const char *kind,
    const struct notify_outgoing *outgoing)
{
	Notify__V1__Notification *told = notify_v1_notification_new(ctx);

	trl_set(told, id, trl_value_bytes(ctx, trl_new_id(ctx)));
	trl_set(told, event_id, trl_value_bytes(ctx, fact->event_id));
	told->has_tenant_id = !trl_id_is_nil(fact->tenant);
	told->tenant_id = trl_value_bytes(ctx, fact->tenant);
	told->kind = trl_arena_strdup(ctx->arena, kind);
	told->title = (char *)(uintptr_t)outgoing->message.subject;
	told->body = (char *)(uintptr_t)outgoing->message.summary;
	told->link = outgoing->link && *outgoing->link
			 ? trl_arena_strdup(ctx->arena, outgoing->link)
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
    const struct notify_fact *fact, const struct notify_outgoing *outgoing,
    int64_t run_at_us)
{
	const struct trl_job_terms terms = { .run_at_us = run_at_us,
		.lane = lane_of(ctx, outgoing->person.email) };

	trl_batch_add(work, &notify_sql_delivery_insert, NULL,
	    TRL_ARG_ID("tenant_id", fact->tenant),
	    TRL_ARG_ID("delivery_id", trl_value_id(telling->delivery_id)),
	    TRL_ARG_TEXT("kind", telling->kind), TRL_ARG_TEXT("channel", "email"),
	    TRL_ARG_ID("account_id", trl_value_id(telling->account_id)),
	    TRL_ARG_TEXT("address", outgoing->person.email),
	    TRL_ARG_ID("event_id", fact->event_id), TRL_ARG_TEXT("status", "waiting"),
	    TRL_ARG_TEXT("detail", ""), TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_job(work, &notify_mail_job, &terms, &telling->base);
}

static void
add_digest(trl_ctx *ctx, trl_batch *work, struct trl_id account,
    const struct notify_fact *fact, const char *kind,
    const struct notify_outgoing *outgoing, int64_t due_at_us)
{
	trl_batch_add(work, &notify_sql_digest_add, NULL,
	    TRL_ARG_ID("tenant_id", fact->tenant), TRL_ARG_ID("account_id", account),
	    TRL_ARG_TIME("due_at", due_at_us), TRL_ARG_ID("id", trl_new_id(ctx)),
	    TRL_ARG_TEXT("kind", kind),
	    TRL_ARG_TEXT("title", outgoing->message.subject),
	    TRL_ARG_TEXT("body", outgoing->message.summary),
	    TRL_ARG_TEXT(
		"link", outgoing->link && *outgoing->link ? outgoing->link : NULL),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

static enum trl_code
tell(struct notify *self, trl_ctx *ctx, const Notify__V1__Telling *telling,
    const struct trl_told_kind *kind, const struct notify_fact *fact,
    const struct notify_outgoing *outgoing)
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
	mail = notify_wants_mail(
	    kind, &wishes, outgoing->person.verified || telling->has_account_id);
	inbox = telling->has_account_id && !kind->seal &&
		notify_wants(kind, kind->inbox, wishes.has_inbox, wishes.inbox);
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_BOTH(fact->tenant, account));
	if (inbox)
		add_inbox(ctx, work, account, fact, kind->name, outgoing);
	if (mail && kind->digest &&
	    wishes.digest > NOTIFY__V1__PREFERENCES__DIGEST__immediate)
		add_digest(ctx, work, account, fact, kind->name, outgoing,
		    trl_value_time_us(wishes.digest_at));
	else if (mail)
		add_mail(ctx, work, telling, fact, outgoing,
		    mail_at(ctx, kind, &wishes, outgoing->person.verified));
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
	struct notify_outgoing outgoing;
	struct notify_fact fact;
	enum trl_code rc;

	rc = notify_told_read(ctx, telling->fact, telling->kind, &fact, &kind);
	if (rc == TRL_OK)
		rc = notify_message_make(
		    self, ctx, telling, kind, &fact, NULL, &outgoing);
	return rc == TRL_OK ? tell(self, ctx, telling, kind, &fact, &outgoing) : rc;
}

const struct trl_job_kind notify_tell_job = {
	.name = "tell",
	.message = &notify_v1_telling_rules,
	.run = run,
	.attempts = 12,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
