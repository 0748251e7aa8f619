/* event_type.h - what tools/contractgen makes of a message that is declared as an
 * event: `const struct trl_event_type tenants_event_member_added`, and the catalogue
 * of all. Nobody writes one by hand. */
#pragma once

#include <trl/method.h>

struct trl_event_type {
	const char *name;    /* "tenants.member.added" */
	const char *service; /* who tells it */
	const struct trl_message *message;
	bool published;    /* may leave the mesh */
	const char *about; /* what happened, in a sentence */
};

/* All types of all contracts, rising by name (generated). */
extern const struct trl_event_type *const trl_event_types[];
extern const size_t trl_event_types_count;
/* NULL: there is none. */
const struct trl_event_type *trl_event_type_by_name(const char *name);
