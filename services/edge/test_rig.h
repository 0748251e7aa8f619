/* test_rig.h - a request for the tests of the edge's rooms: the routes of the
 * contracts, headers as the HTTP server gives them, an arena, and no server, bus or
 * Redis. */
#pragma once

#include "rooms/rooms.h"

struct rig {
	struct edge edge;
	struct edge_config config;
	struct trl_http_request http;
	struct trl_http_header headers[16];
	trl_ctx ctx;
	struct edge_request request;
};
extern struct rig rig;

/* The id in paths of tests. */
#define RIG_ID "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"

/* Fixtures of a group. */
int rig_open(void **state);
int rig_close(void **state);
/* Forgets the request before, and begins one of a client at 192.0.2.1. */
struct edge_request *rig_ask(const char *method, const char *target);
/* Adds a header, as the client sent it. The name is of lower case. */
void rig_header(const char *name, const char *value);
/* Walks until the route is found; fails the test where there is none. */
void rig_route(void);
/* A header of the answer in the making, or "". */
const char *rig_told(const char *name);
