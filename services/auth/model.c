/* Between C's values and the messages': ids, times, addresses. Everything made
 * here lies in the ctx's arena. */
#include <string.h>

#include "auth.h"

struct trl_id
auth_id(ProtobufCBinaryData bytes)
{
	struct trl_id id = trl_id_nil;

	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.data, sizeof id.bytes);
	return id;
}

ProtobufCBinaryData
auth_bytes(trl_ctx *ctx, struct trl_id id)
{
	return (ProtobufCBinaryData){
		.len = sizeof id.bytes,
		.data = trl_arena_memdup(ctx->arena, id.bytes, sizeof id.bytes),
	};
}

Google__Protobuf__Timestamp *
auth_time(trl_ctx *ctx, int64_t wall_us)
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
auth_time_us(const Google__Protobuf__Timestamp *time)
{
	return time ? time->seconds * 1000000 + time->nanos / 1000 : 0;
}

char *
auth_email(trl_ctx *ctx, const char *email)
{
	char *small = trl_arena_strdup(ctx->arena, email);

	for (char *c = small; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return small;
}

void
auth_show_account(const auth_account *row, Auth__V1__Account *out)
{
	auth__v1__account__init(out);
	out->has_id = out->has_version = out->has_email_verified = true;
	out->id = row->account_id;
	out->version = row->version;
	out->email = row->email;
	out->email_verified = row->email_verified;
	out->display_name = row->display_name;
	out->locale = row->locale;
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
}
