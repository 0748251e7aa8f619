/* test_sender.h - PATCHes whose bodies come as a test says, for the tests of this
 * folder: include it once in a test's program. */
#pragma once

#include <trl/stream.h>

#include "upload/test_tus.h"

enum { MIB = 1 << 20 };

/* A PATCH whose body comes in parts, as the test says. */
struct sender {
	struct trl_id id;
	uint64_t offset;
	const uint8_t *data;
	size_t len;  /* of the body, as it was announced */
	size_t goal; /* so far it is to be sent now */
	size_t sent;
	bool cut;  /* the client goes */
	bool ends; /* the body is whole */
	const char *checksum;
	struct trl_ticket ticket;
	enum trl_code rc;
	bool over;
	bool answered; /* while it had more to send, as the edge sees it */
};

/* As the edge knows the request. */
static inline void
enter(trl_ctx *ctx)
{
	static uint32_t may[512];
	static unsigned keys;
	size_t n = 0;

	for (size_t i = 0; i < trl_permissions_count && n < TRL_COUNT(may); i++)
		may[n++] = trl_permissions[i].id;
	ctx->service = ctx->caller = "test";
	ctx->tenant = ann.tenant;
	ctx->principal = (struct trl_principal){ .kind = TRL_PERSON,
		.account = ann.person->account,
		.session = trl_id_random(),
		.verified = true,
		.address = "192.0.2.1",
		.user_agent = "cmocka",
		.role = TRL_OWNER,
		.permissions = may,
		.n_permissions = n };
	ctx->idempotency.key = trl_arena_printf(ctx->arena, "sender-%u", ++keys);
}

static inline void
see_answer(void *arg)
{
	struct sender *self = arg;

	self->answered = true;
	(void)trl_wake(self->ticket);
}

static inline enum trl_code
send(trl_ctx *ctx, struct sender *self, trl_stream *stream)
{
	enum trl_code rc = TRL_OK;

	trl_stream_watch(stream, see_answer, self);
	while (rc == TRL_OK && !self->cut && !self->answered) {
		const size_t left = self->goal - self->sent;
		const size_t len = left < TRL_STREAM_PIECE ? left : TRL_STREAM_PIECE;

		if (len == 0 && self->ends)
			return trl_stream_end(ctx, stream);
		if (len == 0) {
			trl_set_deadline(ctx, trl_mono_us() + 60000000);
			self->ticket = trl_park_begin(ctx);
			rc = trl_park(ctx, self->ticket, "the test");
			continue;
		}
		rc = trl_stream_write(ctx, stream, self->data + self->sent, len);
		self->sent += len;
	}
	return rc;
}

static inline void
run_sender(trl_ctx *ctx, void *arg)
{
	struct sender *self = arg;
	const struct tus_patch patch = {
		.offset = self->offset, .said = self->len, .checksum = self->checksum
	};
	struct trl_stream_terms terms = { .whole = false };
	Media__V1__PatchUploadRequest in;
	ProtobufCMessage *out;
	trl_stream *stream = NULL;
	bool wanted = false;

	enter(ctx);
	ctx->method = &media_v1_patch_upload;
	patch_request(&self->id, &patch, &in);
	self->rc = trl_stream_open(
	    ctx, world_bus("edge"), &media_v1_patch_upload, &in.base, &terms, &stream);
	if (self->rc == TRL_OK)
		self->rc = trl_stream_wanted(ctx, stream, &wanted);
	if (self->rc == TRL_OK && wanted)
		self->rc = send(ctx, self, stream);
	if (!self->cut && (self->rc == TRL_OK || self->rc == TRL_UNAVAILABLE)) {
		trl_err_clear(ctx);
		self->rc = trl_stream_reply(ctx, stream, &out);
	}
	trl_stream_close(&stream);
	self->over = true;
}

static inline void
start(struct sender *self)
{
	const struct trl_spawn spawn = {
		.name = "sender", .run = run_sender, .arg = self, .timeout_ms = 60000
	};

	(void)world_bus("edge");
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
}

static inline bool
is_sent(void *arg)
{
	const struct sender *self = arg;
	const upload_writer *writer =
	    upload_writer_find(((struct media *)world.self)->uploads, ann.tenant,
		self->id, ann.person->account);

	return self->over || (self->sent == self->goal && writer &&
				 writer->received == self->offset + self->goal);
}

static inline bool
is_over(void *arg)
{
	return ((struct sender *)arg)->over;
}

/* Sends so far, and waits until it has come. */
static inline void
send_to(struct sender *self, size_t goal)
{
	self->goal = goal;
	(void)trl_wake(self->ticket);
	world_until(is_sent, self);
}

static inline void
end(struct sender *self)
{
	self->ends = true;
	(void)trl_wake(self->ticket);
	world_until(is_over, self);
}

static inline void
cut(struct sender *self)
{
	self->cut = true;
	(void)trl_wake(self->ticket);
	world_until(is_over, self);
	world_until(is_quiet, NULL);
}

static inline struct sender
begin_sender(size_t length, size_t len)
{
	return (struct sender){ .id = tus_begin(&(struct tus_post){ .length = length }),
		.data = bytes_of(length, 9),
		.len = len };
}

/* Another process asks by a row, as it would here. */
static inline void
ask_from_elsewhere(const struct trl_id *id)
{
	world_sql("insert into upload_ask_directory (holder, tenant_id, id, asked_at) "
		  "select holder, tenant_id, id, now() from upload where id = '%s'",
	    world_id_text(*id));
}

static inline void
await_answer(const struct trl_id *id)
{
	world_until_sql(
	    "select not exists (select from upload_ask_directory where id = "
	    "'%s')",
	    world_id_text(*id));
}
