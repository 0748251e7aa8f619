/* heads.c - the last number of each lane, in memory: what answers a Fetch that finds
 * nothing new. It rises when this process numbers events (sequencer.c); what other
 * replicas number shows in a look at the table (look.c). */
#include "events.h"

void
events_wake_all(struct events *events)
{
	while (events->waiters) {
		struct events_waiter *waiter = events->waiters;

		events->waiters = waiter->next;
		if (waiter->next)
			waiter->next->at = &events->waiters;
		waiter->at = NULL;
		trl_wake(waiter->ticket);
	}
}

void
events_heads_take(
    struct events *events, const Trellis__Bus__HeadRow *const *rows, size_t n)
{
	uint64_t total = 0;
	bool risen = false;

	for (size_t i = 0; i < n; i++) {
		const Trellis__Bus__HeadRow *row = rows[i];
		struct events_lane *lane = &events->lanes[row->lane % LANES];

		if (row->epoch > events->epoch) { /* numbers may begin again */
			events->epoch = row->epoch;
			for (size_t j = 0; j < LANES; j++)
				events->lanes[j].head = 0;
			risen = true;
		}
		if (row->epoch < events->epoch)
			continue; /* read before that */
		if (row->has_first_seq && row->first_seq > lane->first)
			lane->first = row->first_seq;
		if (row->last_seq <= lane->head)
			continue;
		lane->head = row->last_seq;
		risen = true;
	}
	for (size_t i = 0; i < LANES; i++)
		total += events->lanes[i].head;
	events->total = total;
	if (risen)
		events_wake_all(events);
}
