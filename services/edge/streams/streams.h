/* streams.h - methods whose answer goes on (GET /api/v1/events/stream), for the door:
 * the rooms up to the call are those of every request. */
#pragma once

#include "rooms/rooms.h"

struct edge_streams *edge_streams_new(struct edge *self);
void edge_streams_free(struct edge_streams **streams);
/* Nothing opens any more; http's drain ends those that are open. */
void edge_streams_drain(struct edge_streams *streams);
bool edge_streams_drained(struct edge_streams *streams);

/* Before the call. Errors: TRL_RATE (of this caller), TRL_BUSY (of all),
 * TRL_UNAVAILABLE (draining). */
enum trl_code edge_stream_admit(struct edge_request *request);
/* After decoding: Last-Event-ID becomes a field of the request. */
void edge_stream_last_id(struct edge_request *request);
/* After the call: answers, sends what was missed, keeps the stream. Errors: TRL_BUSY.
 */
enum trl_code edge_stream_open(struct edge_request *request);
