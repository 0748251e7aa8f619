/* config_names.c - a name that no table knows stops the start, because a setting
 * that is misspelt is a setting that silently is not made. Of a family of services
 * each member is such a name; of another family any member is one. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <trl/distance.h>

#include "config_value.h"

extern char **environ;

enum { NAME_MAX_LEN = TRL_DISTANCE_MAX };

/* A name of the environment, and the closest one that is known. */
struct sought {
	char name[NAME_MAX_LEN + 1];
	size_t len, bare; /* with and without _FILE */
	unsigned best;
	char nearest[NAME_MAX_LEN + sizeof "<NAME>"];
};

static void
compare(struct sought *sought, const char *known, size_t of_name, const char *rest)
{
	unsigned far = trl_distance(sought->name, of_name, known, strlen(known));

	if (far >= sought->best)
		return;
	sought->best = far;
	snprintf(sought->nearest, sizeof sought->nearest, "%s%s", known, rest);
}

static const char *
service_at(const char *const *also, size_t at)
{
	for (const struct trl_config_table *const *t = trl_config_known; *t != NULL;
	     t++)
		if ((*t)->is_service && at-- == 0)
			return (*t)->owner;
	for (; also != NULL && *also != NULL; also++)
		if (at-- == 0)
			return *also;
	return NULL;
}

/* Whether it is this service's variable of a family; ending is a role's, or none. */
static bool
is_member(struct sought *sought, const struct trl_config_var *var, const char *service,
    const char *ending)
{
	char known[NAME_MAX_LEN + 1];
	size_t n = strlen(var->name);

	snprintf(known, sizeof known, "%s%s%s", var->name, service, ending);
	for (char *c = known; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	if (strlen(known) == sought->bare && memcmp(sought->name, known, n) == 0 &&
	    strncasecmp(sought->name + n, known + n, sought->bare - n) == 0)
		return true;
	compare(sought, known, sought->bare, "");
	return false;
}

static bool
is_of_family(
    struct sought *sought, const struct trl_config_var *var, const char *const *also)
{
	size_t n = strlen(var->name);
	const char *service;

	if (!var->of_services) {
		if (sought->bare > n && memcmp(sought->name, var->name, n) == 0 &&
		    strcmp(sought->name + n, "FILE") != 0)
			return true;
		compare(
		    sought, var->name, sought->bare > n ? n : sought->bare, "<NAME>");
		return false;
	}
	for (size_t i = 0; (service = service_at(also, i)) != NULL; i++)
		if (is_member(sought, var, service, "") ||
		    (var->role != NULL && is_member(sought, var, service, var->role)))
			return true;
	return false;
}

static bool
is_known(struct sought *sought, const char *const *also)
{
	for (const struct trl_config_table *const *t = trl_config_known; *t != NULL;
	     t++) {
		for (size_t i = 0; i < (*t)->n_vars; i++) {
			const struct trl_config_var *var = &(*t)->vars[i];
			size_t n = strlen(var->name);

			if (var->type == TRL_CONFIG_T_PREFIX) {
				if (is_of_family(sought, var, also))
					return true;
				continue;
			}
			if ((n == sought->len || n == sought->bare) &&
			    memcmp(sought->name, var->name, n) == 0)
				return true;
			compare(sought, var->name, sought->bare, "");
		}
	}
	return false;
}

static bool
check_name(const char *name, size_t len, const char *const *also)
{
	struct sought sought = { .best = NAME_MAX_LEN };

	snprintf(sought.name, sizeof sought.name, "%.*s", (int)len, name);
	if (len > NAME_MAX_LEN) {
		trl_config_complain(sought.name, "and so on is not a setting");
		return false;
	}
	sought.len = sought.bare = len;
	if (len > 5 && strcmp(sought.name + len - 5, "_FILE") == 0)
		sought.bare -= 5;
	if (is_known(&sought, also))
		return true;
	/* Of what comes after TRELLIS_, a fifth and one may differ: a guess that is far
	 * off leads astray. */
	if (sought.nearest[0] != '\0' && sought.best <= 1 + sought.bare / 5)
		trl_config_complain(sought.name, "is not a setting; did you mean %s%s?",
		    sought.nearest, sought.name + sought.bare);
	else
		trl_config_complain(sought.name, "is not a setting");
	return false;
}

bool
trl_config_check_names(const char *const *also)
{
	bool fine = true;

	/* TRELLIS_TEST_ is the test programs' own. */
	for (char **e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, "TRELLIS_", 8) == 0 &&
		    strncmp(*e, "TRELLIS_TEST_", 13) != 0)
			fine = check_name(*e, strcspn(*e, "="), also) && fine;
	return fine;
}
