/* wire.h - protobuf from outside: walked once before protobuf-c may decode it,
 * because protobuf-c itself has no limit of depth, of elements or of memory
 * (reliability 3(j): depth 16, 32,768 fields, 8 MiB of elements, strings valid
 * UTF-8 without NUL, enums known). */
#pragma once

#include <trl/ctx.h>
#include <trl/method.h>

/* Decodes data as message, in ctx's arena. *out is writable.
 * Errors: TRL_MALFORMED. */
enum trl_code trl_wire_decode(trl_ctx *ctx, const ProtobufCMessageDescriptor *type,
    const void *data, size_t len, ProtobufCMessage **out) TRL_MUST_CHECK;
/* Only the walk; no ctx. NULL when fine, else what is wrong (static text). */
const char *trl_wire_check(
    const ProtobufCMessageDescriptor *type, const void *data, size_t len);
/* A zeroed message of the type, in the arena. */
ProtobufCMessage *trl_message_new(
    trl_arena *arena, const ProtobufCMessageDescriptor *type);
/* Encoded into the arena. */
void trl_wire_encode(trl_arena *arena, const ProtobufCMessage *message,
    const uint8_t **data, size_t *len);
/* Whether two messages of one type have the same in each field. */
bool trl_wire_same(
    trl_arena *arena, const ProtobufCMessage *a, const ProtobufCMessage *b);
