/* serve.c - see serve.h. One file, one thing after the other: what a hand-written
 * handler would do, for any resource. It knows rows only by their descriptors. */
#include <trl/serve.h>

#include <string.h>

#include <trl/change.h>
#include <trl/event.h>
#include <trl/member.h>
#include <trl/page.h>
#include <trl/value.h>

/* One method under way. */
struct work {
	void *self;
	trl_ctx *ctx;
	const struct trl_does *does;
	const struct trl_resource *resource;
	const ProtobufCMessageDescriptor *type;
	const ProtobufCMessage *in;
	struct trl_id owner;
	struct trl_scope scope;
	const char *owner_name;
};

static const ProtobufCFieldDescriptor *
field_of(const struct work *w, int i)
{
	return &w->type->fields[i];
}

static ProtobufCMessage *
row_new(const struct work *w)
{
	ProtobufCMessage *row = trl_arena_alloc(w->ctx->arena, w->type->sizeof_message);

	protobuf_c_message_init(w->type, row);
	return row;
}

static ProtobufCMessage *
row_dup(const struct work *w, const ProtobufCMessage *row)
{
	return trl_arena_memdup(w->ctx->arena, row, w->type->sizeof_message);
}

static void
set_id(const struct work *w, ProtobufCMessage *row, int i, struct trl_id id)
{
	ProtobufCBinaryData bytes = trl_value_bytes(w->ctx, id);

	if (i < 0)
		return;
	memcpy(trl_member_at(field_of(w, i), row), &bytes, sizeof bytes);
	trl_member_mark(field_of(w, i), row);
}

static void
set_time(const struct work *w, ProtobufCMessage *row, int i)
{
	if (i >= 0)
		*(void **)trl_member_at(field_of(w, i), row) =
		    trl_value_time(w->ctx, trl_now(w->ctx));
}

static int64_t
version_of(const struct work *w, const ProtobufCMessage *row)
{
	return w->resource->version < 0 ? 0
					: *(const int64_t *)trl_member_of(
					      field_of(w, w->resource->version), row);
}

static void
set_version(const struct work *w, ProtobufCMessage *row, int64_t version)
{
	if (w->resource->version < 0)
		return;
	*(int64_t *)trl_member_at(field_of(w, w->resource->version), row) = version;
	trl_member_mark(field_of(w, w->resource->version), row);
}

/* The id of one field, nil where it is none. */
static struct trl_id
id_at(const ProtobufCMessageDescriptor *type, int i, const ProtobufCMessage *message)
{
	ProtobufCBinaryData bytes = { 0 };

	if (i >= 0)
		memcpy(&bytes, trl_member_of(&type->fields[i], message), sizeof bytes);
	return trl_value_id(bytes);
}

/* What audit entries and events are about: the row, or its owner where it has no id. */
static struct trl_id
subject_of(const struct work *w, const ProtobufCMessage *row)
{
	struct trl_id id = id_at(w->type, w->resource->id, row);

	return trl_id_is_nil(id) ? w->owner : id;
}

/* Without what is not shown; and, for the log and others, without secrets. */
static void
strip(const struct work *w, ProtobufCMessage *row, bool secrets)
{
	for (unsigned i = 0; i < w->type->n_fields; i++) {
		const struct trl_field *rule = &w->resource->message->fields[i];

		if (rule->internal || (secrets && rule->secret))
			trl_member_clear(field_of(w, (int)i), row);
	}
}

static enum trl_code
show(const struct work *w, ProtobufCMessage **rows, size_t n)
{
	const struct trl_hooks *hooks = w->does->hooks;
	enum trl_code rc =
	    hooks->show && n > 0 ? hooks->show(w->self, w->ctx, rows, n) : TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++)
		strip(w, rows[i], false);
	return rc;
}

