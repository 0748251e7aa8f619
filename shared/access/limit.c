/* limit.c - every limit there is (reliability.md 3(h)). A method's class ("read",
 * "write", "login" ...) picks at most one row per subject; the rows without a
 * class count every request, but those of a class that is counted apart.
 * TRELLIS_RATE_SCALE multiplies all of them. */
#include <string.h>

#include <trl/compiler.h>
#include <trl/limit.h>

const struct trl_limit trl_limits[] = {
	{ "address", NULL, TRL_LIMIT_ADDRESS, 1200, 60, false },
	/* A page has dozens of pictures, an office many who look at it, and a file of
	 * a gigabyte comes in a hundred pieces; so they are counted by themselves. */
	{ "address-bytes", "bytes", TRL_LIMIT_ADDRESS, 12000, 60, false,
	    .apart = true },
	{ "login-address", "login", TRL_LIMIT_ADDRESS, 20, 60, true },
	{ "signup-address", "signup", TRL_LIMIT_ADDRESS, 10, 3600, true },
	{ "reset-address", "reset", TRL_LIMIT_ADDRESS, 20, 3600, true },
	{ "login-name", "login", TRL_LIMIT_NAME, 5, 60, true },
	{ "reset-name", "reset", TRL_LIMIT_NAME, 3, 3600, true },
	/* The same name, from where its owner signed in before (auth). */
	{ "login-known", "login", TRL_LIMIT_KNOWN, 30, 60, true },
	{ "reset-known", "reset", TRL_LIMIT_KNOWN, 3, 3600, true },
	{ "person-read", "read", TRL_LIMIT_PERSON, 600, 60, false },
	{ "person-write", "write", TRL_LIMIT_PERSON, 120, 60, false },
	{ "person-bytes", "bytes", TRL_LIMIT_PERSON, 6000, 60, false },
	{ "person-login", "login", TRL_LIMIT_PERSON, 10, 60, true },
	{ "person-reset", "reset", TRL_LIMIT_PERSON, 10, 3600, true },
	{ "person-invite", "invite", TRL_LIMIT_PERSON, 60, 3600, true },
	{ "account-invite", "invite", TRL_LIMIT_NAME, 60, 3600, true },
	{ "recipient-invite", "invite", TRL_LIMIT_RECIPIENT, 10, 86400, true },
	{ "key-read", "read", TRL_LIMIT_KEY, 1200, 60, false },
	{ "key-write", "write", TRL_LIMIT_KEY, 300, 60, false },
	{ "key-bytes", "bytes", TRL_LIMIT_KEY, 12000, 60, false },
	{ "key-invite", "invite", TRL_LIMIT_KEY, 60, 3600, true },
	{ "tenant-read", "read", TRL_LIMIT_TENANT, 6000, 60, false, TRL_LIMIT_READS },
	{ "tenant-write", "write", TRL_LIMIT_TENANT, 1200, 60, false,
	    TRL_LIMIT_WRITES },
	{ "tenant-bytes", "bytes", TRL_LIMIT_TENANT, 60000, 60, false },
	{ "tenant-invite", "invite", TRL_LIMIT_TENANT, 600, 3600, true },
};

const size_t trl_limits_count = TRL_COUNT(trl_limits);

const struct trl_limit *
trl_limit_find(enum trl_limit_subject subject, const char *rate)
{
	size_t i;

	for (i = 0; i < TRL_COUNT(trl_limits); i++) {
		const struct trl_limit *limit = &trl_limits[i];

		if (limit->subject != subject || !limit->rate != !rate)
			continue;
		if (!rate || strcmp(limit->rate, rate) == 0)
			return limit;
	}
	return NULL;
}
