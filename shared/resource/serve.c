/* serve.c - see serve.h. What a hand-written handler would do, one thing after the
 * other, for any resource. */
#include <trl/change.h>
#include <trl/event.h>
#include <trl/wire.h>

#include "work.h"

static void
tell(const struct resource_work *w, trl_batch *work, const ProtobufCMessage *before,
    const ProtobufCMessage *shown)
{
	const struct trl_does *does = w->does;
	const ProtobufCMessageDescriptor *type = does->event->message->descriptor;
	ProtobufCMessage *told;

	if (does->event_row < 0) {
		trl_batch_event(
		    work, does->event, resource_subject_of(w, shown), shown);
		return;
	}
	told = trl_arena_alloc(w->ctx->arena, type->sizeof_message);
	protobuf_c_message_init(type, told);
	*(const ProtobufCMessage **)trl_member_at(
	    &type->fields[does->event_row], told) = shown;
	if (does->event_former >= 0 && before)
		*(ProtobufCMessage **)trl_member_at(&type->fields[does->event_former],
		    told) = resource_told_of(w, before);
	if (does->event_by >= 0 && w->ctx->principal.kind == TRL_PERSON) {
		ProtobufCBinaryData by =
		    trl_value_bytes(w->ctx, w->ctx->principal.account);

		memcpy(
		    trl_member_at(&type->fields[does->event_by], told), &by, sizeof by);
		trl_member_mark(&type->fields[does->event_by], told);
	}
	trl_batch_event(work, does->event, resource_subject_of(w, shown), told);
}

/* The change as one batch. before is NULL of a create, after of a delete. */
static enum trl_code
store(const struct resource_work *w, const ProtobufCMessage *before,
    ProtobufCMessage *after, ProtobufCMessage *out)
{
	const struct trl_resource *resource = w->resource;
	const struct trl_hooks *hooks = w->does->hooks;
	const struct trl_sql *plain = !before ? resource->insert
				      : after ? resource->update
					      : resource->remove;
	const struct trl_arg owner = TRL_ARG_ID(w->owner_name, w->owner);
	const struct trl_arg former =
	    before && resource->version >= 0
		? TRL_ARG_INT("former_version", resource_version_of(w, before))
		: (struct trl_arg){ .name = NULL };
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	ProtobufCMessage *shown = resource_row_dup(w, after ? after : before), *told;
	enum trl_code rc = after ? resource_show(w, &shown, 1) : TRL_OK;

	if (rc != TRL_OK)
		return rc;
	told = resource_told_of(w, shown);
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
	trl_batch_audit(
	    work, w->does->action, resource_subject_of(w, told), resource->kind, told);
	if (after)
		memcpy(out, shown, w->type->sizeof_message);
	return trl_batch_write(work, out);
}

static enum trl_code
create(const struct resource_work *w, ProtobufCMessage *out)
{
	const struct trl_resource *resource = w->resource;
	const struct trl_hooks *hooks = w->does->hooks;
	ProtobufCMessage *row = resource_row_new(w);
	enum trl_code rc = TRL_OK;

	resource_take(w, row);
	if (resource->id >= 0 &&
	    !trl_member_present(resource_field(w, resource->id), row))
		resource_set_id(w, row, resource->id, trl_new_id(w->ctx));
	resource_set_id(w, row, resource->owner, w->owner);
	resource_set_version(w, row, 1);
	resource_set_time(w, row, resource->created_at);
	resource_set_time(w, row, resource->updated_at);
	if (w->ctx->principal.kind == TRL_PERSON)
		resource_set_id(
		    w, row, resource->created_by, w->ctx->principal.account);
	resource_begin_values(w, row);
	if (hooks->judge)
		rc = hooks->judge(w->self, w->ctx, w->in, NULL, row);
	return rc == TRL_OK ? store(w, NULL, row, out) : rc;
}

/* The row that the request names. Where its owner has exactly one that was never set,
 * it has version 0. */
