/* config_show.c - a table's effective values. Apart from config_print.c, so that a
 * program without the list of all tables can link it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_value.h"

/* A URL's password is not shown. */
static void
print_text(const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *at = scheme ? strchr(scheme + 3, '@') : NULL;
	const char *colon = scheme ? strchr(scheme + 3, ':') : NULL;

	if (at != NULL && colon != NULL && colon < at)
		printf("%.*s:***%s", (int)(colon - text), text, at);
	else
		printf("%s", text);
}

static void
print_value(const struct trl_config_var *var, const void *field)
{
	const char *text;

	switch (var->type) {
	case TRL_CONFIG_T_STR:
		text = *(const char *const *)field;
		print_text(text ? text : "(unset)");
		break;
	case TRL_CONFIG_T_INT:
		printf("%" PRId64, *(const int64_t *)field);
		break;
	case TRL_CONFIG_T_REAL:
		printf("%g", *(const double *)field);
		break;
	case TRL_CONFIG_T_BOOL:
		printf("%s", *(const bool *)field ? "true" : "false");
		break;
	case TRL_CONFIG_T_SECRET:
		printf("%s", *(trl_secret *const *)field ? "(set)" : "(unset)");
		break;
	case TRL_CONFIG_T_PREFIX:
		break;
	}
}

static void
print_member(void *self, const char *rest, const char *value)
{
	const char *prefix = self;

	(void)value; /* a family may hold keys */
	printf("%s%s=(set)\n", prefix, rest);
}

void
trl_config_print(const struct trl_config_table *table, const void *values)
{
	for (size_t i = 0; i < table->n_vars; i++) {
		const struct trl_config_var *var = &table->vars[i];

		if (var->type == TRL_CONFIG_T_PREFIX) {
			trl_config_family(var->name, print_member, (void *)var->name);
			continue;
		}
		printf("%s=", var->name);
		print_value(var, (const char *)values + var->offset);
		printf("\n");
	}
}
