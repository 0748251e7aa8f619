/* trellis-picture - renders pictures for media: a picture_request and a file come, a
 * picture_reply goes (picture.h). It is a program of its own so that libvips, and
 * whatever wrong pictures do to it, stay out of the services. Media starts it with the
 * first picture (trl/child.h); it can read the one file and do nothing else, and is
 * ended a minute after the last one, so that nothing of libvips is there at rest. */
#include <trl/confined.h>

#include "picture/answer.h"

int
main(void)
{
	static const char *const reads[] = { NULL };
	static const struct trl_confined spec = {
		.request_max = sizeof(struct picture_request),
		.reply_max = PICTURE_REPLY_MAX,
		.memory_max = (size_t)896 << 20, /* k8s/generator/objects.py */
		.cpu_s = 30,
		.reads = reads,
		.version = PICTURE_VERSION,
		.warm = answer_warm,
		.prove = answer_prove,
		.answer_file = answer,
	};

	answer_keep_known();
	return trl_confined_main(&spec);
}
