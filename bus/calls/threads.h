/* threads.h - how many threads the transport works with. Private to bus/calls. */
#pragma once

/* Lets all of nng's task threads but one rest; once a process. Start-up only. */
void bus_threads_rest(void);
