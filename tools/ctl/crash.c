/* crash.c - crash show: which crashes left files, and what one of them says, with the
 * functions and lines of its build. Without the mesh: the files are read here, in
 * TRELLIS_CRASH_DIR, else in crash below TRELLIS_RUN_DIR, else beside the folder of
 * this executable, where tools/up has them. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/crash_file.h>
#include <trl/json.h>

#include "symbols.h"

enum { FILES_MAX = 256 };

static bool
crash_dir(char out[1024])
{
	const char *dir = getenv("TRELLIS_CRASH_DIR"), *run = getenv("TRELLIS_RUN_DIR");
	ssize_t n;

	if (dir != NULL || run != NULL) {
		snprintf(out, 1024, "%s%s", dir ? dir : run, dir ? "" : "/crash");
		return true;
	}
	n = readlink("/proc/self/exe", out, 1000);
	if (n <= 0)
		return false;
	out[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(out, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	strcat(out, "/crash");
	return true;
}

static void
put_key(struct trl_buf *out, const char *key, const char *value)
{
	if (out->data[out->len - 1] != '{')
		trl_buf_adds(out, ",");
	trl_buf_printf(out, "\"%s\":", key);
	trl_json_string(out, value, strlen(value));
}

static void
put_text(struct trl_buf *out, const char *key, const char *value)
{
	if (value[0] != '\0')
		put_key(out, key, value);
}

static void
put_crash(struct trl_buf *out, const char *file, const struct trl_crash *c)
{
	char time[TRL_TIME_TEXT], text[32];

	trl_time_format(c->at_us, time);
	put_key(out, "file", file);
	put_text(out, "service", c->service);
	put_key(out, "crashed_at", time);
	put_text(out, "signal", c->signal_name);
	if (c->has_address) {
		snprintf(text, sizeof text, "0x%" PRIx64, c->address);
		put_key(out, "address", text);
	}
	put_text(out, "note", c->note);
	put_text(out, "method", c->method);
	put_text(out, "actor", c->actor);
	put_text(out, "thread", c->thread);
	put_text(out, "release", c->release);
	put_text(out, "build", c->build);
	trl_buf_printf(out, ",\"whole\":%s", c->whole ? "true" : "false");
}

static const char *
state_text(enum trl_crash_state state)
{
	static const char *const texts[] = {
		[TRL_CRASH_NEW] = "new",
		[TRL_CRASH_READING] = "unreadable",
		[TRL_CRASH_SEEN] = "seen",
		[TRL_CRASH_REPORTED] = "reported",
	};

	return texts[state];
}

static const char *
what_it_did(const struct trl_crash *c)
{
	return c->method[0] != '\0'  ? c->method
	       : c->actor[0] != '\0' ? c->actor
				     : c->thread;
}

static void
add_row(struct ctl *ctl, struct ctl_table *table, const struct trl_crash_entry *file,
    const struct trl_crash *c)
{
	char time[TRL_TIME_TEXT];

	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_buf_adds(
		    &ctl->out, ctl->out.data[ctl->out.len - 1] == '[' ? "{" : ",{");
		put_crash(&ctl->out, file->name, c);
		put_key(&ctl->out, "state", state_text(file->state));
		trl_buf_adds(&ctl->out, "}");
		return;
	}
	trl_time_format(c->at_us, time);
	ctl_table_add(table, "%s", file->name);
	ctl_table_add(table, "%s", c->readable ? time : "");
	ctl_table_add(table, "%s", c->readable ? c->signal_name : "no crash file");
	ctl_table_add(table, "%s", state_text(file->state));
	ctl_table_add(table, "%s", c->note[0] != '\0' ? c->note : what_it_did(c));
}

static enum ctl_exit
list(struct ctl *ctl, const char *dir)
{
	static const char *const heads[] = { "FILE", "CRASHED AT", "SIGNAL", "STATE",
		"WHAT IT DID" };
	struct trl_crash_entry *files = calloc(FILES_MAX, sizeof *files);
	struct trl_crash *crash = calloc(1, sizeof *crash);
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	bool json = (ctl->args.given & CTL_JSON) != 0;
	size_t n = 0;

	trl_assert(files != NULL && crash != NULL);
	if (!trl_crash_list(dir, ctl->args.service, files, FILES_MAX, &n)) {
		fprintf(stderr, "trellis: %s: %s\n", dir, strerror(errno));
		return CTL_FAILED;
	}
	if (json)
		trl_buf_adds(&ctl->out, "{\"items\":[");
	for (size_t i = 0; i < n; i++) {
		memset(crash, 0, sizeof *crash);
		/* Moved on meanwhile: the next call shows it. Else what cannot be read
		 * is shown as what is no crash file. */
		if (trl_crash_read(dir, files[i].name, crash) || errno != ENOENT)
			add_row(ctl, &table, &files[i], crash);
	}
	if (json)
		trl_buf_adds(&ctl->out, "],\"errors\":[]}\n");
	else if (n == 0)
		trl_buf_printf(&ctl->out, "No crash has left a file in %s.\n", dir);
	else
		ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	free(files);
	free(crash);
	return CTL_FINE;
}

