/* config.c - see config.h. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/complain.h>
#include <trl/log.h>

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct process_config, pg_url, "TRELLIS_PG_URL", NULL,
	    "PostgreSQL; each service puts its own role in place of the user"),
	TRL_CONFIG_ROLES("TRELLIS_PG_URL_", "_SYS",
	    "PostgreSQL for one service (TRELLIS_PG_URL_TENANTS), with its role and "
	    "password; TRELLIS_PG_URL_TENANTS_SYS likewise for its role tenants_sys"),
	TRL_CONFIG_STR(struct process_config, pg_admin_url, "TRELLIS_PG_ADMIN_URL",
	    NULL,
	    "PostgreSQL as a role that may create schemas and roles; only for migrate "
	    "and maintain"),
	TRL_CONFIG_STR(struct process_config, redis_url, "TRELLIS_REDIS_URL", NULL,
	    "Redis: unix:/path or redis://host:port"),
	TRL_CONFIG_STR(struct process_config, run_dir, "TRELLIS_RUN_DIR", NULL,
	    "folder for sockets, keys and the development mailbox"),
	TRL_CONFIG_STR(struct process_config, crash_dir, "TRELLIS_CRASH_DIR", NULL,
	    "folder for what a crash leaves behind (trellis crash show); unset: crash "
	    "in TRELLIS_RUN_DIR"),
	TRL_CONFIG_STR(struct process_config, log_level, "TRELLIS_LOG_LEVEL", "info",
	    "lowest level that is logged: debug, info, warn or error"),
	TRL_CONFIG_SERVICES("TRELLIS_LISTEN_",
	    "where a service takes calls (TRELLIS_LISTEN_AUTH=tcp://127.0.0.1:7101), "
	    "several with commas"),
	TRL_CONFIG_SERVICES("TRELLIS_NOTICE_LISTEN_",
	    "where a service publishes notices (tcp://127.0.0.1:7111); unset: nowhere"),
	TRL_CONFIG_SERVICES("TRELLIS_PEER_",
	    "where a service is found (TRELLIS_PEER_AUTH=tcp://a:7101,tcp://b:7101 or "
	    "dns+tls+tcp://auth:7101)"),
	/* A caller may be of another build, so any name is taken. */
	TRL_CONFIG_PREFIX("TRELLIS_BUS_KEY_",
	    "keys shared with a service, lines of kid:hex, two while they change; as "
	    "TRELLIS_BUS_KEY_AUTH_FILE or, for one of several services in a process, "
	    "TRELLIS_BUS_KEY_EDGE_AUTH_FILE"),
	TRL_CONFIG_STR(struct process_config, tls_ca, "TRELLIS_BUS_TLS_CA", NULL,
	    "certificates, PEM, that the other ends of tls+tcp addresses must chain "
	    "to; as a _FILE"),
	TRL_CONFIG_STR(struct process_config, tls_cert, "TRELLIS_BUS_TLS_CERT", NULL,
	    "this process's certificate, PEM; as a _FILE"),
	TRL_CONFIG_SECRET(struct process_config, tls_key, "TRELLIS_BUS_TLS_KEY",
	    "its key, PEM; as a _FILE"),
	TRL_CONFIG_SERVICES("TRELLIS_OPS_LISTEN_",
	    "where a process shows /livez, /readyz and /metrics "
	    "(127.0.0.1:7121); never public"),
	TRL_CONFIG_SECRET(struct process_config, seal_key, "TRELLIS_SEAL_KEY",
	    "64 hexadecimal digits; seals stored replies that hold secrets; as a "
	    "_FILE"),
	TRL_CONFIG_STR(struct process_config, otlp_url, "TRELLIS_OTLP_URL", NULL,
	    "where traces are sent by OTLP over HTTP, to which /v1/traces is added "
	    "(http://collector:4318); unset: nothing is traced"),
	TRL_CONFIG_SECRET(struct process_config, otlp_headers, "TRELLIS_OTLP_HEADERS",
	    "headers to send along, as in OTEL_EXPORTER_OTLP_HEADERS: "
	    "name=value,name=value"),
	TRL_CONFIG_STR(struct process_config, otlp_ca, "TRELLIS_OTLP_CA", NULL,
	    "PEM file with the authorities that the collector's certificate must chain "
	    "to; unset: the system's"),
	TRL_CONFIG_REAL(struct process_config, trace_ratio, "TRELLIS_TRACE_RATIO",
	    "0.01", 0, 1,
	    "share of the traces beginning here that is recorded; a request with a "
	    "traceparent follows its sampled flag"),
	TRL_CONFIG_INT(struct process_config, notify_fd, "TRELLIS_NOTIFY_FD", "-1", -1,
	    1023,
	    "descriptor that gets a newline once the process is ready (s6); -1: none"),
	TRL_CONFIG_INT(struct process_config, drain_seconds, "TRELLIS_DRAIN_SECONDS",
	    "0", 0, 600,
	    "how long, after SIGTERM, it is not ready but still takes work, until load "
	    "balancers have noticed (Kubernetes: 5); then it finishes what runs, in at "
	    "most 25 seconds"),
	TRL_CONFIG_INT(struct process_config, renew_seconds, "TRELLIS_RENEW_SECONDS",
	    "0", 0, 604800,
	    "when files that are read only at the start (the bus's certificates) have "
	    "changed and can be used, it ends as after SIGTERM at a random moment "
	    "within this time, for its supervisor to start it again; 0: it stays, and "
	    "says so"),
	TRL_CONFIG_INT(struct process_config, max_actors, "TRELLIS_MAX_ACTORS", "4096",
	    16, 65536, "messages handled at once; more are answered BUSY"),
	TRL_CONFIG_INT(struct process_config, pg_reads, "TRELLIS_PG_READ_CONNECTIONS",
	    "2", 1, 64, "pipelined connections that reads share"),
	TRL_CONFIG_INT(struct process_config, pg_writes, "TRELLIS_PG_WRITE_CONNECTIONS",
	    "8", 1, 256, "connections for writes and transactions"),
};

