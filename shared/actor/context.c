/* context.c - one function call that returns on another stack.
 *
 * swapcontext(3) asks the kernel for the signal mask at each switch, twice; an
 * actor's mask never differs, so on x86-64 and AArch64 only the registers are
 * swapped that the calling convention makes a callee keep (System V ABI AMD64,
 * 3.2.1; AAPCS64, 6.1). The floating point control words stay as they are: no
 * code here changes them. Elsewhere ucontext serves. */
#include "context.h"

#include <stdint.h>
#include <string.h>

#include <trl/compiler.h>

#ifdef TRL_CONTEXT_OWN

void trl_context_swap(void **from_sp, void *to_sp);
void trl_context_start(void);

#if defined(__x86_64__)

enum { SAVED_WORDS = 6, FN_WORD = 1, ARG_WORD = 2, START_WORD = 6 };

__asm__(".text\n"
	".globl trl_context_swap\n"
	".hidden trl_context_swap\n"
	".type trl_context_swap, @function\n"
	".balign 16\n"
	"trl_context_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n" /* at the start: fn */
	"	popq %r13\n" /* at the start: arg */
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size trl_context_swap, .-trl_context_swap\n"
	".globl trl_context_start\n"
	".hidden trl_context_start\n"
	".type trl_context_start, @function\n"
	".balign 16\n"
	"trl_context_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n" /* a debugger's walk ends here */
	"	movq %r13, %rdi\n"
	"	callq *%r14\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size trl_context_start, .-trl_context_start\n");

#else

/* x19 to x30, then d8 to d15; x19 is fn, x20 is arg, x30 where to go on. */
enum { SAVED_WORDS = 20, FN_WORD = 0, ARG_WORD = 1, START_WORD = 11 };

__asm__(".text\n"
	".globl trl_context_swap\n"
	".hidden trl_context_swap\n"
	".type trl_context_swap, %function\n"
	".balign 16\n"
	"trl_context_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size trl_context_swap, .-trl_context_swap\n"
	".globl trl_context_start\n"
	".hidden trl_context_start\n"
	".type trl_context_start, %function\n"
	".balign 16\n"
	"trl_context_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x0, x20\n"
	"	blr x19\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size trl_context_start, .-trl_context_start\n");

#endif

void
trl_context_init(struct trl_context *context, void *stack, size_t bytes,
    void (*fn)(void *arg), void *arg)
{
	uintptr_t top = ((uintptr_t)stack + bytes) & ~(uintptr_t)15;
	uintptr_t *words;

	/* Room for a zero above the first frame, and 16-byte alignment at the call. */
	words = (uintptr_t *)(top - 32) - SAVED_WORDS;
	if (SAVED_WORDS == START_WORD)
		words--;
	memset(words, 0, top - (uintptr_t)words);
	words[FN_WORD] = (uintptr_t)fn;
	words[ARG_WORD] = (uintptr_t)arg;
	words[START_WORD] = (uintptr_t)trl_context_start;
	context->sp = words;
}

void
trl_context_switch(struct trl_context *from, struct trl_context *to)
{
	trl_context_swap(&from->sp, to->sp);
}

#else

static void
start(unsigned high, unsigned low)
{
	struct trl_context *self =
	    (struct trl_context *)((uintptr_t)high << 32 | (uintptr_t)low);

	self->fn(self->arg);
}

void
trl_context_init(struct trl_context *context, void *stack, size_t bytes,
    void (*fn)(void *arg), void *arg)
{
	uint64_t self = (uintptr_t)context;

	trl_assert(getcontext(&context->uc) == 0);
	context->uc.uc_stack.ss_sp = stack;
	context->uc.uc_stack.ss_size = bytes;
	context->uc.uc_link = NULL;
	context->fn = fn;
	context->arg = arg;
	makecontext(&context->uc, (void (*)(void))start, 2, (unsigned)(self >> 32),
	    (unsigned)self);
}

void
trl_context_switch(struct trl_context *from, struct trl_context *to)
{
	swapcontext(&from->uc, &to->uc);
}

#endif
