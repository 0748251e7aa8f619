/* page.c - one page of a resource: rows of its owner behind the last one's id, by the
 * filters that the request gives. */
#include <trl/page.h>

#include "work.h"

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
list_of(const struct resource_work *w)
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

enum trl_code
resource_list(const struct resource_work *w, ProtobufCMessage *out)
{
	const ProtobufCFieldDescriptor *items =
	    &out->descriptor->fields[w->does->items];
	struct trl_page_request asked = page_asked(w->in);
	trl_batch *work = trl_batch_new(w->ctx, w->ctx->pg, w->scope);
	const struct trl_sql *sql;
	ProtobufCMessage **rows;
	struct trl_page page;
	enum trl_code rc;
	size_t n;

	rc = trl_page_open(w->ctx, w->resource->message->descriptor->name, w->owner,
	    asked.size, asked.token, &page);
	if (rc != TRL_OK)
		return rc;
	if (w->resource->newest_first)
		page.after = trl_page_before(&page);
	sql = list_of(w);
	trl_batch_get(work, sql, w->in, out, TRL_ARG_ID(w->owner_name, w->owner),
	    TRL_ARG_ID("after", page.after), TRL_ARG_INT("limit", page.size + 1),
	    resource_now(w, sql));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	trl_page_cut(
	    w->ctx, &page, page.size, resource_field(w, w->resource->id)->name, out);
	n = trl_member_count(items, out);
	rows = *(ProtobufCMessage ***)trl_member_at(items, out);
	for (size_t i = 0; i < n; i++)
		resource_set_id(w, rows[i], w->resource->owner, w->owner);
	return resource_show(w, rows, n);
}
