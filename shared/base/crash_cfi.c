/* crash_cfi.c - one call back: where its caller goes on, and with which registers, by
 * the tables that every function has for this purpose (.eh_frame and its index
 * .eh_frame_hdr: Linux Standard Base 5.0, Core, 10.6; the instructions: DWARF
 * 5, 6.4.2). They are read where the loader mapped them, by crash_peek, into static
 * memory; nothing is called.
 *
 * Of the rules, those that compilers write for code are known: "it lies at the frame's
 * address and so much", and "it is unchanged". What has an expression (a signal's
 * frame, a stub of the linker) ends the walk. */
#include "crash_inside.h"

#if defined(__aarch64__)
enum { RETURN = 30, SP = 31 };
/* The rest may sign the address (PAuth). */
static const uint64_t code_bits = ((uint64_t)1 << 48) - 1;
#else
enum { RETURN = 16, SP = 7 };
static const uint64_t code_bits = UINT64_MAX;
#endif

enum {
	TABLE_MAX = 1024, /* of one function's instructions; they are short */
	STATES = 8,
	INDEX_HEAD = 12,
	/* Encodings of addresses (LSB 10.5.1): signed 32 bits, from here, or the index
	 */
	FROM_HERE = 0x1b,
	FROM_INDEX = 0x3b,
	UNSIGNED_4 = 0x03,
};

enum rule { SAME, AT_OFFSET, GONE, UNKNOWN };

struct state {
	uint64_t cfa_reg;
	int64_t cfa_offset;
	bool cfa_known;
	struct {
		enum rule rule;
		int64_t offset;
	} regs[CRASH_WALK_REGS];
};

/* Bytes of a table that are taken one after another; none are left where it ends. */
struct bytes {
	const uint8_t *at, *end;
	bool short_of;
};

static struct state now, initial, kept[STATES];
static uint64_t now_pc; /* whose state that is */
static bool now_found;

static uint8_t
byte(struct bytes *b)
{
	if (b->at == b->end) {
		b->short_of = true;
		return 0;
	}
	return *b->at++;
}

static uint64_t
fixed(struct bytes *b, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value |= (uint64_t)byte(b) << (8 * i);
	return value;
}

static uint64_t
uleb(struct bytes *b)
{
	uint64_t value = 0;
	uint8_t one = 0x80;

	for (unsigned shift = 0; (one & 0x80) != 0 && shift < 63; shift += 7)
		value |= (uint64_t)((one = byte(b)) & 0x7f) << shift;
	return value;
}

static int64_t
sleb(struct bytes *b)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t one;

	do {
		one = byte(b);
		value |= (uint64_t)(one & 0x7f) << shift;
		shift += 7;
	} while ((one & 0x80) != 0 && shift < 63);
	if ((one & 0x40) != 0)
		value |= -((uint64_t)1 << shift);
	return (int64_t)value;
}

static void
skip(struct bytes *b, uint64_t n)
{
	if (n > (uint64_t)(b->end - b->at)) {
		b->short_of = true;
		n = (uint64_t)(b->end - b->at);
	}
	b->at += n;
}

static void
set_rule(uint64_t reg, enum rule rule, int64_t offset)
{
	if (reg >= CRASH_WALK_REGS)
		return; /* none that is followed */
	now.regs[reg].rule = rule;
	now.regs[reg].offset = offset;
}

struct common { /* of functions: the CIE */
	uint64_t code_align;
	int64_t data_align;
	bool sized; /* its functions have augmentation data */
};

/* One instruction of those with a byte of their own. False: not known.
 * (Over 60 lines: a case a number.) */
