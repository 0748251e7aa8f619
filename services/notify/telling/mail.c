/* mail.c - the job of one mail. It makes the mail anew each time it runs, so the token
 * of a link is in no row in clear, and a name that changed is the new one. Killed
 * between the server's answer and the record it is sent again, with the same
 * Message-ID. What waited, until quiet hours ended or a server came back, is sent only
 * where it is wanted still. */
#include "telling/telling.h"

static const uint32_t delays_s[] = { 5, 30, 120, 600, 1800, 3600, 7200, 14400 };

static struct notify_posting
posting_of(const struct trl_job *job, const Notify__V1__Telling *telling)
{
	return (struct notify_posting){ .tenant = job->tenant,
		.id = trl_value_id(telling->delivery_id),
		.kind = telling->kind,
		.at_us = job->made_at_us,
		.attempt = job->attempt };
}

static bool
may_be_turned_off(const Notify__V1__Telling *telling, const struct trl_told_kind *kind)
{
	return !kind->mandatory && telling->has_account_id;
}

/* The usual mail runs at the time it was made. */
static bool
has_waited(const struct trl_job *job)
{
	return job->run_at_us > job->made_at_us;
}

/* Whether the one who was to get it wants it still, and the address is proven. */
static enum trl_code
wants_still(struct notify *self, trl_ctx *ctx, const Notify__V1__Telling *telling,
    const struct trl_told_kind *kind, const struct notify_outgoing *outgoing,
    bool *wanted)
{
	Notify__V1__Wishes wishes;
	enum trl_code rc = notify_wishes_read(
	    self, ctx, trl_value_id(telling->account_id), kind->name, &wishes);

	*wanted =
	    rc == TRL_OK && notify_wants_mail(kind, &wishes, outgoing->person.verified);
	return rc;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	struct notify *self = state;
	const Notify__V1__Telling *telling = (const void *)job->payload;
	struct notify_posting posting = posting_of(job, telling);
	const struct trl_told_kind *kind;
	struct notify_outgoing outgoing;
	struct notify_fact fact;
	bool wanted = true;
	enum trl_code rc;

	rc = notify_told_read(ctx, telling->fact, telling->kind, &fact, &kind);
	if (rc != TRL_OK)
		return rc;
	if (may_be_turned_off(telling, kind))
		posting.unsubscribe = notify_unsubscribe_token(
		    self, ctx, trl_value_id(telling->account_id), kind->name);
	rc = notify_message_make(self, ctx, telling, kind, &fact,
	    notify_unsubscribe_page(self, ctx, posting.unsubscribe), &outgoing);
	if (rc == TRL_OK && may_be_turned_off(telling, kind) && has_waited(job))
		rc = wants_still(self, ctx, telling, kind, &outgoing, &wanted);
	if (rc != TRL_OK)
		return rc;
	posting.to = outgoing.person.email;
	if (!wanted) {
		notify_post_leave_out(self, ctx, &posting,
		    outgoing.person.verified ? "turned off meanwhile"
					     : "the address is not proven");
		return TRL_OK;
	}
	return notify_post(self, ctx, &posting, &outgoing);
}

static enum trl_code
dead(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Notify__V1__Telling *telling = (const void *)job->payload;
	struct notify_posting posting = posting_of(job, telling);
	trl_batch *work = trl_batch_new(
	    ctx, ((struct notify *)state)->sys, TRL_SCOPE_TENANT(posting.tenant));

	trl_batch_add(work, &notify_sql_delivery_fail, NULL,
	    TRL_ARG_ID("tenant_id", posting.tenant),
	    TRL_ARG_ID("delivery_id", posting.id), TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write_unrecorded(work);
}

const struct trl_job_kind notify_mail_job = {
	.name = "mail",
	.message = &notify_v1_telling_rules,
	.run = run,
	.dead = dead,
	.attempts = 12,
	.slots = 24, /* with the digests', no more than conversations (http_out.h) */
	.per_tenant = 12,
	.per_lane = 6,
	.timeout_ms = 60000,
	.delays_s = delays_s,
	.n_delays = TRL_COUNT(delays_s),
};
