/* trellis-sniff - tells what a file is by its first 64 KiB, for media: the bytes come,
 * a media type goes. It is a program of its own because libmagic reads what anybody may
 * have made. Media starts it with the first file (trl/child.h); it reads its database
 * before it is confined, can open nothing afterwards, and is ended a minute after the
 * last file.
 *
 * It only says what it sees. What that means beside what was declared is for
 * kinds/kinds.h. */
#include <trl/confined.h>

#include "sniff/sniff.h"

int
main(void)
{
	static const char *const reads[] = { NULL };
	static const struct trl_confined spec = {
		.request_max = SNIFF_HEAD_MAX,
		.reply_max = SNIFF_TYPE_MAX,
		.memory_max = (size_t)256 << 20,
		.cpu_s = 2,
		.reads = reads,
		.warm = sniff_open,
		.prove = sniff_prove,
		.answer = sniff_answer,
	};

	return trl_confined_main(&spec);
}
