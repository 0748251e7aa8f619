/* process.h - what the kernel tells of this process, as the metrics every exporter has
 * (process_*), and what was built (trellis_build_info). Loop thread. */
#pragma once

#include <stdbool.h>

/* Start-up: registers them; services are the names of those in the process. */
void trl_process_metrics(
    const char *version, const char *const *services, unsigned n_services);
/* Looks at the process for the next scrape, a piece at a time, since there may be tens
 * of thousands of descriptors to count. True: there is more to look at. */
bool trl_process_look(void);
