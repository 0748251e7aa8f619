/* talk.h - a child process and one talk with it. Any thread; blocks. Private. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <trl/buf.h>

enum { CHILD_PATH_MAX = 4096 };

/* Zeroed: there is none. */
struct child_end {
	pid_t pid;
	int socket;
};

enum child_outcome {
	CHILD_ANSWERED,
	CHILD_NOT_STARTED,
	CHILD_ENDED, /* the socket was closed */
	CHILD_LATE,
	CHILD_OTHER, /* of another version */
	CHILD_TOO_MUCH
};

/* The path of trellis-NAME in the folder of this process's program. */
void child_program(const char *name, char out[CHILD_PATH_MAX]);
/* 0, or an errno. */
int child_start(const char *program, struct child_end *out);
struct child_question {
	const void *request;
	size_t len;
	int file; /* a descriptor that goes along, or -1 */
};
/* Waits for its first byte: that of a program of this version that can do its work.
 * CHILD_ANSWERED, CHILD_ENDED, CHILD_LATE, or CHILD_OTHER. */
enum child_outcome child_meet(
    const struct child_end *end, uint8_t version, uint64_t until_us);
/* So much of a processor it has used. */
uint64_t child_cpu_us(const struct child_end *end);
/* Sends the question and appends the answer, of at most max bytes, to reply. */
enum child_outcome child_talk(const struct child_end *end,
    const struct child_question *question, struct trl_buf *reply, size_t max,
    uint64_t until_us);
