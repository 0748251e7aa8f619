/* crash_parse.c - a crash file's text, a line at a time: a key, and values with one
 * space between. Unknown keys are left to a later release, a line that is too long or
 * makes no sense counts for nothing; all lists are bounded. */
#include <trl/crash_file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1024 };

static int
digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* Takes the next word off *at, ended by a NUL in its place; "" at the end. */
static char *
word(char **at)
{
	char *begin = *at, *space = strchr(begin, ' ');

	if (space == NULL) {
		*at = begin + strlen(begin);
		return begin;
	}
	*space = '\0';
	*at = space + 1;
	return begin;
}

static bool
number(const char *text, uint64_t max, uint64_t *out)
{
	int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
	const char *end = text;
	uint64_t n = 0;

	if (base == 16)
		end = text += 2;
	for (int d; (d = digit(*end)) >= 0 && d < base; end++) {
		if (n > (UINT64_MAX - (uint64_t)d) / (uint64_t)base)
			return false;
		n = n * (uint64_t)base + (uint64_t)d;
	}
	if (end == text || *end != '\0' || n > max)
		return false;
	*out = n;
	return true;
}

static bool
bytes(const char *hex, uint8_t *out, size_t n)
{
	if (strlen(hex) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* What a terminal or a report may be shown. */
static void
text(char *out, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n + 1 < room; from++)
		out[n++] = *from >= ' ' && *from <= '~' ? *from : '?';
	out[n] = '\0';
}

static void
build(char out[44], const char *hex)
{
	size_t n = strlen(hex);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (digit(hex[i]) < 0)
			return;
	if (n >= 16 && n <= 40 && n % 2 == 0)
		memcpy(out, hex, n + 1);
}

static void
read_cause(struct trl_crash *c, const char *key, char *rest)
{
	uint64_t n;

	if (strcmp(key, "pid") == 0 && number(rest, INT32_MAX, &n)) {
		c->pid = (unsigned)n;
	} else if (strcmp(key, "time") == 0 && number(rest, 253402300799u, &n)) {
		c->at_us = (int64_t)n * 1000000; /* up to the year 9999 */
	} else if (strcmp(key, "signal") == 0 && number(word(&rest), 64, &n)) {
		c->number = (int)n;
		text(c->signal_name, sizeof c->signal_name, word(&rest));
	} else if (strcmp(key, "code") == 0) {
		bool less = *rest == '-';

		if (number(rest + less, INT32_MAX, &n))
			c->code = less ? -(int)n : (int)n;
	} else if (strcmp(key, "address") == 0) {
		c->has_address = number(rest, UINT64_MAX, &c->address);
	} else if (strcmp(key, "trace") == 0) {
		char *trace = word(&rest);

		c->has_trace = bytes(trace, c->trace_id, sizeof c->trace_id) &&
			       bytes(word(&rest), c->span_id, sizeof c->span_id);
	} else if (strcmp(key, "tenant") == 0) {
		if (!bytes(rest, (uint8_t *)&c->tenant, sizeof c->tenant))
			c->tenant = (struct trl_id){ 0 };
	}
}

static void
read_frame(struct trl_crash *c, char *rest)
{
	struct trl_crash_frame *frame = &c->frames[c->n_frames];
	const char *pc = word(&rest), *how = word(&rest);

	if (c->n_frames == TRL_CRASH_FRAMES_MAX || !number(pc, UINT64_MAX, &frame->pc))
		return;
	frame->seen = strcmp(how, "seen") == 0;
	frame->is_return = strcmp(how, "at") != 0;
	c->n_frames++;
}

static void
read_module(struct trl_crash *c, char *rest)
{
	struct trl_crash_module *m = &c->modules[c->n_modules];

	if (c->n_modules == TRL_CRASH_MODULES_MAX)
		return;
	if (!number(word(&rest), UINT64_MAX, &m->at) ||
	    !number(word(&rest), UINT64_MAX, &m->size) ||
	    !number(word(&rest), UINT64_MAX, &m->bias)) {
		*m = (struct trl_crash_module){ 0 };
		return;
	}
	build(m->build, word(&rest));
	text(m->path, sizeof m->path, rest);
	c->n_modules++;
}

static void
read_register(struct trl_crash *c, char *rest)
{
	struct trl_crash_register *r = &c->registers[c->n_registers];
	const char *name = word(&rest);

	if (c->n_registers == TRL_COUNT(c->registers) ||
	    strlen(name) >= sizeof r->name ||
	    !number(word(&rest), UINT64_MAX, &r->value))
		return;
	text(r->name, sizeof r->name, name);
	c->n_registers++;
}

static void
read_line(struct trl_crash *c, char *line)
{
	const struct {
		const char *key;
		char *out;
		size_t room;
	} texts[] = {
		{ "service", c->service, sizeof c->service },
		{ "release", c->release, sizeof c->release },
		{ "note", c->note, sizeof c->note },
		{ "actor", c->actor, sizeof c->actor },
		{ "method", c->method, sizeof c->method },
		{ "code_of", c->code_of, sizeof c->code_of },
		{ "thread", c->thread, sizeof c->thread },
	};
	const char *key = word(&line);
	uint64_t n;

	for (size_t i = 0; i < TRL_COUNT(texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			text(texts[i].out, texts[i].room, line);
	if (strcmp(key, "build") == 0)
		build(c->build, line);
	else if (strcmp(key, "register") == 0)
		read_register(c, line);
	else if (strcmp(key, "frame") == 0)
		read_frame(c, line);
	else if (strcmp(key, "module") == 0)
		read_module(c, line);
	else if (strcmp(key, "skipped") == 0 && c->n_frames < TRL_CRASH_FRAMES_MAX &&
		 number(line, UINT32_MAX, &n))
		c->frames[c->n_frames].skipped = (unsigned)n;
	else
		read_cause(c, key, line);
}

void
trl_crash_parse(struct trl_crash *out, const char *from, size_t len)
{
	static const char first[] = "trellis crash 1";
	const char *at = from, *end = from + len, *stop;
	bool in_maps = false;
	char line[LINE];

	memset(out, 0, sizeof *out);
	for (; at < end && !out->whole; at = stop + 1) {
		size_t n;

		stop = memchr(at, '\n', (size_t)(end - at));
		if (stop == NULL)
			return; /* cut off here: the line counts for nothing */
		n = (size_t)(stop - at);
		if (n >= sizeof line || memchr(at, '\0', n) != NULL)
			continue;
		memcpy(line, at, n);
		line[n] = '\0';
		if (at == from)
			out->readable = strcmp(line, first) == 0;
		if (!out->readable)
			return;
		in_maps = in_maps || strcmp(line, "maps") == 0;
		out->whole = in_maps && strcmp(line, "end") == 0;
		if (!in_maps && at != from)
			read_line(out, line);
	}
}

bool
trl_crash_read(const char *dir, const char *name, struct trl_crash *out)
{
	int folder =
	    dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	int fd = -1, error;
	char *read_in = NULL;
	size_t len = 0;
	ssize_t n = -1;

	if (dir == NULL || folder >= 0) /* what is no file must not be waited for */
		fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		read_in = malloc(TRL_CRASH_FILE_MAX);
		trl_assert(read_in != NULL);
		while ((n = read(fd, read_in + len, TRL_CRASH_FILE_MAX - len)) > 0)
			len += (size_t)n;
	}
	error = errno;
	if (n == 0)
		trl_crash_parse(out, read_in, len);
	free(read_in);
	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	errno = error;
	return n == 0;
}

const struct trl_crash_module *
trl_crash_module_at(const struct trl_crash *crash, uint64_t address)
{
	for (size_t i = 0; i < crash->n_modules; i++)
		if (address >= crash->modules[i].at &&
		    address - crash->modules[i].at < crash->modules[i].size)
			return &crash->modules[i];
	return NULL;
}
