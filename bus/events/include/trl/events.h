/* events.h - subscriptions: facts of one service applied in another, each once, in
 * the order of its aggregate, whatever is killed in between. A service declares
 * them in its struct trl_service; the skeleton runs them.
 *
 * A subscription names one producer, or every one (TRL_EVERY_TELLER); then it hears
 * services that are added later, without a change. Each service that has a schema tells
 * its events and, as SERVICE.audit.written, the entries of its tenants' audit chains.
 * With TRL_EVERY_TELLER, each other service that this process has an address for is a
 * subscription of its own, with a cursor for each lane; one without an address is not
 * missed.
 *
 *   static const struct trl_subscription people = {
 *       .name = "people", .producer = "auth", .start = TRL_FROM_SNAPSHOT,
 *       .apply = notify_apply_people,
 *   };
 *
 * A lane's events are pulled in batches, and a batch is one transaction under the
 * service's _sys role: ids into the inbox, apply() of what is new, the cursor. What
 * apply() writes commits with them or not at all; if it is much, it is sent in pieces
 * beforehand. */
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

/* A tenant was erased. Every service with a schema then erases what it has of it by
 * itself (sqlgen: which rows; service.h: what else), and applies no further event of it
 * except this one, which a subscription may hear like any other. */
#define TRL_TENANT_ERASED "tenants.tenant.erased"

struct trl_subscription {
	/* The cursor's name, unique in the service. With TRL_EVERY_TELLER, the cursors
	 * are named NAME_TELLER, or TELLER if this is NULL. */
	const char *name;
	/* A service, whether or not this one calls it; it may be this one.
	 * TRL_EVERY_TELLER is every other one (a service has its own facts at hand). */
	const char *producer;
	/* The types it wants, NULL-ended, "*.audit.written" for the producer's audit
	 * entries; NULL: all but these. */
	const char *const *types;
	enum trl_subscription_start start;
	/* Applies events of one tenant (ctx->tenant, and the scope of tx), in order,
	 * at most TRL_APPLY_MOST of them. trl_tx_add gathers statements that are
	 * sent together; only trl_tx_run may park. The arena of ctx lasts for the call
	 * and holds 16 MiB: some 300 KiB for an event and what is written for it. Must
	 * tolerate an event that it knows from a snapshot already: write by version.
	 * Errors: anything; the batch rolls back and its events are tried one by one
	 * with backoff. One that fails by itself becomes a dead letter, and later ones
	 * of its subject wait behind it; TRL_BUSY, TRL_DEADLINE, TRL_CONFLICT and
	 * outages say nothing about the event, and its lane waits. */
	enum trl_code (*apply)(void *self, trl_ctx *ctx, trl_tx *tx,
	    const struct trl_event *events, size_t n);
	/* What apply() wrote for a tenant is committed, or may be: invalidates copies
	 * of what it replaced. Called once for each tenant of a batch; may park, and
	 * cannot fail. Not called for a snapshot, nor if the process dies in between,
	 * so it may only hasten what happens anyway. NULL: nothing follows. */
	void (*applied)(void *self, trl_ctx *ctx, struct trl_id tenant);
};

/* What a producer shows a new subscription. */

typedef struct trl_snapshot trl_snapshot;

/* Adds one present fact, as the event that would tell it. */
void trl_snapshot_add(trl_snapshot *snapshot, const struct trl_event_type *type,
    struct trl_id tenant, struct trl_id subject, int64_t at_us,
    const ProtobufCMessage *payload);

/* Where a snapshot goes on: an aggregate and, if it has many parts (a tenant's
 * members), the part. */
struct trl_snapshot_key {
	struct trl_id aggregate, part;
};

/* In struct trl_service: adds about limit facts after a key (nil: from the start) in
 * rising order, and sets *next to the last key, or leaves it nil at the end.
 * Runs in an actor, under the service's _app role. */
typedef enum trl_code trl_snapshot_fn(void *self, trl_ctx *ctx,
    struct trl_snapshot_key after, size_t limit, trl_snapshot *out,
    struct trl_snapshot_key *next);

/* For services that pass events on. */

/* Appends the event as CloudEvents 1.0 JSON, without the payload's secret and internal
 * fields; without a payload if the type is of a later release. */
void trl_event_json(struct trl_buf *out, const struct trl_event *event);
