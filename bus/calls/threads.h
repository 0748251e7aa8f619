/* threads.h - how many threads the transport works with. Private to bus/calls. */
#pragma once

/* Leaves nng as few task threads as it works with, before anything else of nng.
 * Start-up only. */
void bus_threads_few(void);
