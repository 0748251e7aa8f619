/* context.h - switching stacks. For actor.c only. */
#pragma once

#include <stddef.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define TRL_CONTEXT_OWN 1
struct trl_context {
	void *sp; /* everything else lies on the stack it points to */
};
#else
#include <ucontext.h>
struct trl_context {
	ucontext_t uc;
	void (*fn)(void *arg);
	void *arg;
};
#endif

/* Makes a context that will run fn(arg) from the top of stack; fn never returns. */
void trl_context_init(struct trl_context *context, void *stack, size_t bytes,
    void (*fn)(void *arg), void *arg);
/* Leaves the running context in *from and goes on in *to. */
void trl_context_switch(struct trl_context *from, struct trl_context *to);
