/* progress.c - how far each subscriber is, from the numbers its Fetches name. Kept in
 * memory, and written twice a minute where it has moved: retention counts in days. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "framework_sql.h"

enum { SUBSCRIBERS_MAX = 200 };

static struct events_progress *
find(struct events *events, const char *service, const char *subscription)
{
	struct events_progress *p = events->progress;
	size_t n = 0;

	for (; p; p = p->next, n++)
		if (strcmp(p->subscription, subscription) == 0 &&
		    strcmp(p->service, service) == 0)
			return p;
	if (n >= SUBSCRIBERS_MAX)
		return NULL;
	p = calloc(1, sizeof *p);
	trl_assert(p != NULL);
	snprintf(p->service, sizeof p->service, "%s", service);
	snprintf(p->subscription, sizeof p->subscription, "%s", subscription);
	p->next = events->progress;
	events->progress = p;
	return p;
}

void
events_progress_note(
    struct events *events, const char *service, const Events__V1__FetchRequest *in)
{
	struct events_progress *p = find(events, service, in->subscription);

	for (size_t i = 0; p && i < in->n_lanes; i++) {
		uint32_t lane = in->lanes[i];

		p->seq[lane] = in->afters[i];
		p->fresh[lane] = true;
	}
}

void
events_progress_forget(
    struct events *events, const char *service, const char *subscription)
{
	for (struct events_progress **p = &events->progress; *p; p = &(*p)->next) {
		struct events_progress *gone = *p;

		if (strcmp(gone->subscription, subscription) != 0 ||
		    strcmp(gone->service, service) != 0)
			continue;
		*p = gone->next;
		free(gone);
		return;
	}
}

enum trl_code
events_progress_write(trl_ctx *ctx, struct events *events)
{
	trl_batch *batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	size_t moved = 0;

	for (struct events_progress *p = events->progress; p; p = p->next) {
		int64_t *lanes = events_ints(ctx, LANES),
			*seqs = events_ints(ctx, LANES);
		size_t n = 0;

		for (unsigned i = 0; i < LANES; i++) {
			if (!p->fresh[i] || (p->known[i] && p->written[i] == p->seq[i]))
				continue;
			lanes[n] = i;
			seqs[n++] = (int64_t)p->seq[i];
			p->written[i] = p->seq[i];
			p->known[i] = true;
		}
		if (n == 0)
			continue;
		moved++;
		trl_batch_add(batch, &trl_sql_event_progress_put, NULL,
		    TRL_ARG_TEXT("service", p->service),
		    TRL_ARG_TEXT("subscription", p->subscription),
		    TRL_ARG_INTS("lanes", lanes, n), TRL_ARG_INTS("seqs", seqs, n));
	}
	return moved ? trl_batch_write_unrecorded(batch) : TRL_OK;
}
