/* pace.h - whether the other side moves its bytes fast enough. Only the time in which
 * it is waited for counts: one that has to wait for us is not slow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_pace_limits {
	uint32_t idle_ms;     /* in which nothing moves */
	uint32_t floor_ms;    /* of waiting, ... */
	uint32_t floor_bytes; /* ... in which at least so much has to move */
};

struct http_pace {
	uint64_t idle_us;   /* since something moved */
	uint64_t window_us; /* since the floor was looked at */
	uint64_t moved;     /* bytes in that */
};

/* For how long it may be waited for now. */
uint32_t trl_http_pace_ms(
    const struct http_pace *pace, const struct http_pace_limits *limits);
/* It was waited for, and so many bytes moved. True: it is too slow. */
bool trl_http_pace_slow(struct http_pace *pace, const struct http_pace_limits *limits,
    uint64_t waited_us, size_t moved);
