/* digest.c - a person's gathered mails, of all organisations, as one: it shows the
 * first of them and counts all. Every quarter of an hour (where days and hours of all
 * zones begin) a job finds whose digest is due and adds one for each person; while that
 * waits, no second one is added. What it claimed is what it counts and drops. */
#include <string.h>

#include "telling/telling.h"

enum { SHOWN_MAX = NOTIFY_LIST_MAX, PEOPLE_AT_ONCE = 500 };

struct gathered {
	Notify__V1__ListNotificationsReply shown; /* SHOWN_MAX at most */
	int64_t count;                            /* of all */
};

static enum trl_code
claim(
    struct notify *self, trl_ctx *ctx, const struct trl_job *job, struct trl_id account)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);

	trl_batch_add(work, &notify_sql_digest_claim, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("id", job->id));
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
read_all(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    struct trl_id account, Notify__V1__Person *person, struct gathered *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);
	Notify__V1__Held all = NOTIFY__V1__HELD__INIT;
	enum trl_code rc;

	trl_batch_get(work, &notify_sql_account_copy_get, NULL, &person->base,
	    TRL_ARG_ID("account_id", account));
	trl_batch_get(work, &notify_sql_digest_list, NULL, &out->shown.base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("id", job->id),
	    TRL_ARG_INT("limit", SHOWN_MAX));
	trl_batch_get(work, &notify_sql_digest_count, NULL, &all.base,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("id", job->id));
	rc = trl_batch_read(work);
	out->count = all.held;
	return rc;
}

static struct notify_value *
values_of(struct notify *self, trl_ctx *ctx, const Notify__V1__Person *person,
    const struct gathered *gathered, const char *unsubscribe)
{
	const Notify__V1__ListNotificationsReply *entries = &gathered->shown;
	const long long count = gathered->count,
			more = count - (long long)entries->n_items;
	struct notify_value *values = notify_value_map(ctx->arena);
	struct notify_value *list =
	    notify_value_add(ctx->arena, values, "items", NOTIFY_VALUE_LIST);

	for (size_t i = 0; i < entries->n_items; i++) {
		const Notify__V1__Notification *entry = entries->items[i];
		struct notify_value *item =
		    notify_value_add(ctx->arena, list, NULL, NOTIFY_VALUE_MAP);

		notify_value_add_text(ctx->arena, item, "title", entry->title);
		notify_value_add_text(ctx->arena, item, "body", entry->body);
		notify_value_add_text(ctx->arena, item, "link", entry->link);
		notify_value_add_text(ctx->arena, item, "at",
		    notify_time_text(ctx->arena, trl_value_time_us(entry->created_at)));
	}
	notify_value_add_text(
	    ctx->arena, values, "count", trl_arena_printf(ctx->arena, "%lld", count));
	if (more > 0)
		notify_value_add_text(ctx->arena, values, "more",
		    trl_arena_printf(ctx->arena, "%lld", more));
	notify_value_add_text(ctx->arena, values, "link",
	    trl_arena_printf(ctx->arena, "%s/notifications", self->config->public_url));
	notify_value_add_text(ctx->arena, values, "unsubscribe", unsubscribe);
	notify_add_frame(self, ctx, person, self->product, values);
	return values;
}

