/* config.h - what every process of the mesh can be told, beside the
 * tables of its services. Private to bus/service. */
#pragma once

#include <trl/bus_open.h>
#include <trl/sentry.h>
#include <trl/service.h>

struct trl_traces; /* trl/traces.h */

enum { PEERS_MAX = 64 };

struct process_config {
	const char *pg_url, *pg_admin_url, *redis_url, *run_dir, *log_level;
	const char *crash_dir;
	struct trl_sentry_config sentry;
	const char *tls_ca, *tls_cert;
	trl_secret *tls_key, *seal_key;
	const char *otlp_url, *otlp_ca;
	trl_secret *otlp_headers;
	double trace_ratio;
	int64_t notify_fd, drain_seconds, renew_seconds, max_actors, pg_reads,
	    pg_writes;
};

/* Reads and checks everything of these services; values[i] becomes what service
 * i's table read. False: each problem was printed. */
bool process_config_read(const struct trl_service *const *services, size_t n,
    struct process_config *out, void **values);

/* The same for migrate and maintain, which need neither bus nor peers. */
bool process_config_read_admin(const struct trl_service *const *services, size_t n,
    struct process_config *out, void **values);

/* Refuses variables that nobody knows. The services that a family may name are those
 * of the build, these, and the services that these call or hear. False: printed. */
bool process_check_names(
    const struct trl_service *const *services, size_t n) TRL_MUST_CHECK;
/* The variable of a family for a service, or NULL: ("TRELLIS_LISTEN_", "auth"). False:
 * the family cannot be read (any more), which was printed. */
bool process_family(
    const char *prefix, const char *service, const char **out) TRL_MUST_CHECK;
/* The URL under the service's own role, "app" or "sys"; lives until exit; or NULL.
 * False: as above. */
bool process_pg_url(const struct process_config *config, const char *service,
    const char *role, const char **out) TRL_MUST_CHECK;
/* Those it calls, and whose routes it calls: how many. */
size_t process_callees(const struct trl_service *service, const char **out, size_t max);
/* The producers of a service's subscriptions that it does not call, itself left out:
 * how many; and of these first *n_named (unless NULL) that a subscription names, whose
 * address is needed. */
size_t process_producers(
    const struct trl_service *service, const char **out, size_t max, size_t *n_named);
/* Two services that share a key: whoever calls or reads the events, and of whom. */
struct process_pair {
	const char *asks, *asked;
};
/* All pairs of these services, each once: how many. */
size_t process_pairs(const struct trl_service *const *services, size_t n,
    struct process_pair *out, size_t max);
/* Refuses what services say of themselves that cannot be (check.c). False: each
 * was printed, with the line to change. */
bool process_check_services(
    const struct trl_service *const *services, size_t n) TRL_MUST_CHECK;
/* Whether each calls only what stands above it in the whole list, n of them, so that
 * calls form no circle. Routes are no such call: nobody waits for their callers, and
 * nobody is less ready without them. */
bool process_check_order(const struct trl_service *const *services, size_t n);
/* Whether it cannot do without TRELLIS_SEAL_KEY. */
bool process_seals(const struct trl_service *service);
/* Those of the services that list ("edge,tenants") names, in their order; out has room
 * for all. 0: it names others; printed. */
size_t process_choose(const struct trl_service *const *services, size_t n,
    const char *list, const struct trl_service **out);
/* What the services call, read and need, as JSON on stdout (mesh.c). False:
 * their calls form a circle; printed. */
bool process_print_mesh(
    const struct trl_service *const *services, size_t n) TRL_MUST_CHECK;
/* traces.c: whether traces can be sent as is set. False: printed. */
bool process_check_traces(const struct process_config *config) TRL_MUST_CHECK;
/* Sends them from now on, or *out is NULL: nowhere. False: printed. */
bool process_open_traces(trl_loop *loop, const struct process_config *config,
    const char *name, struct trl_traces **out) TRL_MUST_CHECK;
/* For a process that stops, again and again: whether all was sent that could be. */
bool process_traces_drained(struct trl_traces *traces);
/* What the bus between machines is opened with. */
struct trl_bus_net_options process_net(const struct process_config *config);
/* Whether each key of the bus is of its form. False: printed. */
bool process_check_keys(void) TRL_MUST_CHECK;
/* Gives a service's bus the keys of all its peers. False: printed. */
bool process_keys(trl_bus *bus, const char *service) TRL_MUST_CHECK;
/* Waits until another process has migrated the schemas of these services: what the
 * command ends with (await.c). */
int process_await_schemas(const struct trl_service *const *services, size_t n,
    const struct process_config *config);
/* Where a crash leaves its file, or NULL. */
const char *process_crash_dir(const struct process_config *config);
/* Says what earlier crashes of this process left, once, counts them, and has the next
 * one leave the like (crashes.c). Start-up, before there are threads. */
void process_expect_crashes(const struct process_config *config, const char *service);
/* Has internal errors, and what those crashes left, told to a Sentry, if there is one
 * (crashes.c). Start-up. False: printed. */
bool process_tell_errors(trl_loop *loop, const struct process_config *config,
    const char *service) TRL_MUST_CHECK;
/* figures.c: registers the process's own metrics, and whether a service is ready. */
void process_figures(const struct process_config *config,
    const struct trl_service *const *services, size_t n);
void process_figure_ready(
    const char *service, double (*is_ready)(void *self), void *self);
