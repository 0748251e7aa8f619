/* Between C's values and the messages'. */
#include <string.h>

#include <trl/value.h>

struct trl_id
trl_value_id(ProtobufCBinaryData bytes)
{
	struct trl_id id = trl_id_nil;

	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.data, sizeof id.bytes);
	return id;
}

ProtobufCBinaryData
trl_value_bytes(trl_ctx *ctx, struct trl_id id)
{
	return (ProtobufCBinaryData){
		.len = sizeof id.bytes,
		.data = trl_arena_memdup(ctx->arena, id.bytes, sizeof id.bytes),
	};
}

Google__Protobuf__Timestamp *
trl_value_time(trl_ctx *ctx, int64_t wall_us)
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
trl_value_time_us(const Google__Protobuf__Timestamp *time)
{
	return time ? time->seconds * 1000000 + time->nanos / 1000 : 0;
}

char *
trl_value_email(trl_ctx *ctx, const char *email)
{
	char *small = trl_arena_strdup(ctx->arena, email);

	for (char *c = small; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return small;
}
