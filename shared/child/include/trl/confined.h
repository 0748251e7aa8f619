/* confined.h - the other side of child.h: a program that answers a service's questions
 * and can do nothing else. Before the first one it gives up what it could do harm with:
 * it may make threads and read files, and where the kernel has Landlock only those
 * below reads; it cannot write any, start a program or reach a network (seccomp), nor
 * take more memory and time than its spec says. It ends with whoever started it, in the
 * middle of an answer, too. */
#pragma once

#include <stdint.h>

#include <trl/buf.h>

struct trl_confined {
	size_t request_max, reply_max; /* bytes */
	size_t memory_max;             /* of its own, bytes */
	unsigned cpu_s;                /* for one answer */
	uint8_t version;               /* of the questions (struct trl_child_kind) */
	const char *const *reads;      /* folders, NULL-ended; those that are there */
	void (*warm)(void);            /* before it is confined; or NULL */
	/* Once it is confined, does what it will be asked for with something that it
	 * knows, and ends the process where that fails; or NULL. */
	void (*prove)(void);
	/* Appends the answer; over reply_max the process ends. */
	void (*answer)(const uint8_t *request, size_t len, struct trl_buf *reply);
	/* The same about a file, which is closed afterwards. Either may be NULL: then
	 * it is not asked so, or ends. */
	void (*answer_file)(
	    const uint8_t *request, size_t len, int file, struct trl_buf *reply);
};

/* Serves on descriptor 0 until its other end is closed. Gives main's result. */
int trl_confined_main(const struct trl_confined *spec);
