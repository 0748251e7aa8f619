/* bound.c - fields of messages that header fields of HTTP hold (trellis.field.header):
 * of a request they are taken from there, of a reply they are sent there. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/json.h>
#include <trl/member.h>
#include <trl/utf8.h>

#include "rooms/rooms.h"

bool
edge_binds(const struct trl_message *rules, const char *header)
{
	for (size_t i = 0; i < rules->descriptor->n_fields; i++)
		if (rules->fields[i].header &&
		    strcasecmp(rules->fields[i].header, header) == 0)
			return true;
	return false;
}

/* The only line of that name; *n counts them. */
static const struct trl_http_header *
find_line(const struct trl_http_request *http, const char *name, size_t *n)
{
	const struct trl_http_header *found = NULL;

	*n = 0;
	for (size_t i = 0; i < http->n_headers; i++)
		if (strcasecmp(http->headers[i].name, name) == 0) {
			found = &http->headers[i];
			++*n;
		}
	return found;
}

static bool
is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

/* Ranges are of GET: with any other method they count for nothing (RFC 9110, 14.2). */
static bool
counts(const struct edge_request *request, const char *name)
{
	static const char *const of_get[] = { "range", "if-range" };

	return strcmp(request->http->method, "GET") == 0 ||
	       !is_one_of(name, of_get, TRL_COUNT(of_get));
}

/* Its lines as one (5.3), with no byte that is no character: what is no tag, date or
 * range then is not refused, but counts for nothing (13.1, 14.2). */
static struct trl_http_header
join_lines(struct edge_request *request, const char *name)
{
	struct trl_http_header joined = { .name = name, .value = "" };
	const struct trl_http_request *http = request->http;

	for (size_t i = 0; i < http->n_headers; i++)
		if (strcasecmp(http->headers[i].name, name) == 0)
			joined.value = trl_arena_printf(request->ctx->arena, "%s%s%s",
			    joined.value, *joined.value ? ", " : "",
			    http->headers[i].value);
	joined.value_len = strlen(joined.value);
	if (!trl_utf8_valid(joined.value, joined.value_len)) {
		char *clean = trl_arena_strndup(
		    request->ctx->arena, joined.value, joined.value_len);

		trl_utf8_clean(clean, joined.value_len, "\t");
		joined.value = clean;
	}
	return joined;
}

/* Others may not be sent twice. */
static bool
is_joined(const char *name)
{
	static const char *const joined[] = { "accept", "content-digest", "if-match",
		"if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
		"range" };

	return is_one_of(name, joined, TRL_COUNT(joined));
}

static const char most[] = "9007199254740992"; /* 2^53, as in JSON */

/* A count of bytes that no number here holds is well-formed: it counts as the most that
 * one holds (as RFC 9111, 1.2.2, has it of seconds), and whoever is asked says of what
 * that is too much. */
static void
hold_count(const ProtobufCFieldDescriptor *field, struct trl_http_header *line)
{
	const size_t len = strspn(line->value, "0123456789");

	if (field->type != PROTOBUF_C_TYPE_UINT64 || line->value[0] == '0' ||
	    len != line->value_len || len < sizeof most - 1)
		return;
	if (len > sizeof most - 1 || strcmp(line->value, most) > 0) {
		line->value = most;
		line->value_len = sizeof most - 1;
	}
}

static enum trl_code
take_one(struct edge_request *request, size_t field)
{
	const struct trl_message *rules = request->route->method->in;
	const char *name = rules->fields[field].header;
	const struct trl_http_header *line;
	struct trl_http_header made;
	trl_ctx *ctx = request->ctx;
	enum trl_code rc;
	size_t n;

	line = find_line(request->http, name, &n);
	if (strcmp(name, ":method") == 0) {
		made = (struct trl_http_header){ name, request->http->method,
			strlen(request->http->method) };
		line = &made;
	} else if (n > 0 && is_joined(name)) {
		made = join_lines(request, name);
		line = &made;
	} else if (n > 1) {
		return trl_fail(
		    ctx, TRL_MALFORMED, "The header %s was sent twice.", name);
	}
	if (!line && rules->fields[field].required)
		return trl_fail(ctx, TRL_MALFORMED, "The header %s is missing.", name);
	if (!line)
		return TRL_OK;
	made = *line;
	hold_count(&rules->descriptor->fields[field], &made);
	rc = trl_json_set_header(
	    ctx, rules, request->in, field, made.value, made.value_len);
	if (rc == TRL_INVALID) { /* a header has its form or is none */
		const char *why = ctx->err.n_violations ? ctx->err.violations[0].detail
							: "cannot be read";

		trl_err_clear(ctx);
		rc = trl_fail(ctx, TRL_MALFORMED, "The header %s %s.", name, why);
	}
	return rc;
}

