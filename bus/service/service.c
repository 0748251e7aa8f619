/* service.c - see service.h. A process is: settings checked, the loop, one end of
 * the bus a service, databases, then turns until SIGTERM; stop.c has the rest. (Over
 * 400 lines: in what order things start is told in one place.) */
#include <trl/service.h>

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include <sodium.h>

#include <trl/complain.h>
#include <trl/events_open.h>
#include <trl/jobs_open.h>
#include <trl/log.h>
#include <trl/loop_uv.h>
#include <trl/migrate.h>
#include <trl/replay.h>
#include <trl/seal.h>

#include "process.h"

enum { READY_POLL_MS = 5 };
/* For what no method reaches; made when they are wanted. */
enum { SYS_READS = 1, SYS_WRITES = 6 };

static const char *
check_pg(void *self)
{
	return trl_pg_unready(self);
}

/* A service it calls must be there and say that it is ready itself. */
static const char *
check_peers(void *self)
{
	struct one *one = self;
	const char *const *calls = one->service->calls, *why = NULL;
	for (size_t i = 0; why == NULL && calls != NULL && calls[i] != NULL; i++)
		why = trl_bus_unready(one->host.bus, calls[i]);
	return why;
}

/* What callers over the bus are told. */
static const char *
check_self(void *self)
{
	struct one *one = self;
	const char *why = one->host.pg ? check_pg(one->host.pg) : NULL;
	if (why == NULL && one->host.sys != NULL)
		why = check_pg(one->host.sys);
	return why != NULL ? why : check_peers(one);
}

static const char *
check_staying(void *self)
{
	struct process *p = self;
	return p->stopping ? "it is stopping" : NULL;
}

static const char *
check_logs(void *self)
{
	(void)self;
	return trl_log_unready();
}

static bool
all_ready(struct process *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct one *one = &p->each[i];
		if (check_self(one) != NULL)
			return false;
	}
	return p->ops == NULL || trl_ops_unready(p->ops) == NULL;
}

static void
tell_ready(uv_timer_t *timer)
{
	struct process *p = timer->data;
	if (!all_ready(p))
		return;
	uv_timer_stop(timer);
	trl_log(TRL_LOG_INFO, NULL, "ready", TRL_LOG_INT("services", p->n));
	if (p->config.notify_fd < 0)
		return;
	if (write((int)p->config.notify_fd, "\n", 1) != 1)
		trl_log(TRL_LOG_WARN, NULL, "cannot report that it is ready",
		    TRL_LOG_STR("reason", strerror(errno)));
	close((int)p->config.notify_fd);
}

static bool
in_process(const struct process *p, const char *service)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->services[i]->name, service) == 0)
			return true;
	return false;
}

static bool
open_peer(struct process *p, struct one *one, const char *name, bool needed)
{
	const char *address, *why;
	char inproc[80];
	if (!process_family("TRELLIS_PEER_", name, &address))
		return false;
	if (address == NULL && in_process(p, name)) {
		snprintf(inproc, sizeof inproc, "inproc://%s", name);
		address = inproc;
	}
	if (address == NULL && !needed)
		return true;
	if (address != NULL && trl_bus_peer(one->host.bus, name, address, &why))
		return true;
	trl_complain("TRELLIS_PEER_ of %s: %s: %s", name, address ? address : "",
	    address ? why : "is not set");
	return false;
}

/* Those it calls, and those whose events it only reads. */
static bool
open_peers(struct process *p, struct one *one)
{
	const struct trl_service *s = one->service;
	const char *names[PEERS_MAX];
	size_t n_calls = 0, n_named, n = process_callees(s, names, PEERS_MAX);
	while (s->calls != NULL && s->calls[n_calls] != NULL)
		n_calls++;
	for (size_t i = 0; i < n; i++) /* the needed ones come first */
		if (!open_peer(p, one, names[i], i < n_calls))
			return false;
	n = process_producers(s, names, PEERS_MAX, &n_named);
	for (size_t i = 0; i < n; i++)
		if (!open_peer(p, one, names[i], i < n_named))
			return false;
	return true;
}

/* One that is told to hear every teller misses nobody; who runs it may. */
static void
note_unheard(const struct trl_service *s, const char *teller)
{
	const char *names[PEERS_MAX];
	size_t n_named, n = process_producers(s, names, PEERS_MAX, &n_named);
	for (size_t i = n_named; i < n; i++)
		if (strcmp(names[i], teller) == 0)
			trl_log(TRL_LOG_INFO, NULL, "not heard: it has no address",
			    TRL_LOG_STR("service", s->name),
			    TRL_LOG_STR("teller", teller));
}

