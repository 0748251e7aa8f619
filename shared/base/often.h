/* often.h - lines of the log that would say the same again and again, as often as a
 * caller likes: of each kind a few a minute are written. Within shared/base. Any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/code.h>

enum { OFTEN_LINES = 10, OFTEN_KINDS = 128 };
#define OFTEN_WINDOW_US ((uint64_t)60 * 1000 * 1000)

/* What makes two lines the same; names are static text, compared by address. */
struct often_kind {
	const void *method; /* or NULL */
	const char *service, *file;
	int line;
	enum trl_code code;
};

/* Whether one more may be written; left_out: of this kind, since the last that was. */
bool often_may(const struct often_kind *kind, uint64_t now_us, uint64_t *left_out);
/* All that was ever left out. */
uint64_t often_left_out(void);
/* Start-up: nothing was said yet. */
void often_forget(void);
