/* ask.c - what a subscription asks of its producer: over the bus, or, where the
 * producer is this service itself, of this process's own end. */
#include "subscription.h"

#include <trl/wire.h>

enum { HEADS_MS = 3000, FETCH_MS = 3000 };

static struct trl_call_terms
terms_of(const struct subscription *sub, uint32_t timeout_ms)
{
	return (struct trl_call_terms){
		.as_service = true, .to = sub->producer, .timeout_ms = timeout_ms
	};
}

enum trl_code
sub_ask_heads(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__HeadsRequest *in, Events__V1__HeadsReply **out)
{
	struct trl_call_terms terms = terms_of(sub, HEADS_MS);

	if (!sub->is_own)
		return trl_fold(ctx,
		    events_call_heads_with(ctx, sub->events->bus, in, &terms, out));
	*out =
	    (void *)trl_message_new(ctx->arena, &events__v1__heads_reply__descriptor);
	return events_heads(sub->events, ctx, in, *out);
}

enum trl_code
sub_ask_events(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__FetchRequest *in, Events__V1__FetchReply **out)
{
	struct trl_call_terms terms = terms_of(sub, FETCH_MS);

	if (!sub->is_own)
		return trl_fold(ctx,
		    events_call_fetch_with(ctx, sub->events->bus, in, &terms, out));
	*out =
	    (void *)trl_message_new(ctx->arena, &events__v1__fetch_reply__descriptor);
	ctx->caller = sub->events->service; /* whose progress is noted */
	return trl_fold(ctx, events_fetch(sub->events, ctx, in, *out));
}

enum trl_code
sub_ask_snapshot(trl_ctx *ctx, struct subscription *sub,
    const Events__V1__SnapshotRequest *in, Events__V1__SnapshotReply **out)
{
	const bool audit = sub->spec->start == TRL_FROM_AUDIT;
	struct trl_call_terms terms = terms_of(sub, 0);

	if (!sub->is_own)
		return trl_fold(ctx, (audit ? events_call_snapshot_audit_with
					    : events_call_snapshot_with)(
					 ctx, sub->events->bus, in, &terms, out));
	*out = (void *)trl_message_new(
	    ctx->arena, &events__v1__snapshot_reply__descriptor);
	return trl_fold(ctx, (audit ? events_snapshot_audit : events_snapshot)(
				 sub->events, ctx, in, *out));
}
