/* sample.h - a small contract and its service, for the bus's tests and bench. Its
 * tables are written by hand, so that these stand on the bus only. */
#pragma once

#include <trl/bus_open.h>

#include "frame.pb-c.h"

typedef Trellis__Bus__InfoReply sample_note; /* service: text; up_ms: a number */

/* What the handlers touch; may lie in memory that processes share. */
struct sample {
	trl_bus *bus;           /* for nested calls, or NULL */
	volatile unsigned runs; /* of every handler */
	volatile unsigned writes;
	volatile unsigned started;
	char keys[64][96]; /* of the writes that ran, in order */
	volatile unsigned n_keys;
	char address[80]; /* what the last handler knew of its principal */
	uint32_t n_permissions;
	uint32_t after_writes;        /* of SAMPLE_ONCE: ends that were no refusals */
	uint32_t looks;               /* for a record */
	volatile unsigned files;      /* that came in place of bytes */
	volatile uint64_t took, gave; /* bytes of the last body, so far */
	volatile enum trl_code
	    body_ended;           /* how reading or writing the last one ended */
	volatile unsigned bodies; /* that ended */
	volatile bool go;         /* SAMPLE_GIVE of "held" may */
	int32_t die_in;           /* kill the process in the n-th slow call; 0: never */
};

enum sample_method {
	SAMPLE_ECHO,   /* READ: answers what it is given */
	SAMPLE_SLOW,   /* READ: after up_ms milliseconds */
	SAMPLE_WRITE,  /* WRITE: runs once a key */
	SAMPLE_BLOCK,  /* READ: holds the whole process for up_ms milliseconds */
	SAMPLE_MESH,   /* MESH, callers: tenants */
	SAMPLE_LOOSE,  /* READ: NOT_FOUND, which it does not list */
	SAMPLE_LISTED, /* READ: NOT_FOUND with a field, which it lists */
	SAMPLE_OUTER,  /* WRITE: two nested WRITEs of "inner", then itself */
	SAMPLE_TENANT, /* TENANT: permission 7 */
	SAMPLE_OPERATOR,
	SAMPLE_BIG,       /* READ: a reply of up_ms bytes */
	SAMPLE_BUSY,      /* READ: always BUSY */
	SAMPLE_SESSION,   /* SESSION */
	SAMPLE_FORGETFUL, /* WRITE: answers OK and leaves no record, which is a bug */
	SAMPLE_IDLE,      /* WRITE: finds nothing to change */
	SAMPLE_ONCE,      /* WRITE: NOT_FOUND where another run of its key was faster */
	/* WRITE, takes a body: answers how long it was. By its text: "refuse",
	 * NOT_FOUND before it reads; "half", answers after a piece; "hash", answers its
	 * hash; "wait", waits up_ms after each piece. */
	SAMPLE_TAKE,
	/* READ, gives up_ms bytes (sample_byte). By its text: "break", fails after the
	 * half; "forget", returns without the end; "file", from one; "none", answers
	 * and writes nothing; "same", bytes that cost nothing to make;
	 * "held", a file, once it may go or has nobody to go to; "halves", the second
	 * once it may go. */
	SAMPLE_GIVE,
	SAMPLE_TURN, /* READ, takes and gives: what it takes */
	SAMPLE_COUNT
};

/* The bytes of a body of the sample's. */
static inline uint8_t
sample_byte(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) + (at >> 16));
}
void sample_fill(uint8_t *out, uint64_t at, size_t len);
trl_thunk sample_take, sample_give, sample_turn;

/* "sample" is called by edge; "inner" serves the same methods. */
extern const struct trl_method *const sample_methods[SAMPLE_COUNT];
extern const struct trl_method *const inner_methods[SAMPLE_COUNT];
extern const struct trl_contract *const sample_contracts[];
extern const struct trl_contract *const inner_contracts[];

/* The record of SAMPLE_ONCE (trl_bus_tell_record), self being the struct sample: its
 * keys, with what SAMPLE_ECHO would answer to "text", 7. */
trl_bus_record_fn sample_record;

/* Calls with a text and a number. */
enum trl_code sample_call(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const char *text, uint64_t num, sample_note **out) TRL_MUST_CHECK;
