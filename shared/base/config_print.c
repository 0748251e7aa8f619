/* config_print.c - settings shown to people: the README's table, and what is in
 * effect, where a secret says only whether it is set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_value.h"

static void
print_cell(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void
print_row(const char *owner, const struct trl_config_var *var)
{
	printf(
	    "| `%s%s` | ", var->name, var->type == TRL_CONFIG_T_PREFIX ? "<NAME>" : "");
	print_cell(owner);
	printf(" | ");
	if (var->type == TRL_CONFIG_T_SECRET)
		printf("secret");
	else if (var->fallback != NULL && *var->fallback != '\0')
		printf("`%s`", var->fallback);
	printf(" | ");
	print_cell(var->help);
	if (var->type == TRL_CONFIG_T_INT)
		printf(" (%.0f to %.0f)", var->min, var->max);
	if (var->type == TRL_CONFIG_T_REAL)
		printf(" (%g to %g)", var->min, var->max);
	printf(" |\n");
}

void
trl_config_print_markdown(void)
{
	printf("| variable | of | default | what it sets |\n|---|---|---|---|\n");
	for (const struct trl_config_table *const *t = trl_config_known; *t != NULL;
	     t++)
		for (size_t i = 0; i < (*t)->n_vars; i++)
			print_row((*t)->owner, &(*t)->vars[i]);
}
