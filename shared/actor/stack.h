/* stack.h - an actor's stack: mapped memory with a guard below. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Lowest usable byte; aborts when the system has no address space left. */
uint8_t *trl_stack_new(size_t bytes);
void trl_stack_free(uint8_t *stack, size_t bytes);
/* Gives the memory back and keeps the addresses. */
void trl_stack_trim(uint8_t *stack, size_t bytes);
