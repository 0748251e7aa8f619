/* stack.c - stacks are addresses first: a page of memory comes when it is first
 * written, and goes again when the pool is trimmed. Below each lie pages nobody
 * may touch, so that an overflow is a SIGSEGV and not a neighbour's bug. */
#include "stack.h"

#include <sys/mman.h>

#include <trl/compiler.h>

enum { GUARD = 16 << 10 };

uint8_t *
trl_stack_new(size_t bytes)
{
	uint8_t *low = mmap(NULL, GUARD + bytes, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	trl_assert(low != MAP_FAILED);
	trl_assert(mprotect(low + GUARD, bytes, PROT_READ | PROT_WRITE) == 0);
	return low + GUARD;
}

void
trl_stack_free(uint8_t *stack, size_t bytes)
{
	trl_assert(munmap(stack - GUARD, GUARD + bytes) == 0);
}

void
trl_stack_trim(uint8_t *stack, size_t bytes)
{
	trl_assert(madvise(stack, bytes, MADV_DONTNEED) == 0);
}
