/* crash_walk.c - from where it crashed to who called whom, without a table.
 *
 * All code of ours is built with frame pointers, so its calls are a chain of two words
 * each: the caller's frame, and where to go on (System V ABI AMD64, 3.2.2; AAPCS64,
 * 6.4.6). backtrace(3) would do without them, but it may allocate and lock, and is not
 * on the list of signal-safety(7); copies of the stack for a later look would leave
 * people's passwords in a file. The libraries are built without: where the crash is in
 * one of them (abort() below malloc(), say), the words of the stack are looked through
 * for addresses behind a call instruction until one is of our own code, and for the
 * frame that the chain goes on from. What was only seen so is marked: it may be a
 * remnant.
 *
 * Nothing is dereferenced: crash_peek has the kernel copy, which answers EFAULT. */
#include "crash_inside.h"

#include <unistd.h>

#include <ucontext.h>

enum {
	PAGE = 4096,        /* or larger: a multiple */
	SCAN_MAX = 8192,    /* words of the stack */
	SEEN_MAX = 24,      /* frames of libraries */
	CHAIN_MAX = 100000, /* a stack of 8 MiB has fewer */
};
static const uint64_t largest_frame = 1 << 20;

bool
crash_peek(void *out, uint64_t from, size_t len)
{
	char *at = out;
	ssize_t n = write(crash_prepared.peek[1], (const void *)(uintptr_t)from, len);

	if (n != (ssize_t)len) {
		while (n > 0) {
			ssize_t got = read(crash_prepared.peek[0], at, (size_t)n);
			if (got <= 0)
				break;
			n -= got;
		}
		return false;
	}
	while (len > 0) {
		n = read(crash_prepared.peek[0], at, len);
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void
put_reg(struct crash_regs *regs, const char *name, uint64_t value)
{
	struct crash_reg *reg = &regs->all[regs->n++];

	for (size_t i = 0; i + 1 < sizeof reg->name && name[i] != '\0'; i++)
		reg->name[i] = name[i];
	reg->value = value;
}

void
crash_regs_read(struct crash_regs *regs, const void *context)
{
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	static const struct {
		const char *name;
		int at;
	} names[] = { { "rip", REG_RIP }, { "rsp", REG_RSP }, { "rbp", REG_RBP },
		{ "rax", REG_RAX }, { "rbx", REG_RBX }, { "rcx", REG_RCX },
		{ "rdx", REG_RDX }, { "rsi", REG_RSI }, { "rdi", REG_RDI },
		{ "r8", REG_R8 }, { "r9", REG_R9 }, { "r10", REG_R10 },
		{ "r11", REG_R11 }, { "r12", REG_R12 }, { "r13", REG_R13 },
		{ "r14", REG_R14 }, { "r15", REG_R15 } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		put_reg(
		    regs, names[i].name, (uint64_t)uc->uc_mcontext.gregs[names[i].at]);
	regs->pc = regs->all[0].value;
	regs->sp = regs->all[1].value;
	regs->fp = regs->all[2].value;
#elif defined(__aarch64__)
	char name[4] = "x";

	put_reg(regs, "pc", regs->pc = uc->uc_mcontext.pc);
	put_reg(regs, "sp", regs->sp = uc->uc_mcontext.sp);
	for (unsigned i = 0; i < 31; i++) {
		name[1] = (char)(i < 10 ? '0' + i : '0' + i / 10);
		name[2] = (char)(i < 10 ? '\0' : '0' + i % 10);
		put_reg(regs, name, uc->uc_mcontext.regs[i]);
	}
	regs->fp = uc->uc_mcontext.regs[29];
	regs->link = uc->uc_mcontext.regs[30];
#else
	(void)uc; /* the signal and the maps are all that is known */
#endif
}

static const struct crash_code *
code_at(uint64_t address)
{
	for (size_t i = 0; i < crash_prepared.n_codes; i++)
		if (address >= crash_prepared.codes[i].from &&
		    address < crash_prepared.codes[i].to)
			return &crash_prepared.codes[i];
	return NULL;
}

/* Whether the instruction before address is a call. */
static bool
is_return(uint64_t address)
{
	const struct crash_code *code = code_at(address);
	uint8_t before[8];

	if (code == NULL || address - code->from < sizeof before ||
	    !crash_peek(before, address - sizeof before, sizeof before))
		return false;
#if defined(__aarch64__)
	uint32_t word = (uint32_t)before[4] | (uint32_t)before[5] << 8 |
			(uint32_t)before[6] << 16 | (uint32_t)before[7] << 24;

	return (word & 0xfc000000) == 0x94000000 || /* bl */
	       (word & 0xfffffc1f) == 0xd63f0000;   /* blr */
#else
	/* call rel32; call *reg; call *[...], by the length of what follows FF /2 */
	if (before[3] == 0xe8)
		return true;
	for (size_t len = 2; len <= 7; len++)
		if (before[8 - len] == 0xff && (before[9 - len] & 0x38) == 0x10)
			return true;
	return false;
#endif
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

/* Reads a frame: the caller's frame and where it goes on. */
static bool
frame_at(uint64_t fp, uint64_t words[2])
{
	return fp % 8 == 0 && fp >= 4096 && crash_peek(words, fp, 16) &&
	       is_return(words[1]);
}

static void
follow(struct crash_walk *walk, uint64_t fp)
{
	uint64_t words[2];

	for (int i = 0; i < CHAIN_MAX && frame_at(fp, words); i++) {
		add(walk, words[1], CRASH_LINKED);
		if (words[0] <= fp || words[0] - fp > largest_frame)
			return;
		fp = words[0];
	}
}

/* Looks through the stack for our own code, and gives its frame, or 0. The frame is the
 * lowest one above: a library keeps its caller's frame pointer in the register, or
 * somewhere below on the stack where it needs the register itself. */
static uint64_t
scan(struct crash_walk *walk, uint64_t sp, uint64_t fp)
{
	static uint64_t words[PAGE / 8];
	uint64_t frame[2], kept = 0;
	int seen = 0;

	for (uint64_t at = sp & ~(uint64_t)7, n; at < sp + SCAN_MAX * 8; at += n * 8) {
		n = (PAGE - at % PAGE) / 8; /* a stack ends with a page */
		if (!crash_peek(words, at, n * 8))
			return 0;
		for (uint64_t i = 0; i < n; i++) {
			uint64_t here = at + i * 8;

			if (words[i] > here && words[i] - here < largest_frame &&
			    (kept <= here || words[i] < kept) &&
			    frame_at(words[i], frame))
				kept = words[i];
			if (!is_return(words[i]) || seen++ == SEEN_MAX)
				continue;
			add(walk, words[i], CRASH_SEEN);
			if (!code_at(words[i])->own)
				continue;
			if (fp > here && frame_at(fp, frame) &&
			    (kept <= here || fp < kept))
				kept = fp;
			return kept > here ? kept : 0;
		}
	}
	return 0;
}

/* One that has no frame yet (it was at its first instructions), or never makes one: its
 * caller would be passed over. */
static void
add_caller(struct crash_walk *walk, const struct crash_regs *regs)
{
	uint64_t words[2];

	if (regs->link != 0) {
		if (is_return(regs->link))
			add(walk, regs->link, CRASH_SEEN);
		return;
	}
	if (!crash_peek(words, regs->sp, sizeof words))
		return;
	if (is_return(words[0]))
		add(walk, words[0], CRASH_SEEN);
	else if (words[0] == regs->fp && is_return(words[1]))
		add(walk, words[1], CRASH_SEEN);
}

void
crash_walk(struct crash_walk *walk, const struct crash_regs *regs)
{
	const struct crash_code *code = code_at(regs->pc);
	uint64_t fp = regs->fp, words[2];

	add(walk, regs->pc, CRASH_AT);
	if (code != NULL && code->own && frame_at(fp, words)) {
		if (regs->link == 0 || regs->link != words[1])
			add_caller(walk, regs);
	} else {
		fp = scan(walk, regs->sp, fp);
	}
	if (fp != 0)
		follow(walk, fp);
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
