/* otlp.c - spans in OpenTelemetry's words. What each is called and which attributes it
 * has follows its semantic conventions of 2025 and later (HTTP, database, RPC and
 * messaging spans): values come from the contracts, statements' names, and numbers; no
 * statement's text, no parameter, and nothing of a request but a path of ids. */
#include "otlp.h"

#include <stdio.h>

#include <trl/wire.h>

#include "otlp.pb-c.h"

enum { ATTRIBUTES_MAX = 10 };

/* The message that is being made, and the span it is made of. */
struct making {
	trl_arena *arena;
	const struct trl_span_record *from;
	Otlp__Span *to;
};

/* protobuf-c's structs are not const. */
static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData
bytes_of(const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)bytes, .len = len };
}

static Otlp__KeyValue *
new_attribute(trl_arena *arena, const char *key)
{
	Otlp__KeyValue *made = trl_arena_alloc(arena, sizeof *made);

	otlp__key_value__init(made);
	made->key = text_of(key);
	made->value = trl_arena_alloc(arena, sizeof *made->value);
	otlp__value__init(made->value);
	return made;
}

static void
add_text(const struct making *m, const char *key, const char *text)
{
	Otlp__KeyValue *made;

	if (text == NULL || text[0] == '\0')
		return;
	trl_assert(m->to->n_attributes < ATTRIBUTES_MAX);
	made = new_attribute(m->arena, key);
	made->value->text = text_of(text);
	m->to->attributes[m->to->n_attributes++] = made;
}

static void
add_number(const struct making *m, const char *key, int64_t number)
{
	Otlp__KeyValue *made;

	trl_assert(m->to->n_attributes < ATTRIBUTES_MAX);
	made = new_attribute(m->arena, key);
	made->value->has_number = true;
	made->value->number = number;
	m->to->attributes[m->to->n_attributes++] = made;
}

/* "tenants.v1.Tenants.CreateTenant" is "tenants.v1.Tenants/CreateTenant" there. */
static const char *
rpc_method(trl_arena *arena, const char *name)
{
	char *text = trl_arena_strdup(arena, name);
	char *last = strrchr(text, '.');

	if (last != NULL)
		*last = '/';
	return text;
}

static void
say_failed(const struct making *m, const char *type)
{
	Otlp__Status *status = trl_arena_alloc(m->arena, sizeof *status);

	otlp__status__init(status);
	status->has_code = true;
	status->code = OTLP__STATUS__CODE__ERROR;
	m->to->status = status;
	add_text(m, "error.type", type);
}

/* A condition is an answer, and the failure of neither end; a status is one where it
 * says so: to a server from 500 on, to a client from 400 on. */
static void
add_outcome(const struct making *m, unsigned failed_from)
{
	const struct trl_span_record *from = m->from;

	if (from->number > 0)
		add_number(m, "http.response.status_code", from->number);
	if (from->number >= failed_from)
		say_failed(m, trl_arena_printf(m->arena, "%u", from->number));
	else if (trl_is_fault(from->code))
		say_failed(m, trl_code_name(from->code));
}

static void
fill_request(const struct making *m)
{
	const struct trl_span_record *from = m->from;

	m->to->kind = OTLP__SPAN__KIND__SERVER;
	m->to->name = from->of == NULL
			  ? text_of(from->name)
			  : trl_arena_printf(m->arena, "%s %s", from->name, from->of);
	add_text(m, "http.request.method", from->name);
	add_text(m, "http.route", from->of);
	add_text(m, "url.path", from->text);
	add_outcome(m, 500);
}

static void
fill_call(const struct making *m, Otlp__Span__Kind kind)
{
	const struct trl_span_record *from = m->from;

	m->to->kind = kind;
	m->to->name = text_of(rpc_method(m->arena, from->name));
	add_text(m, "rpc.system.name", "trellis");
	add_text(m, "rpc.method", m->to->name);
	add_text(m, "rpc.response.status_code", trl_code_name(from->code));
	add_text(m, "server.address", from->of);
	if (trl_is_fault(from->code))
		say_failed(m, trl_code_name(from->code));
}

