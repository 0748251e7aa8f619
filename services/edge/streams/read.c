/* read.c - what streams ask of notify: whose feed went on, and what is new of
 * one. The edge asks on its own behalf; whom it shows what is its own affair. */
#include <stdlib.h>
#include <string.h>

#include <notify_v1.trl.h>

#include <trl/value.h>

#include "streams/stream.h"

static const struct trl_call_terms as_service = { .as_service = true };

enum trl_code
stream_read(trl_ctx *ctx, const struct edge *edge, const struct stream_ask *ask,
    struct stream_entry **rows, size_t *n, int64_t *through)
{
	Notify__V1__ReadFeedRequest in = NOTIFY__V1__READ_FEED_REQUEST__INIT;
	ProtobufCBinaryData *ids =
	    trl_arena_alloc(ctx->arena, (ask->n_accounts + 1) * sizeof *ids);
	Notify__V1__ReadFeedReply *out;
	enum trl_code rc;

	for (size_t i = 0; i < ask->n_accounts; i++)
		ids[i] = trl_value_bytes(ctx, ask->accounts[i]);
	in.has_tenant_id = !trl_id_is_nil(ask->tenant);
	in.tenant_id = trl_value_bytes(ctx, ask->tenant);
	in.account_ids = ids;
	in.n_account_ids = ask->n_accounts;
	trl_set(&in, after, ask->after);
	trl_set(&in, until, ask->until);
	rc = notify_call_read_feed_with(ctx, edge->host->bus, &in, &as_service, &out);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	*rows = trl_arena_alloc(ctx->arena, out->n_items * sizeof **rows);
	for (size_t i = 0; i < out->n_items; i++)
		stream_entry_init(&(*rows)[i], out->items[i]);
	*n = out->n_items;
	*through = out->through;
	return TRL_OK;
}

enum trl_code
stream_changes(trl_ctx *ctx, const struct edge *edge, const int64_t *after,
    Notify__V1__ListFeedChangesReply **out)
{
	Notify__V1__ListFeedChangesRequest in =
	    NOTIFY__V1__LIST_FEED_CHANGES_REQUEST__INIT;

	in.has_after = after != NULL;
	in.after = after ? *after : 0;
	return trl_fold(ctx, notify_call_list_feed_changes_with(
				 ctx, edge->host->bus, &in, &as_service, out));
}

enum trl_code
stream_head(trl_ctx *ctx, const struct edge *edge, int64_t *head)
{
	Notify__V1__ListFeedChangesReply *out;
	enum trl_code rc = stream_changes(ctx, edge, NULL, &out);

	if (rc == TRL_OK)
		*head = out->head;
	return rc;
}
