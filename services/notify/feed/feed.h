/* feed.h - what open streams show (feed.c says how). Known only within notify. */
#pragma once

#include <trl/events.h>

#include "notify.h"

enum { NOTIFY_FEED_DATA_MAX = 32768 }; /* of a CloudEvent's data; larger is left out */

struct notify_feed;

/* Something that a person, or the members of a tenant, may see. */
struct notify_feed_entry {
	struct trl_id id;       /* of the event or the notification: Last-Event-ID */
	struct trl_id tenant;   /* nil: about the account */
	struct trl_id account;  /* nil: for all members */
	const char *type;       /* CloudEvents type */
	const char *permission; /* what a member must hold to see it, or NULL */
	struct trl_id also;     /* a member who sees it without that; nil: nobody */
	const char *data;       /* notify_cloud_event's */
};

/* Adds it in the transaction of its fact, whose scope is the entry's tenant (or none);
 * it is shown once that is committed. */
void notify_feed_add(trl_batch *batch, const struct notify_feed_entry *entry);
void notify_feed_add_tx(trl_tx *tx, const struct notify_feed_entry *entry);

/* The same of a new row of the inbox, which this batch has inserted before. */
void notify_feed_add_told(trl_ctx *ctx, trl_batch *batch, struct trl_id account,
    const Notify__V1__Notification *told);
/* The same of an event of notify's own. */
void notify_feed_add_event(
    trl_ctx *ctx, trl_batch *batch, const struct trl_event *event);

/* A CloudEvent (1.0.2, structured JSON) on one line, in ctx's arena. */
struct notify_cloud_event {
	struct trl_id id;
	const char *type;
	int64_t at_us;
	struct trl_id subject; /* nil: none */
	struct trl_id tenant;  /* nil: none */
	const struct trl_message *rules;
	const ProtobufCMessage *payload; /* or NULL: without data */
};
const char *notify_cloud_event(trl_ctx *ctx, const struct notify_cloud_event *event);

/* The permission by which members see events of a type: NULL where the catalogue has
 * none, and then no member does. */
const char *notify_feed_permission(trl_ctx *ctx, const struct trl_event_type *type);
/* What is published by others goes into the feed. */
extern const struct trl_subscription notify_hears_for_feed;

/* number.c: numbers what was added, tells the edges, forgets what is old. */
struct notify_feed *notify_feed_open(struct notify *self);
void notify_feed_close(struct notify_feed **feed);
