/* work.h - one method under way, and its rows, known only by their descriptors.
 * Private to shared/resource. */
#pragma once

#include <string.h>

#include <trl/member.h>
#include <trl/serve.h>
#include <trl/value.h>

struct resource_work {
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

static inline const ProtobufCFieldDescriptor *
resource_field(const struct resource_work *w, int i)
{
	return &w->type->fields[i];
}

/* row.c */

ProtobufCMessage *resource_row_new(const struct resource_work *w);
ProtobufCMessage *resource_row_dup(
    const struct resource_work *w, const ProtobufCMessage *row);
/* Each of the next three sets nothing where the resource has no such field. */
void resource_set_id(
    const struct resource_work *w, ProtobufCMessage *row, int i, struct trl_id id);
void resource_set_time(const struct resource_work *w, ProtobufCMessage *row, int i);
void resource_set_version(
    const struct resource_work *w, ProtobufCMessage *row, int64_t version);
int64_t resource_version_of(const struct resource_work *w, const ProtobufCMessage *row);
/* The argument :now, where a statement (the service's own) names it; else none. */
struct trl_arg resource_now(const struct resource_work *w, const struct trl_sql *sql);
/* The id in one field of any message, nil where it is none. */
struct trl_id resource_id_at(
    const ProtobufCMessageDescriptor *type, int i, const ProtobufCMessage *message);
/* What audit entries and events are about: the row, or its owner where it has no id. */
struct trl_id resource_subject_of(
    const struct resource_work *w, const ProtobufCMessage *row);
/* The request's fields over the row: what is absent stays, null clears. */
void resource_take(const struct resource_work *w, ProtobufCMessage *row);
/* What nobody gave begins with the first value of its enum, or with false. */
void resource_begin_values(const struct resource_work *w, ProtobufCMessage *row);
/* For the audit chain and others: without what is not shown, and without secrets. */
ProtobufCMessage *resource_told_of(
    const struct resource_work *w, const ProtobufCMessage *row);
/* Makes rows what the caller may see. Errors: the SHOW hook's. */
enum trl_code resource_show(
    const struct resource_work *w, ProtobufCMessage **rows, size_t n) TRL_MUST_CHECK;

/* page.c */

enum trl_code resource_list(
    const struct resource_work *w, ProtobufCMessage *out) TRL_MUST_CHECK;
