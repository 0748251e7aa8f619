/* event_type.h - what tools/contractgen makes of a message that is declared as an
 * event: `const struct trl_event_type tenants_event_member_added`, and the catalogue
 * of all. Nobody writes one by hand. */
#pragma once

#include <trl/method.h>

/* Where the enum at path field is value, only those see it as it happens who hold
 * permission, and the account at path account. */
struct trl_narrow {
	const char *field, *value, *account, *permission;
};

struct trl_event_type {
	const char *name;    /* "tenants.member.added", or "*.audit.written" */
	const char *service; /* that tells it; "*": every one */
	const struct trl_message *message;
	bool published;    /* may leave the mesh */
	const char *about; /* what happened, in a sentence */
	/* Paths of the fields that product analytics may know, NULL-ended; NULL: it is
	 * not told of such events. */
	const char *const *product;
	const struct trl_narrow *narrow; /* or NULL */
};

/* All types of all contracts, rising by name (generated). */
extern const struct trl_event_type *const trl_event_types[];
extern const size_t trl_event_types_count;
/* "tenants.audit.written" finds "*.audit.written". NULL: there is none. */
const struct trl_event_type *trl_event_type_by_name(const char *name);

/* Every service that has a schema, and so tells: its events, and the entries of its
 * tenants' audit chains. NULL-ended, in the order of services/list, from which it is
 * generated. */
extern const char *const trl_tellers[];
