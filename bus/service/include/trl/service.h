/* service.h - the skeleton every service hangs on: main() is a declaration.
 *
 *   int main(int argc, char **argv)
 *   {
 *       static const struct trl_service *const services[] = { &tenants_service };
 *       return trl_service_main(argc, argv, services, 1);
 *   }
 *
 * Commands: run (default), migrate, migrate --wait (until another process has
 * migrated), maintain, config (effective values), config --markdown (the table of all
 * variables), mesh --json (who calls whom, and what each needs), --check-config,
 * --version. Several services in one list run in one process over inproc; --services
 * NAME,NAME before the command runs only these of the list. A key's variable may then
 * say which of them it belongs to (TRELLIS_BUS_KEY_EDGE_AUTH). */
#pragma once

#include <trl/bus.h>
#include <trl/config.h>
#include <trl/events.h>
#include <trl/jobs.h>
#include <trl/pg.h>
#include <trl/redis.h>
#include <trl/ops.h>

/* What the skeleton gives a service to open with. */
struct trl_host {
	trl_loop *loop;
	trl_bus *bus;     /* this service's end of the bus */
	trl_pg *pg;       /* NULL where the service has no SQL */
	trl_pg *sys;      /* the same schema under the _sys role, for what no method may
			     reach: events, jobs */
	trl_redis *redis; /* NULL where the service asked for none */
	trl_jobs *jobs;   /* opened after the service; NULL where there are none */
	trl_ops *ops;
	struct events *events;   /* events_admin.h; NULL: it has no SQL */
	const void *config;      /* what its config table read */
	const uint8_t *seal_key; /* 32 bytes (seal.h), or NULL */
	const char *run_dir;     /* TRELLIS_RUN_DIR or NULL */
};

struct trl_service {
	const char *name;                      /* "tenants": schema, peer, log name */
	const struct trl_config_table *config; /* or NULL */
	size_t config_bytes;
	/* Whether the service could start with these settings, each of which is valid
	 * by itself: trl_complain says all that is wrong. Called at the start and for
	 * --check-config; changes nothing and connects to nothing. May be NULL. */
	bool (*check_config)(const void *config);
	const struct trl_contract *const
	    *contracts; /* NULL-ended, or NULL: serves none */
	/* Services it calls, NULL-ended. It is ready only when they are, so calls must
	 * form no cycle. Services whose events it only reads are in subscriptions. */
	const char *const *calls;
	/* It also calls every service that has routes (trl/routes.h): if one has no
	 * address or is down, its routes are UNAVAILABLE and the others work. */
	bool calls_routes;
	/* It connects to machines outside (trl/http_out.h): network policies let only
	 * such services out (k8s/). */
	bool reaches_outside;
	/* The same, but only if a setting names such a machine (a bucket): a component
	 * in k8s/ lets it out. */
	bool reaches_chosen;
	/* Or NULL. A service with a schema tells: the events of its contract, and the
	 * entries of its tenants' audit chains (*.audit.written). */
	const struct trl_sql_set *sql;
	struct trl_redis_script *const *scripts; /* NULL-ended; NULL: no Redis */
	trl_snapshot_fn *snapshot;               /* or NULL */
	/* If not all audit chains in its schema are tenants': a page of those that are,
	 * in place of shared/pg's audit_page.sql. Or NULL. */
	const struct trl_sql *audit_page;
	const struct trl_subscription *const *subscriptions; /* NULL-ended, or NULL */
	const struct trl_job_kind *const *jobs;              /* NULL-ended, or NULL */
	const struct trl_cron *const *crons;                 /* NULL-ended, or NULL */
	/* Erases what the service has of a tenant beyond the rows of its tables, which
	 * go afterwards, by their classes (tools/sqlgen); NULL: nothing. In an actor,
	 * under the tenant, when none of its jobs runs any more. May be called again,
	 * also after it has succeeded. After an error it is called again later, and the
	 * rows stay until then; likewise after trl_job_again, if there is more to do
	 * than there is time for. */
	enum trl_code (*erase_tenant)(void *self, trl_ctx *ctx, struct trl_id tenant);
	/* For `trellis tenant show`: what it knows of :tenant_id, as rows of name and
	 * value, read under that tenant; NULL: nothing. And, for the service that owns
	 * the tenants' slugs: the tenant_id of :slug, read by the _sys role. */
	const struct trl_sql *describe_tenant, *find_tenant;
	/* It needs TRELLIS_SEAL_KEY. A service whose WRITEs answer with secrets needs
	 * it in any case: their records are sealed under it. */
	bool needs_seal_key;
	/* Secrets that it takes into use while it runs, when their files change;
	 * NULL-ended, or NULL. renew owns the value. False: the value cannot be used,
	 * as trl_complain said, and the former one stays. */
	const char *const *renews;
	bool (*renew)(void *self, const char *setting, trl_secret *value);
	/* Makes the service's state. Start-up, not in an actor; must not park.
	 * Errors: anything, said by trl_complain; the process ends. */
	enum trl_code (*open)(const struct trl_host *host, void **self);
	/* Called when a WRITE is answered with its stored reply and its handler does
	 * not run: repeats what follows the commit (trl_after_write), since the run
	 * that stored the reply may have been killed before that. May be NULL. */
	void (*replayed)(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
	    const ProtobufCMessage *reply);
	/* SIGTERM came: still serve requests that come from outside the bus, but keep
	 * no connection open for more (edge). May be NULL. */
	void (*leave)(void *self);
	/* TRELLIS_DRAIN_SECONDS later: take no more requests. May be NULL. */
	void (*drain)(void *self);
	bool (*drained)(void *self); /* may be NULL */
	/* Before the process ends, once nothing runs any more: releases what open took.
	 * The last service opened is closed first. Not called if something still runs.
	 */
	void (*close)(void **self);
	/* `<service> maintain`: upkeep under the owner's role; may be NULL. */
	enum trl_code (*maintain)(const char *admin_url, const void *config);
};

/* The settings of every process: one of trl_config_known's tables. */
extern const struct trl_config_table trl_process_config_table;

int trl_service_main(int argc, char **argv, const struct trl_service *const *services,
    size_t n_services);
