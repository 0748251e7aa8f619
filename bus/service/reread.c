/* reread.c - files of settings that change while a process runs, as mounted secrets do:
 * looked at every few seconds. Keys of the bus are taken at once (links that stand keep
 * theirs, each new one begins with the first key, and any of the lines is accepted),
 * and so is what a service says it renews. Whatever else changes is said, in the log
 * and as trellis_setting_stale, until the process is started again, which renew.c may
 * have happen. */
#include <stdlib.h>
#include <string.h>

#include <trl/ages.h>
#include <trl/log.h>
#include <trl/metrics.h>

#include "process.h"

enum { LOOK_EVERY_MS = 5000 };

static bool
renews(const struct trl_service *s, const char *name)
{
	for (const char *const *one = s->renews; one != NULL && *one != NULL; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

/* Each has a copy of its own. */
static bool
renew(struct process *p, const char *name)
{
	bool any = false, fine = true;

	for (size_t i = 0; i < p->n; i++) {
		struct one *one = &p->each[i];
		trl_secret *value;

		if (!renews(one->service, name))
			continue;
		value = trl_config_secret_anew(name);
		fine = value != NULL && one->service->renew(one->self, name, value) &&
		       fine;
		any = true;
	}
	return any && fine;
}

static bool
take(struct process *p, const char *name)
{
	bool fine = true;

	if (strncmp(name, "TRELLIS_BUS_KEY_", 16) != 0)
		return renew(p, name);
	for (size_t i = 0; i < p->n; i++)
		fine = process_keys(p->each[i].host.bus, p->services[i]->name) && fine;
	return fine;
}

static void
show(const char *name, bool stale)
{
	trl_metric *m = trl_gauge_new("trellis_setting_stale",
	    "1: the file of a setting holds another value than is used, until the "
	    "process is started again",
	    "setting", NULL);

	trl_series_set(trl_series_at(m, name), stale);
}

static void
on_file(void *self, const char *name, bool differs)
{
	struct process *p = self;
	char file_name[160];
	bool taken = differs && take(p, name);

	show(name, differs && !taken);
	p->changed = true;
	if (!differs)
		return;
	if (!taken) {
		trl_log(TRL_LOG_WARN, NULL,
		    "a file has another value than is used; restart to take it",
		    TRL_LOG_STR("setting", name));
		return;
	}
	snprintf(file_name, sizeof file_name, "%s_FILE", name);
	trl_age_secret(name, getenv(file_name));
	trl_log(
	    TRL_LOG_INFO, NULL, "a file was read again", TRL_LOG_STR("setting", name));
}

static void
look(uv_timer_t *timer)
{
	struct process *p = timer->data;

	trl_config_look(on_file, p);
	if (p->changed)
		process_renew(p);
	p->changed = false;
}

void
process_watch_files(struct process *p)
{
	trl_config_look(on_file, p); /* its series stand there from the start */
	uv_timer_init(trl_loop_uv(p->loop), &p->renewal.wait);
	uv_timer_init(trl_loop_uv(p->loop), &p->look);
	p->look.data = p;
	uv_timer_start(&p->look, look, LOOK_EVERY_MS, LOOK_EVERY_MS);
}
