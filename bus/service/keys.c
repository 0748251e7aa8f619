/* keys.c - the keys of the bus by TRELLIS_BUS_KEY_PEER, or _SERVICE_PEER, which
 * wins, where several services share a process. */
#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include <trl/complain.h>

#include "config.h"

struct giving {
	trl_bus *bus;
	const char *service;
	bool named; /* this turn is that of SERVICE_PEER, which wins over PEER */
	bool fine;
};

static void
complain(const char *rest)
{
	trl_complain(
	    "TRELLIS_BUS_KEY_%s_FILE: has to hold one to four lines of kid:key, kid "
	    "from 1 to 65535 and key 64 hexadecimal digits",
	    rest);
}

static void
check_key(void *fine, const char *rest, const char *value)
{
	bool this_fine = trl_bus_key_fine(value);

	sodium_memzero((char *)(uintptr_t)value, strlen(value));
	if (!this_fine)
		complain(rest);
	*(bool *)fine = this_fine && *(bool *)fine;
}

bool
process_check_keys(void)
{
	bool fine = true;

	return trl_config_family("TRELLIS_BUS_KEY_", check_key, &fine) && fine;
}

static void
give_key(void *self, const char *rest, const char *value)
{
	struct giving *giving = self;
	char peer[2 * TRL_BUS_NAME_MAX + 2];
	size_t n = 0;
	for (; rest[n] != '\0' && n < sizeof peer - 1; n++)
		peer[n] = (char)tolower((unsigned char)rest[n]);
	peer[n] = '\0';
	const char *mark = strchr(peer, '_');
	bool fits = (mark != NULL) == giving->named &&
		    (mark == NULL ||
			(strncmp(peer, giving->service, (size_t)(mark - peer)) == 0 &&
			    giving->service[mark - peer] == '\0'));
	bool fine =
	    !fits || trl_bus_key(giving->bus, mark != NULL ? mark + 1 : peer, value);
	sodium_memzero((char *)(uintptr_t)value, strlen(value)); /* as it was read */
	if (fine)
		return;
	complain(rest);
	giving->fine = false;
}

bool
process_keys(trl_bus *bus, const char *service)
{
	struct giving giving = { .bus = bus, .service = service, .fine = true };
	if (!trl_config_family("TRELLIS_BUS_KEY_", give_key, &giving))
		return false;
	giving.named = true;
	return trl_config_family("TRELLIS_BUS_KEY_", give_key, &giving) && giving.fine;
}
