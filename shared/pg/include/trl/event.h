/* event.h - telling the others what happened: the event goes into the schema's outbox
 * in the transaction of the fact, and bus/events carries it on from there. Call it
 * after the statement that locks or writes the aggregate's row, so that the order of
 * an aggregate's events is that of its changes.
 *
 *   trl_batch_add(work, &tenants_sql_member_insert, &out->base);
 *   trl_batch_event(work, &tenants_event_member_added, account, &told.base); */
#pragma once

#include <trl/batch.h>
#include <trl/event_type.h>
#include <trl/tx.h>

enum {
	TRL_EVENT_LANES = 16,
	TRL_EVENT_MAX_BYTES = 60000, /* so that a job can hold one, and some more */
};

/* subject: the aggregate whose order holds. The event's tenant is the batch's (nil:
 * the platform's), its time and id ctx's. payload is the type's message. It lives as
 * long as the batch; the event is written where the batch commits, once for each
 * idempotency key. Gives its id, for whoever tells the same fact in another way. One of
 * more than TRL_EVENT_MAX_BYTES is none that everybody could carry on: then nothing is
 * written, and the write's error is TRL_INVALID. Of another service's type nothing is
 * written either: TRL_INTERNAL. */
struct trl_id trl_batch_event(trl_batch *batch, const struct trl_event_type *type,
    struct trl_id subject, const ProtobufCMessage *payload);
/* The same in a transaction; leaves with trl_tx_commit. */
void trl_tx_event(trl_tx *tx, const struct trl_event_type *type, struct trl_id subject,
    const ProtobufCMessage *payload);
/* The lane of a tenant's events, or of a subject's of the platform. */
unsigned trl_event_lane(struct trl_id tenant, struct trl_id subject);