static void
fill_database(const struct making *m, const char *system)
{
	const struct trl_span_record *from = m->from;

	m->to->kind = OTLP__SPAN__KIND__CLIENT;
	m->to->name = text_of(from->name);
	add_text(m, "db.system.name", system);
	add_text(m, "db.query.summary", from->name);
	add_text(m, "db.operation.name", from->name);
	if (from->number > 1) /* one is no batch */
		add_number(m, "db.operation.batch.size", from->number);
	if (trl_is_fault(from->code))
		say_failed(m, trl_code_name(from->code));
}

static void
fill_http(const struct making *m)
{
	const struct trl_span_record *from = m->from;

	m->to->kind = OTLP__SPAN__KIND__CLIENT;
	m->to->name = text_of(from->name);
	add_text(m, "http.request.method", from->name);
	add_text(m, "server.address", from->text);
	if (from->code != TRL_OK)
		say_failed(m, trl_code_name(from->code));
	else
		add_outcome(m, 400);
}

/* There is no convention for it. */
static void
fill_mail(const struct making *m)
{
	const struct trl_span_record *from = m->from;

	m->to->kind = OTLP__SPAN__KIND__CLIENT;
	m->to->name = text_of("send mail");
	add_text(m, "network.protocol.name", "smtp");
	add_text(m, "server.address", from->text);
	if (from->number > 0)
		add_number(m, "smtp.response.status_code", from->number);
	if (from->code != TRL_OK)
		say_failed(m, trl_code_name(from->code));
}

static void
fill_offload(const struct making *m)
{
	m->to->kind = OTLP__SPAN__KIND__INTERNAL;
	m->to->name = text_of(m->from->name);
	if (m->from->code != TRL_OK)
		say_failed(m, trl_code_name(m->from->code));
}

static void
fill_message(const struct making *m, const char *what, const char *id)
{
	m->to->kind = OTLP__SPAN__KIND__CONSUMER;
	m->to->name = trl_arena_printf(m->arena, "process %s", what);
	add_text(m, "messaging.system", "trellis");
	add_text(m, "messaging.operation.type", "process");
	add_text(m, "messaging.operation.name", "process");
	add_text(m, "messaging.destination.name", what);
	add_text(m, "messaging.message.id", id);
	if (m->from->code != TRL_OK)
		say_failed(m, trl_code_name(m->from->code));
}

static void
fill_by_kind(const struct making *m)
{
	const struct trl_span_record *from = m->from;

	switch (from->what) {
	case TRL_SPAN_REQUEST:
		fill_request(m);
		break;
	case TRL_SPAN_CALL:
		fill_call(m, OTLP__SPAN__KIND__CLIENT);
		break;
	case TRL_SPAN_SERVED:
		fill_call(m, OTLP__SPAN__KIND__SERVER);
		break;
	case TRL_SPAN_SQL:
		fill_database(m, "postgresql");
		break;
	case TRL_SPAN_REDIS:
		fill_database(m, "redis");
		break;
	case TRL_SPAN_HTTP:
		fill_http(m);
		break;
	case TRL_SPAN_MAIL:
		fill_mail(m);
		break;
	case TRL_SPAN_OFFLOAD:
		fill_offload(m);
		break;
	case TRL_SPAN_JOB:
		fill_message(m, from->name, from->text);
		break;
	case TRL_SPAN_EVENT:
		fill_message(m, from->text, NULL);
		add_text(m, "messaging.consumer.group.name", from->name);
		break;
	}
}

static bool
is_set(const uint8_t id[8])
{
	static const uint8_t none[8];

	return memcmp(id, none, sizeof none) != 0;
}

static void
add_link(trl_arena *arena, const struct trl_span_record *from, Otlp__Span *to)
{
	Otlp__Link *link = trl_arena_alloc(arena, sizeof *link);

	otlp__link__init(link);
	link->has_trace_id = link->has_span_id = true;
	link->trace_id = bytes_of(from->trace_id, 16);
	link->span_id = bytes_of(from->link_id, 8);
	to->links = trl_arena_alloc(arena, sizeof *to->links);
	to->links[0] = link;
	to->n_links = 1;
}