const struct trl_config_table trl_process_config_table =
    TRL_CONFIG_TABLE("every process", vars);

struct sought {
	const char *service;
	const char *value;
};

static bool
names_service(const char *rest, const char *service)
{
	for (; *rest != '\0' && *service != '\0'; rest++, service++)
		if (tolower((unsigned char)*rest) != *service)
			return false;
	return *rest == *service;
}

static void
seek(void *self, const char *rest, const char *value)
{
	struct sought *sought = self;
	if (names_service(rest, sought->service))
		sought->value = value;
}

bool
process_family(const char *prefix, const char *service, const char **out)
{
	struct sought sought = { .service = service };
	if (!trl_config_family(prefix, seek, &sought))
		return false;
	*out = sought.value != NULL && *sought.value != '\0' ? sought.value : NULL;
	return true;
}

bool
process_pg_url(const struct process_config *config, const char *service,
    const char *role, const char **out)
{
	bool app = strcmp(role, "app") == 0;
	char sys[80];
	snprintf(sys, sizeof sys, "%s_sys", service);
	const char *base;
	if (!process_family("TRELLIS_PG_URL_", app ? service : sys, out))
		return false;
	if (*out != NULL)
		return true;
	base = config->pg_url;
	if (base == NULL && !process_family("TRELLIS_PG_URL_", service, &base))
		return false;
	if (base == NULL)
		return true;
	bool is_url = strstr(base, "://") != NULL;
	size_t size = strlen(base) + strlen(service) + strlen(role) + 16;
	char *url = malloc(size);
	trl_assert(url != NULL);
	/* libpq takes the last of what is said twice. */
	snprintf(url, size, "%s%suser=%s_%s", base,
	    !is_url                     ? " "
	    : strchr(base, '?') != NULL ? "&"
					: "?",
	    service, role);
	*out = url;
	return true;
}

/* What must hold between settings. */

static bool
is_here(const struct trl_service *const *services, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(services[i]->name, name) == 0)
			return true;
	return false;
}

static bool
check_peer(const struct trl_service *const *services, size_t n,
    const struct trl_service *s, const char *name, const char *why)
{
	const char *at;
	if (is_here(services, n, name))
		return true;
	if (!process_family("TRELLIS_PEER_", name, &at))
		return false;
	if (at != NULL)
		return true;
	trl_complain(
	    "TRELLIS_PEER_ of %s is not set; %s %s: set where it is found, such as "
	    "tcp://127.0.0.1:7101",
	    name, s->name, why);
	return false;
}

static bool
check_service(const struct trl_service *const *services, size_t n,
    const struct trl_service *s, const struct process_config *config)
{
	const char *producers[PEERS_MAX], *listen, *pg_url;
	size_t n_named;
	bool fine = true;
	process_producers(s, producers, PEERS_MAX, &n_named);
	if (!process_family("TRELLIS_LISTEN_", s->name, &listen) ||
	    !process_family("TRELLIS_PG_URL_", s->name, &pg_url))
		return false;
	if (n == 1 && s->contracts != NULL && listen == NULL) {
		trl_complain(
		    "TRELLIS_LISTEN_ of %s is not set; set where it takes calls, such "
		    "as "
		    "tcp://127.0.0.1:7101",
		    s->name);
		fine = false;
	}
	for (size_t i = 0; s->calls != NULL && s->calls[i] != NULL; i++)
		fine = check_peer(services, n, s, s->calls[i], "calls it") && fine;
	for (size_t i = 0; i < n_named; i++)
		fine = check_peer(services, n, s, producers[i], "reads its events") &&
		       fine;
	if (s->sql != NULL && config->pg_url == NULL && pg_url == NULL) {
		trl_complain(
		    "TRELLIS_PG_URL is not set; set it to a PostgreSQL 15, such as "
		    "postgresql://host/trellis");
		fine = false;
	}
	if (config->seal_key == NULL && process_seals(s)) {
		trl_complain(
		    "TRELLIS_SEAL_KEY is not set; %s keeps answers that hold secrets, "
		    "or signs with it: set TRELLIS_SEAL_KEY_FILE to a file of 64 "
		    "hexadecimal digits (openssl rand -hex 32), the same for all "
		    "services",
		    s->name);
		fine = false;
	}
	if (s->scripts != NULL && config->redis_url == NULL) {
		trl_complain(
		    "TRELLIS_REDIS_URL is not set; set it to a Redis 7, such as "
		    "redis://127.0.0.1:6379");
		fine = false;
	}
	return fine;
}

