/* crash_inside.h - what the handler finds prepared, and its parts. For crash*.c only.
 * What is called in the handler touches no memory of the crashed program but through
 * crash_peek: it may not be there any more. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trl_ctx;

enum {
	CRASH_PATH = 512,
	CRASH_HEAD = 1024,
	CRASH_MODULES = 32 << 10,
	CRASH_CODES = 96,
	CRASH_NOTE = 512,
	CRASH_FIRST = 64, /* frames of the youngest calls that are kept */
	CRASH_LAST = 64,  /* and of the oldest */
	CRASH_REGS = 34,
};

/* Where machine code lies. */
struct crash_code {
	uint64_t from, to;
	uint64_t index; /* its module's .eh_frame_hdr, or 0 */
};

/* Made at the start, only read in the handler. */
struct crash_prepared {
	char path[CRASH_PATH]; /* "/run/trellis/crash/tenants-000017-", or "" */
	char service[64];
	char head[CRASH_HEAD];       /* the file's first lines */
	char modules[CRASH_MODULES]; /* its lines of modules */
	struct crash_code codes[CRASH_CODES];
	size_t n_codes;
	int peek[2]; /* a pipe: crash_peek */
	int maps;    /* /proc/self/maps */
	int spare; /* closed so that the file can be opened when all others are taken */
};
extern struct crash_prepared crash_prepared;

/* What is followed from frame to frame, by DWARF's numbers. */
enum { CRASH_WALK_REGS = 33, CRASH_FRAME_MAX = 1 << 20 };
struct crash_frame_regs {
	uint64_t pc;
	uint64_t at[CRASH_WALK_REGS];
};

struct crash_regs {
	struct crash_frame_regs walk;
	uint64_t sp;
	size_t n;
	struct crash_reg {
		char name[8];
		uint64_t value;
	} all[CRASH_REGS];
};

/* How a frame was found. */
enum crash_how { CRASH_AT, CRASH_LINKED, CRASH_SEEN };

struct crash_frame {
	uint64_t pc;
	enum crash_how how;
};

/* The frames, the youngest first; of many those at both ends. */
struct crash_walk {
	struct crash_frame first[CRASH_FIRST], last[CRASH_LAST];
	size_t n; /* that there were */
};

/* crash_modules.c: start-up. */
void crash_modules_find(struct crash_prepared *prepared, char build[48]);

/* crash_walk.c: in the handler. */
bool crash_peek(void *out, uint64_t from, size_t len);
void crash_regs_read(struct crash_regs *regs, const void *ucontext);
void crash_walk(struct crash_walk *walk, const struct crash_regs *regs);
/* crash_cfi.c: in the handler. From a function that was left at pc, or is about to go
 * on there, to its caller. False: its tables do not say. */
bool crash_cfi_step(uint64_t index, uint64_t pc, struct crash_frame_regs *regs);
/* Calls fn for those that were kept, the youngest first; skipped of those before it
 * were not. */
void crash_walk_each(const struct crash_walk *walk,
    void (*fn)(const struct crash_frame *frame, size_t skipped));

/* crash_handler.c */
void crash_handle(int number, siginfo_t *info, void *context);
void crash_says(const char *note);
/* Of each thread. This model is read without a call, which might allocate. */
#define CRASH_OF_THREAD __attribute__((tls_model("initial-exec"))) _Thread_local
extern CRASH_OF_THREAD const char *crash_thread_name, *crash_doing_name;
extern CRASH_OF_THREAD const struct trl_ctx *crash_doing_ctx;
