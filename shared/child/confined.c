/* confined.c - see confined.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <trl/compiler.h>
#include <trl/confined.h>

#include "confine.h"

/* False: the other end was closed. */
static bool
read_all(void *into, size_t len)
{
	uint8_t *at = into;

	while (len > 0) {
		ssize_t n = read(0, at, len);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool
write_all(const void *from, size_t len)
{
	const uint8_t *at = from;

	while (len > 0) {
		ssize_t n = write(0, at, len);

		if (n <= 0 && errno != EINTR)
			return false;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* From now on so many seconds of a processor. */
static void
allow_cpu(unsigned seconds)
{
	struct rusage used;
	struct rlimit limit;

	trl_assert(getrusage(RUSAGE_SELF, &used) == 0);
	trl_assert(getrlimit(RLIMIT_CPU, &limit) == 0);
	limit.rlim_cur =
	    (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1) + seconds;
	trl_assert(setrlimit(RLIMIT_CPU, &limit) == 0);
}

static bool
serve_one(const struct trl_confined *spec, struct trl_buf *in, struct trl_buf *out)
{
	uint8_t head[4];
	size_t len;

	trl_buf_clear(in);
	trl_buf_clear(out);
	if (!read_all(head, sizeof head))
		return false;
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
	      (size_t)head[3] << 24;
	if (len > spec->request_max || !read_all(trl_buf_reserve(in, len), len))
		return false;
	allow_cpu(spec->cpu_s);
	spec->answer(in->data, len, out);
	if (out->len > spec->reply_max)
		return false;
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(out->len >> (8 * i));
	return write_all(head, sizeof head) && write_all(out->data, out->len);
}

int
trl_confined_main(const struct trl_confined *spec)
{
	struct trl_buf in = { 0 }, out = { 0 };

	confine_limits(spec->memory_max);
	if (spec->warm)
		spec->warm();
	/* Whoever started it has read by now what the loader had to say. Libraries'
	 * own words are no lines of a log. */
	trl_assert(dup2(1, 2) == 2);
	confine_files(spec->reads);
	confine_calls();
	while (serve_one(spec, &in, &out))
		;
	trl_buf_fini(&in);
	trl_buf_fini(&out);
	return 0;
}