static void
check_pg_url_of(void *fine, const char *service, const char *url)
{
	char name[80];

	snprintf(name, sizeof name, "TRELLIS_PG_URL_%s", service);
	*(bool *)fine = trl_pg_check_url(name, url) && *(bool *)fine;
}

static bool
check_pg_urls(const struct process_config *config)
{
	bool fine = config->pg_url == NULL ||
		    trl_pg_check_url("TRELLIS_PG_URL", config->pg_url);

	return trl_config_family("TRELLIS_PG_URL_", check_pg_url_of, &fine) && fine;
}

static bool
check_level(const char *level)
{
	enum trl_log_level named;
	if (trl_log_level_named(level, &named))
		return true;
	trl_complain(
	    "TRELLIS_LOG_LEVEL is \"%s\", but has to be debug, info, warn or error",
	    level);
	return false;
}

static bool
check_seal(const trl_secret *seal)
{
	uint8_t key[32];
	size_t got = 0;
	const char *end = NULL, *text;
	if (seal == NULL)
		return true;
	text = (const char *)trl_secret_bytes(seal);
	bool fine = sodium_hex2bin(key, sizeof key, text, trl_secret_len(seal), NULL,
			&got, &end) == 0 &&
		    got == sizeof key;
	sodium_memzero(key, sizeof key);
	if (!fine)
		trl_complain("TRELLIS_SEAL_KEY has to be 64 hexadecimal digits");
	return fine;
}

struct trl_bus_net_options
process_net(const struct process_config *config)
{
	const trl_secret *key = config->tls_key;

	return (struct trl_bus_net_options){
		.tls_ca = config->tls_ca,
		.tls_cert = config->tls_cert,
		.tls_key = key ? (const char *)trl_secret_bytes(key) : NULL,
		.tls_key_len = key ? trl_secret_len(key) : 0,
		.run_dir = config->run_dir,
	};
}

static bool
check_tls(const struct process_config *config)
{
	struct trl_bus_net_options net = process_net(config);
	const char *why = NULL;

	if (net.tls_ca == NULL && net.tls_cert == NULL && net.tls_key == NULL)
		return true;
	if (net.tls_ca == NULL || net.tls_cert == NULL || net.tls_key == NULL)
		why = "set all three or none";
	else
		why = trl_bus_tls_refused(&net);
	if (why != NULL)
		trl_complain("TRELLIS_BUS_TLS_CA, TRELLIS_BUS_TLS_CERT and "
			     "TRELLIS_BUS_TLS_KEY: %s",
		    why);
	return why == NULL;
}

bool
process_check_names(const struct trl_service *const *services, size_t n)
{
	size_t max = n * (2 + PEERS_MAX) + 1, n_names = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; services[i]->calls && services[i]->calls[j]; j++)
			max++;
	const char **names = calloc(max, sizeof *names);
	trl_assert(names != NULL);
	for (size_t i = 0; i < n; i++) {
		const struct trl_service *s = services[i];
		trl_assert(
		    s->config == NULL ||
		    (s->config->is_service && strcmp(s->config->owner, s->name) == 0));
		names[n_names++] = s->name;
		for (size_t j = 0; s->calls != NULL && s->calls[j] != NULL; j++)
			names[n_names++] = s->calls[j];
		n_names += process_producers(s, names + n_names, PEERS_MAX, NULL);
	}
	bool fine = trl_config_check_names(names);
	free(names);
	return fine;
}

bool
process_config_read_admin(const struct trl_service *const *services, size_t n,
    struct process_config *out, void **values)
{
	bool fine = process_check_names(services, n);
	if (!trl_config_read(&trl_process_config_table, out))
		return false;
	for (size_t i = 0; i < n; i++) {
		values[i] = calloc(1, services[i]->config_bytes + 1);
		trl_assert(values[i] != NULL);
		if (services[i]->config != NULL)
			fine = trl_config_read(services[i]->config, values[i]) && fine;
	}
	return fine;
}

bool
process_config_read(const struct trl_service *const *services, size_t n,
    struct process_config *out, void **values)
{
	if (!process_config_read_admin(services, n, out, values))
		return false;
	bool fine = process_check_services(services, n);
	fine = check_level(out->log_level) && fine;
	fine = check_pg_urls(out) && fine;
	fine = check_seal(out->seal_key) && fine;
	fine = check_tls(out) && fine;
	fine = process_check_keys() && fine;
	fine = trl_sentry_config_read(&out->sentry) && fine;
	fine = process_check_traces(out) && fine;
	if (out->redis_url != NULL)
		fine = trl_redis_check_url(out->redis_url) && fine;
	for (size_t i = 0; i < n; i++) {
		fine = check_service(services, n, services[i], out) && fine;
		if (services[i]->check_config != NULL)
			fine = services[i]->check_config(values[i]) && fine;
	}
	return fine;
}
