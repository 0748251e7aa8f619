/* test_asking.h - what the tests of trellis-picture share: the program itself, which is
 * started and asked as trl/child.h does it, and inputs that vips draws. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <vips/vips.h>

#include <trl/buf.h>
#include <trl/compiler.h>

#include "picture/picture.h"

static struct {
	const char *program;
	pid_t pid;
	int socket;
	struct picture_reply said; /* the last one's */
	struct trl_buf picture;
} rig;

static inline void
start_it(void)
{
	uint8_t version;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	rig.pid = fork();
	assert_true(rig.pid >= 0);
	if (rig.pid == 0) {
		(void)dup2(ends[1], 0);
		if (!freopen("/dev/null", "w", stdout)) /* as trl/child.h has it */
			_exit(127);
		execl(rig.program, rig.program, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	rig.socket = ends[0];
	assert_int_equal(recv(rig.socket, &version, 1, 0), 1);
	assert_int_equal(version, PICTURE_VERSION);
}

/* Gives how it ended: 0, as one that nobody asks any more. */
static inline int
stop_it(void)
{
	int status = 0;

	close(rig.socket);
	assert_int_equal(waitpid(rig.pid, &status, 0), rig.pid);
	trl_buf_fini(&rig.picture);
	return status;
}

static inline void
send_question(const struct picture_request *asked, int file)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS } };
	uint8_t head[4] = { sizeof *asked };
	struct iovec piece = { head, sizeof head };
	const struct msghdr message = { .msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room };

	memcpy(CMSG_DATA(&control.head), &file, sizeof file);
	assert_int_equal(sendmsg(rig.socket, &message, MSG_NOSIGNAL), sizeof head);
	assert_int_equal(
	    send(rig.socket, asked, sizeof *asked, MSG_NOSIGNAL), sizeof *asked);
}

/* False: it ended. */
static inline bool
receive(void *into, size_t len)
{
	return recv(rig.socket, into, len, MSG_WAITALL) == (ssize_t)len;
}

/* Asks about a file's bytes, which go away afterwards; false: it ended instead. */
static inline bool
is_answered(const struct picture_request *asked, const void *data, size_t len)
{
	char path[] = "/tmp/trellis-picture-XXXXXX";
	struct picture_request whole = *asked;
	const int file = mkstemp(path);
	uint8_t head[4];
	size_t n;

	assert_true(file >= 0);
	assert_int_equal(unlink(path), 0);
	for (size_t at = 0; at < len;) {
		const ssize_t wrote = write(file, (const uint8_t *)data + at, len - at);

		assert_true(wrote > 0);
		at += (size_t)wrote;
	}
	send_question(&whole, file);
	close(file);
	if (!receive(head, sizeof head))
		return false;
	n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
	assert_true(n >= sizeof rig.said);
	assert_true(receive(&rig.said, sizeof rig.said));
	n -= sizeof rig.said;
	trl_buf_clear(&rig.picture);
	assert_true(n == 0 || receive(trl_buf_reserve(&rig.picture, n), n));
	rig.picture.len = n;
	return true;
}

static inline void
ask(const struct picture_request *asked, const struct trl_buf *file)
{
	assert_true(is_answered(asked, file->data, file->len));
}

/* The same, and it is a picture that comes back. */
static inline void
make(const struct picture_request *asked, const struct trl_buf *file)
{
	struct picture_request whole = *asked;

	whole.task = PICTURE_MAKE;
	ask(&whole, file);
	if (rig.said.status != PICTURE_DONE)
		fail_msg("it was rejected: %s", rig.said.reason);
}

static inline void
look_at(const struct trl_buf *file)
{
	ask(&(struct picture_request){ .task = PICTURE_LOOK }, file);
	if (rig.said.status != PICTURE_DONE)
		fail_msg("it was rejected: %s", rig.said.reason);
}

/* Both tasks reject it, with a sentence that has these words. */
static inline void
assert_rejects(const struct trl_buf *file, const char *words)
{
	for (uint32_t task = PICTURE_LOOK; task <= PICTURE_MAKE; task++) {
		ask(&(struct picture_request){ .task = task, .width = 100, .heif = 1 },
		    file);
		assert_int_equal(rig.said.status, PICTURE_REJECTED);
		assert_int_equal(rig.picture.len, 0);
		if (!strstr(rig.said.reason, words))
			fail_msg("\"%s\" has not \"%s\"", rig.said.reason, words);
		assert_int_equal(rig.said.reason[strlen(rig.said.reason) - 1], '.');
	}
}

/* What came back, decoded; to be unreferenced. */
static inline VipsImage *
decoded(const char *options)
{
	VipsImage *image = vips_image_new_from_buffer(
	    rig.picture.data, rig.picture.len, options, NULL);

	if (!image)
		fail_msg("it cannot be decoded: %s", vips_error_buffer());
	return image;
}

/* A pixel of it: each of the first three bands within so much of rgb. */
static inline void
assert_pixel(VipsImage *image, int x, int y, const uint8_t rgb[3], int within)
{
	double *at;
	int n;

	assert_int_equal(vips_getpoint(image, &at, &n, x, y, NULL), 0);
	for (int i = 0; i < 3; i++)
		if (at[n < 3 ? 0 : i] < rgb[i] - within ||
		    at[n < 3 ? 0 : i] > rgb[i] + within)
			fail_msg("at %d, %d it is %g %g %g, not %d %d %d", x, y, at[0],
			    at[n < 3 ? 0 : 1], at[n < 3 ? 0 : 2], rgb[0], rgb[1],
			    rgb[2]);
	g_free(at);
}

static const uint8_t corner_colours[4][3] = { { 220, 30, 30 }, { 30, 200, 30 },
	{ 30, 30, 220 }, { 240, 240, 240 } };

/* RGB with a colour in each quarter: upper left and right, lower left and right. */
static inline VipsImage *
corners(int width, int height)
{
	uint8_t *pixels = malloc((size_t)width * (size_t)height * 3);
	VipsImage *image;

	assert_non_null(pixels);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			memcpy(pixels + 3 * ((size_t)y * (size_t)width + (size_t)x),
			    corner_colours[(y >= height / 2) * 2 + (x >= width / 2)],
			    3);
	image = vips_image_new_from_memory_copy(pixels,
	    (size_t)width * (size_t)height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
	free(pixels);
	assert_non_null(image);
	image->Type = VIPS_INTERPRETATION_sRGB;
	return image;
}

/* It as a file of that kind (".png", ".jpg[Q=90]"); takes the image. */
static inline void
file_of(VipsImage *image, const char *kind, struct trl_buf *out)
{
	void *data;
	size_t len;

	assert_non_null(image);
	if (vips_image_write_to_buffer(image, kind, &data, &len, NULL))
		fail_msg("%s cannot be written: %s", kind, vips_error_buffer());
	trl_buf_clear(out);
	trl_buf_add(out, data, len);
	g_free(data);
	g_object_unref(image);
}

static inline int
run_all(
    int argc, char **argv, const struct CMUnitTest *tests, size_t n, const char *name)
{
	int failed, status;

	if (argc < 2 || vips_init(argv[0]))
		return 1;
	rig.program = argv[1];
	start_it();
	failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	status = stop_it();
	vips_shutdown();
#if defined(__SANITIZE_ADDRESS__)
	(void)status; /* glib keeps what is its own */
#else
	failed += status != 0;
#endif
	return failed;
}
