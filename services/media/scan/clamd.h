/* clamd.h - asks ClamAV's clamd about bytes (INSTREAM, clamd(8)), over a unix socket or
 * tcp. Its verdict is believed, but it may hang or answer nonsense: each step has a
 * time limit, and what is not a valid answer is an error. For actors; each blocks a
 * thread of its own for as long as it takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <trl/actor.h>

enum { CLAMD_HOST_MAX = 256, CLAMD_PATH_MAX = 107, CLAMD_FOUND_MAX = 200 };

struct clamd_address {
	bool tcp;
	char host[CLAMD_HOST_MAX], port[6];
	char path[CLAMD_PATH_MAX + 1];
	/* How long it may read nothing of a piece, and how long its verdict may take
	 * (it gives up after 120 s by itself). By default 30 and 300 s. */
	int send_ms, answer_ms;
};
/* "unix:/path", "tcp://host:port", "tcp://[address]:port". False: it is none. */
bool clamd_address_read(const char *text, struct clamd_address *out);

struct clamd_verdict {
	enum {
		CLAMD_CLEAN,
		CLAMD_INFECTED,
		CLAMD_UNSCANNED, /* beyond clamd's limits */
	} kind;
	char found[CLAMD_FOUND_MAX]; /* the signature's name */
};

/* A conversation about one file. */
typedef struct clamd_talk clamd_talk;

/* The slots that all of this takes, "clamd". */
extern struct trl_offload clamd_slots;

/* Errors of all: TRL_UNAVAILABLE (it is down, too slow, broke off or sent no valid
 * answer), those of trl_offload. */
enum trl_code clamd_open(
    trl_ctx *ctx, const struct clamd_address *address, clamd_talk **out) TRL_MUST_CHECK;
/* Sends a piece. *answered: it wants no more; clamd_end says why. */
enum trl_code clamd_send(trl_ctx *ctx, clamd_talk *talk, const void *data, size_t len,
    bool *answered) TRL_MUST_CHECK;
/* After all was sent: reads the verdict. */
enum trl_code clamd_end(
    trl_ctx *ctx, clamd_talk *talk, struct clamd_verdict *out) TRL_MUST_CHECK;
/* Breaks off a conversation that is not over. Never parks. */
void clamd_close(clamd_talk **talk);
/* Checks that it answers at all (PING). */
enum trl_code clamd_ping(
    trl_ctx *ctx, const struct clamd_address *address) TRL_MUST_CHECK;
