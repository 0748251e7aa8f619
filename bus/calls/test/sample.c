/* sample.c - see sample.h. */
#include "sample.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct trl_field fields[] = {
	{ .max_len = 600000 },
	{ .max_len = 64 },
	{ .has_max = false },
	{ .max_len = 100, .item_max_len = 200 },
};
static const struct trl_message rules = { .descriptor =
					      &trellis__bus__info_reply__descriptor,
	.fields = fields,
	.clear_field = -1 };

static const char *const mesh_callers[] = { "tenants", NULL };
static const char *const sample_callers[] = { "sample", "edge", NULL };

static const struct trl_body any_body = { .max_bytes = UINT64_MAX };

#define BODIES(id_, service_, name_, auth_, effect_, verb_, callers_, errors_, perm_,  \
    takes_, gives_)                                                                    \
	&(const struct trl_method)                                                     \
	{                                                                              \
		.id = (id_), .service = (service_), .name = (service_ ".v1." name_),   \
		.auth = (auth_), .effect = (effect_), .timeout_ms = 5000,              \
		.rate = "read", .verb = (verb_), .callers = (callers_),                \
		.errors = (errors_), .permission = (perm_), .in = &rules,              \
		.out = &rules, .tenant_field = -1, .takes = (takes_),                  \
		.gives = (gives_)                                                      \
	}
#define METHOD(...) BODIES(__VA_ARGS__, NULL, NULL)
#define METHODS(base, service, callers)                                                \
	METHOD(base + 1, service, "Echo", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET, callers, \
	    0, 0),                                                                     \
	    METHOD(base + 2, service, "Slow", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,      \
		callers, 0, 0),                                                        \
	    METHOD(base + 3, service, "Write", TRL_AUTH_PUBLIC, TRL_WRITE, TRL_POST,   \
		callers, 0, 0),                                                        \
	    METHOD(base + 4, service, "Block", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,     \
		callers, 0, 0),                                                        \
	    METHOD(base + 5, service, "Mesh", TRL_AUTH_MESH, TRL_READ, TRL_VERB_NONE,  \
		mesh_callers, 0, 0),                                                   \
	    METHOD(base + 6, service, "Loose", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,     \
		callers, 0, 0),                                                        \
	    METHOD(base + 7, service, "Listed", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,    \
		callers, 1u << TRL_NOT_FOUND, 0),                                      \
	    METHOD(base + 8, service, "Outer", TRL_AUTH_PUBLIC, TRL_WRITE, TRL_POST,   \
		callers, 0, 0),                                                        \
	    METHOD(base + 9, service, "Tenant", TRL_AUTH_TENANT, TRL_READ, TRL_GET,    \
		callers, 0, 7),                                                        \
	    METHOD(base + 10, service, "Operator", TRL_AUTH_OPERATOR, TRL_READ,        \
		TRL_GET, callers, 0, 0),                                               \
	    METHOD(base + 11, service, "Big", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,      \
		callers, 0, 0),                                                        \
	    METHOD(base + 12, service, "Busy", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,     \
		callers, 0, 0),                                                        \
	    METHOD(base + 13, service, "Session", TRL_AUTH_SESSION, TRL_READ, TRL_GET, \
		callers, 0, 0),                                                        \
	    METHOD(base + 14, service, "Forgetful", TRL_AUTH_PUBLIC, TRL_WRITE,        \
		TRL_POST, callers, 0, 0),                                              \
	    METHOD(base + 15, service, "Idle", TRL_AUTH_PUBLIC, TRL_WRITE, TRL_POST,   \
		callers, 0, 0),                                                        \
	    METHOD(base + 16, service, "Once", TRL_AUTH_PUBLIC, TRL_WRITE, TRL_POST,   \
		callers, 1u << TRL_NOT_FOUND, 0),                                      \
	    BODIES(base + 17, service, "Take", TRL_AUTH_PUBLIC, TRL_WRITE, TRL_POST,   \
		callers, 1u << TRL_NOT_FOUND, 0, &any_body, NULL),                     \
	    BODIES(base + 18, service, "Give", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,     \
		callers, 1u << TRL_NOT_FOUND, 0, NULL, &any_body),                     \
	    BODIES(base + 19, service, "Turn", TRL_AUTH_PUBLIC, TRL_READ, TRL_GET,     \
		callers, 0, 0, &any_body, &any_body)

const struct trl_method *const sample_methods[SAMPLE_COUNT] = { METHODS(
    100, "sample", NULL) };
const struct trl_method *const inner_methods[SAMPLE_COUNT] = { METHODS(
    200, "inner", sample_callers) };

static void
note(struct sample *self, trl_ctx *ctx)
{
	self->runs++;
	if (ctx->principal.address[0] != 0)
		snprintf(
		    self->address, sizeof self->address, "%s", ctx->principal.address);
	self->n_permissions = (uint32_t)ctx->principal.n_permissions;
}

static enum trl_code
answer(const ProtobufCMessage *in, ProtobufCMessage *out)
{
	const sample_note *from = (const void *)in;
	sample_note *to = (void *)out;
	to->service = from->service;
	to->has_up_ms = from->has_up_ms;
	to->up_ms = from->up_ms;
	return TRL_OK;
}

static enum trl_code
echo(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	note(self, ctx);
	return answer(in, out);
}

