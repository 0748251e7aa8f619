/* config_names.c - a name that no table knows stops the start, because a setting
 * that is misspelt is a setting that silently is not made. */
#include <stdio.h>
#include <string.h>

#include <trl/distance.h>

#include "config_value.h"

extern char **environ;

enum { NAME_MAX_LEN = TRL_DISTANCE_MAX };

static bool
matches(const struct trl_config_var *var, const char *name, size_t len)
{
	size_t n = strlen(var->name);

	if (var->type == TRL_CONFIG_T_PREFIX)
		return len > n && memcmp(name, var->name, n) == 0;
	return (len == n || (len == n + 5 && memcmp(name + n, "_FILE", 5) == 0)) &&
	       memcmp(name, var->name, n) == 0;
}

/* Whether a table knows the name; else *nearest is the closest it knows. */
static bool
known(const char *name, size_t len, const char **nearest)
{
	unsigned best = NAME_MAX_LEN;

	for (const struct trl_config_table *const *t = trl_config_known; *t != NULL;
	     t++) {
		for (size_t i = 0; i < (*t)->n_vars; i++) {
			const struct trl_config_var *var = &(*t)->vars[i];
			size_t n = strlen(var->name);
			unsigned far;

			if (matches(var, name, len))
				return true;
			if (var->type == TRL_CONFIG_T_PREFIX && len > n)
				far = trl_distance(name, n, var->name, n);
			else
				far = trl_distance(name, len, var->name, n);
			if (far < best) {
				best = far;
				*nearest = var->name;
			}
		}
	}
	return false;
}

bool
trl_config_check_names(void)
{
	bool fine = true;

	for (char **e = environ; e != NULL && *e != NULL; e++) {
		size_t len = strcspn(*e, "=");
		const char *nearest = NULL;
		char name[NAME_MAX_LEN + 1];

		/* TRELLIS_TEST_ is the test programs' own. */
		if (strncmp(*e, "TRELLIS_", 8) != 0 ||
		    strncmp(*e, "TRELLIS_TEST_", 13) == 0)
			continue;
		if (known(*e, len, &nearest))
			continue;
		fine = false;
		snprintf(name, sizeof name, "%.*s", (int)len, *e);
		if (nearest != NULL)
			trl_config_complain(
			    name, "is not a setting; did you mean %s?", nearest);
		else
			trl_config_complain(name, "is not a setting");
	}
	return fine;
}