static bool
run_other(struct bytes *b, uint8_t op, const struct common *common, unsigned *depth)
{
	uint64_t reg = 0;

	if ((op >= 0x05 && op <= 0x0d) || op == 0x10 || op == 0x11 || op == 0x12 ||
	    (op >= 0x14 && op <= 0x16))
		reg = op == 0x0a || op == 0x0b ? 0 : uleb(b);
	switch (op) {
	case 0x00: /* DW_CFA_nop */
	case 0x2d: /* of AArch64: the return address is signed, or not any more */
		return true;
	case 0x05: /* offset_extended */
		set_rule(reg, AT_OFFSET, (int64_t)uleb(b) * common->data_align);
		return true;
	case 0x06: /* restore_extended */
		if (reg < CRASH_WALK_REGS)
			now.regs[reg] = initial.regs[reg];
		return true;
	case 0x07: /* undefined */
		set_rule(reg, GONE, 0);
		return true;
	case 0x08: /* same_value */
		set_rule(reg, SAME, 0);
		return true;
	case 0x09: /* register */
		(void)uleb(b);
		set_rule(reg, UNKNOWN, 0);
		return true;
	case 0x0a: /* remember_state */
		if (*depth == STATES)
			return false;
		kept[(*depth)++] = now;
		return true;
	case 0x0b: /* restore_state */
		if (*depth == 0)
			return false;
		now = kept[--*depth];
		return true;
	case 0x0c: /* def_cfa */
		now.cfa_reg = reg;
		now.cfa_offset = (int64_t)uleb(b);
		now.cfa_known = true;
		return true;
	case 0x0d: /* def_cfa_register */
		now.cfa_reg = reg;
		return true;
	case 0x0e: /* def_cfa_offset */
		now.cfa_offset = (int64_t)uleb(b);
		return true;
	case 0x0f: /* def_cfa_expression */
		skip(b, uleb(b));
		now.cfa_known = false;
		return true;
	case 0x11: /* offset_extended_sf */
		set_rule(reg, AT_OFFSET, sleb(b) * common->data_align);
		return true;
	case 0x12: /* def_cfa_sf */
		now.cfa_reg = reg;
		now.cfa_offset = sleb(b) * common->data_align;
		now.cfa_known = true;
		return true;
	case 0x13: /* def_cfa_offset_sf */
		now.cfa_offset = sleb(b) * common->data_align;
		return true;
	case 0x10: /* expression */
	case 0x16: /* val_expression */
		skip(b, uleb(b));
		set_rule(reg, UNKNOWN, 0);
		return true;
	case 0x14:             /* val_offset */
	case 0x15:             /* val_offset_sf */
		(void)sleb(b); /* as long as an unsigned one */
		set_rule(reg, UNKNOWN, 0);
		return true;
	case 0x2e: /* GNU_args_size */
		(void)uleb(b);
		return true;
	default:
		return false;
	}
}

/* Carries the instructions out as far as they are about what lies before pc. */
static bool
run(struct bytes *b, const struct common *common, uint64_t at, uint64_t pc)
{
	unsigned depth = 0;

	while (b->at < b->end) {
		uint8_t op = byte(b);
		uint64_t ahead = 0;

		if (op >> 6 == 1) /* advance_loc */
			ahead = op & 0x3f;
		else if (op >= 0x02 && op <= 0x04) /* advance_loc1, 2, 4 */
			ahead = fixed(b, 1u << (op - 0x02));
		else if (op >> 6 == 2) /* offset */
			set_rule(op & 0x3f, AT_OFFSET,
			    (int64_t)uleb(b) * common->data_align);
		else if (op >> 6 == 3) { /* restore */
			if ((op & 0x3f) < CRASH_WALK_REGS)
				now.regs[op & 0x3f] = initial.regs[op & 0x3f];
		} else if (!run_other(b, op, common, &depth))
			return false;
		at += ahead * common->code_align;
		if (at > pc)
			break;
	}
	return !b->short_of;
}

/* Reads an entry of .eh_frame, without its length, into buffer. */
static bool
read_entry(uint64_t at, uint8_t buffer[TABLE_MAX], struct bytes *out)
{
	uint32_t len;

	if (!crash_peek(&len, at, sizeof len) || len < 8 || len > TABLE_MAX ||
	    !crash_peek(buffer, at + 4, len))
		return false;
	*out = (struct bytes){ buffer, buffer + len, false };
	return true;
}

