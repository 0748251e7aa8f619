/* resource.h - what tools/contractgen makes of a message that a contract declares as a
 * resource (proto/trellis/options.proto), and of a method that does something to one.
 * Generated code fills these tables, shared/pg checks them against the schema at the
 * start, shared/resource does what they say; nobody writes one by hand. */
#pragma once

#include <trl/event_type.h>
#include <trl/method.h>

struct trl_sql;
struct trl_hooks; /* serve.h */

enum { TRL_RESOURCE_FILTERS = 8 };

/* The i-th belongs to descriptor->fields[i]; name is NULL where that is no column. */
struct trl_column {
	const char *name;
	bool always; /* never absent: the column is not null */
	bool begins; /* a create that is not given it sets the first value, or false */
};

struct trl_unique {
	const char *constraint;     /* "project_name_key" */
	const char *const *columns; /* without the owner's, NULL-ended */
};

struct trl_resource {
	const char *service, *kind, *table;
	const char *called; /* in sentences: "webhook endpoint" */
	const char *place;  /* "proto/trellis/projects/v1/projects.proto:40" */
	const struct trl_message *message;
	const struct trl_column *columns;
	const char *const *key;          /* columns that name a row, beside its owner */
	const char *const *beside;       /* columns that are no fields, NULL-ended */
	const struct trl_unique *unique; /* ended by a NULL constraint */
	const char *const *filters;      /* columns that its lists filter by */
	uint32_t most;                   /* 0: any number */
	bool single;                     /* its owner has exactly one */
	bool of_person;                  /* the owner is an account and not a tenant */
	bool newest_first;
	/* Indices in descriptor->fields, or -1. id is the one that names a row. */
	int id, version, created_at, updated_at, created_by;
	int owner; /* tenant_id or account_id, where it is shown */
	/* NULL where no method needs it. list[0] is without filters, list[n] by the
	 * n-th of list_by (an index in the list's request). */
	const struct trl_sql *get, *insert, *update, *remove, *lock, *room;
	const struct trl_sql *list[TRL_RESOURCE_FILTERS + 1];
	const char *list_by[TRL_RESOURCE_FILTERS + 1]; /* NULL-ended */
};

enum trl_doing {
	TRL_CREATES,
	TRL_GETS,
	TRL_LISTS,
	TRL_UPDATES,
	TRL_DELETES,
	TRL_CHANGES
};

/* A field of the request that becomes one of the resource. */
struct trl_take {
	uint16_t from, to; /* indices in the descriptors' fields */
};

struct trl_does {
	enum trl_doing what;
	const struct trl_resource *resource;
	const char *action;                 /* of the audit entry */
	const struct trl_event_type *event; /* or NULL: nobody is told */
	/* Fields of the event's message, or -1; row -1: it is the resource itself. */
	int event_row, event_former, event_by;
	int key; /* the request's field that holds the id, or -1: key columns by name */
	int items; /* of a list's reply: the rows */
	const struct trl_take *takes;
	size_t n_takes;
	const struct trl_hooks *hooks;
};