/* The symbols of the frames that lie in one module; hint says what is missing. */
static void
name_frames(const struct trl_crash *c, const struct trl_crash_module *m,
    struct ctl_symbol *symbols, struct trl_buf *hint)
{
	static struct ctl_symbol found[TRL_CRASH_FRAMES_MAX];
	uint64_t offsets[TRL_CRASH_FRAMES_MAX];
	size_t at[TRL_CRASH_FRAMES_MAX], n = 0;
	bool named = false;
	char path[1024];

	for (size_t i = 0; i < c->n_frames; i++) {
		if (trl_crash_module_at(c, c->frames[i].pc) != m)
			continue;
		/* The call, and not what it comes back to. */
		offsets[n] = c->frames[i].pc - m->bias - c->frames[i].is_return;
		at[n++] = i;
	}
	if (n == 0)
		return;
	if (!ctl_symbols_file(m, path)) {
		if (m == &c->modules[0])
			trl_buf_printf(hint,
			    "%s is not there, or of another build: put the one of "
			    "build %s there or beside this command, or its debug file "
			    "into .build-id/%.2s here.\n",
			    m->path, m->build, m->build);
		return;
	}
	if (!ctl_symbols(path, offsets, n, found)) {
		if (m == &c->modules[0])
			trl_buf_adds(hint,
			    "addr2line names functions and lines; it comes with the "
			    "Debian package binutils.\n");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		named = named || found[i].place[0] != '\0';
		symbols[at[i]] = found[i];
	}
	if (!named && m == &c->modules[0])
		trl_buf_printf(hint,
		    "%s has no debug information; put what was stripped of it into "
		    ".build-id/%.2s here, as %s.debug.\n",
		    path, m->build, m->build + 2);
}

static void
put_frame_json(struct trl_buf *out, const struct trl_crash_frame *frame,
    const struct trl_crash_module *m, const struct ctl_symbol *symbol)
{
	char text[32];

	trl_buf_adds(out, out->data[out->len - 1] == '[' ? "{" : ",{");
	snprintf(text, sizeof text, "0x%" PRIx64, frame->pc);
	put_key(out, "address", text);
	if (m != NULL) {
		put_key(out, "module", m->path);
		snprintf(text, sizeof text, "0x%" PRIx64, frame->pc - m->bias);
		put_key(out, "offset", text);
	}
	put_text(out, "function", symbol->function);
	put_text(out, "place", symbol->place);
	put_text(out, "inlined_into", symbol->inside);
	if (frame->skipped > 0)
		trl_buf_printf(out, ",\"skipped\":%u", frame->skipped);
	trl_buf_printf(out, ",\"certain\":%s}", frame->seen ? "false" : "true");
}

static void
put_frame(struct trl_buf *out, size_t number, const struct trl_crash_frame *frame,
    const struct trl_crash_module *m, const struct ctl_symbol *symbol)
{
	const char *name = m != NULL ? strrchr(m->path, '/') : NULL;

	if (frame->skipped > 0)
		trl_buf_printf(out, "      ... %u more ...\n", frame->skipped);
	trl_buf_printf(out, "%4zu%c 0x%012" PRIx64 "  ", number,
	    frame->seen ? '?' : ' ', frame->pc);
	if (m == NULL)
		trl_buf_adds(out, "(nowhere)\n");
	else if (symbol->place[0] != '\0')
		trl_buf_printf(out, "%s  %s%s%s%s\n", symbol->function, symbol->place,
		    symbol->inside[0] ? " (inlined into " : "", symbol->inside,
		    symbol->inside[0] ? ")" : "");
	else
		trl_buf_printf(out, "%s+0x%" PRIx64 "%s%s%s\n",
		    name ? name + 1 : m->path, frame->pc - m->bias,
		    symbol->function[0] ? " (" : "", symbol->function,
		    symbol->function[0] ? " or one behind it)" : "");
}

