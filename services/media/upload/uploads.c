/* uploads.c - what this process writes, from its start to its end. */
#include "upload/writer.h"

#include <stdlib.h>

enum { HASHES = 4, HASHES_WAIT = 1024 };

struct uploads *
uploads_new(const struct trl_host *host, struct media *self)
{
	struct uploads *all = calloc(1, sizeof *all);

	trl_assert(all);
	all->media = self;
	all->loop = host->loop;
	all->holder = trl_id_random();
	all->stretch_us = UPLOAD_STRETCH_US;
	all->hashing = (struct trl_offload){ .name = "upload-hash",
		.slots = HASHES,
		.queue = HASHES_WAIT,
		.retry_after_ms = 1000 };
	trl_offload_init(host->loop, &all->hashing);
	upload_join_open();
	return all;
}

bool
uploads_drained(const struct uploads *all)
{
	return !all->first && !all->dropping;
}

void
uploads_enter(struct uploads *all)
{
	all->dropping++;
}

void
uploads_leave(struct uploads *all)
{
	all->dropping--;
}

void
uploads_free(struct uploads **at)
{
	struct uploads *all = TRL_TAKE(*at);

	if (!all)
		return;
	all->closing = true;
	if (all->watches) /* it frees them when it has seen that */
		return;
	trl_offload_fini(&all->hashing);
	free(all);
}