/* Whether null was asked for the field. */
static bool
clears(const struct work *w, const char *name)
{
	const struct trl_message *rules = w->ctx->method->in;
	const ProtobufCFieldDescriptor *clear;

	if (rules->clear_field < 0)
		return false;
	clear = &rules->descriptor->fields[rules->clear_field];
	for (size_t i = 0; i < trl_member_count(clear, w->in); i++)
		if (!strcmp(*(char *const *)trl_member_item(clear, w->in, i), name))
			return true;
	return false;
}

/* The request's fields over the row: what is absent stays, null clears. */
static void
take(const struct work *w, ProtobufCMessage *row)
{
	for (size_t i = 0; i < w->does->n_takes; i++) {
		const ProtobufCFieldDescriptor *from =
		    &w->in->descriptor->fields[w->does->takes[i].from];
		const ProtobufCFieldDescriptor *to = field_of(w, w->does->takes[i].to);

		if (trl_member_present(from, w->in))
			trl_member_copy(from, w->in, to, row);
		else if (clears(w, from->name))
			trl_member_clear(to, row);
	}
}

/* What nobody gave begins with the first value of its enum, or with false. */
static void
begin_values(const struct work *w, ProtobufCMessage *row)
{
	for (unsigned i = 0; i < w->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = field_of(w, (int)i);
		const ProtobufCEnumDescriptor *values = field->descriptor;

		if (!w->resource->columns[i].begins || trl_member_present(field, row))
			continue;
		if (field->type == PROTOBUF_C_TYPE_ENUM)
			*(int *)trl_member_at(field, row) = values->values[0].value;
		trl_member_mark(field, row);
	}
}

static void
tell(const struct work *w, trl_batch *work, const ProtobufCMessage *before,
    const ProtobufCMessage *shown)
{
	const struct trl_does *does = w->does;
	const ProtobufCMessageDescriptor *type = does->event->message->descriptor;
	ProtobufCMessage *told, *former;

	if (does->event_row < 0) {
		trl_batch_event(work, does->event, subject_of(w, shown), shown);
		return;
	}
	told = trl_arena_alloc(w->ctx->arena, type->sizeof_message);
	protobuf_c_message_init(type, told);
	*(const ProtobufCMessage **)trl_member_at(
	    &type->fields[does->event_row], told) = shown;
	if (does->event_former >= 0 && before) {
		former = row_dup(w, before);
		strip(w, former, true);
		*(ProtobufCMessage **)trl_member_at(
		    &type->fields[does->event_former], told) = former;
	}
	if (does->event_by >= 0 && w->ctx->principal.kind == TRL_PERSON) {
		ProtobufCBinaryData by =
		    trl_value_bytes(w->ctx, w->ctx->principal.account);

		memcpy(
		    trl_member_at(&type->fields[does->event_by], told), &by, sizeof by);
		trl_member_mark(&type->fields[does->event_by], told);
	}
	trl_batch_event(work, does->event, subject_of(w, shown), told);
}

/* The change as one batch. before is NULL of a create, after of a delete. */
static enum trl_code
store(const struct work *w, const ProtobufCMessage *before, ProtobufCMessage *after,
    ProtobufCMessage *out)
{
	const struct trl_resource *resource = w->resource;
	const struct trl_hooks *hooks = w->does->hooks;
	const struct trl_sql *plain = !before ? resource->insert
				      : after ? resource->update
					      : resource->remove;
	const struct trl_arg owner = TRL_ARG_ID(w->owner_name, w->owner);
	const struct trl_arg former =
	    before && resource->version >= 0
		? TRL_ARG_INT("former_version", version_of(w, before))
		: (struct trl_arg){ .name = NULL };
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	ProtobufCMessage *shown = row_dup(w, after ? after : before), *told;
	enum trl_code rc = after ? show(w, &shown, 1) : TRL_OK;

	if (rc != TRL_OK)
		return rc;
	told = row_dup(w, shown);
	strip(w, told, true);
	if (hooks->guard)
		hooks->guard(w->self, w->ctx, work, before, after);
	if (!before && resource->room) {
		trl_batch_add(work, resource->lock, NULL, owner);
		trl_batch_add(work, resource->room, NULL, owner);
	}
	trl_batch_add(work, plain, after ? after : before, owner, former);
	if (hooks->join)
		hooks->join(w->self, w->ctx, work, before, after);
	if (w->does->event)
		tell(w, work, before, told);
	trl_batch_audit(work, w->does->action, subject_of(w, told), resource->kind,
	    after ? told : NULL);
	if (after)
		memcpy(out, shown, w->type->sizeof_message);
	return trl_batch_write(work, out);
}

