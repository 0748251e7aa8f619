/* queue.c - adding a job: one row, in the transaction of its fact; and cancelling one
 * by its key, likewise. The tenant is the transaction's own, which row security holds
 * the row to. */
#include <trl/jobs.h>

#include <string.h>

#include "framework_sql.h"
#include "worker.h"

uint32_t
jobs_news_of(const struct trl_job_kind *kind)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = kind->name; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return UINT32_C(1) << hash % JOBS_NEWS_LATER;
}

/* What the worker is told of one that runs then: nothing where its usual look comes in
 * time. */
static uint32_t
news_at(trl_ctx *ctx, const struct trl_job_kind *kind, int64_t run_at_us)
{
	int64_t in_us = run_at_us - trl_now(ctx);

	if (in_us <= 0)
		return jobs_news_of(kind);
	return in_us > JOBS_LOOK_MS * INT64_C(1000) ? 0
						    : UINT32_C(1) << JOBS_NEWS_LATER;
}

static const struct trl_sql *
statement(const struct trl_job_terms *terms)
{
	return terms && terms->moves ? &trl_sql_job_put : &trl_sql_job_insert;
}

/* The arguments of statement(terms); *news tells the worker. */
static const struct trl_arg *
arguments(trl_ctx *ctx, const struct trl_job_kind *kind,
    const struct trl_job_terms *terms, const ProtobufCMessage *payload, uint32_t *news)
{
	static const struct trl_job_terms usual;
	size_t len = payload ? protobuf_c_message_get_packed_size(payload) : 0;
	uint8_t *packed = trl_arena_alloc(ctx->arena, len);
	uint8_t *trace = trl_arena_alloc(ctx->arena, TRL_TRACE_BYTES);

	if (!terms)
		terms = &usual;
	trl_assert(!payload || payload->descriptor == kind->message->descriptor);
	trl_assert(terms->key || !terms->moves);
	if (payload)
		protobuf_c_message_pack(payload, packed);
	trl_trace_pack(&ctx->trace, trace);
	*news = news_at(ctx, kind, terms->run_at_us);
	const struct trl_arg args[] = {
		TRL_ARG_ID("id", trl_new_id(ctx)),
		TRL_ARG_TEXT("kind", kind->name),
		terms->run_at_us ? TRL_ARG_TIME("run_at", terms->run_at_us)
				 : TRL_ARG_NULL("run_at"),
		TRL_ARG_INT("priority", terms->priority),
		TRL_ARG_INT("attempts",
		    kind->attempts ? kind->attempts : JOBS_DEFAULT_ATTEMPTS),
		terms->key
		    ? TRL_ARG_TEXT("key", trl_arena_strdup(ctx->arena, terms->key))
		    : TRL_ARG_NULL("key"),
		TRL_ARG_BYTES("payload", packed, len),
		TRL_ARG_BYTES("trace", trace, TRL_TRACE_BYTES),
		TRL_ARG_ID("lane", terms->lane),
		{ .name = NULL },
	};
	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

void
trl_batch_job(trl_batch *batch, const struct trl_job_kind *kind,
    const struct trl_job_terms *terms, const ProtobufCMessage *payload)
{
	uint32_t news;
	const struct trl_arg *args =
	    arguments(trl_batch_ctx(batch), kind, terms, payload, &news);

	trl_batch_add_args(batch, statement(terms), NULL, args);
	if (news)
		trl_batch_news(batch, TRL_PG_JOBS, news);
}

void
trl_tx_job(trl_tx *tx, const struct trl_job_kind *kind,
    const struct trl_job_terms *terms, const ProtobufCMessage *payload)
{
	uint32_t news;
	const struct trl_arg *args =
	    arguments(trl_tx_ctx(tx), kind, terms, payload, &news);

	trl_tx_add_args(tx, statement(terms), NULL, args);
	if (news)
		trl_tx_news(tx, TRL_PG_JOBS, news);
}

/* There may be one whose kind is told, and one that runs, which a look finds. */
static uint32_t
news_of_cancel(const struct trl_job_kind *kind)
{
	return jobs_news_of(kind) | UINT32_C(1) << JOBS_NEWS_LATER;
}

static const struct trl_arg *
cancel_arguments(trl_ctx *ctx, const struct trl_job_kind *kind, const char *key)
{
	const struct trl_arg args[] = {
		TRL_ARG_TEXT("kind", kind->name),
		TRL_ARG_TEXT("key", trl_arena_strdup(ctx->arena, key)),
		TRL_ARG_BOOL("told", kind->dead != NULL),
		{ .name = NULL },
	};

	return trl_arena_memdup(ctx->arena, args, sizeof args);
}

void
trl_batch_job_cancel(trl_batch *batch, const struct trl_job_kind *kind, const char *key)
{
	trl_batch_add_args(batch, &trl_sql_job_cancel_key, NULL,
	    cancel_arguments(trl_batch_ctx(batch), kind, key));
	trl_batch_news(batch, TRL_PG_JOBS, news_of_cancel(kind));
}

void
trl_tx_job_cancel(trl_tx *tx, const struct trl_job_kind *kind, const char *key)
{
	trl_tx_add_args(tx, &trl_sql_job_cancel_key, NULL,
	    cancel_arguments(trl_tx_ctx(tx), kind, key));
	trl_tx_news(tx, TRL_PG_JOBS, news_of_cancel(kind));
}