/* The mail's record; notify_post says in it what became of it. */
static enum trl_code
add_record(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    struct trl_id account, const char *to)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);

	trl_batch_add(work, &notify_sql_delivery_insert, NULL,
	    TRL_ARG_ID("tenant_id", trl_id_nil), TRL_ARG_ID("delivery_id", job->id),
	    TRL_ARG_TEXT("kind", "digest"), TRL_ARG_TEXT("channel", "email"),
	    TRL_ARG_ID("account_id", account), TRL_ARG_TEXT("address", to),
	    TRL_ARG_ID("event_id", job->id), TRL_ARG_TEXT("status", "waiting"),
	    TRL_ARG_TEXT("detail", ""), TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
send(struct notify *self, trl_ctx *ctx, const struct trl_job *job,
    struct trl_id account, const struct gathered *gathered,
    struct notify_outgoing *outgoing)
{
	struct notify_posting posting = { .id = job->id,
		.kind = "digest",
		.to = outgoing->person.email,
		.at_us = trl_now(ctx),
		.attempt = job->attempt };
	enum trl_code rc;

	posting.unsubscribe = notify_unsubscribe_token(self, ctx, account, "digest");
	outgoing->sender = self->product;
	rc = notify_compose(self, ctx, self->sys, trl_id_nil, "digest",
	    outgoing->person.locale,
	    values_of(self, ctx, &outgoing->person, gathered,
		notify_unsubscribe_page(self, ctx, posting.unsubscribe)),
	    &outgoing->message);
	if (rc == TRL_OK)
		rc = add_record(self, ctx, job, account, posting.to);
	return rc == TRL_OK ? notify_post(self, ctx, &posting, outgoing) : rc;
}

static enum trl_code
drop(
    struct notify *self, trl_ctx *ctx, const struct trl_job *job, struct trl_id account)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);

	trl_batch_add(work, &notify_sql_digest_drop, NULL,
	    TRL_ARG_ID("account_id", account), TRL_ARG_ID("id", job->id));
	return trl_batch_write(work, NULL);
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__DigestDue *due = (const void *)job->payload;
	struct trl_id account = trl_value_id(due->account_id);
	struct gathered gathered = { .shown =
					 NOTIFY__V1__LIST_NOTIFICATIONS_REPLY__INIT };
	Notify__V1__Wishes wishes;
	struct notify_outgoing outgoing = { 0 };
	bool wanted;
	enum trl_code rc;

	notify__v1__person__init(&outgoing.person);
	notify__v1__settings__init(&outgoing.settings);
	rc = notify_wishes_read(self, ctx, account, "digest", &wishes);
	if (rc == TRL_OK && wishes.quiet_until)
		return trl_job_again(ctx, trl_value_time_us(wishes.quiet_until));
	if (rc == TRL_OK)
		rc = claim(self, ctx, job, account);
	if (rc == TRL_OK)
		rc = read_all(self, ctx, job, account, &outgoing.person, &gathered);
	if (rc != TRL_OK || gathered.count == 0)
		return rc;
	wanted = outgoing.person.email && outgoing.person.verified &&
		 (!wishes.has_email || wishes.email);
	if (wanted)
		rc = send(self, ctx, job, account, &gathered, &outgoing);
	return rc == TRL_OK ? drop(self, ctx, job, account) : rc;
}

static void
add_person(trl_ctx *ctx, trl_batch *work, struct trl_id account)
{
	char *key = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);
	const struct trl_job_terms terms = { .key = key };
	Notify__V1__DigestDue *due = notify_v1_digest_due_new(ctx);

	trl_set(due, account_id, trl_value_bytes(ctx, account));
	trl_id_format(account, key);
	trl_batch_job(work, &notify_digest_job, &terms, &due->base);
}

/* More than fit are found by a job that goes on behind the last. */
static enum trl_code
find_due(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__DigestDue *last = (const void *)job->payload;
	Notify__V1__People people = NOTIFY__V1__PEOPLE__INIT;
	Notify__V1__DigestDue *next;
	trl_batch *work;
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->sys, TRL_SCOPE_NOBODY,
	    &notify_sql_digests_due, NULL, &people.base,
	    TRL_ARG_ID("after", last ? trl_value_id(last->account_id) : trl_id_nil),
	    TRL_ARG_TIME("now", trl_now(ctx)), TRL_ARG_INT("limit", PEOPLE_AT_ONCE));
	if (rc != TRL_OK || people.n_items == 0)
		return rc;
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);
	for (size_t i = 0; i < people.n_items; i++)
		add_person(ctx, work, trl_value_id(people.items[i]->account_id));
	if (people.n_items == PEOPLE_AT_ONCE) {
		next = notify_v1_digest_due_new(ctx);
		trl_set(next, account_id, people.items[people.n_items - 1]->account_id);
		trl_batch_job(work, &notify_digests_job, NULL, &next->base);
	}
	return trl_batch_write(work, NULL);
}

const struct trl_job_kind notify_digests_job = {
	.name = "digests",
	.message = &notify_v1_digest_due_rules,
	.run = find_due,
	.attempts = 5,
	.slots = 1,
};

const struct trl_cron notify_digests_cron = {
	.name = "digests",
	.when = "*/15 * * * *",
	.kind = &notify_digests_job,
};

const struct trl_job_kind notify_digest_job = {
	.name = "digest",
	.message = &notify_v1_digest_due_rules,
	.run = run,
	.attempts = 12,
	.slots = 8,
	.timeout_ms = 60000,
};