static void
put_line(struct trl_buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		trl_buf_printf(out, "%-10s %s\n", name, value);
}

static void
show_head(struct trl_buf *out, const struct trl_crash *c)
{
	char time[TRL_TIME_TEXT];

	trl_time_format(c->at_us, time);
	trl_buf_printf(out, "%-10s %s (%s)\n", "service", c->service, c->release);
	put_line(out, "build", c->build);
	put_line(out, "crashed at", time);
	trl_buf_printf(out, "%-10s %s", "signal", c->signal_name);
	if (c->has_address)
		trl_buf_printf(out, " at address 0x%" PRIx64, c->address);
	trl_buf_adds(out, "\n");
	put_line(out, "note", c->note);
	put_line(out, "method", c->method);
	put_line(out, "actor", c->actor);
	put_line(out, "thread", c->thread);
	if (!c->whole)
		trl_buf_adds(
		    out, "The file is cut off: what follows may be missing.\n");
	trl_buf_adds(out, "\n");
}

static void
show_frames(struct ctl *ctl, const struct trl_crash *c)
{
	static struct ctl_symbol symbols[TRL_CRASH_FRAMES_MAX];
	bool json = (ctl->args.given & CTL_JSON) != 0, unsure = false;
	struct trl_buf hint = { 0 };

	for (size_t i = 0; i < c->n_modules; i++)
		name_frames(c, &c->modules[i], symbols, &hint);
	for (size_t i = 0; i < c->n_frames; i++) {
		const struct trl_crash_frame *frame = &c->frames[i];
		const struct trl_crash_module *m = trl_crash_module_at(c, frame->pc);

		unsure = unsure || frame->seen;
		if (json)
			put_frame_json(&ctl->out, frame, m, &symbols[i]);
		else
			put_frame(&ctl->out, i, frame, m, &symbols[i]);
	}
	if (json) {
		trl_buf_adds(&ctl->out, "]");
		trl_buf_add(&hint, "", 1);
		put_text(&ctl->out, "hint", (const char *)hint.data);
	} else {
		if (unsure)
			trl_buf_adds(&ctl->out,
			    "\n?: found on the stack; it may be a remnant.\n");
		trl_buf_add(&ctl->out, hint.data, hint.len);
	}
	trl_buf_fini(&hint);
}

static enum ctl_exit
show(struct ctl *ctl, const char *dir, const char *file)
{
	struct trl_crash *c = calloc(1, sizeof *c);
	enum ctl_exit status = CTL_FINE;

	trl_assert(c != NULL);
	if (!trl_crash_read(strchr(file, '/') != NULL ? NULL : dir, file, c)) {
		fprintf(stderr, "trellis: %s: %s; crash show lists what there is\n",
		    file, strerror(errno));
		status = CTL_FAILED;
	} else if (!c->readable) {
		fprintf(stderr, "trellis: %s is no crash file\n", file);
		status = CTL_FAILED;
	} else if ((ctl->args.given & CTL_JSON) != 0) {
		trl_buf_adds(&ctl->out, "{");
		put_crash(&ctl->out, file, c);
		trl_buf_adds(&ctl->out, ",\"frames\":[");
		show_frames(ctl, c);
		trl_buf_adds(&ctl->out, "}\n");
	} else {
		show_head(&ctl->out, c);
		show_frames(ctl, c);
	}
	free(c);
	return status;
}

enum ctl_exit
ctl_crash_show(struct ctl *ctl)
{
	char dir[1024];

	ctl_settings_load();
	if (!crash_dir(dir)) {
		fprintf(stderr, "trellis: set TRELLIS_CRASH_DIR to the folder of the "
				"crash files\n");
		return CTL_FAILED;
	}
	return ctl->args.n_words == 0 ? list(ctl, dir)
				      : show(ctl, dir, ctl->args.words[0]);
}
