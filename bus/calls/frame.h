/* frame.h - the bytes of a bus message: envelope, frames, headers. Written and
 * read by hand; proto/trellis/bus/frame.proto is the description. Private to bus/calls.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <trl/buf.h>
#include <trl/ctx.h>

enum {
	BUS_VERSION = 1,
	BUS_ENVELOPE = 24,
	BUS_TAG = 16,
	BUS_MESSAGE_MAX = 512 * 1024, /* envelope, frames, tag and nng's own header */
	BUS_FRAME_MAX = BUS_MESSAGE_MAX - BUS_ENVELOPE - BUS_TAG - 16,
	BUS_GATHER = 64 * 1024,
	BUS_PERMISSIONS_MAX = 1024,
	BUS_TOKEN = 16,
	BUS_PATH_MAX = 107, /* of a unix socket */
};

enum bus_flag {
	BUS_TAGGED = 1,   /* a tag ends the message */
	BUS_GREETING = 2, /* one HELLO frame; tagged under the pair's own key */
	BUS_ACK_ONLY = 4, /* no frames; outside the window */
};

enum bus_kind {
	BUS_HELLO = 1,
	BUS_CALL,
	BUS_REPLY,
	BUS_CANCEL,
	BUS_GOAWAY,
	BUS_CHUNK,
	BUS_END,
	BUS_CREDIT,
	BUS_PING,
	BUS_INFO,
	BUS_STATS,
};

struct bus_envelope {
	uint8_t flags;
	uint16_t kid;
	uint64_t counter;
	uint64_t ack;
};

/* Text inside a message: not ended by NUL. Absent: s is NULL. */
struct bus_text {
	const char *s;
	size_t n;
};

/* A header. When read, everything points into the message; permissions are raw
 * little-endian there (bus_permissions), principal.permissions is unset. */
struct bus_frame {
	enum bus_kind kind;
	uint64_t call_id;
	uint32_t method;
	uint32_t time_left_ms;
	uint32_t attempt;
	uint32_t credit;
	bool answer, replayed;
	bool has_trace, has_principal, has_tenant, has_if_version, has_error;
	struct trl_trace trace;
	struct trl_principal principal;
	struct bus_text address, user_agent;
	const uint8_t *raw_permissions;
	struct trl_id tenant;
	struct bus_text key;
	bool from_client, is_retry;
	uint8_t scope[16], request[32];
	int64_t if_version;
	int64_t now_us;
	enum trl_code code;
	struct bus_text message, field;
	uint32_t retry_after_ms;
	const struct trl_violation *violations; /* when written */
	size_t n_violations;
	struct bus_text feature, plan; /* of TRL_QUOTA */
	int64_t limit, used, reserved;
	bool has_reserved;
	const uint8_t *raw_error; /* when read: for bus_next_violation */
	size_t raw_error_len;
	struct bus_text name, notices, bulk;
	const uint8_t *nonce, *echo, *token; /* 16 bytes or NULL */
	uint64_t boot;
	uint64_t length;    /* of END */
	const uint8_t *raw; /* when read: all of it, headers too */
	size_t raw_len;
	const uint8_t *payload;
	size_t payload_len;
	bool has_body;       /* a whole body rides behind the payload */
	const uint8_t *body; /* at most TRL_STREAM_RIDES */
	size_t body_len;
};

struct bus_text bus_text(const char *s); /* "" and NULL are absent */
bool bus_text_eq(struct bus_text a, const char *b);

/* Appends a frame. payload, where given, is packed behind the header, else the
 * frame's own payload bytes are. False, and nothing appended: over BUS_FRAME_MAX. */
bool bus_frame_put(struct trl_buf *out, const struct bus_frame *frame,
    const ProtobufCMessage *payload);
/* The whole length of the complete frame at the start of data. */
size_t bus_frame_len(const uint8_t *data);

void bus_envelope_put(uint8_t *out, const struct bus_envelope *envelope);
/* False: not of this version, too short, or unknown flags. */
bool bus_envelope_get(const uint8_t *data, size_t len, struct bus_envelope *out);

/* Reads the frame at *at and moves *at behind it. NULL when fine, else what is
 * wrong (static text). */
const char *bus_frame_get(
    const uint8_t *data, size_t len, size_t *at, struct bus_frame *out);
/* The raw permissions, aligned, in arena. */
const uint32_t *bus_permissions(trl_arena *arena, const struct bus_frame *frame);
/* error.c: the error of a ctx as a reply's, and what was read as the error of a ctx. */
void bus_error_write(const trl_ctx *ctx, enum trl_code rc, struct bus_frame *out);
void bus_error_read(trl_ctx *ctx, const struct bus_frame *frame);
/* The violations of a read error one after another; *at starts at 0. */
bool bus_next_violation(const struct bus_frame *frame, size_t *at,
    struct bus_text *pointer, struct bus_text *detail);
