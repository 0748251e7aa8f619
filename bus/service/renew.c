/* renew.c - files that are read only at the start have changed, such as the bus's
 * certificates, which cert-manager renews every two months. With TRELLIS_RENEW_SECONDS
 * the process leaves in good order, for its supervisor to start it with them: at a
 * random moment within that time, so that replicas do not go all at once.
 *
 * Half a file, or a key that is another certificate's, must end nobody. So the
 * executable itself is asked first, as an operator would (--check-config), whether it
 * could start with the files as they are: when they change, so that one hears of it
 * soon, and once more before it leaves. Where it could not, the process says why and
 * stays until they change again. And the seal key is taken by nobody alone: what one
 * process has sealed with a new one, the others could not open.
 *
 * The certificates are not replaced in the running process. nng 1.5 and 1.10 take a
 * configuration for a listener that stands without saying what it is good for: the
 * connection that is accepted next still has the former one, the transport's threads
 * read it without a lock while it is freed, and later releases refuse it. A new
 * listener at the same port would mean to close the old one with its connections,
 * which 1.5 may never end (bus/calls/guests.h). And for everything else that is read at
 * the start, this is the way. */
#include <stdio.h>
#include <unistd.h>
#include <sys/mman.h>

#include <sodium.h>

#include <trl/log.h>

#include "process.h"

static const char ALL_AT_ONCE[] = "TRELLIS_SEAL_KEY";

static void ask(struct process *p);

/* What it said, as one line. */
static void
read_said(int fd, char *out, size_t size)
{
	const ssize_t n = pread(fd, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if (*c == '\n')
			*c = c[1] != '\0' ? ' ' : '\0';
}

static void
waited(uv_timer_t *timer)
{
	struct process *p = timer->data;

	p->renewal.waited = true;
	ask(p);
}

static void
wait_for_a_moment(struct process *p)
{
	const uint32_t max_ms = (uint32_t)p->config.renew_seconds * 1000;
	const uint32_t ms = randombytes_uniform(max_ms);

	trl_log(TRL_LOG_INFO, NULL, "files can be used that take a restart",
	    TRL_LOG_INT("restart_in_seconds", ms / 1000));
	p->renewal.wait.data = p;
	uv_timer_start(&p->renewal.wait, waited, ms, 0);
}

/* The handle can be used again from here on. */
static void
asked(uv_handle_t *check)
{
	struct process *p = check->data;
	struct renewal *r = &p->renewal;
	char said[1024];

	read_said(r->said, said, sizeof said);
	close(r->said);
	r->runs = false;
	if (r->again)
		process_renew(p);
	else if (!r->can)
		trl_log(TRL_LOG_WARN, NULL,
		    "files that take a restart cannot be used; it stays as it is",
		    TRL_LOG_STR("reason", said));
	else if (r->waited)
		process_leave(p);
	else
		wait_for_a_moment(p);
}

static void
answered(uv_process_t *check, int64_t status, int signum)
{
	struct process *p = check->data;

	p->renewal.can = status == 0 && signum == 0;
	uv_close((uv_handle_t *)check, asked);
}

/* The executable that runs, though another may lie in its place by now. */
static void
ask(struct process *p)
{
	struct renewal *r = &p->renewal;
	char *all[] = { "trellis", "--check-config", NULL };
	char *some[] = { "trellis", "--services", (char *)(uintptr_t)p->named,
		"--check-config", NULL };
	uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE }, { .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD } };
	uv_process_options_t options = { .file = "/proc/self/exe",
		.args = p->named != NULL ? some : all,
		.stdio = stdio,
		.stdio_count = 3,
		.exit_cb = answered };
	int rv;

	r->said = stdio[2].data.fd = memfd_create("check", MFD_CLOEXEC);
	trl_assert(r->said >= 0);
	r->check.data = p;
	r->runs = true;
	rv = uv_spawn(trl_loop_uv(p->loop), &r->check, &options);
	if (rv == 0)
		return;
	dprintf(r->said, "cannot start the check: %s", uv_strerror(rv));
	r->can = false;
	uv_close((uv_handle_t *)&r->check, asked);
}

void
process_renew(struct process *p)
{
	struct renewal *r = &p->renewal;

	if (p->config.renew_seconds == 0 || p->stopping)
		return;
	uv_timer_stop(&r->wait);
	r->again = r->runs;
	r->waited = false;
	if (trl_config_differs(ALL_AT_ONCE))
		trl_log(TRL_LOG_WARN, NULL,
		    "does not restart by itself: it has to change everywhere at once",
		    TRL_LOG_STR("setting", ALL_AT_ONCE));
	else if (!r->runs && trl_config_differs(NULL))
		ask(p);
}
