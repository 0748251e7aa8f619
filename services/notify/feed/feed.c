/* feed.c - the feed: what open streams show as it happens, and what one that broke
 * missed. notify.StreamEvents, ListFeedChanges, ReadFeed.
 *
 * An entry belongs to a tenant (nil: to none, it is about an account) and is for one
 * account or for all members that hold its permission. It is left in feed_fresh by the
 * transaction of its fact: of an inbox notification, or of a published event when it is
 * applied here. Ids do not tell the order of commits, so a reader who stood at an id
 * would miss what was made before and committed later. So the numbers come afterwards
 * (number.c): under one row's lock, what is committed is moved into feed with
 * numbers that rise over all of the platform. A reader at a number has missed
 * nothing up to it, of whichever tenant, and one number is all that an edge keeps.
 *
 * People see only ids, for the numbers would tell how busy others are.
 *
 * Events that are about an account (auth's) go to that account. Those of a tenant go to
 * the members who may look at what they are about: tenants.member.added is for those
 * who hold tenants.member.read or tenants.member.list. Where the catalogue knows
 * neither, nobody is shown it. What the contract narrows (trellis.event), such as what
 * happens to a private file, is for those who hold the permission that it names, and
 * for the account that is meant. */
#include <string.h>

#include <trl/member.h>
#include <trl/value.h>

#include "feed/feed.h"

enum { CHANGES = 500, ENTRIES = 200, REPLY_BYTES = 300000 };

#define ENTRY_ARGS(entry)                                                              \
	NULL, TRL_ARG_ID("tenant_id", (entry)->tenant), TRL_ARG_ID("id", (entry)->id), \
	    TRL_ARG_ID("account_id", (entry)->account),                                \
	    TRL_ARG_TEXT("type", (entry)->type),                                       \
	    (entry)->permission ? TRL_ARG_TEXT("permission", (entry)->permission)      \
				: TRL_ARG_NULL("permission"),                          \
	    TRL_ARG_ID("also_account_id", (entry)->also),                              \
	    TRL_ARG_TEXT("data", (entry)->data)

void
notify_feed_add(trl_batch *batch, const struct notify_feed_entry *entry)
{
	trl_batch_add(batch, &notify_sql_feed_add, ENTRY_ARGS(entry));
	trl_batch_news(batch, TRL_PG_SERVICE, 1);
}

void
notify_feed_add_tx(trl_tx *tx, const struct notify_feed_entry *entry)
{
	trl_tx_add(tx, &notify_sql_feed_add, ENTRY_ARGS(entry));
	trl_tx_news(tx, TRL_PG_SERVICE, 1);
}

/* "auth.api_key.created" by "auth.api_key" and, since permissions have short nouns, by
 * "auth.key"; "notify.webhook_endpoint.disabled" by "notify.webhook". */
const char *
notify_feed_permission(trl_ctx *ctx, const struct trl_event_type *type)
{
	static const char *const verbs[] = { "read", "list" };
	const char *noun = strchr(type->name, '.') + 1;
	const size_t len = strcspn(noun, ".");
	const char *last = memrchr(noun, '_', len);
	const struct {
		const char *at;
		size_t len;
	} nouns[] = {
		{ noun, len },
		{ last ? last + 1 : noun,
		    last ? (size_t)(noun + len - last) - 1 : len },
		{ noun, strcspn(noun, "._") },
	};

	for (size_t i = 0; i < TRL_COUNT(nouns) * TRL_COUNT(verbs); i++) {
		const char *name =
		    trl_arena_printf(ctx->arena, "%s.%.*s.%s", type->service,
			(int)nouns[i / 2].len, nouns[i / 2].at, verbs[i % 2]);

		if (trl_permission_by_name(name))
			return name;
	}
	return NULL;
}

/* Nil: there is no id at this path. */
static struct trl_id
id_at(const ProtobufCMessage *payload, const char *path)
{
	const ProtobufCFieldDescriptor *field = trl_member_find(&payload, path);

	if (!field || field->type != PROTOBUF_C_TYPE_BYTES ||
	    field->label == PROTOBUF_C_LABEL_REPEATED)
		return trl_id_nil;
	return trl_value_id(
	    *(const ProtobufCBinaryData *)trl_member_of(field, payload));
}

/* One whose value is not there is narrow, too. */
static bool
is_narrow(const struct trl_narrow *narrow, const ProtobufCMessage *payload)
{
	const ProtobufCFieldDescriptor *field =
	    trl_member_find(&payload, narrow->field);
	const ProtobufCEnumValue *value =
	    field ? protobuf_c_enum_descriptor_get_value(
			field->descriptor, *(const int *)trl_member_of(field, payload))
		  : NULL;

	return !value || strcmp(value->name, narrow->value) == 0;
}

static void
permit(trl_ctx *ctx, const struct trl_event *event, struct notify_feed_entry *entry)
{
	const struct trl_narrow *narrow = event->type->narrow;

	if (narrow && is_narrow(narrow, event->payload)) {
		entry->permission = narrow->permission;
		entry->also = id_at(event->payload, narrow->account);
	} else {
		entry->permission = notify_feed_permission(ctx, event->type);
	}
}

/* False: it is not shown to anybody. */
static bool
entry_of(trl_ctx *ctx, const struct trl_event *event, struct notify_feed_entry *entry)
{
	*entry = (struct notify_feed_entry){
		.id = event->id, .tenant = event->tenant, .type = event->type_name
	};
	if (!event->type || !event->type->published || !event->payload)
		return false;
	if (trl_id_is_nil(event->tenant))
		entry->account = id_at(event->payload, "account.id");
	else
		permit(ctx, event, entry);
	if (trl_id_is_nil(entry->account) && !entry->permission)
		return false;
	entry->data =
	    notify_cloud_event(ctx, &(const struct notify_cloud_event){ .id = event->id,
					.type = event->type_name,
					.at_us = event->at_us,
					.subject = event->subject,
					.tenant = event->tenant,
					.rules = event->type->message,
					.payload = event->payload });
	return true;
}

