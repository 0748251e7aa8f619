/* json.h - canonical JSON of messages (product.md, Conventions): names as in
 * the contract, ids of 36 characters, other bytes base64, Timestamp as RFC 3339
 * with Z, enums by name, 64-bit integers as numbers within 2^53, absent and not
 * null. Reading is strict: unknown, doubled and output-only fields, wrong types,
 * bad UTF-8, lone surrogates, a depth over 32 and trailing bytes are errors that name
 * the place. U+0000 is JSON, but no text that is taken: a value out of range. */
#pragma once

#include <trl/buf.h>
#include <trl/ctx.h>
#include <trl/method.h>

/* Reads a JSON object into message (zeroed or partly filled by path and query:
 * a field that is already set is an error in the body too).
 * Errors: TRL_MALFORMED (not JSON; unknown or doubled field; wrong type),
 * TRL_INVALID (a number or text out of its type's range). */
enum trl_code trl_json_decode(trl_ctx *ctx, const struct trl_message *rules,
    const char *text, size_t len, ProtobufCMessage *message) TRL_MUST_CHECK;

/* Sets one field from the text of a path variable or query parameter (already
 * percent-decoded). Repeated fields gather, and so does what is refused: after one
 * failure the next parameter may be set, and what comes back is of all of them.
 * Errors: as trl_json_decode. */
enum trl_code trl_json_set_text(trl_ctx *ctx, const struct trl_message *rules,
    ProtobufCMessage *message, const char *name, const char *text,
    size_t len) TRL_MUST_CHECK;

/* The same of a field that a header field of HTTP holds (trl_field.header), which the
 * calls above refuse. */
enum trl_code trl_json_set_header(trl_ctx *ctx, const struct trl_message *rules,
    ProtobufCMessage *message, size_t field, const char *text,
    size_t len) TRL_MUST_CHECK;

/* What becomes of fields that are marked secret. */
enum trl_json_secrets {
	TRL_JSON_SHOW_SECRETS, /* to those they are meant for */
	TRL_JSON_HIDE_SECRETS, /* "(secret)" in their place */
	TRL_JSON_OMIT_SECRETS
};
/* Appends message as JSON. internal fields are left out. */
void trl_json_encode(struct trl_buf *out, const struct trl_message *rules,
    const ProtobufCMessage *message, enum trl_json_secrets secrets);
/* Appends text as a JSON string with quotes, escaped. */
void trl_json_string(struct trl_buf *out, const char *text, size_t len);
