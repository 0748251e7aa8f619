/* graph.c - what follows from what services say of themselves: whom each calls, whose
 * events it reads, which of them share a key. */
#include <string.h>

#include <trl/routes.h>

#include "config.h"
#include "erase.h"

bool
process_seals(const struct trl_service *s)
{
	if (s->needs_seal_key)
		return true;
	for (size_t i = 0; s->contracts != NULL && s->contracts[i] != NULL; i++)
		for (size_t j = 0; j < s->contracts[i]->n_methods; j++) {
			const struct trl_method *method = s->contracts[i]->methods[j];
			if (method->effect == TRL_WRITE && method->out != NULL &&
			    method->out->has_secret)
				return true;
		}
	return false;
}

static bool
is_among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

size_t
process_callees(const struct trl_service *s, const char **out, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; s->calls != NULL && s->calls[i] != NULL; i++) {
		trl_assert(n < max);
		out[n++] = s->calls[i];
	}
	for (size_t i = 0; s->calls_routes && i < trl_routes_count; i++) {
		const char *name = trl_routes[i]->service;
		if (is_among(out, n, name))
			continue;
		trl_assert(n < max);
		out[n++] = name;
	}
	return n;
}

static void
add_producer(const struct trl_service *s, const char *name, const char **out,
    size_t max, size_t *n)
{
	size_t n_calls = 0;
	while (s->calls != NULL && s->calls[n_calls] != NULL)
		n_calls++;
	if (strcmp(name, s->name) == 0 || is_among(s->calls, n_calls, name) ||
	    is_among(out, *n, name))
		return;
	trl_assert(*n < max);
	out[(*n)++] = name;
}

size_t
process_producers(
    const struct trl_service *s, const char **out, size_t max, size_t *n_named)
{
	const struct trl_subscription *const *subs = s->subscriptions;
	size_t n = 0;
	bool every = false;
	for (size_t i = 0; subs != NULL && subs[i] != NULL; i++) {
		if (strcmp(subs[i]->producer, TRL_EVERY_TELLER) == 0)
			every = true;
		else
			add_producer(s, subs[i]->producer, out, max, &n);
	}
	if (erase_hears(s) != NULL)
		add_producer(s, erase_hears(s)->producer, out, max, &n);
	if (n_named != NULL)
		*n_named = n;
	for (size_t i = 0; every && trl_tellers[i] != NULL; i++)
		add_producer(s, trl_tellers[i], out, max, &n);
	return n;
}

static bool
is_pair(const struct process_pair *pairs, size_t n, const char *a, const char *b)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i].asks, a) == 0 && strcmp(pairs[i].asked, b) == 0)
			return true;
	return false;
}

/* Those that call come first; two that read each other's events share one key. */
size_t
process_pairs(const struct trl_service *const *services, size_t n,
    struct process_pair *out, size_t max)
{
	const char *names[PEERS_MAX];
	size_t n_pairs = 0;

	for (int reads = 0; reads < 2; reads++)
		for (size_t i = 0; i < n; i++) {
			const struct trl_service *s = services[i];
			size_t n_names =
			    reads ? process_producers(s, names, PEERS_MAX, NULL)
				  : process_callees(s, names, PEERS_MAX);

			for (size_t j = 0; j < n_names; j++) {
				if (is_pair(out, n_pairs, names[j], s->name))
					continue;
				trl_assert(n_pairs < max);
				out[n_pairs++] =
				    (struct process_pair){ s->name, names[j] };
			}
		}
	return n_pairs;
}
