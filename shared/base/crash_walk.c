/* crash_walk.c - from where it crashed to who called whom: the tables that functions
 * have for it are followed call by call (crash_cfi.c), through libraries as well.
 *
 * backtrace(3) would do the same, but may allocate and lock, and is not on the list of
 * signal-safety(7); frame pointers end at the first library, which have none; and
 * copies of the stack for a later look would leave people's passwords in a file.
 *
 * Nothing is dereferenced: crash_peek has the kernel copy, which answers EFAULT. */
#include "crash_inside.h"

#include <unistd.h>

#include <ucontext.h>

enum { CALLS_MAX = 50000 }; /* an actor's stack has some 1,000 */

bool
crash_peek(void *out, uint64_t from, size_t len)
{
	char *at = out;
	ssize_t n = write(crash_prepared.peek[1], (const void *)(uintptr_t)from, len);
	bool whole = n == (ssize_t)len;

	/* What did come is taken out, whatever is made of it. */
	for (size_t left = n > 0 ? (size_t)n : 0; left > 0;) {
		n = read(crash_prepared.peek[0], at, left);
		if (n <= 0)
			return false;
		at += n;
		left -= (size_t)n;
	}
	return whole;
}

static void
put_reg(struct crash_regs *regs, const char *name, uint64_t value)
{
	struct crash_reg *reg = &regs->all[regs->n++];

	for (size_t i = 0; i + 1 < sizeof reg->name && name[i] != '\0'; i++)
		reg->name[i] = name[i];
	reg->value = value;
}

#if defined(__x86_64__)

void
crash_regs_read(struct crash_regs *regs, const void *context)
{
	const ucontext_t *uc = context;
	/* By their numbers in DWARF (System V ABI AMD64, 3.6.2). */
	static const struct {
		const char *name;
		int at;
	} names[] = { { "rax", REG_RAX }, { "rdx", REG_RDX }, { "rcx", REG_RCX },
		{ "rbx", REG_RBX }, { "rsi", REG_RSI }, { "rdi", REG_RDI },
		{ "rbp", REG_RBP }, { "rsp", REG_RSP }, { "r8", REG_R8 },
		{ "r9", REG_R9 }, { "r10", REG_R10 }, { "r11", REG_R11 },
		{ "r12", REG_R12 }, { "r13", REG_R13 }, { "r14", REG_R14 },
		{ "r15", REG_R15 }, { "rip", REG_RIP } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		regs->walk.at[i] = (uint64_t)uc->uc_mcontext.gregs[names[i].at];
		put_reg(regs, names[i].name, regs->walk.at[i]);
	}
	regs->walk.pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	regs->sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
}

/* What was called but is no code: the call left its way back on the stack. */
static bool
go_back(struct crash_frame_regs *regs)
{
	bool there = crash_peek(&regs->pc, regs->at[7], 8);

	regs->at[7] += 8;
	return there;
}

#elif defined(__aarch64__)

void
crash_regs_read(struct crash_regs *regs, const void *context)
{
	const ucontext_t *uc = context;
	char name[4] = "x";

	for (unsigned i = 0; i < 31; i++) {
		name[1] = (char)(i < 10 ? '0' + i : '0' + i / 10);
		name[2] = (char)(i < 10 ? '\0' : '0' + i % 10);
		regs->walk.at[i] = uc->uc_mcontext.regs[i];
		put_reg(regs, name, uc->uc_mcontext.regs[i]);
	}
	regs->walk.at[31] = regs->sp = uc->uc_mcontext.sp;
	regs->walk.pc = uc->uc_mcontext.pc;
	put_reg(regs, "sp", regs->sp);
	put_reg(regs, "pc", regs->walk.pc);
}

/* The same, in the link register. */
static bool
go_back(struct crash_frame_regs *regs)
{
	regs->pc = regs->at[30];
	return true;
}

#else

void
crash_regs_read(struct crash_regs *regs, const void *context)
{
	(void)regs, (void)context; /* the signal and the maps are all that is known */
}

static bool
go_back(struct crash_frame_regs *regs)
{
	(void)regs;
	return false;
}

#endif

static const struct crash_code *
code_at(uint64_t address)
{
	for (size_t i = 0; i < crash_prepared.n_codes; i++)
		if (address >= crash_prepared.codes[i].from &&
		    address < crash_prepared.codes[i].to)
			return &crash_prepared.codes[i];
	return NULL;
}

static void
add(struct crash_walk *walk, uint64_t pc, enum crash_how how)
{
	struct crash_frame frame = { pc, how };

	if (walk->n < CRASH_FIRST)
		walk->first[walk->n] = frame;
	else
		walk->last[walk->n % CRASH_LAST] = frame;
	walk->n++;
}

void
crash_walk(struct crash_walk *walk, const struct crash_regs *from)
{
	struct crash_frame_regs regs = from->walk;
	const struct crash_code *code = code_at(regs.pc);

	add(walk, regs.pc, CRASH_AT);
	if (code == NULL) {
		if (!go_back(&regs) || (code = code_at(regs.pc)) == NULL)
			return;
		add(walk, regs.pc, CRASH_SEEN);
	}
	for (int i = 0; i < CALLS_MAX; i++) {
		/* A call may be a function's last instruction: the one before where it
		 * goes on is looked for. */
		uint64_t pc = regs.pc - (walk->n > 1);

		if (!crash_cfi_step(code->index, pc, &regs))
			return;
		code = code_at(regs.pc);
		if (code == NULL)
			return;
		add(walk, regs.pc, CRASH_LINKED);
	}
}

void
crash_walk_each(const struct crash_walk *walk,
    void (*fn)(const struct crash_frame *frame, size_t skipped))
{
	size_t n = walk->n < CRASH_FIRST ? walk->n : CRASH_FIRST;
	size_t from = walk->n > CRASH_FIRST + CRASH_LAST ? walk->n - CRASH_LAST : n;

	for (size_t i = 0; i < n; i++)
		fn(&walk->first[i], 0);
	for (size_t i = from; i < walk->n; i++)
		fn(&walk->last[i % CRASH_LAST], i == from ? from - n : 0);
}
