/* test_proxy.h - a line between two ends of the bus: slower than this machine's own,
 * and to be cut. Connections are counted as they come: with bodies, 0 is the first one
 * of a caller and 1 its bulk connection. */
#pragma once

struct proxy;

/* Listens at a port of its own (proxy_port) and carries to another of this machine's,
 * each way delay_ms late. On a thread of its own; it lives as long as the process. */
struct proxy *proxy_open(unsigned to_port, unsigned delay_ms);
unsigned proxy_port(const struct proxy *proxy);
/* How many connections came so far. */
unsigned proxy_count(struct proxy *proxy);
/* Ends connection number n, at both ends; or has it carry nothing more, and say so to
 * nobody. One that is hushed may still be cut. */
void proxy_cut(struct proxy *proxy, unsigned n);
void proxy_hush(struct proxy *proxy, unsigned n);
/* What was held up on a hushed one goes on. */
void proxy_go_on(struct proxy *proxy, unsigned n);
