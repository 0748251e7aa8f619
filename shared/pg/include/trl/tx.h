/* tx.h - an interactive transaction, where a decision hangs on what was read
 * under a lock. It holds a write connection; an actor that holds one runs no
 * batch elsewhere (asserted).
 *
 *   TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
 *   rc = trl_tx_begin(ctx, pg, scope, &tx);
 */
#pragma once

#include <trl/batch.h>

typedef struct trl_tx trl_tx;

enum trl_code trl_tx_begin(
    trl_ctx *ctx, trl_pg *pg, struct trl_scope scope, trl_tx **out) TRL_MUST_CHECK;
/* The same without a round trip of its own: BEGIN leaves with what is run first. Not
 * under an idempotency key. */
enum trl_code trl_tx_open(
    trl_ctx *ctx, trl_pg *pg, struct trl_scope scope, trl_tx **out) TRL_MUST_CHECK;
/* Runs one statement now; out as in trl_batch_get, may be NULL. */
enum trl_code trl_tx_run_args(trl_tx *tx, const struct trl_sql *sql,
    const ProtobufCMessage *in, ProtobufCMessage *out,
    const struct trl_arg *args) TRL_MUST_CHECK;
#define trl_tx_run(tx, sql, in, ...)                                                   \
	trl_tx_run_args((tx), (sql), (in), TRL_BATCH_FIRST_(__VA_ARGS__, 0),           \
	    (const struct trl_arg[]){                                                  \
		TRL_BATCH_REST_(__VA_ARGS__, { .name = NULL }) })
/* Adds a statement that leaves with the next trl_tx_run or trl_tx_commit, in order,
 * without a round trip of its own; an error of it is theirs. */
void trl_tx_add_args(trl_tx *tx, const struct trl_sql *sql, const ProtobufCMessage *in,
    const struct trl_arg *args);
#define trl_tx_add(tx, sql, ...)                                                       \
	trl_tx_add_args((tx), (sql), TRL_BATCH_FIRST_(__VA_ARGS__, 0),                 \
	    (const struct trl_arg[]){                                                  \
		TRL_BATCH_REST_(__VA_ARGS__, { .name = NULL }) })
/* Sends what was added and waits for it: where much gathers, so that neither this
 * process nor the connection holds all of it until COMMIT. Of what was added nothing is
 * referred to afterwards, so an arena it was made in may be reset. Before the first
 * audit entry. */
enum trl_code trl_tx_send(trl_tx *tx) TRL_MUST_CHECK;
/* Goes on under another scope; leaves like an added statement. For work over several
 * tenants in one transaction (subscriptions). */
void trl_tx_scope(trl_tx *tx, struct trl_scope scope);
/* As trl_batch_news and trl_batch_ctx. */
void trl_tx_news(trl_tx *tx, enum trl_pg_news kind, uint32_t mask);
trl_ctx *trl_tx_ctx(const trl_tx *tx);
void trl_tx_audit(trl_tx *tx, const char *action, struct trl_id subject,
    const char *subject_kind, const ProtobufCMessage *detail);
/* Record, audit and COMMIT in one round trip; ends the tx. Errors: as trl_batch_write.
 */
enum trl_code trl_tx_commit(trl_tx **tx, ProtobufCMessage *reply) TRL_MUST_CHECK;
void trl_tx_rollback(trl_tx **tx);
