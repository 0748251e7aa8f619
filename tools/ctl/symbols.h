/* symbols.h - addresses of a crash as functions and lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trl_crash_module;

enum { CTL_SYMBOLS_MAX = 160 };

struct ctl_symbol {
	char function[128]; /* "": not known */
	char place[256];    /* file:line; "": only exported functions are known */
	char inside[256];   /* the functions it was inlined into */
};

/* A file with a module's symbols, told by its build id: what was stripped of it
 * (.build-id/xx/yyyy.debug below /usr/lib/debug, here, or beside this command), or the
 * module itself, where it was or beside this command. False: there is none. */
bool ctl_symbols_file(const struct trl_crash_module *module, char out[1024]);
/* False: addr2line cannot be run (errno; ENOENT: it is not there). */
bool ctl_symbols(
    const char *path, const uint64_t *offsets, size_t n, struct ctl_symbol *out);