/* The services that can be heard: those here, and those with an address. */
static bool
find_tellers(struct process *p, struct one *one)
{
	size_t n = 0;
	for (size_t i = 0; trl_tellers[i] != NULL; i++) {
		const char *address;
		if (!process_family("TRELLIS_PEER_", trl_tellers[i], &address))
			return false;
		if (address == NULL && !in_process(p, trl_tellers[i])) {
			note_unheard(one->service, trl_tellers[i]);
			continue;
		}
		trl_assert(n < PEERS_MAX);
		one->tellers[n++] = trl_tellers[i];
	}
	return true;
}

static enum trl_code
find_record(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
    ProtobufCMessage *reply, bool *replayed)
{
	struct one *one = self;
	enum trl_code rc = trl_replay(ctx, one->host.pg, reply, replayed);

	if (rc == TRL_OK && *replayed && one->service->replayed != NULL)
		one->service->replayed(one->self, ctx, in, reply);
	return rc;
}

static bool
open_bus(struct process *p, struct one *one)
{
	const char *name = one->service->name;
	const char *listen, *notice_listen;
	char both[1024];
	if (!process_family("TRELLIS_LISTEN_", name, &listen) ||
	    !process_family("TRELLIS_NOTICE_LISTEN_", name, &notice_listen))
		return false;
	if (p->n > 1)
		snprintf(both, sizeof both, "inproc://%s%s%s", name, listen ? "," : "",
		    listen ? listen : "");
	struct trl_bus_options options = {
		.service = name,
		.listen = p->n > 1 ? both : listen,
		.notice_listen = notice_listen,
	};
	one->host.bus = trl_bus_open(p->net, &options);
	trl_bus_tell_ready(one->host.bus, check_self, one);
	if (one->service->sql != NULL)
		trl_bus_tell_record(one->host.bus, find_record, one);
	return process_keys(one->host.bus, name);
}

/* The event by which its audit entries are told: every service's, in its name. */
static void
make_audit_event(struct one *one)
{
	const char *name = one->service->name;
	const struct trl_event_type *every;
	snprintf(one->audit_name, sizeof one->audit_name, "%s.audit.written", name);
	every = trl_event_type_by_name(one->audit_name);
	trl_assert(every != NULL);
	one->audit = *every;
	one->audit.name = one->audit_name;
	one->audit.service = name;
}

/* A pool of connections under one of the service's roles. */
static bool
open_pg(struct process *p, struct one *one, const char *role, unsigned reads,
    unsigned writes, trl_pg **out)
{
	const struct trl_service *s = one->service;
	bool app = strcmp(role, "app") == 0;
	const char *url;
	char *label = NULL;
	if (!process_pg_url(&p->config, s->name, role, &url))
		return false;
	trl_assert(
	    asprintf(&label, "%s%s%s", s->name, app ? "" : "_", app ? "" : role) > 0);
	struct trl_pg_options options = {
		.url = url,
		.sql = s->sql,
		.read_connections = reads,
		.write_connections = writes,
		.seal_key = one->host.seal_key,
		.label = label,
		.audit_told = &one->audit,
	};
	enum trl_code rc = trl_pg_open(p->loop, &options, out);
	free(label);
	if (rc == TRL_OK && p->ops != NULL)
		trl_ops_check(p->ops, "postgresql", check_pg, *out);
	return rc == TRL_OK;
}

static bool
open_stores(struct process *p, struct one *one)
{
	const struct trl_service *s = one->service;
	if (s->scripts != NULL) {
		one->host.redis =
		    trl_redis_open(p->loop, p->config.redis_url, s->scripts);
		if (one->host.redis == NULL)
			return false;
	}
	one->host.seal_key = p->seal_key ? trl_secret_bytes(p->seal_key) : NULL;
	if (s->sql == NULL)
		return true;
	make_audit_event(one);
	return open_pg(p, one, "app", (unsigned)p->config.pg_reads,
		   (unsigned)p->config.pg_writes, &one->host.pg) &&
	       open_pg(p, one, "sys", SYS_READS, SYS_WRITES, &one->host.sys);
}

static void
open_seal_key(struct process *p)
{
	uint8_t key[TRL_SEAL_KEY] = { 0 };
	if (p->config.seal_key == NULL)
		return;
	sodium_hex2bin(key, sizeof key,
	    (const char *)trl_secret_bytes(p->config.seal_key),
	    trl_secret_len(p->config.seal_key), NULL, NULL, NULL);
	p->seal_key = trl_secret_new(key, sizeof key);
	sodium_memzero(key, sizeof key);
}