void
notify_feed_add_event(trl_ctx *ctx, trl_batch *batch, const struct trl_event *event)
{
	struct notify_feed_entry entry;

	if (entry_of(ctx, event, &entry))
		notify_feed_add(batch, &entry);
}

void
notify_feed_add_told(trl_ctx *ctx, trl_batch *batch, struct trl_id account,
    const Notify__V1__Notification *told)
{
	static const char type[] = "notify.notification.created";
	const struct trl_id id = trl_value_id(told->id);
	const struct trl_id tenant = trl_value_id(told->tenant_id);
	const char *data =
	    notify_cloud_event(ctx, &(const struct notify_cloud_event){ .id = id,
					.type = type,
					.at_us = trl_now(ctx),
					.subject = id,
					.tenant = tenant,
					.rules = &notify_v1_notification_rules,
					.payload = &told->base });

	trl_batch_add(batch, &notify_sql_feed_add_told, NULL,
	    TRL_ARG_ID("tenant_id", tenant), TRL_ARG_ID("id", id),
	    TRL_ARG_ID("account_id", account), TRL_ARG_TEXT("type", type),
	    TRL_ARG_TEXT("data", data));
	trl_batch_news(batch, TRL_PG_SERVICE, 1);
}

static enum trl_code
apply(void *self, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	struct notify_feed_entry entry;

	(void)self;
	for (size_t i = 0; i < n; i++)
		if (entry_of(ctx, &events[i], &entry))
			notify_feed_add_tx(tx, &entry);
	return TRL_OK;
}

const struct trl_subscription notify_hears_for_feed = {
	.name = "feed",
	.producer = TRL_EVERY_TELLER,
	.start = TRL_FROM_NOW,
	.apply = apply,
};

/* Whether the caller's account may have seen this entry of the tenant (nil: of none),
 * and where it stands. */
static enum trl_code
find_place(struct notify *self, trl_ctx *ctx, struct trl_id tenant, struct trl_id id,
    Notify__V1__StreamPlace *out)
{
	const struct trl_id account =
	    ctx->principal.kind == TRL_PERSON ? ctx->principal.account : trl_id_nil;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_BOTH(tenant, account));

	trl_batch_get(work, &notify_sql_feed_head, NULL, &out->base);
	if (!trl_id_is_nil(id))
		trl_batch_get(work, &notify_sql_feed_place, NULL, &out->base,
		    TRL_ARG_ID("tenant_id", tenant), TRL_ARG_ID("id", id),
		    TRL_ARG_ID("account_id", account));
	return trl_batch_read(work);
}

enum trl_code
notify_stream_events(struct notify *self, trl_ctx *ctx,
    const Notify__V1__StreamEventsRequest *in, Notify__V1__StreamPlace *out)
{
	const struct trl_id id = trl_value_id(in->last_event_id);
	enum trl_code rc = find_place(self, ctx, ctx->tenant, id, out);

	if (rc == TRL_OK && in->has_last_event_id && !out->has_number)
		rc = find_place(self, ctx, trl_id_nil, id, out);
	return rc;
}

enum trl_code
notify_list_feed_changes(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListFeedChangesRequest *in, Notify__V1__ListFeedChangesReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_NOBODY);
	Notify__V1__StreamPlace place = NOTIFY__V1__STREAM_PLACE__INIT;
	enum trl_code rc;

	trl_batch_get(work, &notify_sql_feed_head, NULL, &place.base);
	if (in->has_after)
		trl_batch_get(work, &notify_sql_feed_changes, NULL, &out->base,
		    TRL_ARG_INT("after", in->after), TRL_ARG_INT("limit", CHANGES));
	rc = trl_batch_read(work);
	out->has_head = place.has_head;
	out->head = place.head;
	return rc;
}

#define WINDOW_ARGS(tenant, in)                                                        \
	TRL_ARG_ID("tenant_id", tenant), TRL_ARG_INT("after", (in)->after),            \
	    TRL_ARG_INT("until", (in)->until), TRL_ARG_INT("limit", ENTRIES),          \
	    TRL_ARG_INT("bytes", REPLY_BYTES)

enum trl_code
notify_read_feed(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ReadFeedRequest *in, Notify__V1__ReadFeedReply *out)
{
	const struct trl_id tenant = trl_value_id(in->tenant_id);
	struct trl_id *accounts =
	    trl_arena_alloc(ctx->arena, in->n_account_ids * sizeof *accounts);
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));
	enum trl_code rc;

	for (size_t i = 0; i < in->n_account_ids; i++)
		accounts[i] = trl_value_id(in->account_ids[i]);
	if (trl_id_is_nil(tenant))
		trl_batch_add(work, &notify_sql_feed_readers, NULL,
		    TRL_ARG_IDS("account_ids", accounts, in->n_account_ids));
	if (in->all_accounts)
		trl_batch_get(work, &notify_sql_feed_read_all, NULL, &out->base,
		    WINDOW_ARGS(tenant, in));
	else
		trl_batch_get(work, &notify_sql_feed_read, NULL, &out->base,
		    WINDOW_ARGS(tenant, in),
		    TRL_ARG_IDS("account_ids", accounts, in->n_account_ids));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	trl_set(out, through, in->until);
	if (out->n_items &&
	    (out->n_items < (size_t)out->items[0]->rows || out->n_items == ENTRIES))
		out->through = out->items[out->n_items - 1]->number;
	return TRL_OK;
}
