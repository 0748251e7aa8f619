/* link.c - see link.h. A message of acknowledgements alone is outside the window:
 * it goes only after BUS_ACK_EVERY messages, of which the other end can send no
 * more than BUS_WINDOW unanswered, so at most four of them wait anywhere. */
#include "link.h"

#include <string.h>

#include <sodium.h>

void
bus_link_reset(struct bus_link *link, uint32_t pipe)
{
	link->pipe = pipe;
	link->up = false;
	link->sent = link->acked = link->received = link->acknowledged = 0;
	link->ack_now = false;
	bus_mac_fini(&link->mac);
	trl_buf_clear(&link->out);
	link->out_at = 0;
}

static void
drop_from(struct bus_link **list, struct bus_link *link)
{
	while (*list != NULL && *list != link)
		list = &(*list)->next_queued;
	if (*list != NULL)
		*list = link->next_queued;
}

void
bus_link_unqueue(struct bus_link *link)
{
	if (!link->queued)
		return;
	drop_from(&link->links->queue, link);
	drop_from(&link->links->again, link);
	link->queued = false;
}

void
bus_link_fini(struct bus_link *link)
{
	bus_link_unqueue(link);
	bus_mac_fini(&link->mac);
	trl_buf_fini(&link->out);
}

bool
bus_link_has_room(const struct bus_link *link)
{
	return link->out.len - link->out_at < BUS_OUT_MAX;
}

static void
put_in(struct bus_link **list, struct bus_link *link)
{
	link->queued = true;
	link->next_queued = *list;
	*list = link;
}

void
bus_link_touch(struct bus_link *link)
{
	if (!link->queued && link->pipe != 0)
		put_in(&link->links->queue, link);
}

bool
bus_link_settled(const struct bus_link *link)
{
	return link->pipe == 0 ||
	       (link->out_at == link->out.len && link->sent == link->acked);
}

/* Builds and sends one message of n bytes of frames. False: nng would not take it. */
static bool
send_message(struct bus_link *link, uint8_t flags, const struct bus_key *key,
    const uint8_t *frames, size_t n)
{
	bool tagged = key != NULL || link->mac.on;
	struct bus_envelope envelope = {
		.flags = flags | (tagged ? BUS_TAGGED : 0),
		.kid = key ? key->kid : link->mac.kid,
		.counter = flags & BUS_GREETING ? 0 : link->mac.sent + 1,
		.ack = link->received,
	};
	size_t len = BUS_ENVELOPE + n + (tagged ? BUS_TAG : 0);
	nng_msg *msg;

	trl_assert(len <= BUS_MESSAGE_MAX);
	if (nng_msg_alloc(&msg, len) != 0)
		return false;
	uint8_t *body = nng_msg_body(msg);
	bus_envelope_put(body, &envelope);
	if (n > 0)
		memcpy(body + BUS_ENVELOPE, frames, n);
	if (tagged && key == NULL && link->mac.for_long)
		bus_mac_tag_long(
		    link->mac.out, body, len - BUS_TAG, body + len - BUS_TAG);
	else if (tagged)
		bus_mac_tag(key ? key->bytes : link->mac.out, body, len - BUS_TAG,
		    body + len - BUS_TAG);
	nng_msg_header_append(msg, link->head, link->head_len);
	if (!bus_socket_send(link->links->sockets, link->socket, msg)) {
		nng_msg_free(msg);
		return false;
	}
	if (!(flags & BUS_GREETING))
		link->mac.sent++;
	link->acknowledged = link->received;
	link->ack_now = false;
	return true;
}

/* How many bytes of whole frames the next message takes. */
static size_t
cut(const struct bus_link *link)
{
	const uint8_t *data = link->out.data + link->out_at;
	size_t left = link->out.len - link->out_at, n;
	if (left <= BUS_GATHER)
		return left;
	n = bus_frame_len(data);
	while (n < left) {
		size_t more = bus_frame_len(data + n);
		if (n + more > BUS_GATHER)
			break;
		n += more;
	}
	return n;
}