static Otlp__Span *
new_span(trl_arena *arena, const struct trl_span_record *from)
{
	Otlp__Span *to = trl_arena_alloc(arena, sizeof *to);
	const struct making m = { arena, from, to };

	otlp__span__init(to);
	to->has_trace_id = to->has_span_id = to->has_kind = true;
	to->has_start_time_unix_nano = to->has_end_time_unix_nano = true;
	to->trace_id = bytes_of(from->trace_id, 16);
	to->span_id = bytes_of(from->span_id, 8);
	to->has_parent_span_id = is_set(from->parent_id);
	to->parent_span_id = bytes_of(from->parent_id, 8);
	to->start_time_unix_nano = (uint64_t)from->began_us * 1000;
	to->end_time_unix_nano = to->start_time_unix_nano + from->took_us * 1000;
	to->attributes =
	    trl_arena_alloc(arena, ATTRIBUTES_MAX * sizeof *to->attributes);
	fill_by_kind(&m);
	if (is_set(from->link_id))
		add_link(arena, from, to);
	return to;
}

static Otlp__Resource *
new_resource(
    trl_arena *arena, const struct otlp_resource *resource, const char *service)
{
	const char *const texts[][2] = { { "service.namespace", "trellis" },
		{ "service.name", service }, { "service.version", resource->version },
		{ "service.instance.id", resource->instance } };
	Otlp__Resource *made = trl_arena_alloc(arena, sizeof *made);

	otlp__resource__init(made);
	made->attributes =
	    trl_arena_alloc(arena, TRL_COUNT(texts) * sizeof *made->attributes);
	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		Otlp__KeyValue *one = new_attribute(arena, texts[i][0]);

		one->value->text = text_of(texts[i][1]);
		made->attributes[made->n_attributes++] = one;
	}
	return made;
}

static Otlp__ResourceSpans *
new_group(trl_arena *arena, const struct otlp_resource *resource, const char *service,
    size_t room)
{
	Otlp__ResourceSpans *made = trl_arena_alloc(arena, sizeof *made);
	Otlp__ScopeSpans *scope = trl_arena_alloc(arena, sizeof *scope);

	otlp__resource_spans__init(made);
	otlp__scope_spans__init(scope);
	made->resource = new_resource(arena, resource, service);
	made->scope_spans = trl_arena_alloc(arena, sizeof *made->scope_spans);
	made->scope_spans[0] = scope;
	made->n_scope_spans = 1;
	scope->scope = trl_arena_alloc(arena, sizeof *scope->scope);
	otlp__scope__init(scope->scope);
	scope->scope->name = text_of("trellis");
	scope->scope->version = text_of(resource->version);
	scope->spans = trl_arena_alloc(arena, room * sizeof *scope->spans);
	return made;
}

static const char *
service_of(const struct otlp_resource *resource, const struct trl_span_record *span)
{
	return span->service != NULL ? span->service : resource->service;
}

/* A process may hold several services, and each is a resource of its own. */
void
otlp_encode(trl_arena *arena, const struct otlp_resource *resource,
    const struct trl_span_record *spans, size_t n, const uint8_t **data, size_t *len)
{
	Otlp__ExportRequest request = OTLP__EXPORT_REQUEST__INIT;
	const char **services = trl_arena_alloc(arena, n * sizeof *services);

	request.resource_spans =
	    trl_arena_alloc(arena, n * sizeof *request.resource_spans);
	for (size_t i = 0; i < n; i++) {
		const char *service = service_of(resource, &spans[i]);
		Otlp__ScopeSpans *scope;
		size_t at = 0;

		while (
		    at < request.n_resource_spans && strcmp(services[at], service) != 0)
			at++;
		if (at == request.n_resource_spans) {
			services[at] = service;
			request.resource_spans[request.n_resource_spans++] =
			    new_group(arena, resource, service, n);
		}
		scope = request.resource_spans[at]->scope_spans[0];
		scope->spans[scope->n_spans++] = new_span(arena, &spans[i]);
	}
	trl_wire_encode(arena, &request.base, data, len);
}

uint64_t
otlp_rejected(trl_arena *arena, const void *body, size_t len, const char **why)
{
	trl_ctx ctx = { .arena = arena };
	ProtobufCMessage *read;
	const Otlp__PartialSuccess *partial;

	*why = "";
	if (trl_wire_decode(&ctx, &otlp__export_reply__descriptor, body, len, &read) !=
	    TRL_OK)
		return 0;
	partial = ((const Otlp__ExportReply *)read)->partial_success;
	if (partial == NULL)
		return 0;
	if (partial->error_message != NULL)
		*why = partial->error_message;
	return partial->rejected_spans > 0 ? (uint64_t)partial->rejected_spans : 0;
}
