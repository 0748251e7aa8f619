/* service_mesh.c - `trellis-all mesh --json`: what the services of this build say of
 * themselves, for whoever starts, draws, attacks or deploys them. Nothing of it is
 * listed a second time elsewhere. */
#include <stdio.h>
#include <string.h>

#include <trl/complain.h>

#include "service_config.h"

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
	const char *producers[PEERS_MAX];
	size_t n_calls = 0;

	while (s->calls != NULL && s->calls[n_calls] != NULL)
		n_calls++;
	printf("{\"name\":\"%s\",", s->name);
	print_names("calls", s->calls, n_calls);
	print_names("reads", producers, process_producers(s, producers, PEERS_MAX));
	printf("\"serves\":%s,\"schema\":%s,\"redis\":%s,\"seals\":%s,\"tells\":%s,",
	    truth(s->contracts != NULL), truth(s->sql != NULL),
	    truth(s->scripts != NULL), truth(process_seals(s)), truth(s->tells_events));
	print_settings(s->config);
	printf("}");
}

/* Nobody may call what stands below, so that calls form no circle. */
static bool
stands_above(const struct trl_service *const *services, size_t at, const char *name)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(services[i]->name, name) == 0)
			return true;
	trl_complain(
	    "%s calls %s, which does not stand above it in services/list: calls "
	    "must form no circle. Move the line, or let %s hear events instead.",
	    services[at]->name, name, services[at]->name);
	return false;
}

static bool
check_order(const struct trl_service *const *services, size_t n)
{
	bool fine = true;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; services[i]->calls && services[i]->calls[j]; j++)
			fine = stands_above(services, i, services[i]->calls[j]) && fine;
	return fine;
}

bool
process_print_mesh(const struct trl_service *const *services, size_t n)
{
	if (n > 1 && !check_order(services, n))
		return false;
	printf("{\"services\":[");
	for (size_t i = 0; i < n; i++) {
		printf("%s\n", i ? "," : "");
		print_service(services[i]);
	}
	printf("\n]}\n");
	return true;
}
