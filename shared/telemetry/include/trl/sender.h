/* sender.h - what a process tells a collector outside (traces, errors): a bounded queue
 * of payloads, posted one after another to one URL by an actor of its own. A collector
 * that is away, slow or lies costs what the queue may hold, and no request ever waits
 * for it. What it does not take is dropped and counted. Loop thread only.
 *
 * Tried again: no answer, 429, 502, 503 and 504; after what Retry-After asks, else
 * after one to three seconds with jitter, so that payloads flow within ten seconds of
 * its return; for five minutes at most. Any other refusal is for good. */
#pragma once

#include <trl/actor.h>

typedef struct trl_sender trl_sender;

/* What came back for one payload; lives as long as the call that shows it. */
struct trl_sender_answer {
	unsigned status; /* 0: no answer came, and why says why not */
	const char *why;
	const char *body; /* its first 4 KiB, NUL behind it */
	size_t body_len;
	const char *header; /* the value of options.header, at most 255 bytes; or "" */
	uint32_t retry_after_s;
};

enum trl_sender_verdict {
	TRL_SENDER_BY_STATUS, /* as above */
	TRL_SENDER_REFUSED,   /* dropped, whatever its status */
	TRL_SENDER_SILENCED,  /* so is what waits behind it: nothing is wanted now */
};

struct trl_sender_options {
	const char *name; /* static: the label "to" of its counters ("traces") */
	const char *url;
	const char *content_type;
	const char *const
	    *headers;        /* further ones, "Name: value", NULL-ended; or NULL */
	const char *header;  /* static: the name of one of the answer's; or NULL */
	const char *ca_file; /* PEM; NULL: the system's */
	size_t max_payloads; /* that wait or are being sent; 0: 16 */
	size_t max_bytes;    /* of all of them; 0: 1 MiB */
	/* In the sender's actor, after each attempt; must not park. May be NULL. */
	enum trl_sender_verdict (*answered)(
	    void *self, const struct trl_sender_answer *answer);
	void *self;
};

/* Why a URL can be sent to by nobody, in words; NULL: it can. */
const char *trl_sender_refused(const char *url);

/* Copies what options hold, but what is static. NULL: said by trl_complain. */
trl_sender *trl_sender_open(trl_loop *loop, const struct trl_sender_options *options);
/* Forgets what waits. The loop has to turn until trl_actors_alive says that its actor,
 * which gives back the rest, has gone. */
void trl_sender_close(trl_sender **sender);

/* Sends payload soon; copies it. False: there is no room, it is dropped and counted. */
bool trl_sender_add(trl_sender *sender, const void *payload, size_t len);
/* Payloads that wait or are being sent. */
size_t trl_sender_queued(const trl_sender *sender);
/* Whether the last attempt reached nobody, or was put off. */
bool trl_sender_stuck(const trl_sender *sender);