static bool
open_ops(struct process *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *listen;
		if (!process_family(
			"TRELLIS_OPS_LISTEN_", p->services[i]->name, &listen))
			return false;
		if (listen != NULL && p->ops == NULL) {
			if (trl_ops_open(p->loop, listen, &p->ops) != TRL_OK)
				return false;
			trl_ops_check(p->ops, "process", check_staying, p);
			trl_ops_check(p->ops, "logs", check_logs, NULL);
		}
	}
	return true;
}

/* The worker of the service's jobs and crons, and of the job that erases tenants: after
 * the service, whose code it runs. */
static bool
open_jobs(struct process *p, struct one *one)
{
	const struct trl_service *s = one->service;
	if (s->sql == NULL)
		return true;
	erase_open(&one->erase, s, &one->host, &one->self);
	struct trl_jobs_options options = {
		.service = s->name,
		.app = one->host.pg,
		.sys = one->host.sys,
		.kinds = erase_with(s->jobs, &one->erase.kind),
		.crons = s->crons,
		.self = one->self,
	};
	return trl_jobs_open(p->loop, &options, &one->host.jobs) == TRL_OK;
}

static bool
open_events(struct process *p, struct one *one)
{
	const struct trl_service *s = one->service;
	struct trl_events_options options = {
		.loop = p->loop,
		.bus = one->host.bus,
		.pg = one->host.pg,
		.sys = one->host.sys,
		.service = s->name,
		.tells = true,
		.snapshot = s->snapshot,
		.audit = &one->audit,
		.audit_page = s->audit_page,
		.subscriptions = erase_with(s->subscriptions, erase_hears(s)),
		.tellers = one->tellers,
	};
	if (s->sql == NULL)
		return true;
	if (!find_tellers(p, one))
		return false;
	one->host.events = trl_events_open(&options);
	return true;
}

static bool
open_service(struct process *p, struct one *one)
{
	const struct trl_service *s = one->service;
	one->host.loop = p->loop;
	one->host.ops = p->ops;
	one->host.run_dir = p->config.run_dir;
	if (!open_bus(p, one) || !open_stores(p, one))
		return false;
	trl_bus_tell_pg(one->host.bus, one->host.pg);
	if (!open_events(p, one))
		return false;
	if (s->open != NULL && s->open(&one->host, &one->self) != TRL_OK)
		return false; /* it said why */
	if (!open_jobs(p, one))
		return false;
	if (p->ops != NULL)
		trl_ops_check(p->ops, "peers", check_peers, one);
	if (one->host.events != NULL)
		trl_events_start(one->host.events, one->self);
	one->op = (operator_self){ &one->host, s, &p->config };
	trl_bus_serve_also(one->host.bus, operator_contracts, &one->op);
	return trl_bus_serve(one->host.bus, s->contracts, one->self) == TRL_OK &&
	       open_peers(p, one);
}

static const char *
log_name(const struct process *p)
{
	return p->n == 1 ? p->services[0]->name : "trellis";
}

/* It was checked. */
static enum trl_log_level
log_level(const char *name)
{
	enum trl_log_level level = TRL_LOG_INFO;
	(void)trl_log_level_named(name, &level);
	return level;
}

