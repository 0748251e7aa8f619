/* member.c - a member leaves an organisation, or is removed: the uploads that they had
 * begun and not ended are nobody's any more, and end, so that their room is free again.
 * Their files stay. Heard of tenants, and done by a job. */
#include <trl/events.h>

#include <tenants_v1.trl.h>

#include "upload/end.h"
#include "upload/row.h"
#include "upload/writer.h"

enum { PAGE = 50, LEFT_MS = 300000, AGAIN_US = 2000000, ATTEMPTS = 1000 };

static enum trl_code
read_page(struct media *self, trl_ctx *ctx, const Media__V1__UploadsLeft *who,
    struct trl_id after, Media__V1__UploadRows *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_left, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("account_id", trl_value_id(who->account_id)),
	    TRL_ARG_TIME("until", trl_value_time_us(who->until)),
	    trl_id_is_nil(after) ? TRL_ARG_NULL("after") : TRL_ARG_ID("after", after),
	    TRL_ARG_INT("limit", PAGE));
}

/* *stays: it changes at this moment. */
static enum trl_code
end_one(struct media *self, trl_ctx *ctx, struct trl_id id, bool *stays)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_find(self, ctx, id, row);

	if (rc == TRL_OK && row->has_id)
		rc = upload_end_now(self, ctx, row, UPLOAD_FENCE_MS, NULL);
	*stays = rc == TRL_CONFLICT;
	if (rc != TRL_CONFLICT && rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Media__V1__UploadsLeft *who =
	    (const Media__V1__UploadsLeft *)(const void *)job->payload;
	struct trl_id after = trl_id_nil;
	bool some_stay = false;
	enum trl_code rc;

	for (;;) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
		Media__V1__UploadRows *page = media_v1_upload_rows_new(ctx);

		rc = read_page(state, ctx, who, after, page);
		for (size_t i = 0; rc == TRL_OK && i < page->n_items; i++) {
			bool stays;

			after = trl_value_id(page->items[i]->id);
			rc = end_one(state, ctx, after, &stays);
			some_stay = some_stay || stays;
		}
		if (rc != TRL_OK)
			return rc;
		if (page->n_items < PAGE)
			break;
		trl_arena_rewind(ctx->arena, mark);
	}
	return some_stay ? trl_job_again(ctx, trl_now(ctx) + AGAIN_US) : TRL_OK;
}

const struct trl_job_kind upload_left_job = {
	.name = "end_uploads",
	.message = &media_v1_uploads_left_rules,
	.run = run,
	.attempts = ATTEMPTS,
	.slots = 2,
	.per_tenant = 1,
	.timeout_ms = LEFT_MS,
};

static enum trl_code
apply(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		const Tenants__V1__MemberEvent *told = (const void *)events[i].payload;
		Media__V1__UploadsLeft *who;

		if (events[i].type != &tenants_event_member_removed || !told->member)
			continue;
		who = media_v1_uploads_left_new(ctx);
		trl_set(who, account_id, told->member->account_id);
		who->until = trl_value_time(ctx, events[i].at_us);
		trl_tx_job(tx, &upload_left_job, NULL, &who->base);
	}
	return TRL_OK;
}

static const char *const types[] = { "tenants.member.removed", NULL };

const struct trl_subscription upload_hears_members = {
	.name = "members",
	.producer = "tenants",
	.types = types,
	.start = TRL_FROM_NOW,
	.apply = apply,
};
