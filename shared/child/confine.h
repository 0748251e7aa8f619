/* confine.h - what a confined process gives up, for good. Private. */
#pragma once

#include <stddef.h>

/* No core, no file written, few descriptors, so many bytes of memory of its own; and
 * where a machine or a container has none left, it is this process that goes. Under
 * AddressSanitizer, which takes terabytes of addresses, memory is left out. */
void confine_limits(size_t memory_max);
/* Ends the process when the other end of descriptor 0 is closed, whatever it does. */
void confine_life(void);
/* Reads only below these folders, where the kernel has Landlock (5.13). */
void confine_files(const char *const *reads);
/* Only calls that compute, read and answer; any other fails with ENOSYS, as on a kernel
 * that does not have it, so that libraries do without. */
void confine_calls(void);
