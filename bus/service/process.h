/* process.h - a process and the services in it. Private to bus/service: service.c
 * starts it, stop.c ends it, renew.c has it end for new files. */
#pragma once

#include <trl/loop_uv.h>

#include "config.h"
#include "erase.h"
#include "operator.h"

enum { SERVICES_MAX = 64 };

struct process {
	const struct trl_service *const *services;
	size_t n;
	const char *named; /* by --services, or NULL: all of the executable's */
	struct process_config config;
	void *values[SERVICES_MAX];
	trl_secret *seal_key; /* or NULL */
	trl_loop *loop;
	trl_bus_net *net;
	trl_ops *ops;
	struct trl_traces *traces; /* NULL: nobody is told */
	struct one {
		struct process *process;
		const struct trl_service *service;
		struct trl_host host;
		operator_self op;
		void *self;
		/* How its audit entries are told, and which services it hears where
		 * it is to hear every teller. */
		struct trl_event_type audit;
		char audit_name[64];
		const char *tellers[PEERS_MAX + 1];
		struct erase erase;
	} each[SERVICES_MAX];
	uv_signal_t term, interrupt;
	uv_timer_t ready, stop, look;
	bool changed; /* a file, as one sees at this look */
	struct renewal {
		uv_timer_t wait;
		uv_process_t check;
		int said;         /* what the check writes */
		bool runs, again; /* the check; and files changed meanwhile */
		bool waited, can; /* for the moment; be started with the files */
	} renewal;
	bool signalled; /* SIGTERM came */
	bool stopping;  /* it is not ready any more */
	bool bus_drains;
	uint64_t drain_until_us; /* 0: it does not drain yet */
};

/* From here on SIGTERM and SIGINT stop it. */
void process_watch_signals(struct process *process);
/* Stops it as SIGTERM does, without one. */
void process_leave(struct process *process);
/* From here on changed files of settings are taken, or said. */
void process_watch_files(struct process *process);
/* renew.c: files have changed since it was last called. */
void process_renew(struct process *process);
