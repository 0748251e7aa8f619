/* A crash file as a process may have left it, or anybody. What is read of it is bounded
 * and can be shown on a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <trl/crash_file.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "trellis crash 1\n", "service ", "build ",
	"signal 11 SIGSEGV\n", "address 0x", "note ", "trace ", "tenant ", "register ",
	"frame 0x", " at\n", " seen\n", "skipped ", "module 0x", " - /", "maps\n",
	"end\n", "ffffffffffffffff", "18446744073709551615", " ", "\n", NULL };

static void
check_text(const char *text, size_t room)
{
	trl_assert(memchr(text, '\0', room) != NULL);
	for (; *text != '\0'; text++)
		trl_assert(*text >= ' ' && *text <= '~');
}

static void
check_build(const char *build)
{
	size_t len = strlen(build);

	trl_assert(len == strspn(build, "0123456789abcdef"));
	trl_assert(len == 0 || (len >= 16 && len <= 40 && len % 2 == 0));
}

static void
check_frame(const struct trl_crash *crash, uint64_t pc)
{
	const struct trl_crash_module *m = trl_crash_module_at(crash, pc);

	trl_assert(m == NULL || (m->at <= pc && pc - m->at < m->size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct trl_crash crash;

	trl_crash_parse(&crash, (const char *)data, len);
	trl_assert(crash.readable || !crash.whole);
	trl_assert(crash.n_frames <= TRL_CRASH_FRAMES_MAX &&
		   crash.n_modules <= TRL_CRASH_MODULES_MAX &&
		   crash.n_registers <= TRL_COUNT(crash.registers));
	check_text(crash.service, sizeof crash.service);
	check_text(crash.release, sizeof crash.release);
	check_text(crash.signal_name, sizeof crash.signal_name);
	check_text(crash.note, sizeof crash.note);
	check_text(crash.actor, sizeof crash.actor);
	check_text(crash.method, sizeof crash.method);
	check_text(crash.code_of, sizeof crash.code_of);
	check_text(crash.thread, sizeof crash.thread);
	check_build(crash.build);
	for (size_t i = 0; i < crash.n_modules; i++) {
		check_text(crash.modules[i].path, sizeof crash.modules[i].path);
		check_build(crash.modules[i].build);
	}
	for (size_t i = 0; i < crash.n_frames; i++)
		check_frame(&crash, crash.frames[i].pc);
	return 0;
}
