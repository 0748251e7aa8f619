/* call.c - calls by id. An id is a slot and how often that slot was used, so a late
 * reply finds nobody and never the slot's next user. */
#include "call.h"

#include <stdlib.h>

static void
grow_slots(trl_bus *bus)
{
	uint32_t n = bus->n_slots ? bus->n_slots * 2 : 64;
	struct bus_slot *slots = realloc(bus->slots, n * sizeof *slots);
	trl_assert(slots != NULL);
	for (uint32_t i = bus->n_slots; i < n; i++)
		slots[i] = (struct bus_slot){ .generation = 1, .next_free = i + 1 };
	bus->slots = slots;
	bus->free_slot = bus->n_slots;
	bus->n_slots = n;
}

void
bus_call_enlist(trl_bus *bus, struct bus_call *call, struct bus_peer *peer)
{
	if (bus->free_slot == bus->n_slots)
		grow_slots(bus);
	uint32_t at = bus->free_slot;
	struct bus_slot *slot = &bus->slots[at];
	bus->free_slot = slot->next_free;
	slot->call = call;
	call->id = (uint64_t)slot->generation << 32 | at;
	call->peer = peer;
	call->prev = NULL;
	call->next = peer->calls;
	if (call->next != NULL)
		call->next->prev = call;
	peer->calls = call;
	peer->in_flight++;
	bus->waiting++;
}

void
bus_call_delist(trl_bus *bus, struct bus_call *call)
{
	uint32_t at = (uint32_t)call->id;
	struct bus_peer *peer = call->peer;
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		peer->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	peer->in_flight--;
	bus->waiting--;
	bus->slots[at].call = NULL;
	bus->slots[at].generation++;
	bus->slots[at].next_free = bus->free_slot;
	bus->free_slot = at;
	call->peer = NULL;
}

struct bus_call *
bus_call_find(trl_bus *bus, uint64_t id)
{
	uint32_t at = (uint32_t)id;
	if (at >= bus->n_slots || bus->slots[at].generation != id >> 32)
		return NULL;
	return bus->slots[at].call;
}

size_t
trl_bus_waiting(const trl_bus *bus)
{
	return bus->waiting;
}
