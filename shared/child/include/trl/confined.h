/* confined.h - the other side of child.h: a program that answers a service's questions
 * and can do nothing else. Before the first one it drops its rights: it may make
 * threads and read files (with Landlock, only those below reads), but cannot write
 * files, start programs or reach a network (seccomp), nor take more memory and time
 * than its spec says. It ends with the process that started it, even in the middle of
 * an answer. */
#pragma once

#include <stdint.h>

#include <trl/buf.h>

struct trl_confined {
	size_t request_max, reply_max; /* bytes */
	size_t memory_max;             /* of its own, bytes */
	unsigned cpu_s;                /* for one answer */
	uint8_t version;               /* of the questions (struct trl_child_kind) */
	const char *const *reads;      /* folders, NULL-ended; some may be missing */
	void (*warm)(void);            /* before it is confined; or NULL */
	/* Once it is confined, answers a question with a known answer, and ends the
	 * process if that fails; or NULL. */
	void (*prove)(void);
	/* Appends the answer; the process ends if that exceeds reply_max. */
	void (*answer)(const uint8_t *request, size_t len, struct trl_buf *reply);
	/* The same about a file, which is closed afterwards. Either function may be
	 * NULL: a question of that kind then ends the process. */
	void (*answer_file)(
	    const uint8_t *request, size_t len, int file, struct trl_buf *reply);
};

/* Serves on descriptor 0 until its other end is closed. Returns main's result. */
int trl_confined_main(const struct trl_confined *spec);
