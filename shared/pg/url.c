/* url.c - what can be said of a connection string before anybody connects, and of one
 * that was refused. */
#include <string.h>

#include <libpq-fe.h>

#include <trl/complain.h>
#include <trl/pg.h>

#include "url.h"

static PQconninfoOption *
parse(const char *url, char why[PG_WHY])
{
	char *said = NULL;
	PQconninfoOption *info = PQconninfoParse(url, &said);

	if (!info) {
		snprintf(why, PG_WHY, "%s", said ? said : "it cannot be read");
		why[strcspn(why, "\n")] = '\0';
	}
	PQfreemem(said);
	return info;
}

bool
trl_pg_check_url(const char *name, const char *url)
{
	char why[PG_WHY];
	PQconninfoOption *info = parse(url, why);

	if (info) {
		PQconninfoFree(info);
		return true;
	}
	trl_complain(
	    "%s is not a PostgreSQL connection string: %s. Write "
	    "postgresql://user:password@host:5432/database; in a user or password, "
	    "%% is written %%25, @ %%40, : %%3A, / %%2F, # %%23, ? %%3F",
	    name, why);
	return false;
}

bool
pg_url_password(const char *url, char out[PG_PASSWORD_MAX])
{
	char why[PG_WHY];
	PQconninfoOption *info = url ? parse(url, why) : NULL;

	out[0] = '\0';
	for (PQconninfoOption *o = info; o && o->keyword; o++)
		if (strcmp(o->keyword, "password") == 0 && o->val)
			snprintf(out, PG_PASSWORD_MAX, "%s", o->val);
	PQconninfoFree(info);
	return out[0] != '\0';
}

/* libpq gives no code for what stops a connection, only the server's words. */
const char *
pg_url_advice(const char *why)
{
	if (strstr(why, "password"))
		return ". Write its role and password into TRELLIS_PG_URL_<NAME> and "
		       "TRELLIS_PG_URL_<NAME>_SYS (postgresql://tenants_app:...@host/"
		       "database) and run migrate, which gives the roles these "
		       "passwords";
	return "";
}
