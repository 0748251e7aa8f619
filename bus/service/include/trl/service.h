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
 * NAME,NAME before the command leaves those of the list that are named, beside others
 * elsewhere. What a key is shared with can then say whose it is
 * (TRELLIS_BUS_KEY_EDGE_AUTH). */
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
	/* Whether the service could start with what its table read, beyond each value's
	 * own form: trl_complain says all that is wrong. It changes nothing and reaches
	 * for nobody; at the start, and for --check-config. May be NULL. */
	bool (*check_config)(const void *config);
	const struct trl_contract *const
	    *contracts; /* NULL-ended, or NULL: serves none */
	/* Services it calls, NULL-ended: it is ready when they are, so that they form
	 * no circle. Whose events it only reads stands in subscriptions. */
	const char *const *calls;
	/* It also calls whatever service has routes (trl/routes.h): where that has no
	 * address or is away, its routes are UNAVAILABLE, and the rest serves. */
	bool calls_routes;
	/* It speaks to others' machines (trl/http_out.h): only such a service is let
	 * out where the network asks (k8s/). */
	bool reaches_outside;
	/* The same only where a setting names such a machine (a bucket): k8s/ has a
	 * component that lets it out. */
	bool reaches_chosen;
	/* Or NULL. A service with a schema tells: the events of its contract, and the
	 * entries of its tenants' audit chains (*.audit.written). */
	const struct trl_sql_set *sql;
	struct trl_redis_script *const *scripts; /* NULL-ended; NULL: no Redis */
	trl_snapshot_fn *snapshot;               /* or NULL */
	/* Where audit chains in its schema are not all tenants': a page of those that
	 * are, in place of shared/pg's audit_page.sql. Or NULL. */
	const struct trl_sql *audit_page;
	const struct trl_subscription *const *subscriptions; /* NULL-ended, or NULL */
	const struct trl_job_kind *const *jobs;              /* NULL-ended, or NULL */
	const struct trl_cron *const *crons;                 /* NULL-ended, or NULL */
	/* A tenant is erased: does what is beyond the rows of its tables, which go
	 * after it by their classes (tools/sqlgen); NULL: nothing is. In an actor,
	 * under the tenant, when none of its jobs runs any more. May be called again,
	 * also after it was done. An error: again later, and the rows stay until then;
	 * so with trl_job_again, where it came further and has more to do than there is
	 * time for. */
	enum trl_code (*erase_tenant)(void *self, trl_ctx *ctx, struct trl_id tenant);
	/* For `trellis tenant show`: what it knows of :tenant_id as rows of name and
	 * value, read under that tenant; NULL: nothing. And, where it gives out the
	 * tenants' short names: the tenant_id of :slug, read by the _sys role. */
	const struct trl_sql *describe_tenant, *find_tenant;
	/* It cannot do without TRELLIS_SEAL_KEY. One whose WRITEs answer with secrets
	 * cannot anyway: their records are sealed under it. */
	bool needs_seal_key;
	/* Secrets that it takes into use while it runs, NULL-ended, when their files
	 * hold another value; NULL: none. The value is renew's own. False: it cannot be
	 * used, which trl_complain said, and the former one stays. */
	const char *const *renews;
	bool (*renew)(void *self, const char *setting, trl_secret *value);
	/* Makes the service's state. Start-up, not in an actor; must not park.
	 * Errors: anything, said by trl_complain; the process ends. */
	enum trl_code (*open)(const struct trl_host *host, void **self);
	/* A WRITE is answered with its stored reply, and its handler does not run: has
	 * done again what follows such a commit (trl_after_write), for the run that
	 * stored the reply may have been killed before it came so far. May be NULL. */
	void (*replayed)(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
	    const ProtobufCMessage *reply);
	/* SIGTERM came: take what still comes from elsewhere than the bus, but let
	 * nobody stay for more (edge). May be NULL. */
	void (*leave)(void *self);
	/* TRELLIS_DRAIN_SECONDS later: take no more of it. May be NULL. */
	void (*drain)(void *self);
	bool (*drained)(void *self); /* may be NULL */
	/* Before the process ends, once nothing runs any more: gives back what open
	 * took (what runs too late keeps it). The last service opened is closed first.
	 */
	void (*close)(void **self);
	/* `<service> maintain`: upkeep under the owner's role; may be NULL. */
	enum trl_code (*maintain)(const char *admin_url, const void *config);
};

/* What every process can be told: one of trl_config_known's tables. */
extern const struct trl_config_table trl_process_config_table;

int trl_service_main(int argc, char **argv, const struct trl_service *const *services,
    size_t n_services);