static void
flush(struct bus_link *link)
{
	if (!link->up)
		return;
	size_t at = link->out_at;
	while (link->out_at < link->out.len && link->sent - link->acked < BUS_WINDOW) {
		size_t n = cut(link);
		if (!send_message(link, 0, NULL, link->out.data + link->out_at, n)) {
			if (!link->queued)
				put_in(&link->links->again, link);
			return;
		}
		link->sent++;
		link->out_at += n;
	}
	bool some = link->out_at != at;
	if (link->out_at == link->out.len) {
		trl_buf_clear(&link->out);
		link->out_at = 0;
	} else if (link->out_at > (1 << 20)) {
		trl_buf_shift(&link->out, link->out_at);
		link->out_at = 0;
	}
	if (some && link->flushed != NULL)
		link->flushed(link);
	uint64_t owed = link->received - link->acknowledged;
	if (owed >= BUS_ACK_EVERY || (owed > 0 && link->ack_now))
		send_message(link, BUS_ACK_ONLY, NULL, NULL, 0);
}

void
bus_links_flush(struct bus_links *links)
{
	while (links->queue != NULL) {
		struct bus_link *link = links->queue;
		links->queue = link->next_queued;
		link->queued = false;
		flush(link);
	}
}

void
bus_links_retry(struct bus_links *links)
{
	struct bus_link *again = TRL_TAKE(links->again);
	while (again != NULL) {
		struct bus_link *link = again;
		again = link->next_queued;
		link->queued = false;
		bus_link_touch(link);
	}
}

void
bus_link_greet(
    struct bus_link *link, const struct bus_frame *hello, const struct bus_key *key)
{
	struct trl_buf frames = { 0 };
	if (bus_frame_put(&frames, hello, NULL))
		send_message(link, BUS_GREETING, key, frames.data, frames.len);
	trl_buf_fini(&frames);
}

const char *
bus_link_greeted(struct bus_link *link, const struct bus_key *key,
    const uint8_t nonce[16], const char *caller, const char *callee,
    const struct bus_envelope *envelope, const uint8_t *data, size_t len,
    struct bus_frame *hello)
{
	size_t at = BUS_ENVELOPE;

	if (link->up)
		return "second_hello";
	if (key != NULL) {
		if (!(envelope->flags & BUS_TAGGED) || envelope->kid != key->kid)
			return "unknown_kid";
		if (!bus_mac_check(key->bytes, data, len))
			return "bad_mac";
		len -= BUS_TAG;
	}
	if (bus_frame_get(data, len, &at, hello) != NULL || hello->kind != BUS_HELLO ||
	    hello->nonce == NULL || hello->echo == NULL)
		return "bad_hello";
	if (!bus_text_eq(hello->name, callee))
		return "wrong_service";
	if (sodium_memcmp(hello->echo, nonce, 16) != 0)
		return "replayed";
	if (key != NULL)
		bus_mac_derive(
		    &link->mac, key, true, nonce, hello->nonce, caller, callee);
	link->up = true;
	return NULL;
}

const char *
bus_link_take(struct bus_link *link, const struct bus_envelope *envelope,
    const uint8_t *data, size_t len, size_t *end)
{
	*end = len;
	if (link->mac.on) {
		if (!(envelope->flags & BUS_TAGGED))
			return "untagged";
		if (envelope->kid != link->mac.kid)
			return "unknown_kid";
		if (!(link->mac.for_long ? bus_mac_check_long : bus_mac_check)(
			link->mac.in, data, len))
			return "bad_mac";
		if (!bus_mac_fresh(&link->mac, envelope->counter))
			return "replayed";
		*end = len - BUS_TAG;
	} else if (envelope->flags & BUS_TAGGED) {
		return "unexpected_tag";
	}
	if (envelope->ack > link->sent)
		return "bad_ack";
	if (envelope->ack > link->acked) {
		link->acked = envelope->ack;
		if (link->out_at < link->out.len)
			bus_link_touch(link);
	}
	if (!(envelope->flags & BUS_ACK_ONLY)) {
		link->received++;
		if (link->received - link->acknowledged >= BUS_ACK_EVERY)
			bus_link_touch(link);
	} else if (*end != BUS_ENVELOPE) {
		return "frames_in_ack";
	}
	return NULL;
}