enum trl_code
edge_bound_version(struct edge_request *request)
{
	const struct trl_message *rules = request->route->method->in;

	for (size_t i = 0; i < rules->descriptor->n_fields; i++) {
		const char *name = rules->fields[i].header;
		const char *only = rules->fields[i].only;
		const struct trl_http_header *line;
		size_t n;

		if (!only)
			continue;
		line = find_line(request->http, name, &n);
		if (!line || strcmp(line->value, only) != 0)
			return edge_refuse(request, 412,
			    trl_arena_printf(request->ctx->arena,
				"No other version is supported: send %s: %s.", name,
				only));
	}
	return TRL_OK;
}

enum trl_code
edge_bound_take(struct edge_request *request)
{
	const struct trl_message *rules = request->route->method->in;
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < rules->descriptor->n_fields; i++)
		if (rules->fields[i].header && counts(request, rules->fields[i].header))
			rc = take_one(request, i);
	return rc;
}

/* IMF-fixdate (RFC 9110, 5.6.7). */
static const char *
date_text(trl_arena *arena, const Google__Protobuf__Timestamp *at)
{
	char *text = trl_arena_alloc(arena, 40);
	const time_t seconds = (time_t)at->seconds;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return text;
}

static const char *
enum_text(const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *found =
	    protobuf_c_enum_descriptor_get_value(field->descriptor, value);

	return found ? found->name : "";
}

static const char *
id_text(trl_arena *arena, const ProtobufCBinaryData *bytes)
{
	char *text = trl_arena_alloc(arena, TRL_ID_TEXT);
	struct trl_id id = trl_id_nil;

	if (bytes->len == sizeof id.bytes)
		memcpy(id.bytes, bytes->data, sizeof id.bytes);
	trl_id_format(id, text);
	return text;
}

/* A number as it is on the wire: what is negative has a sign of its own. */
static int64_t
number(const ProtobufCFieldDescriptor *field, const void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return *(const int32_t *)member;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)member;
	default: /* of 64 bits within 2^53, as in JSON */
		return *(const int64_t *)member;
	}
}

static const char *
text_of(trl_arena *arena, const ProtobufCFieldDescriptor *field, const void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)member;
	case PROTOBUF_C_TYPE_BYTES:
		return id_text(arena, member);
	case PROTOBUF_C_TYPE_MESSAGE:
		return date_text(arena, *(void *const *)member);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_text(field, *(const int *)member);
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member ? "true" : "false";
	default:
		return trl_arena_printf(
		    arena, "%lld", (long long)number(field, member));
	}
}

/* What a service says becomes the answer's frame only where it can be one. */
static enum trl_code
tell_frame(struct edge_request *request, const char *name, int64_t value)
{
	const bool is_status = strcmp(name, ":status") == 0;

	if (strcmp(name, ":permission") == 0)
		request->permission = (uint32_t)value;
	else if (is_status && value >= 200 && value <= 599)
		request->response.status = (uint16_t)value;
	else if (!is_status && value >= 0)
		request->length = (uint64_t)value;
	else
		return trl_fail(request->ctx, TRL_INTERNAL, "%s answered with %s %lld",
		    request->route->method->name, name, (long long)value);
	return TRL_OK;
}

enum trl_code
edge_bound_tell(struct edge_request *request)
{
	const struct trl_message *rules = request->route->method->out;
	const ProtobufCMessage *out = request->out;
	enum trl_code rc = TRL_OK;

	for (size_t i = 0; rc == TRL_OK && i < rules->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &rules->descriptor->fields[i];
		const char *name = rules->fields[i].header;
		const void *member = (const uint8_t *)out + field->offset;

		if (!name || !trl_member_present(field, out))
			continue;
		if (name[0] == ':' || strcasecmp(name, "content-length") == 0)
			rc = tell_frame(request, name, number(field, member));
		else
			trl_http_add_header(&request->response, name,
			    text_of(request->ctx->arena, field, member));
	}
	return rc;
}
