/* crash.h - what a process leaves behind when it crashes: a file for the next start and
 * for `trellis crash show`, and a line on stderr.
 *
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGABRT (an assertion, the C library's
 * word on a broken heap) are taken by a handler that stands on a stack of its own,
 * allocates nothing and calls only what signal-safety(7) lists (crash_handler.c). It
 * writes, and lets the signal end the process. A sanitizer does all that better: under
 * one, nothing here does anything. */
#pragma once

#include <stdbool.h>

struct trl_ctx;

struct trl_crash_options {
	const char *service; /* whose files they are: "tenants" */
	const char *release; /* "0.1.0" */
	const char *dir;     /* made where it is not there; NULL: only the line */
};

/* Start-up, before there are threads: takes the signals, and has this thread crash in
 * order. The texts are copied. False: dir cannot be written, which is said by
 * trl_complain; the line is left. */
bool trl_crash_open(const struct trl_crash_options *options);
/* At the begin of a thread: gives it a stack for the handler, until it ends, and opens
 * its ears. name is static. Costs next to nothing from the second time on. */
void trl_crash_thread(const char *name);
/* What this thread does from now on, for the file: an actor's name and its message, or
 * NULL. Both live until the next call. */
void trl_crash_doing(const char *name, const struct trl_ctx *ctx);
/* The last words, in the file, of somebody who is about to abort(); copied. */
void trl_crash_note(const char *text);
