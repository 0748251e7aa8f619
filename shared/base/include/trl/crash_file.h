/* crash_file.h - the files that crashes left behind (crash.h), for whoever reports or
 * shows them. A file's name says its service, the how many-th crash it is and the
 * process: "tenants-000017-4711.crash". Its end says how far it has come:
 *
 *   .crash      nobody has looked at it
 *   .reading    somebody has begun to, and perhaps never came to the end: a file that
 *               its reader crashes with is not read again
 *   .seen       it was looked at, and is not reported yet
 *   .reported
 *
 * A process that was ended in between goes on from there at its next start. The
 * TRL_CRASH_KEPT latest of a service are kept. What is read is bytes from outside: it
 * is bounded, and anything may be missing. Start-up and commands only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/compiler.h>
#include <trl/id.h>

enum {
	TRL_CRASH_KEPT = 16,
	TRL_CRASH_FILE_MAX = 1 << 20,
	TRL_CRASH_FRAMES_MAX = 160,
	TRL_CRASH_MODULES_MAX = 96,
};

enum trl_crash_state {
	TRL_CRASH_NEW,
	TRL_CRASH_READING,
	TRL_CRASH_SEEN,
	TRL_CRASH_REPORTED
};

struct trl_crash_entry {
	char name[160]; /* in its folder */
	char service[64];
	unsigned number, pid;
	int64_t at_s; /* when it was written; 0: not known */
	enum trl_crash_state state;
};

/* The crash files in dir of one service (NULL: of all), the earliest first, at most
 * max. False: dir cannot be read (errno); one that is not there is empty. */
bool trl_crash_list(const char *dir, const char *service, struct trl_crash_entry *out,
    size_t max, size_t *n) TRL_MUST_CHECK;
/* The number of the next crash; false as above. */
bool trl_crash_next(
    const char *dir, const char *service, unsigned *next) TRL_MUST_CHECK;
/* Moves a file on; false: it is not there any more (somebody else was faster), or
 * cannot be moved. */
bool trl_crash_move(const char *dir, struct trl_crash_entry *entry,
    enum trl_crash_state state) TRL_MUST_CHECK;
/* Deletes the earliest of a service, so that TRL_CRASH_KEPT stay. */
void trl_crash_prune(const char *dir, const char *service);

struct trl_crash_frame {
	uint64_t pc;
	bool seen;        /* on the stack, and perhaps a remnant */
	bool is_return;   /* where a call goes on, and not where it is */
	unsigned skipped; /* left out before it */
};

struct trl_crash_module {
	uint64_t at, size;
	uint64_t bias;  /* what its addresses are moved by */
	char build[44]; /* hex, or "" */
	char path[256];
};

struct trl_crash {
	bool readable; /* it begins as a crash file does */
	bool whole;    /* it has its end */
	char service[64], release[64], build[44], signal_name[16];
	char note[512], actor[104], method[104], code_of[104], thread[104];
	unsigned pid;
	int64_t at_us;
	int number, code;
	bool has_address, has_trace;
	uint64_t address;
	uint8_t trace_id[16], span_id[8];
	struct trl_id tenant;
	size_t n_registers, n_frames, n_modules;
	struct trl_crash_register {
		char name[8];
		uint64_t value;
	} registers[40];
	struct trl_crash_frame frames[TRL_CRASH_FRAMES_MAX]; /* the youngest first */
	struct trl_crash_module modules[TRL_CRASH_MODULES_MAX];
};

/* Reads a file's text; never fails: what is not there is zero. */
void trl_crash_parse(struct trl_crash *out, const char *text, size_t len);
/* The same of a file in dir (NULL: name is a path). False: errno. */
bool trl_crash_read(
    const char *dir, const char *name, struct trl_crash *out) TRL_MUST_CHECK;
/* The module that an address lies in, or NULL. The first one is the executable. */
const struct trl_crash_module *trl_crash_module_at(
    const struct trl_crash *crash, uint64_t address);
/* The build id of an ELF file, as hex, or "" (it has none, or is none). */
void trl_build_id_of(const char *path, char out[44]);
