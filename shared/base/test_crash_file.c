/* test_crash_file.c - crash files as text and as names in a folder. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/crash_file.h>

#include "test_folder.h"

static const char *folder;
static struct trl_crash crash;

static const char whole[] =
    "trellis crash 1\nservice tenants\nrelease 0.1.0\n"
    "build 434855edbdcc03a122c77e03ad633760ac0f5843\npid 4711\ntime 1795961163\n"
    "signal 11 SIGSEGV\ncode 1\naddress 0x10\nnote a note of words\nthread main\n"
    "actor bus\nmethod tenants.v1.Tenants.GetTenant\n"
    "trace 19e4506f104af7498f648f41c1ed45f4 a9e1a227b2307a12\n"
    "tenant abababababababababababababababab\nregister rip 0x55fbc6df19a0\n"
    "register rsp 0x7f98c6c8bf88\nframe 0x55fbc6df19a0 at\nframe 0x55fbc6df1b41 seen\n"
    "skipped 900\nframe 0x55fbc6df1eee linked\n"
    "module 0x55fbc6dee000 0x232e0 0x55fbc6dee000 "
    "434855edbdcc03a122c77e03ad633760ac0f5843 /usr/bin/a b\n"
    "module 0x7f98c6ca5000 0x1e1f50 0x7f98c6ca5000 - /lib/libc.so.6\n"
    "maps\nframe 0x1 at\nend\nframe 0x2 at\n";

static void
parse(const char *text)
{
	trl_crash_parse(&crash, text, strlen(text));
}

static void
a_whole_file_is_read(void **state)
{
	(void)state;
	parse(whole);
	assert_true(crash.readable && crash.whole);
	assert_string_equal(crash.service, "tenants");
	assert_string_equal(crash.release, "0.1.0");
	assert_int_equal(crash.pid, 4711);
	assert_true(crash.at_us == 1795961163000000);
	assert_int_equal(crash.number, 11);
	assert_string_equal(crash.signal_name, "SIGSEGV");
	assert_true(crash.has_address && crash.address == 16);
	assert_string_equal(crash.note, "a note of words");
	assert_string_equal(crash.method, "tenants.v1.Tenants.GetTenant");
	assert_true(crash.has_trace && crash.span_id[7] == 0x12);
	assert_int_equal(((uint8_t *)&crash.tenant)[15], 0xab);
	assert_int_equal(crash.n_registers, 2);
	assert_int_equal(crash.n_frames, 3);
	assert_false(crash.frames[0].is_return);
	assert_true(crash.frames[1].seen && crash.frames[1].is_return);
	assert_int_equal(crash.frames[2].skipped, 900);
	assert_int_equal(crash.n_modules, 2);
	assert_string_equal(crash.modules[0].path, "/usr/bin/a b");
	assert_string_equal(crash.modules[0].build, crash.build);
	assert_string_equal(crash.modules[1].build, "");
	assert_ptr_equal(
	    trl_crash_module_at(&crash, 0x55fbc6df19a0), &crash.modules[0]);
	assert_null(trl_crash_module_at(&crash, 0x55fbc6e112e0));
}

/* Wherever it was cut off: what stands before is there, and it does not look whole. */
static void
a_file_that_is_cut_off_is_read_as_far_as_it_goes(void **state)
{
	size_t full = (size_t)(strstr(whole, "\nend\n") - whole) + 5;

	(void)state;
	for (size_t len = 0; len < full; len++) {
		trl_crash_parse(&crash, whole, len);
		assert_false(crash.whole);
		assert_int_equal(crash.readable, len >= 16);
		assert_true(crash.n_frames <= 3);
	}
	trl_crash_parse(&crash, whole, full);
	assert_true(crash.whole);
}

static void
what_makes_no_sense_counts_for_nothing(void **state)
{
	static const char *const lines[] = { "frame", "frame 0x at", "frame 0xg at",
		"frame -1 at", "frame 0x11112222333344445 at", "module 1 2",
		"module 1 x 3 - /a", "register", "register toolonganame 1", "pid -4",
		"pid 99999999999", "time 99999999999999999999", "trace abc def",
		"tenant 00", "signal 65 X", "code --1", "build zz", "address", "\x01",
		"skipped 99999999999", " ", "" };
	char text[4096];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(lines); i++) {
		snprintf(
		    text, sizeof text, "trellis crash 1\n%s\nmaps\nend\n", lines[i]);
		parse(text);
		assert_true(crash.readable && crash.whole);
		crash.readable = crash.whole = false;
		for (size_t b = 0; b < sizeof crash; b++)
			assert_int_equal(((const char *)&crash)[b], 0);
	}
}

