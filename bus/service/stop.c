/* stop.c - how a process ends. SIGTERM comes before those who send work have heard of
 * it: where addresses are handed out (Kubernetes' endpoints) they vanish a moment
 * later. So for TRELLIS_DRAIN_SECONDS it says that it is not ready and takes whatever
 * comes. Then nothing new comes in from outside, callers on the bus are sent elsewhere,
 * what runs is answered, and the process leaves by _exit, because the transport's
 * sockets are not safe to close while its threads work. A second signal ends the first
 * wait.
 *
 * Of a process that leaves by itself nobody is told: whoever sends work has to see at
 * /readyz that it goes (Kubernetes asks every few seconds, and believes the second
 * answer), so it waits three times as long. */
#include <signal.h>
#include <unistd.h>

#include <trl/events_open.h>
#include <trl/jobs_open.h>
#include <trl/log.h>

#include "process.h"

enum { DRAIN_MS = 25000, DRAIN_POLL_MS = 5, UNTOLD = 3 };

static bool
all_drained(struct process *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct trl_service *s = p->services[i];
		if (s->drained != NULL && !s->drained(p->each[i].self))
			return false;
		if (p->each[i].host.events != NULL &&
		    !trl_events_drained(p->each[i].host.events))
			return false;
	}
	if (!p->bus_drains) { /* from outside nothing comes any more: now the bus */
		p->bus_drains = true;
		for (size_t i = 0; i < p->n; i++)
			trl_bus_drain(p->each[i].host.bus);
		return false;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct trl_host *host = &p->each[i].host;
		if (!trl_bus_drained(host->bus) ||
		    (host->jobs != NULL && !trl_jobs_drained(host->jobs)))
			return false;
	}
	return process_traces_drained(p->traces);
}

/* The last one opened first. Of what runs late each may still be in use: it stays. */
static void
close_services(struct process *p)
{
	for (size_t i = p->n; i-- > 0;) {
		struct one *one = &p->each[i];
		if (one->service->close == NULL)
			continue;
		one->service->close(&one->self);
		trl_log(TRL_LOG_INFO, NULL, "closed",
		    TRL_LOG_STR("name", one->service->name));
	}
}

static void
drain_more(uv_timer_t *timer)
{
	struct process *p = timer->data;
	bool late = trl_mono_us() > p->drain_until_us;
	if (!all_drained(p) && !late)
		return;
	if (late)
		trl_log(TRL_LOG_WARN, NULL, "stopping with work left",
		    TRL_LOG_INT("actors", trl_actors_alive(p->loop)));
	else
		close_services(p);
	trl_log(TRL_LOG_INFO, NULL, "stopped", TRL_LOG_INT("services", p->n));
	_exit(0);
}

static void
drain(uv_timer_t *timer)
{
	struct process *p = timer->data;

	p->drain_until_us = trl_mono_us() + (uint64_t)DRAIN_MS * 1000;
	for (size_t i = 0; i < p->n; i++) {
		if (p->services[i]->drain != NULL)
			p->services[i]->drain(p->each[i].self);
		if (p->each[i].host.jobs != NULL)
			trl_jobs_drain(p->each[i].host.jobs);
		if (p->each[i].host.events != NULL)
			trl_events_drain(p->each[i].host.events);
	}
	uv_timer_start(&p->stop, drain_more, 0, DRAIN_POLL_MS);
}

static void
stop(struct process *p, int64_t seconds)
{
	for (size_t i = 0; i < p->n && !p->stopping; i++)
		if (p->services[i]->leave != NULL)
			p->services[i]->leave(p->each[i].self);
	p->stopping = true;
	if (seconds > 0)
		uv_timer_start(&p->stop, drain, (uint64_t)seconds * 1000, 0);
	else
		drain(&p->stop);
}

static void
on_signal(uv_signal_t *handle, int signum)
{
	struct process *p = handle->data;
	const int64_t seconds = p->signalled ? 0 : p->config.drain_seconds;

	if (p->drain_until_us != 0)
		return;
	if (!p->signalled)
		trl_log(TRL_LOG_INFO, NULL, "stopping", TRL_LOG_INT("signal", signum),
		    TRL_LOG_INT("seconds", seconds));
	p->signalled = true;
	stop(p, seconds);
}

void
process_leave(struct process *p)
{
	const int64_t seconds = UNTOLD * p->config.drain_seconds;

	if (p->stopping)
		return;
	trl_log(TRL_LOG_INFO, NULL,
	    "stopping, to be started with the files as they are now",
	    TRL_LOG_INT("seconds", seconds));
	stop(p, seconds);
}

void
process_watch_signals(struct process *p)
{
	uv_loop_t *uv = trl_loop_uv(p->loop);
	uv_signal_init(uv, &p->term);
	uv_signal_init(uv, &p->interrupt);
	uv_timer_init(uv, &p->stop);
	p->term.data = p->interrupt.data = p->stop.data = p;
	uv_signal_start(&p->term, on_signal, SIGTERM);
	uv_signal_start(&p->interrupt, on_signal, SIGINT);
}
