/* complain.h - what keeps a process from starting, or a command from doing its work,
 * said to whoever started it. Start-up and commands only: a process that runs logs
 * (log.h). */
#pragma once

#include <trl/compiler.h>

/* Says one sentence: on stderr as a line of text; after trl_complain_in_log(), and
 * where stderr is no terminal, as an error line of the log. Line ends at the end of it
 * (as libpq's texts have) are dropped. */
void trl_complain(const char *fmt, ...) TRL_PRINTF(1, 2);

/* For a process that is about to serve, whose stderr is read as JSON lines: complaints
 * go into the log, which trl_log_init opened. */
void trl_complain_in_log(void);