/* The CIE: what functions have in common, and the state that they begin with. */
static bool
read_common(uint64_t at, struct common *common)
{
	static uint8_t buffer[TABLE_MAX];
	struct bytes b, data;
	char augmentation[8] = "";
	uint8_t version, encoding = 0;
	size_t n = 0;

	if (!read_entry(at, buffer, &b) || fixed(&b, 4) != 0)
		return false;
	version = byte(&b);
	while (n < sizeof augmentation && (augmentation[n] = (char)byte(&b)) != '\0')
		n++;
	if (n == sizeof augmentation || (version != 1 && version != 3))
		return false;
	common->code_align = uleb(&b);
	common->data_align = sleb(&b);
	if ((version == 1 ? byte(&b) : uleb(&b)) != RETURN)
		return false;
	common->sized = augmentation[0] == 'z';
	data = b;
	if (common->sized) {
		uint64_t len = uleb(&b);

		data = b;
		skip(&b, len);
	}
	for (size_t i = 1; common->sized && i < n; i++) {
		if (augmentation[i] == 'R')
			encoding = byte(&data);
		else if (augmentation[i] == 'L')
			(void)byte(&data);
		else if (augmentation[i] == 'P') /* a pointer of 4 bytes, or of 8 */
			skip(&data, (byte(&data) & 0x0f) == 0x0b ? 4 : 8);
		else if (augmentation[i] != 'B')
			return false; /* S: a signal's frame */
	}
	return encoding == FROM_HERE && run(&b, common, 0, 0);
}

/* The entry of the function that pc lies in, by the index, which is in order; 0: none.
 */
static uint64_t
find_entry(uint64_t index, uint64_t pc)
{
	struct {
		uint8_t version, eh_frame, count, table;
		int32_t eh_frame_at;
		uint32_t n;
	} head;
	struct {
		int32_t from, entry;
	} row;
	int64_t want = (int64_t)(pc - index);
	uint32_t low = 0, high;

	if (index == 0 || !crash_peek(&head, index, INDEX_HEAD) || head.version != 1 ||
	    head.eh_frame != FROM_HERE || head.count != UNSIGNED_4 ||
	    head.table != FROM_INDEX)
		return 0;
	high = head.n;
	while (high - low > 1) { /* low's begins before it, high's behind */
		uint32_t mid = low + (high - low) / 2;

		if (!crash_peek(&row, index + INDEX_HEAD + mid * 8ull, sizeof row))
			return 0;
		if (row.from <= want)
			low = mid;
		else
			high = mid;
	}
	if (head.n == 0 ||
	    !crash_peek(&row, index + INDEX_HEAD + low * 8ull, sizeof row) ||
	    row.from > want)
		return 0;
	return index + (uint64_t)(int64_t)row.entry;
}

/* Makes now the state at pc. */
static bool
find_state(uint64_t index, uint64_t pc)
{
	static uint8_t buffer[TABLE_MAX];
	static const struct state empty;
	uint64_t entry = find_entry(index, pc), from, size;
	struct common common = { 0 };
	struct bytes b;

	now = empty;
	if (entry == 0 || !read_entry(entry, buffer, &b) ||
	    !read_common(entry + 4 - fixed(&b, 4), &common))
		return false;
	initial = now;
	from = entry + 8 + (uint64_t)(int64_t)(int32_t)fixed(&b, 4);
	size = fixed(&b, 4);
	if (pc < from || pc - from >= size)
		return false;
	if (common.sized)
		skip(&b, uleb(&b));
	return run(&b, &common, from, pc);
}

bool
crash_cfi_step(uint64_t index, uint64_t pc, struct crash_frame_regs *regs)
{
	struct crash_frame_regs before = *regs;
	uint64_t cfa;

	if (pc != now_pc) /* one that calls itself is looked up once */
		now_found = find_state(index, pc);
	now_pc = pc;
	if (!now_found || !now.cfa_known || now.cfa_reg >= CRASH_WALK_REGS)
		return false;
	cfa = before.at[now.cfa_reg] + (uint64_t)now.cfa_offset;
	/* Stacks grow downwards, and no frame is as large as that. */
	if (cfa < before.at[SP] || cfa - before.at[SP] > CRASH_FRAME_MAX)
		return false;
	for (size_t i = 0; i < CRASH_WALK_REGS; i++)
		if (now.regs[i].rule == AT_OFFSET &&
		    !crash_peek(&regs->at[i], cfa + (uint64_t)now.regs[i].offset, 8))
			return false;
	regs->at[SP] = cfa;
	if (now.regs[RETURN].rule != AT_OFFSET &&
	    (now.regs[RETURN].rule != SAME || SP == 7))
		return false; /* it says that nobody called it */
	regs->pc = regs->at[RETURN] & code_bits;
	return regs->pc != before.pc || cfa != before.at[SP]; /* or it turns round */
}
