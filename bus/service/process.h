/* process.h - a process and the services in it. Private to bus/service: service.c
 * starts it, stop.c ends it. */
#pragma once

#include <trl/loop_uv.h>

#include "config.h"
#include "erase.h"
#include "operator.h"

enum { SERVICES_MAX = 64 };

struct process {
	const struct trl_service *const *services;
	size_t n;
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
	bool stopping; /* SIGTERM came: it is not ready any more */
	bool bus_drains;
	uint64_t drain_until_us; /* 0: it does not drain yet */
};

/* From here on SIGTERM and SIGINT stop it. */
void process_watch_signals(struct process *process);
/* From here on changed files of settings are taken, or said. */
void process_watch_files(struct process *process);
