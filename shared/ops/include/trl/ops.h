/* ops.h - the operator's endpoint of a process: /livez, /readyz, /metrics, /stats, and
 * /metrics/tenants, which is not for scraping. Loopback or pod network, never the
 * public port. */
#pragma once

#include <trl/actor.h>

typedef struct trl_ops trl_ops;

/* listen as in trl_http_options; Errors: TRL_UNAVAILABLE, printed. */
enum trl_code trl_ops_open(
    trl_loop *loop, const char *listen, trl_ops **out) TRL_MUST_CHECK;
void trl_ops_close(trl_ops **ops);
/* The port in use, for ":0". */
unsigned trl_ops_port(const trl_ops *ops);

/* Adds a readiness check: NULL when ready, else why not (static text). /livez
 * asks nobody. */
void trl_ops_check(
    trl_ops *ops, const char *name, const char *(*check)(void *self), void *self);
/* All checks at once; NULL when ready, else "name: why" of the first. */
const char *trl_ops_unready(trl_ops *ops);