static void
lists_and_texts_are_bounded(void **state)
{
	size_t room = 1 << 20, len = 0;
	char *text = malloc(room);

	(void)state;
	len += (size_t)snprintf(text, room, "trellis crash 1\nservice ");
	memset(text + len, 'x', 900);
	len += 900;
	len += (size_t)snprintf(text + len, room - len, "\nnote \x1b[31m\xc3\xa9\n");
	for (int i = 0; i < 5000; i++)
		len += (size_t)snprintf(text + len, room - len,
		    "frame 0x%x at\nmodule 1 2 3 - /x\nregister r 1\nskipped 3\n", i);
	trl_crash_parse(&crash, text, len);
	free(text);
	assert_int_equal(crash.n_frames, TRL_CRASH_FRAMES_MAX);
	assert_int_equal(crash.n_modules, TRL_CRASH_MODULES_MAX);
	assert_int_equal(crash.n_registers, TRL_COUNT(crash.registers));
	assert_int_equal(strlen(crash.service), sizeof crash.service - 1);
	assert_string_equal(crash.note, "?[31m??"); /* nothing for a terminal */
}

static void
what_is_no_crash_file_says_nothing(void **state)
{
	(void)state;
	parse("trellis crash 2\nservice tenants\nmaps\nend\n");
	assert_false(crash.readable);
	assert_string_equal(crash.service, "");
	parse("\x7f"
	      "ELF\nservice x\n");
	assert_false(crash.readable);
}

static void
names_say_whose_and_how_far(void **state)
{
	struct trl_crash_entry all[8];
	unsigned next;
	size_t n;

	(void)state;
	test_folder_put("tenants-000010-1.seen", "");
	test_folder_put("tenants-000009-4711.reported", "");
	test_folder_put("tenants-000011-3.crash", "");
	test_folder_put("auth-000001-3.reading", "");
	test_folder_put("tenants-000012-3.crash.new", "");
	test_folder_put("tenants-x-3.crash", "");
	test_folder_put("tenants--1-3.crash", "");
	test_folder_put("-000001-3.crash", "");
	test_folder_put("readme", "");
	assert_true(trl_crash_list(folder, "tenants", all, 8, &n));
	assert_int_equal(n, 3);
	assert_int_equal(all[0].number, 9);
	assert_int_equal(all[0].state, TRL_CRASH_REPORTED);
	assert_int_equal(all[1].state, TRL_CRASH_SEEN);
	assert_int_equal(all[2].pid, 3);
	assert_true(trl_crash_list(folder, NULL, all, 8, &n));
	assert_int_equal(n, 4);
	assert_string_equal(all[0].service, "auth");
	assert_true(trl_crash_next(folder, "tenants", &next));
	assert_int_equal(next, 12);
	assert_true(trl_crash_next(folder, "edge", &next));
	assert_int_equal(next, 1);
	assert_true(trl_crash_next("/nowhere/at/all", "edge", &next));
	assert_false(trl_crash_next("/proc/self/exe", "edge", &next));
}

static void
only_one_moves_a_file_on(void **state)
{
	struct trl_crash_entry file, other;
	size_t n;

	(void)state;
	test_folder_put("tenants-000001-1.crash", whole);
	assert_true(trl_crash_list(folder, "tenants", &file, 1, &n));
	other = file;
	assert_true(trl_crash_move(folder, &file, TRL_CRASH_READING));
	assert_false(trl_crash_move(folder, &other, TRL_CRASH_READING));
	assert_true(test_folder_has("tenants-000001-1.reading"));
	assert_true(trl_crash_read(folder, file.name, &crash));
	assert_true(crash.whole);
	assert_false(trl_crash_read(folder, "tenants-000001-1.crash", &crash));
	assert_int_equal(errno, ENOENT);
	assert_false(trl_crash_read("/proc/self", ".", &crash));
}

static void
the_latest_stay(void **state)
{
	struct trl_crash_entry all[64];
	char name[64];
	size_t n;

	(void)state;
	for (int i = 1; i <= TRL_CRASH_KEPT + 5; i++) {
		snprintf(name, sizeof name, "tenants-%06d-1.seen", i);
		test_folder_put(name, "");
	}
	test_folder_put("auth-000001-1.seen", "");
	trl_crash_prune(folder, "tenants");
	assert_true(trl_crash_list(folder, "tenants", all, 64, &n));
	assert_int_equal(n, TRL_CRASH_KEPT);
	assert_int_equal(all[0].number, 6);
	assert_true(test_folder_has("auth-000001-1.seen"));
}

static void
a_build_id_is_read_from_an_elf_file_only(void **state)
{
	char build[44];

	(void)state;
	trl_build_id_of("/proc/self/exe", build);
	assert_int_equal(strlen(build), 40);
	trl_build_id_of("/etc/passwd", build);
	assert_string_equal(build, "");
	trl_build_id_of("/nowhere", build);
	assert_string_equal(build, "");
}

static int
make_folder(void **state)
{
	(void)state;
	folder = test_folder_open();
	return 0;
}

static int
drop_folder(void **state)
{
	(void)state;
	test_folder_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(a_file_that_is_cut_off_is_read_as_far_as_it_goes),
		cmocka_unit_test(what_makes_no_sense_counts_for_nothing),
		cmocka_unit_test(lists_and_texts_are_bounded),
		cmocka_unit_test(what_is_no_crash_file_says_nothing),
		cmocka_unit_test_setup_teardown(
		    names_say_whose_and_how_far, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
		    only_one_moves_a_file_on, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
		    the_latest_stay, make_folder, drop_folder),
		cmocka_unit_test(a_build_id_is_read_from_an_elf_file_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
