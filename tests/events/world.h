/* world.h - for the tests of events: a database with the schemas of a producer ("fact")
 * and of a subscriber ("seen", which the bus knows as notify), and processes of both
 * kinds that end when the test does. A second producer, "zoo", has a database of its
 * own. The test itself opens no bus: it looks by SQL and through memory that all share.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include <trl/events_admin.h>

#include "test_db.h"

enum { REPLICAS = 3, ZOO = 2 /* the producer that is zoo's */ };

/* What the test wants, and what the processes say. */
struct shared {
	volatile unsigned to_write; /* by each producer, from now on */
	volatile unsigned subjects; /* among so many of each tenant */
	volatile unsigned per_tx;   /* events in a transaction; 0: 1 */
	volatile unsigned written[REPLICAS];
	volatile bool idle[REPLICAS]; /* it was to write no more, and writes nothing */
	volatile bool ready[REPLICAS * 2];
	volatile uint64_t poison;          /* the handler fails at this n; 0: never */
	volatile enum trl_code fails_with; /* TRL_OK: as by the event's own fault */
	volatile uint64_t deadly;          /* it kills the process at this n */
	volatile bool drop_notices, fails_once;
	volatile unsigned gaps, repeated, parked, deaths, calls;
	volatile size_t takes_bytes; /* of memory, the handler, for an event */
	volatile enum trl_subscription_start start;
	volatile bool some_types;
	/* The subscriber hears every teller, and finds zoo only where it has an address
	 * of it. fact hears itself. */
	volatile bool every, finds_zoo, hears_itself;
	volatile unsigned own;     /* events that it heard so */
	volatile unsigned command; /* for a subscriber: an order and its number */
	volatile unsigned done;
	volatile int result;
	volatile uint64_t count;
	/* For the bench: facts in batches, one statement a tenant, a subscription a
	 * process; how long from the fact to its commit there. */
	volatile bool bench;
	volatile uint64_t applied[REPLICAS];
	volatile unsigned n_waits;
	double waits_ms[1000];
	struct trl_events_replay replay;
	struct trl_id event;
};

enum order { REDRIVE = 1, SKIP, REPLAY, EPOCH };

struct world {
	struct test_db db;
	char fact_app[512], fact_sys[512], seen_app[512], seen_sys[512];
	struct test_db zoo; /* world_open_zoo's */
	struct shared *shared;
	unsigned ports[REPLICAS * 2];
	pid_t producers[REPLICAS], subscribers[REPLICAS];
};
extern struct world world;

/* Fixtures of each test. */
int world_open(void **state);
int world_close(void **state);

/* Makes the other producer's database. */
void world_open_zoo(void);

pid_t produce(unsigned nth);
pid_t subscribe(unsigned nth);
/* Kills it with -9 and waits for its end. */
void end(pid_t *pid);
/* An order to one subscriber's (or, EPOCH, a producer's) process; gives its result.
 * While that is that somebody else has the rows, it is given again. */
int order(enum order what);

/* Has n producers write, each so many events, and waits until they have. */
void write_events(unsigned producers, unsigned each);
/* Has them write no more, whatever is left, and waits for what has begun. */
void stop_writing(unsigned producers);
/* A moment between two looks at a condition. */
void look_again(void);
/* Waits until SQL (a boolean) is true; fails the test after seconds. */
void await_sql(unsigned seconds, const char *sql);
void await_in(const struct test_db *db, unsigned seconds, const char *sql);
int64_t number(const char *sql);
/* Every event was applied exactly once, in its subject's order; lanes are dense. */
void assert_all_applied(void);
extern const char all_applied[]; /* the first half of that, for await_sql */

/* In the processes: */
struct trl_id world_id(unsigned kind, unsigned n);