static enum trl_code
read_row(const struct resource_work *w, ProtobufCMessage *row)
{
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	const struct trl_arg id =
	    w->does->key < 0 ? (struct trl_arg){ .name = NULL }
			     : TRL_ARG_ID("id", resource_id_at(w->in->descriptor,
						    w->does->key, w->in));

	resource_set_version(w, row, 0);
	trl_batch_get(work, w->resource->get, w->in, row,
	    TRL_ARG_ID(w->owner_name, w->owner), id);
	return trl_batch_read(work);
}

static enum trl_code
get(const struct resource_work *w, ProtobufCMessage *out)
{
	enum trl_code rc = read_row(w, out);

	if (rc == TRL_OK)
		resource_set_id(w, out, w->resource->owner, w->owner);
	return rc == TRL_OK ? resource_show(w, &out, 1) : rc;
}

/* Nothing is new, so nobody is told, and the version is what it was: others' If-Match
 * stands. What must hold is looked at all the same, and the reply is recorded. */
static enum trl_code
keep(const struct resource_work *w, ProtobufCMessage *row, ProtobufCMessage *out)
{
	const struct trl_hooks *hooks = w->does->hooks;
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	ProtobufCMessage *shown = resource_row_dup(w, row);
	enum trl_code rc = resource_show(w, &shown, 1);

	if (rc != TRL_OK)
		return rc;
	if (hooks->guard)
		hooks->guard(w->self, w->ctx, work, row, row);
	memcpy(out, shown, w->type->sizeof_message);
	return trl_batch_write(work, out);
}

/* A single one that nobody has set yet is made by its first update, whatever that says.
 */
static bool
changes_nothing(const struct resource_work *w, const ProtobufCMessage *before,
    const ProtobufCMessage *after)
{
	return w->does->what == TRL_UPDATES &&
	       !(w->resource->single && resource_version_of(w, before) == 0) &&
	       trl_wire_same(w->ctx->arena, before, after);
}

/* If-Match comes last: what would be refused without it is refused as that (RFC 9110,
 * 13.2.1), so it tells nobody more than a request without it. */
static enum trl_code
change_once(const struct resource_work *w, ProtobufCMessage *out)
{
	const struct trl_hooks *hooks = w->does->hooks;
	ProtobufCMessage *before = resource_row_new(w), *after = NULL;
	enum trl_code rc = read_row(w, before);

	if (rc != TRL_OK)
		return rc;
	resource_set_id(w, before, w->resource->owner, w->owner);
	if (w->does->what != TRL_DELETES) {
		after = resource_row_dup(w, before);
		if (w->resource->single) /* perhaps its first time */
			resource_begin_values(w, after);
		resource_take(w, after);
	}
	if (hooks->change)
		rc = hooks->change(w->self, w->ctx, w->in, before, after);
	else if (hooks->judge)
		rc = hooks->judge(w->self, w->ctx, w->in, before, after);
	if (rc == TRL_OK && w->resource->version >= 0)
		rc = trl_if_match(w->ctx, resource_version_of(w, before));
	if (rc != TRL_OK)
		return rc;
	if (after && changes_nothing(w, before, after))
		return keep(w, before, out);
	if (after) {
		resource_set_version(w, after, resource_version_of(w, before) + 1);
		resource_set_time(w, after, w->resource->updated_at);
	}
	return store(w, before, after, out);
}

static enum trl_code
change(const struct resource_work *w, ProtobufCMessage *out)
{
	TRL_AUTO(trl_change_end) struct trl_change turn = { 0 };
	struct trl_id id = resource_id_at(w->in->descriptor, w->does->key, w->in);
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

enum trl_code
trl_serve(void *self, trl_ctx *ctx, const struct trl_does *does,
    const ProtobufCMessage *in, ProtobufCMessage *out)
{
	const struct trl_resource *resource = does->resource;
	const struct resource_work w = {
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
		return resource_list(&w, out);
	default:
		return change(&w, out);
	}
}
