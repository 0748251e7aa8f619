/* row.c - a row by its descriptor: what the framework sets in it, what a request says,
 * what of it is shown and told. */
#include "work.h"

ProtobufCMessage *
resource_row_new(const struct resource_work *w)
{
	ProtobufCMessage *row = trl_arena_alloc(w->ctx->arena, w->type->sizeof_message);

	protobuf_c_message_init(w->type, row);
	return row;
}

ProtobufCMessage *
resource_row_dup(const struct resource_work *w, const ProtobufCMessage *row)
{
	return trl_arena_memdup(w->ctx->arena, row, w->type->sizeof_message);
}

void
resource_set_id(
    const struct resource_work *w, ProtobufCMessage *row, int i, struct trl_id id)
{
	ProtobufCBinaryData bytes = trl_value_bytes(w->ctx, id);

	if (i < 0)
		return;
	memcpy(trl_member_at(resource_field(w, i), row), &bytes, sizeof bytes);
	trl_member_mark(resource_field(w, i), row);
}

void
resource_set_time(const struct resource_work *w, ProtobufCMessage *row, int i)
{
	if (i >= 0)
		*(void **)trl_member_at(resource_field(w, i), row) =
		    trl_value_time(w->ctx, trl_now(w->ctx));
}

struct trl_arg
resource_now(const struct resource_work *w, const struct trl_sql *sql)
{
	for (size_t i = 0; i < sql->n_params; i++)
		if (!strcmp(sql->params[i], "now"))
			return TRL_ARG_TIME("now", trl_now(w->ctx));
	return (struct trl_arg){ .name = NULL };
}

int64_t
resource_version_of(const struct resource_work *w, const ProtobufCMessage *row)
{
	return w->resource->version < 0
		   ? 0
		   : *(const int64_t *)trl_member_of(
			 resource_field(w, w->resource->version), row);
}

void
resource_set_version(
    const struct resource_work *w, ProtobufCMessage *row, int64_t version)
{
	if (w->resource->version < 0)
		return;
	*(int64_t *)trl_member_at(resource_field(w, w->resource->version), row) =
	    version;
	trl_member_mark(resource_field(w, w->resource->version), row);
}

struct trl_id
resource_id_at(
    const ProtobufCMessageDescriptor *type, int i, const ProtobufCMessage *message)
{
	ProtobufCBinaryData bytes = { 0 };

	if (i >= 0)
		memcpy(&bytes, trl_member_of(&type->fields[i], message), sizeof bytes);
	return trl_value_id(bytes);
}

struct trl_id
resource_subject_of(const struct resource_work *w, const ProtobufCMessage *row)
{
	struct trl_id id = resource_id_at(w->type, w->resource->id, row);

	return trl_id_is_nil(id) ? w->owner : id;
}

void
trl_strip(const struct trl_message *rules, ProtobufCMessage *message)
{
	for (unsigned i = 0; i < rules->descriptor->n_fields; i++)
		if (rules->fields[i].internal)
			trl_member_clear(&rules->descriptor->fields[i], message);
}

ProtobufCMessage *
resource_told_of(const struct resource_work *w, const ProtobufCMessage *row)
{
	ProtobufCMessage *told = resource_row_dup(w, row);

	trl_strip(w->resource->message, told);
	for (unsigned i = 0; i < w->type->n_fields; i++)
		if (w->resource->message->fields[i].secret)
			trl_member_clear(resource_field(w, (int)i), told);
	return told;
}

enum trl_code
resource_show(const struct resource_work *w, ProtobufCMessage **rows, size_t n)
{
	const struct trl_hooks *hooks = w->does->hooks;
	enum trl_code rc =
	    hooks->show && n > 0 ? hooks->show(w->self, w->ctx, rows, n) : TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < n; i++)
		trl_strip(w->resource->message, rows[i]);
	return rc;
}

bool
trl_clears(const trl_ctx *ctx, const ProtobufCMessage *in, const char *field)
{
	const struct trl_message *rules = ctx->method->in;
	const ProtobufCFieldDescriptor *clear;

	if (rules->clear_field < 0)
		return false;
	clear = &rules->descriptor->fields[rules->clear_field];
	for (size_t i = 0; i < trl_member_count(clear, in); i++)
		if (!strcmp(*(char *const *)trl_member_item(clear, in, i), field))
			return true;
	return false;
}

void
resource_take(const struct resource_work *w, ProtobufCMessage *row)
{
	for (size_t i = 0; i < w->does->n_takes; i++) {
		const ProtobufCFieldDescriptor *from =
		    &w->in->descriptor->fields[w->does->takes[i].from];
		const ProtobufCFieldDescriptor *to =
		    resource_field(w, w->does->takes[i].to);

		if (trl_member_present(from, w->in))
			trl_member_copy(from, w->in, to, row);
		else if (trl_clears(w->ctx, w->in, from->name))
			trl_member_clear(to, row);
	}
}

void
resource_begin_values(const struct resource_work *w, ProtobufCMessage *row)
{
	for (unsigned i = 0; i < w->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = resource_field(w, (int)i);
		const ProtobufCEnumDescriptor *values = field->descriptor;

		if (!w->resource->columns[i].begins || trl_member_present(field, row))
			continue;
		if (field->type == PROTOBUF_C_TYPE_ENUM)
			*(int *)trl_member_at(field, row) = values->values[0].value;
		trl_member_mark(field, row);
	}
}
