/* mesh.c - the services of an executable as a list: which of them run here
 * (--services), and `trellis-all mesh --json`: what the services of this build say of
 * themselves, and which of them share a key, for whoever starts, draws, attacks or
 * deploys them. Nothing of it is listed a second time elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "config.h"

/* Names of services and settings need no escape in JSON. */
static void
print_names(const char *key, const char *const *names, size_t n)
{
	printf("\"%s\":[", key);
	for (size_t i = 0; i < n; i++)
		printf("%s\"%s\"", i ? "," : "", names[i]);
	printf("],");
}

static void
print_settings(const struct trl_config_table *table)
{
	printf("\"settings\":[");
	for (size_t i = 0; table != NULL && i < table->n_vars; i++)
		printf("%s{\"name\":\"%s\",\"secret\":%s}", i ? "," : "",
		    table->vars[i].name,
		    table->vars[i].type == TRL_CONFIG_T_SECRET ? "true" : "false");
	printf("]");
}

static const char *
truth(bool yes)
{
	return yes ? "true" : "false";
}

static void
print_service(const struct trl_service *s)
{
	const char *callees[PEERS_MAX], *producers[PEERS_MAX];

	printf("{\"name\":\"%s\",", s->name);
	print_names("calls", callees, process_callees(s, callees, PEERS_MAX));
	print_names(
	    "reads", producers, process_producers(s, producers, PEERS_MAX, NULL));
	printf("\"serves\":%s,\"schema\":%s,\"redis\":%s,\"seals\":%s,\"tells\":%s,"
	       "\"outside\":%s,\"chosen\":%s,",
	    truth(s->contracts != NULL), truth(s->sql != NULL),
	    truth(s->scripts != NULL), truth(process_seals(s)), truth(s->sql != NULL),
	    truth(s->reaches_outside), truth(s->reaches_chosen));
	print_settings(s->config);
	printf("}");
}

static void
print_pairs(const struct trl_service *const *services, size_t n)
{
	size_t max = n * 2 * PEERS_MAX;
	struct process_pair *pairs = calloc(max, sizeof *pairs);

	trl_assert(pairs != NULL);
	max = process_pairs(services, n, pairs, max);
	printf("],\n\"pairs\":[");
	for (size_t i = 0; i < max; i++)
		printf(
		    "%s[\"%s\",\"%s\"]", i ? "," : "", pairs[i].asks, pairs[i].asked);
	printf("]}\n");
	free(pairs);
}

bool
process_print_mesh(const struct trl_service *const *services, size_t n)
{
	if (!process_check_services(services, n) ||
	    (n > 1 && !process_check_order(services, n)))
		return false;
	printf("{\"services\":[");
	for (size_t i = 0; i < n; i++) {
		printf("%s\n", i ? "," : "");
		print_service(services[i]);
	}
	print_pairs(services, n);
	return true;
}

static bool
names(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == ','))
			return true;
	}
	return false;
}

size_t
process_choose(const struct trl_service *const *services, size_t n, const char *list,
    const struct trl_service **out)
{
	size_t n_out = 0, n_named = 1;

	for (const char *c = list; *c != '\0'; c++)
		n_named += *c == ',';
	for (size_t i = 0; i < n; i++)
		if (names(list, services[i]->name))
			out[n_out++] = services[i];
	if (n_out == n_named)
		return n_out;
	trl_complain(
	    "--services %s: it takes names with commas between, each once, of:", list);
	for (size_t i = 0; i < n; i++)
		trl_complain("  %s", services[i]->name);
	return 0;
}
