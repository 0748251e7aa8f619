/* audience.c - who is told a fact. One job a fact finds the kinds of messages
 * that it makes, and their audiences, and adds a job for each person, address and
 * Slack: so one whose mail cannot be sent holds up nobody else. Of many members a job
 * adds a piece and, in the same transaction, the job that goes on behind it. */
#include <string.h>

#include "telling/telling.h"

enum { PIECE_MAX = 200, PIECE_BYTES = 2 << 20 }; /* each job holds the fact */

static const char *const roles[] = { "viewer", "member", "admin", "owner" };

static bool
is_made_by(const struct trl_told_kind *kind, const struct notify_fact *fact)
{
	if (!trl_told_kind_is_of(kind, fact->type))
		return false;
	return !kind->when_field ||
	       strcmp(notify_value_text_at(fact->values, kind->when_field),
		   kind->when_value) == 0;
}

static bool
id_at(const struct notify_value *values, const char *path, struct trl_id *out)
{
	const char *text = notify_value_text_at(values, path);

	return trl_id_parse(text, strlen(text), out);
}

static Notify__V1__Telling *
telling_new(trl_ctx *ctx, const Notify__V1__Fact *fact, const char *kind)
{
	Notify__V1__Telling *telling = notify_v1_telling_new(ctx);

	telling->fact = (Notify__V1__Fact *)(uintptr_t)fact;
	telling->kind = trl_arena_strdup(ctx->arena, kind);
	trl_set(telling, delivery_id, trl_value_bytes(ctx, trl_new_id(ctx)));
	return telling;
}

static void
add_person(trl_ctx *ctx, trl_batch *work, const Notify__V1__Fact *fact,
    const char *kind, struct trl_id account)
{
	Notify__V1__Telling *telling = telling_new(ctx, fact, kind);

	trl_set(telling, account_id, trl_value_bytes(ctx, account));
	trl_batch_job(work, &notify_tell_job, NULL, &telling->base);
}

static void
add_rest(trl_ctx *ctx, trl_batch *work, const Notify__V1__Fact *fact, const char *kind,
    ProtobufCBinaryData after)
{
	Notify__V1__Audience *rest = notify_v1_audience_new(ctx);

	rest->fact = (Notify__V1__Fact *)(uintptr_t)fact;
	rest->kind = trl_arena_strdup(ctx->arena, kind);
	trl_set(rest, after, after);
	trl_batch_job(work, &notify_audience_job, NULL, &rest->base);
}

/* Adds a piece of the members after one, and what adds the rest. */
static enum trl_code
add_members(struct notify *self, trl_ctx *ctx, trl_batch *work,
    const Notify__V1__Fact *fact, const struct notify_fact *known,
    const struct trl_told_kind *kind, struct trl_id after)
{
	const size_t room = PIECE_BYTES / (fact->data.len + 1);
	const size_t piece = room < PIECE_MAX ? room : PIECE_MAX;
	const size_t least = (size_t)kind->members - TRL_VIEWER;
	Notify__V1__People people = NOTIFY__V1__PEOPLE__INIT;
	struct trl_id by = trl_id_nil;
	enum trl_code rc;

	if (!kind->doer)
		(void)id_at(known->values, "by", &by);
	rc = trl_batch_get_one(ctx, self->sys, TRL_SCOPE_TENANT(known->tenant),
	    &notify_sql_members_list, NULL, &people.base,
	    TRL_ARG_ID("tenant_id", known->tenant),
	    TRL_ARG_TEXTS("roles", roles + least, TRL_COUNT(roles) - least),
	    TRL_ARG_ID("but", by), TRL_ARG_ID("after", after),
	    TRL_ARG_INT("limit", (int64_t)piece));
	if (rc != TRL_OK)
		return rc;
	for (size_t i = 0; i < people.n_items; i++)
		add_person(ctx, work, fact, kind->name,
		    trl_value_id(people.items[i]->account_id));
	if (people.n_items == piece)
		add_rest(
		    ctx, work, fact, kind->name, people.items[piece - 1]->account_id);
	return TRL_OK;
}

/* What Slack is told of a person, if it is of one. */
static void
add_slack(trl_ctx *ctx, trl_batch *work, const Notify__V1__Fact *fact,
    const struct notify_fact *known, const struct trl_told_kind *kind)
{
	Notify__V1__Telling *telling = telling_new(ctx, fact, kind->name);
	struct trl_id about;

	if (kind->about && id_at(known->values, kind->about, &about)) {
		trl_set(telling, account_id, trl_value_bytes(ctx, about));
	}
	trl_batch_job(work, &notify_slack_job, NULL, &telling->base);
}

/* Whoever did it needs no message of it, unless the kind says so. */
static enum trl_code
add_audience(struct notify *self, trl_ctx *ctx, trl_batch *work,
    const Notify__V1__Fact *fact, const struct notify_fact *known,
    const struct trl_told_kind *kind)
{
	Notify__V1__Telling *telling;
	struct trl_id account, by;
	const char *email;

	if (kind->members)
		return add_members(self, ctx, work, fact, known, kind, trl_id_nil);
	if (kind->person) {
		if (id_at(known->values, kind->person, &account) &&
		    (kind->doer || !id_at(known->values, "by", &by) ||
			!trl_id_eq(by, account)))
			add_person(ctx, work, fact, kind->name, account);
	} else if (kind->address) {
		email = notify_value_text_at(known->values, kind->address);
		telling = telling_new(ctx, fact, kind->name);
		telling->email = trl_value_email(ctx, email);
		if (*email)
			trl_batch_job(work, &notify_tell_job, NULL, &telling->base);
	}
	return TRL_OK;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Fact *fact = (const void *)job->payload;
	struct notify_fact known;
	trl_batch *work;
	enum trl_code rc = notify_fact_read(ctx, fact, &known);

	if (rc != TRL_OK || !known.type)
		return rc;
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(known.tenant));
	for (size_t i = 0; rc == TRL_OK && i < trl_told_kinds_count; i++) {
		const struct trl_told_kind *kind = &trl_told_kinds[i];

		if (!is_made_by(kind, &known))
			continue;
		rc = add_audience(self, ctx, work, fact, &known, kind);
		if (rc == TRL_OK && kind->slack && !trl_id_is_nil(known.tenant))
			add_slack(ctx, work, fact, &known, kind);
	}
	return rc == TRL_OK ? trl_batch_write(work, NULL) : rc;
}

const struct trl_job_kind notify_dispatch_job = {
	.name = "dispatch",
	.message = &notify_v1_fact_rules,
	.run = run,
	.slots = 16,
};

static enum trl_code
run_rest(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Audience *rest = (const void *)job->payload;
	const struct trl_told_kind *kind;
	struct notify_fact known;
	trl_batch *work;
	enum trl_code rc = notify_told_read(ctx, rest->fact, rest->kind, &known, &kind);

	if (rc != TRL_OK)
		return rc;
	work = trl_batch_new(ctx, self->sys, TRL_SCOPE_TENANT(known.tenant));
	rc = add_members(
	    self, ctx, work, rest->fact, &known, kind, trl_value_id(rest->after));
	return rc == TRL_OK ? trl_batch_write(work, NULL) : rc;
}

const struct trl_job_kind notify_audience_job = {
	.name = "audience",
	.message = &notify_v1_audience_rules,
	.run = run_rest,
	.slots = 16,
};
