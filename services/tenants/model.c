/* Between C's values and the messages': ids, times, addresses. Everything made
 * here lies in the ctx's arena. */
#include <string.h>

#include "tenants.h"

struct trl_id
tenants_id(ProtobufCBinaryData bytes)
{
	struct trl_id id = trl_id_nil;

	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.data, sizeof id.bytes);
	return id;
}

ProtobufCBinaryData
tenants_bytes(trl_ctx *ctx, struct trl_id id)
{
	return (ProtobufCBinaryData){
		.len = sizeof id.bytes,
		.data = trl_arena_memdup(ctx->arena, id.bytes, sizeof id.bytes),
	};
}

Google__Protobuf__Timestamp *
tenants_time(trl_ctx *ctx, int64_t wall_us)
{
	Google__Protobuf__Timestamp *time = trl_arena_alloc(ctx->arena, sizeof *time);
	int64_t seconds = wall_us / 1000000, rest = wall_us % 1000000;

	if (rest < 0) {
		seconds--;
		rest += 1000000;
	}
	google__protobuf__timestamp__init(time);
	time->seconds = seconds;
	time->nanos = (int32_t)(rest * 1000);
	return time;
}

int64_t
tenants_time_us(const Google__Protobuf__Timestamp *time)
{
	return time ? time->seconds * 1000000 + time->nanos / 1000 : 0;
}

char *
tenants_email(trl_ctx *ctx, const char *email)
{
	char *small = trl_arena_strdup(ctx->arena, email);

	for (char *c = small; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return small;
}

const char *
tenants_role_name(Tenants__V1__Member__Role role)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &tenants__v1__member__role__descriptor, (int)role);

	return value ? value->name : "none";
}