static enum trl_code
slow(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	s->started++;
	if (s->die_in > 0 && --s->die_in == 0)
		raise(SIGKILL);
	enum trl_code rc =
	    trl_sleep(ctx, (uint32_t)((const sample_note *)(const void *)in)->up_ms);
	if (rc != TRL_OK)
		return rc;
	note(self, ctx);
	return answer(in, out);
}

static enum trl_code
idle(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	note(self, ctx);
	trl_unchanged(ctx);
	return answer(in, out);
}

/* Its record is the list of keys: a second run answers from it. */
static enum trl_code
write_once(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	const sample_note *note_in = (const void *)in;
	ctx->idempotency.recorded = true;
	for (unsigned i = 0; i < s->n_keys; i++)
		if (strcmp(s->keys[i % 64], ctx->idempotency.key) == 0) {
			ctx->idempotency.replayed = true;
			return answer(in, out);
		}
	snprintf(
	    s->keys[s->n_keys++ % 64], sizeof s->keys[0], "%s", ctx->idempotency.key);
	s->writes++;
	note(self, ctx);
	if (s->die_in > 0 && --s->die_in == 0)
		raise(SIGKILL); /* committed, and the reply is lost */
	if (note_in->up_ms > 0 && trl_sleep(ctx, (uint32_t)note_in->up_ms) != TRL_OK)
		return ctx->err.code;
	return answer(in, out);
}

static enum trl_code
block(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	s->started++;
	usleep((useconds_t)((const sample_note *)(const void *)in)->up_ms * 1000);
	note(self, ctx);
	return answer(in, out);
}

static enum trl_code
not_found(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	(void)self, (void)in, (void)out;
	trl_err_violation(ctx, "/service", "%s", "is not there");
	return trl_fail_field(ctx, TRL_NOT_FOUND, "service", "There is no such note.");
}

static enum trl_code
outer(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	static const struct trl_call_terms first = { .step = "first" },
					   second = { .step = "second" };
	struct sample *s = self;
	ProtobufCMessage *reply;
	const struct trl_method *inner = inner_methods[SAMPLE_WRITE];
	enum trl_code rc = trl_bus_call_with(ctx, s->bus, inner, in, &first, &reply);
	if (rc == TRL_OK)
		rc = trl_bus_call_with(ctx, s->bus, inner, in, &second, &reply);
	return rc == TRL_OK ? write_once(self, ctx, in, out) : trl_fold(ctx, rc);
}

static enum trl_code
big(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	sample_note *to = (void *)out;
	size_t n = (size_t)((const sample_note *)(const void *)in)->up_ms;
	(void)self;
	to->service = trl_arena_alloc(ctx->arena, n + 1);
	memset(to->service, 'b', n);
	to->service[n] = '\0';
	return TRL_OK;
}

static enum trl_code
busy(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	(void)in, (void)out;
	note(self, ctx);
	return trl_fail(ctx, TRL_BUSY, "%s", "never has time");
}

static void
count_after_write(trl_ctx *ctx, void *arg)
{
	struct sample *s = arg;
	trl_assert(ctx->err.code == TRL_OK);
	s->after_writes++;
}

/* Another run of the key comes to its end while this one reads; where up_ms is 0,
 * there is none. */
static enum trl_code
once(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	struct sample *s = self;
	trl_after_write(ctx, count_after_write, s);
	if (((const sample_note *)(const void *)in)->up_ms != 0)
		snprintf(s->keys[s->n_keys++ % 64], sizeof s->keys[0], "%s",
		    ctx->idempotency.key);
	((sample_note *)(void *)out)->service = NULL;
	return not_found(self, ctx, in, out);
}

enum trl_code
sample_record(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
    ProtobufCMessage *reply, bool *replayed)
{
	const sample_note first = {
		.service = (char *)(uintptr_t) "text", .has_up_ms = true, .up_ms = 7
	};
	struct sample *s = self;
	(void)in;
	s->looks++;
	if (strcmp(ctx->idempotency.key, "another's") == 0)
		return trl_fail(
		    ctx, TRL_INVALID, "The key was used for another request.");
	for (unsigned i = 0; i < s->n_keys; i++)
		*replayed |= strcmp(s->keys[i % 64], ctx->idempotency.key) == 0;
	ctx->idempotency.replayed = *replayed;
	return *replayed ? answer((const void *)&first, reply) : TRL_OK;
}

static trl_thunk *const thunks[SAMPLE_COUNT] = { echo, slow, write_once, block, echo,
	not_found, not_found, outer, echo, echo, big, busy, echo, echo, idle, once,
	sample_take, sample_give, sample_turn };

static const struct trl_contract sample = { "sample", SAMPLE_COUNT, sample_methods,
	thunks };
static const struct trl_contract inner = { "inner", SAMPLE_COUNT, inner_methods,
	thunks };
const struct trl_contract *const sample_contracts[] = { &sample, NULL };
const struct trl_contract *const inner_contracts[] = { &inner, NULL };

enum trl_code
sample_call(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const char *text, uint64_t num, sample_note **out)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	ProtobufCMessage *reply = NULL;
	in.service = (char *)(uintptr_t)text;
	in.has_up_ms = true;
	in.up_ms = num;
	enum trl_code rc = trl_bus_call(ctx, bus, method, &in.base, &reply);
	*out = (sample_note *)(void *)reply;
	return rc;
}
