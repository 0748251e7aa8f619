/* value.h - between C's values and those of messages: ids, times, addresses. Everything
 * made here lies in the ctx's arena. Anywhere. */
#pragma once

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/ctx.h>

/* Sets an optional field that has no pointer to be absent by: a number, an enum, a
 * bool, bytes. */
#define trl_set(message, field, ...)                                                   \
	((void)((message)->has_##field = 1, (message)->field = __VA_ARGS__))

/* Nil where the bytes are no id. */
struct trl_id trl_value_id(ProtobufCBinaryData bytes);
ProtobufCBinaryData trl_value_bytes(trl_ctx *ctx, struct trl_id id);
Google__Protobuf__Timestamp *trl_value_time(trl_ctx *ctx, int64_t wall_us);
/* 0 where time is NULL. */
int64_t trl_value_time_us(const Google__Protobuf__Timestamp *time);
/* An e-mail address as it is kept and compared: ASCII letters in lower case. */
char *trl_value_email(trl_ctx *ctx, const char *email);
