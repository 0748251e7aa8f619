/* events.h - subscriptions: facts of one service applied in another, each once, in
 * the order of its aggregate, whatever is killed in between. A service declares
 * them in its struct trl_service; the skeleton runs them.
 *
 * It may name one producer, or every one (TRL_EVERY_TELLER), and then hears a service
 * that is made later without a change: each service that has a schema tells its events
 * and, as SERVICE.audit.written, the entries of its tenants' audit chains. Each other
 * one that this process has an address of is a subscription of its own, with a cursor
 * a lane; one without an address is none yet, and is not missed.
 *
 *   static const struct trl_subscription people = {
 *       .name = "people", .producer = "auth", .start = TRL_FROM_SNAPSHOT,
 *       .apply = notify_apply_people,
 *   };
 *
 * A lane's events are pulled in batches, and a batch is one transaction under the
 * service's _sys role: ids into the inbox, apply() of what is new, the cursor. What
 * apply() writes commits with them or not at all; where it is much, it leaves in pieces
 * before. */
#pragma once

#include <trl/buf.h>
#include <trl/event.h>

struct trl_event {
	struct trl_id id;
	uint32_t lane;
	uint64_t seq; /* in the lane: 1, 2, 3 without a gap; 0: of a snapshot */
	const char *type_name;
	const struct trl_event_type *type; /* NULL: of a later release */
	struct trl_id tenant;              /* nil: the platform's */
	struct trl_id subject;
	int64_t at_us; /* wall */
	struct trl_trace trace;
	const ProtobufCMessage *payload; /* NULL where type is */
	const uint8_t *data;             /* the payload as it was stored */
	size_t len;
};

enum trl_subscription_start {
	TRL_FROM_FIRST, /* the oldest event that the producer still keeps */
	TRL_FROM_NOW,   /* what happens from when the producer is first reached */
	/* The producer's present facts, where it shows some, then what happens. */
	TRL_FROM_SNAPSHOT,
	TRL_FROM_AUDIT /* its tenants' audit entries so far, then further ones */
};

enum { TRL_APPLY_MOST = 50 };

#define TRL_EVERY_TELLER "*"

/* A tenant is no more. Every service with a schema erases what it has of it without
 * being told to (sqlgen has which rows, service.h what else), and applies no event of
 * it from then on but this one, which a subscription may hear as any other. */
#define TRL_TENANT_ERASED "tenants.tenant.erased"

struct trl_subscription {
	/* Its cursor's: unique in the service. Of every teller, each one's cursor is
	 * named NAME_TELLER, or TELLER where this is NULL. */
	const char *name;
	/* Whether or not this service calls it else. It may be this service itself;
	 * TRL_EVERY_TELLER is each other one (its own facts a service has at hand). */
	const char *producer;
	/* Those it wants, NULL-ended, "*.audit.written" for the producer's; NULL: all
	 * but its audit entries. */
	const char *const *types;
	enum trl_subscription_start start;
	/* Applies events of one tenant (ctx->tenant, and the scope of tx), in order,
	 * at most TRL_APPLY_MOST of them. trl_tx_add gathers statements that leave
	 * together; nothing else may park but trl_tx_run. The arena of ctx lasts for
	 * the call and holds 16 MiB: some 300 KiB for an event and what is written of
	 * it. Must bear an event it knows already from a snapshot:
	 * write by version. Errors: anything; the batch rolls back and its events are
	 * tried singly with backoff. One that fails by itself becomes a dead letter,
	 * and later ones of its subject wait behind it; TRL_BUSY, TRL_DEADLINE,
	 * TRL_CONFLICT and outages say nothing of the event, and its lane waits. */
	enum trl_code (*apply)(void *self, trl_ctx *ctx, trl_tx *tx,
	    const struct trl_event *events, size_t n);
	/* What apply() wrote of a tenant's events is committed, or may be: ends copies
	 * of what it was before. Once for each tenant of a batch; may park, and cannot
	 * fail. Not of a snapshot, and not where the process dies in between, so that
	 * it may only hasten what comes by itself. NULL: nothing follows. */
	void (*applied)(void *self, trl_ctx *ctx, struct trl_id tenant);
};

/* What a producer shows a new subscription. */

typedef struct trl_snapshot trl_snapshot;

/* Adds one present fact, as the event that would tell it. */
void trl_snapshot_add(trl_snapshot *snapshot, const struct trl_event_type *type,
    struct trl_id tenant, struct trl_id subject, int64_t at_us,
    const ProtobufCMessage *payload);

/* Where a snapshot goes on: an aggregate and, where it has many parts of its own (the
 * members of a tenant), the part. */
struct trl_snapshot_key {
	struct trl_id aggregate, part;
};

/* In struct trl_service: shows about limit facts after a key (nil: from the start) in
 * rising order, and sets *next to the last key, or leaves it nil where that was all.
 * Runs in an actor, under the service's _app role. */
typedef enum trl_code trl_snapshot_fn(void *self, trl_ctx *ctx,
    struct trl_snapshot_key after, size_t limit, trl_snapshot *out,
    struct trl_snapshot_key *next);

/* For whoever passes events on. */

/* Appends the event as CloudEvents 1.0 JSON; of its payload what is neither secret nor
 * internal, nothing where the type is of a later release. */
void trl_event_json(struct trl_buf *out, const struct trl_event *event);