static enum trl_code
create(const struct work *w, ProtobufCMessage *out)
{
	const struct trl_resource *resource = w->resource;
	const struct trl_hooks *hooks = w->does->hooks;
	ProtobufCMessage *row = row_new(w);
	enum trl_code rc = TRL_OK;

	take(w, row);
	set_id(w, row, resource->id, trl_new_id(w->ctx));
	set_id(w, row, resource->owner, w->owner);
	set_version(w, row, 1);
	set_time(w, row, resource->created_at);
	set_time(w, row, resource->updated_at);
	if (w->ctx->principal.kind == TRL_PERSON)
		set_id(w, row, resource->created_by, w->ctx->principal.account);
	begin_values(w, row);
	if (hooks->judge)
		rc = hooks->judge(w->self, w->ctx, w->in, NULL, row);
	return rc == TRL_OK ? store(w, NULL, row, out) : rc;
}

/* The row that the request names. Where its owner has exactly one that was never set,
 * it has version 0. */
static enum trl_code
read_row(const struct work *w, ProtobufCMessage *row)
{
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	const struct trl_arg id =
	    w->does->key < 0
		? (struct trl_arg){ .name = NULL }
		: TRL_ARG_ID("id", id_at(w->in->descriptor, w->does->key, w->in));

	set_version(w, row, 0);
	trl_batch_get(work, w->resource->get, w->in, row,
	    TRL_ARG_ID(w->owner_name, w->owner), id);
	return trl_batch_read(work);
}

static enum trl_code
get(const struct work *w, ProtobufCMessage *out)
{
	enum trl_code rc = read_row(w, out);

	if (rc == TRL_OK)
		set_id(w, out, w->resource->owner, w->owner);
	return rc == TRL_OK ? show(w, &out, 1) : rc;
}

static enum trl_code
change_once(const struct work *w, ProtobufCMessage *out)
{
	const struct trl_hooks *hooks = w->does->hooks;
	ProtobufCMessage *before = row_new(w), *after = NULL;
	enum trl_code rc = read_row(w, before);

	if (rc == TRL_OK && w->resource->version >= 0)
		rc = trl_if_match(w->ctx, version_of(w, before));
	if (rc != TRL_OK)
		return rc;
	set_id(w, before, w->resource->owner, w->owner);
	if (w->does->what != TRL_DELETES) {
		after = row_dup(w, before);
		if (w->resource->single) /* perhaps its first time */
			begin_values(w, after);
		take(w, after);
	}
	if (hooks->change)
		rc = hooks->change(w->self, w->ctx, w->in, before, after);
	else if (hooks->judge)
		rc = hooks->judge(w->self, w->ctx, w->in, before, after);
	if (rc != TRL_OK)
		return rc;
	if (after) {
		set_version(w, after, version_of(w, before) + 1);
		set_time(w, after, w->resource->updated_at);
	}
	return store(w, before, after, out);
}

static enum trl_code
change(const struct work *w, ProtobufCMessage *out)
{
	TRL_AUTO(trl_change_end) struct trl_change turn = { 0 };
	struct trl_id id = id_at(w->in->descriptor, w->does->key, w->in);
	enum trl_code rc =
	    trl_change_begin(&turn, w->ctx, trl_id_is_nil(id) ? w->owner : id);

	if (rc != TRL_OK)
		return rc;
	do {
		protobuf_c_message_init(out->descriptor, out);
		rc = change_once(w, out);
	} while (trl_change_again(&turn, &rc));
	return rc;
}