/* Connections are bounded by what is configured, not by the usual 1,024. */
static void
allow_descriptors(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static double
is_ready(void *self)
{
	struct one *one = self;
	return check_self(one) == NULL && check_staying(one->process) == NULL;
}

static int
run(struct process *p)
{
	static const struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	allow_descriptors();
	signal(SIGPIPE, SIG_IGN);
	/* The transport has more threads than work. Pieces of bodies come and go
	 * without new pages for each; what is larger goes back at once, else glibc
	 * learns from it to keep it. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 512 << 10);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
	trl_log_init(log_name(p), log_level(p->config.log_level));
	process_expect_crashes(&p->config, log_name(p));
	struct trl_loop_options options = { .max_actors =
						(size_t)p->config.max_actors };
	p->loop = trl_loop_new(&options);
	struct trl_bus_net_options net = process_net(&p->config);
	p->net = trl_bus_net_open(p->loop, &net);
	open_seal_key(p);
	process_figures(&p->config, p->services, p->n);
	if (!process_tell_errors(p->loop, &p->config, log_name(p)) ||
	    !process_open_traces(p->loop, &p->config, log_name(p), &p->traces) ||
	    !open_ops(p))
		return 1;
	for (size_t i = 0; i < p->n; i++) {
		struct one *one = &p->each[i];
		*one = (struct one){ .process = p, .service = p->services[i] };
		one->host.config = p->values[i];
		if (!open_service(p, one))
			_exit(1);
		process_figure_ready(one->service->name, is_ready, one);
	}
	process_watch_files(p);
	uv_timer_init(trl_loop_uv(p->loop), &p->ready);
	p->ready.data = p;
	uv_timer_start(&p->ready, tell_ready, 0, READY_POLL_MS);
	process_watch_signals(p);
	trl_loop_run(p->loop);
	_exit(0);
}

static int
with_admin(struct process *p, bool migrate)
{
	int rc = 0;
	if (p->config.pg_admin_url == NULL) {
		trl_complain(
		    "TRELLIS_PG_ADMIN_URL is not set; set it to a PostgreSQL URL of a "
		    "role that may create schemas and roles");
		return 2;
	}
	for (size_t i = 0; i < p->n && rc == 0; i++) {
		const struct trl_service *s = p->services[i];
		const char *app, *sys;
		if (migrate && s->sql != NULL)
			rc = !process_pg_url(&p->config, s->name, "app", &app) ||
			     !process_pg_url(&p->config, s->name, "sys", &sys) ||
			     trl_migrate(p->config.pg_admin_url, s->sql, app, sys) !=
				 TRL_OK;
		if (!migrate && s->sql != NULL)
			rc = trl_pg_maintain(p->config.pg_admin_url, s->sql) != TRL_OK;
		if (!migrate && rc == 0 && s->maintain != NULL)
			rc =
			    s->maintain(p->config.pg_admin_url, p->values[i]) != TRL_OK;
	}
	return rc;
}

static int
show_config(struct process *p)
{
	trl_config_print(&trl_process_config_table, &p->config);
	for (size_t i = 0; i < p->n; i++)
		if (p->services[i]->config != NULL)
			trl_config_print(p->services[i]->config, p->values[i]);
	return 0;
}

static int
usage(const char *program)
{
	fprintf(stderr,
	    "usage: %s [--services NAME,NAME] [run | migrate [--wait] | maintain | "
	    "config "
	    "[--markdown] | "
	    "mesh --json | --check-config | --version]\n",
	    program);
	return 2;
}

/* A module's own settings are read when it is opened; here they are read, too. */
static int
check_config(struct process *p)
{
	bool fine = process_check_names(p->services, p->n);

	fine = trl_config_check_values() && fine;
	fine = fine && process_config_read(p->services, p->n, &p->config, p->values);
	return fine ? 0 : 2;
}

int
trl_service_main(
    int argc, char **argv, const struct trl_service *const *services, size_t n_services)
{
	static struct process process;
	static const struct trl_service *chosen[SERVICES_MAX];
	trl_assert(n_services > 0 && n_services <= SERVICES_MAX && sodium_init() >= 0);
	if (argc > 2 && strcmp(argv[1], "--services") == 0) {
		n_services = process_choose(services, n_services, argv[2], chosen);
		if (n_services == 0)
			return 2;
		services = chosen;
		process.named = argv[2];
		argc -= 2;
		argv += 2;
	}
	const char *command = argc > 1 ? argv[1] : "run";
	bool admin =
	    strcmp(command, "migrate") == 0 || strcmp(command, "maintain") == 0;

	process.services = services;
	process.n = n_services;
	if (strcmp(command, "--version") == 0) {
		printf("%s " TRELLIS_VERSION "\n",
		    n_services == 1 ? services[0]->name : "trellis-all");
		return 0;
	}
	if (strcmp(command, "config") == 0 && argc > 2 &&
	    strcmp(argv[2], "--markdown") == 0) {
		trl_config_print_markdown();
		return 0;
	}
	if (strcmp(command, "mesh") == 0 && argc > 2 && strcmp(argv[2], "--json") == 0)
		return process_print_mesh(services, n_services) ? 0 : 2;
	if (admin) {
		if (!process_config_read_admin(
			services, n_services, &process.config, process.values))
			return 2;
		if (argc > 2 && strcmp(argv[2], "--wait") == 0)
			return process_await_schemas(
			    services, n_services, &process.config);
		return with_admin(&process, strcmp(command, "migrate") == 0);
	}
	if (strcmp(command, "--check-config") == 0)
		return check_config(&process);
	if (strcmp(command, "run") != 0 && strcmp(command, "config") != 0)
		return usage(argv[0]);
	if (strcmp(command, "run") == 0) { /* from here on stderr is its log */
		trl_log_init(log_name(&process), TRL_LOG_INFO);
		trl_complain_in_log();
	}
	if (!process_config_read(services, n_services, &process.config, process.values))
		return 2;
	if (strcmp(command, "config") == 0)
		return show_config(&process);
	return run(&process);
}
