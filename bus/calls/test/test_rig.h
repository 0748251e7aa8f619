/* test_rig.h - for the bus's tests: real processes that serve the sample contract,
 * and a caller. nng does not outlive a fork, so each test runs in a child of its
 * own that forks its servers before it opens the bus. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "sample.h"

enum rig_transport { RIG_INPROC, RIG_TCP, RIG_TLS };

/* Ends the test's process with a sentence. */
#define MUST(condition)                                                                \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,     \
			    #condition);                                               \
			_exit(1);                                                      \
		}                                                                      \
	} while (0)

/* A cmocka test whose body runs in a process of its own. */
#define TEST(name)                                                                     \
	static void name##_body(void);                                                 \
	static void name(void **state)                                                 \
	{                                                                              \
		(void)state;                                                           \
		rig_test(name##_body);                                                 \
	}                                                                              \
	static void name##_body(void)

struct rig {
	trl_loop *loop;
	trl_bus_net *net;
	trl_bus *bus;  /* the caller's */
	trl_bus *here; /* the server's, where it is in this process */
};

extern const char rig_key[];

/* Runs body in a process of its own; asserts (cmocka) that it ended well. */
void rig_test(void (*body)(void));
/* Memory that processes share, zeroed. */
struct sample *rig_shared(void);
/* The folder that ends opened from now on have for their sockets; NULL: none. */
extern const char *rig_run_dir;
/* How long bodies of theirs may stand still; 0: the usual. */
extern uint32_t rig_idle_ms;
/* A free port of this process's. */
unsigned rig_port(void);
/* Where this test's servers are; rig_tcp makes it a free port over tcp. */
extern char rig_address[160];
const char *rig_tcp(void);
/* Starts a server of "sample" at address in a process of its own; SIGTERM drains
 * it. It gives the notice "sample.beat" every 20 ms. max_actors 0: the usual. */
pid_t rig_serve(const char *address, struct sample *state, size_t max_actors);
/* Whether that process, a pid_t, has ended: then it is 0. */
bool rig_has_ended(void *pid);
/* Whose certificate rig_open shows from now on over tls: the installation's (as first),
 * one that another authority signed, or one of ours while it believes in another. */
enum rig_certificate { RIG_OURS, RIG_STRANGERS, RIG_BELIEVES_STRANGERS };
void rig_certificate(enum rig_certificate which);
/* Opens the caller's end. server: also serve here, at address, with this state. */
void rig_open(
    struct rig *rig, const char *caller, const char *addresses, struct sample *server);
/* Runs fn as an actor until it returns, at most 20 s. */
void rig_run(struct rig *rig, void (*fn)(trl_ctx *ctx, void *arg), void *arg);
/* Starts fn as an actor; rig_wait waits for all. */
void rig_start(struct rig *rig, void (*fn)(trl_ctx *ctx, void *arg), void *arg);
void rig_wait(struct rig *rig, uint32_t ms);
/* Waits until n peers are up. */
void rig_await_peers(struct rig *rig, unsigned n);
/* The value of a metric's line that begins so, or 0. */
double rig_metric(const char *begin);
