/* check.c - what a service says of itself, held against the contracts before
 * anything is opened. Each refusal names the place and the line to change. */
#include <stdio.h>
#include <string.h>

#include <trl/complain.h>
#include <trl/event_type.h>

#include "config.h"

enum { NAME_MAX_LEN = 40 };

static bool
is_teller(const char *name)
{
	for (size_t i = 0; trl_tellers[i] != NULL; i++)
		if (strcmp(trl_tellers[i], name) == 0)
			return true;
	return false;
}

static bool
is_every(const struct trl_subscription *sub)
{
	return strcmp(sub->producer, TRL_EVERY_TELLER) == 0;
}

/* A name for people: that of every teller may be NULL. */
static const char *
name_of(const struct trl_subscription *sub)
{
	return sub->name != NULL ? sub->name : sub->producer;
}

static bool
check_producer(const struct trl_service *s, const struct trl_subscription *sub)
{
	if (is_every(sub) || is_teller(sub->producer))
		return true;
	trl_complain("the subscription %s of %s hears %s, which is not a service with "
		     "a schema in services/list: correct its .producer, in services/%s",
	    name_of(sub), s->name, sub->producer, s->name);
	return false;
}

static bool
check_type(
    const struct trl_service *s, const struct trl_subscription *sub, const char *name)
{
	const struct trl_event_type *type = trl_event_type_by_name(name);
	if (type != NULL && (strcmp(type->service, TRL_EVERY_TELLER) == 0 ||
				strcmp(type->service, sub->producer) == 0))
		return true;
	trl_complain(
	    "the subscription %s of %s wants the event %s, which %s: correct its "
	    ".types, in services/%s",
	    name_of(sub), s->name, name,
	    type == NULL ? "no contract declares" : "another service tells", s->name);
	return false;
}

/* The name of its cursor at a producer; false: too long. */
static bool
cursor_name(const struct trl_subscription *sub, const char *producer, char *out)
{
	int n = is_every(sub) ? snprintf(out, NAME_MAX_LEN + 1, "%s%s%s",
				    sub->name != NULL ? sub->name : "",
				    sub->name != NULL ? "_" : "", producer)
			      : snprintf(out, NAME_MAX_LEN + 1, "%s", sub->name);
	return n <= NAME_MAX_LEN;
}

static bool
meet(const struct trl_subscription *a, const struct trl_subscription *b, char *name)
{
	char other[NAME_MAX_LEN + 1];
	for (size_t i = 0; trl_tellers[i] != NULL; i++)
		for (size_t j = 0; trl_tellers[j] != NULL; j++)
			if (cursor_name(a, trl_tellers[i], name) &&
			    cursor_name(b, trl_tellers[j], other) &&
			    strcmp(name, other) == 0)
				return true;
	return false;
}

static bool
check_name(const struct trl_service *s, size_t at)
{
	const struct trl_subscription *sub = s->subscriptions[at];
	char name[NAME_MAX_LEN + 1];
	bool fine = sub->name != NULL || is_every(sub);
	if (!fine)
		trl_complain("a subscription of %s to %s has no .name, in services/%s",
		    s->name, sub->producer, s->name);
	for (size_t i = 0; fine && trl_tellers[i] != NULL; i++)
		fine = cursor_name(sub, trl_tellers[i], name);
	if (!fine && sub->name != NULL)
		trl_complain("the subscription %s of %s: its name, with a producer's "
			     "behind it, has at most %d characters",
		    sub->name, s->name, NAME_MAX_LEN);
	for (size_t i = 0; fine && i < at; i++)
		if (meet(s->subscriptions[i], sub, name)) {
			trl_complain("%s has two subscriptions whose cursor is %s: "
				     "change one's .name, in services/%s",
			    s->name, name, s->name);
			return false;
		}
	return fine;
}

static bool
check_subscriptions(const struct trl_service *s)
{
	const struct trl_subscription *const *subs = s->subscriptions;
	bool fine = subs == NULL || s->sql != NULL;
	if (!fine)
		trl_complain(
		    "%s has subscriptions, whose cursors need a schema: set .sql of "
		    "its struct trl_service, in services/%s",
		    s->name, s->name);
	for (size_t i = 0; subs != NULL && subs[i] != NULL; i++) {
		fine = check_producer(s, subs[i]) && check_name(s, i) && fine;
		for (size_t j = 0; subs[i]->types && subs[i]->types[j]; j++)
			fine = check_type(s, subs[i], subs[i]->types[j]) && fine;
	}
	return fine;
}

/* Events are told from an outbox. */
static bool
check_events(const struct trl_service *s)
{
	bool fine = true;
	for (size_t i = 0; s->sql == NULL && i < trl_event_types_count; i++) {
		if (strcmp(trl_event_types[i]->service, s->name) != 0)
			continue;
		trl_complain("the contract of %s declares the event %s, which is told "
			     "from a schema: set .sql of its struct trl_service, in "
			     "services/%s",
		    s->name, trl_event_types[i]->name, s->name);
		fine = false;
	}
	return fine;
}

static bool
check_contracts(const struct trl_service *s)
{
	bool fine = true;
	for (size_t i = 0; s->contracts != NULL && s->contracts[i] != NULL; i++)
		for (size_t j = 0; j < s->contracts[i]->n_methods; j++) {
			const struct trl_method *method = s->contracts[i]->methods[j];
			if (strcmp(method->service, s->name) == 0)
				continue;
			trl_complain("%s serves %s, a method of %s: correct .name or "
				     ".contracts of its struct trl_service",
			    s->name, method->name, method->service);
			fine = false;
			break;
		}
	return fine;
}

static bool
serves(const struct trl_service *s, const struct trl_method *method)
{
	for (size_t i = 0; s->contracts != NULL && s->contracts[i] != NULL; i++)
		for (size_t j = 0; j < s->contracts[i]->n_methods; j++)
			if (s->contracts[i]->methods[j] == method)
				return true;
	return false;
}

/* A contract that its service leaves out would be answered by nobody. */
static bool
check_served(const struct trl_service *s)
{
	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i];
		if (strcmp(method->service, s->name) != 0 || serves(s, method))
			continue;
		trl_complain("nobody serves %s: set .contracts of struct "
			     "trl_service %s_service to the server of its contract",
		    method->name, s->name);
		return false;
	}
	return true;
}

bool
process_check_services(const struct trl_service *const *services, size_t n)
{
	bool fine = true;
	for (size_t i = 0; i < n; i++) {
		fine =
		    check_contracts(services[i]) && check_served(services[i]) && fine;
		fine = check_events(services[i]) && fine;
		fine = check_subscriptions(services[i]) && fine;
	}
	return fine;
}

static size_t
place_of(const struct trl_service *const *services, size_t n, const char *name)
{
	size_t at = 0;

	while (at < n && strcmp(services[at]->name, name) != 0)
		at++;
	return at;
}

bool
process_check_order(const struct trl_service *const *services, size_t n)
{
	bool fine = true;

	for (size_t i = 0; i < n; i++)
		for (const char *const *call = services[i]->calls;
		     call != NULL && *call != NULL; call++) {
			const char *name = services[i]->name;
			size_t at = place_of(services, n, *call);
			if (at < i)
				continue;
			if (at == n)
				trl_complain("%s calls %s, which is no service of "
					     "services/list: correct .calls of struct "
					     "trl_service %s_service",
				    name, *call, name);
			else
				trl_complain(
				    "%s calls %s, which does not stand above it in "
				    "services/list: calls must form no circle. Move "
				    "the "
				    "line, or let %s hear events instead.",
				    name, *call, name);
			fine = false;
		}
	return fine;
}