/* ---- a page */

/* The fields that every list's request has, by their names. */
static struct trl_page_request {
	uint32_t size;
	const char *token;
} page_asked(const ProtobufCMessage *in)
{
	const ProtobufCFieldDescriptor *size =
	    protobuf_c_message_descriptor_get_field_by_name(
		in->descriptor, "page_size");
	const ProtobufCFieldDescriptor *token =
	    protobuf_c_message_descriptor_get_field_by_name(
		in->descriptor, "page_token");

	return (struct trl_page_request){ *(const uint32_t *)trl_member_of(size, in),
		*(char *const *)trl_member_of(token, in) };
}

/* By the first filter that is given; the others are looked at row by row. */
static const struct trl_sql *
list_of(const struct work *w)
{
	const struct trl_resource *resource = w->resource;

	for (size_t i = 0; resource->list_by[i]; i++) {
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field_by_name(
			w->in->descriptor, resource->list_by[i]);

		if (field && trl_member_present(field, w->in))
			return resource->list[i + 1];
	}
	return resource->list[0];
}

static enum trl_code
list(const struct work *w, ProtobufCMessage *out)
{
	static const struct trl_id last = { .bytes = { 0xff, 0xff, 0xff, 0xff, 0xff,
						0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						0xff, 0xff, 0xff, 0xff, 0xff } };
	const ProtobufCMessageDescriptor *reply = out->descriptor;
	const ProtobufCFieldDescriptor *items = &reply->fields[w->does->items];
	struct trl_page_request asked = page_asked(w->in);
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	ProtobufCMessage **rows;
	struct trl_page page;
	enum trl_code rc;
	size_t *n;

	rc = trl_page_open(w->ctx, w->resource->message->descriptor->name, w->owner,
	    asked.size, asked.token, &page);
	if (rc != TRL_OK)
		return rc;
	if (w->resource->newest_first && trl_id_is_nil(page.after))
		page.after = last;
	trl_batch_get(work, list_of(w), w->in, out, TRL_ARG_ID(w->owner_name, w->owner),
	    TRL_ARG_ID("after", page.after), TRL_ARG_INT("limit", page.size + 1));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	n = (size_t *)(void *)((char *)out + items->quantifier_offset);
	rows = *(ProtobufCMessage ***)trl_member_at(items, out);
	if (*n > page.size) {
		*n = page.size;
		*(char **)trl_member_at(&reply->fields[w->does->next], out) =
		    trl_page_token_id(w->ctx, w->resource->message->descriptor->name,
			w->owner, id_at(w->type, w->resource->id, rows[page.size - 1]));
	}
	for (size_t i = 0; i < *n; i++)
		set_id(w, rows[i], w->resource->owner, w->owner);
	return show(w, rows, *n);
}

enum trl_code
trl_serve(void *self, trl_ctx *ctx, const struct trl_does *does,
    const ProtobufCMessage *in, ProtobufCMessage *out)
{
	const struct trl_resource *resource = does->resource;
	const struct work w = {
		.self = self,
		.ctx = ctx,
		.does = does,
		.resource = resource,
		.type = resource->message->descriptor,
		.in = in,
		.owner = resource->of_person ? ctx->principal.account : ctx->tenant,
		.scope = resource->of_person ? TRL_SCOPE_ACCOUNT(ctx->principal.account)
					     : TRL_SCOPE_TENANT(ctx->tenant),
		.owner_name = resource->of_person ? "account_id" : "tenant_id",
	};

	switch (does->what) {
	case TRL_CREATES:
		return create(&w, out);
	case TRL_GETS:
		return get(&w, out);
	case TRL_LISTS:
		return list(&w, out);
	default:
		return change(&w, out);
	}
}
