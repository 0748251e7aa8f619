/* config.c - reads a table's variables into its struct, every problem said at
 * once, so that a bad deployment is mended in one round. */
#include <trl/config.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_value.h"

extern char **environ;

static bool
read_int(const struct trl_config_var *var, const char *text, void *field)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || (double)value < var->min ||
	    (double)value > var->max) {
		trl_config_complain(var->name,
		    "is \"%s\", but has to be a whole number from %.0f to %.0f", text,
		    var->min, var->max);
		return false;
	}
	*(int64_t *)field = value;
	return true;
}

static bool
read_real(const struct trl_config_var *var, const char *text, void *field)
{
	char *end;
	double value;

	value = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value) || value < var->min ||
	    value > var->max) {
		trl_config_complain(var->name,
		    "is \"%s\", but has to be a number from %g to %g", text, var->min,
		    var->max);
		return false;
	}
	*(double *)field = value;
	return true;
}

static bool
read_bool(const struct trl_config_var *var, const char *text, void *field)
{
	static const char *const words[] = { "false", "true", "0", "1", "no", "yes" };

	for (size_t i = 0; i < TRL_COUNT(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*(bool *)field = i % 2 == 1;
			return true;
		}
	}
	trl_config_complain(var->name,
	    "is \"%s\", but has to be true or false (or 1, 0, yes, no)", text);
	return false;
}

static bool
read_secret(const struct trl_config_var *var, const char *text, void *field)
{
	if (*text == '\0') {
		trl_config_complain(
		    var->name, "is empty; set it to a value or unset it");
		return false;
	}
	*(trl_secret **)field = trl_secret_new(text, strlen(text));
	if (text != var->fallback)
		trl_config_forget(text);
	return true;
}

static void
let_pass(void *self, const char *rest, const char *value)
{
	(void)self, (void)rest;
	trl_config_forget(value);
}

static bool
read_var(const struct trl_config_var *var, void *out)
{
	void *field = (char *)out + var->offset;
	const char *text;

	if (var->type == TRL_CONFIG_T_PREFIX)
		return trl_config_family(var->name, let_pass, NULL);
	if (!trl_config_value(var->name, &text))
		return false;
	if (text == NULL)
		text = var->fallback;
	if (var->type == TRL_CONFIG_T_STR) {
		*(const char **)field = text;
		return true;
	}
	if (text == NULL)
		return true; /* the struct's zero */
	switch (var->type) {
	case TRL_CONFIG_T_INT:
		return read_int(var, text, field);
	case TRL_CONFIG_T_REAL:
		return read_real(var, text, field);
	case TRL_CONFIG_T_BOOL:
		return read_bool(var, text, field);
	default:
		return read_secret(var, text, field);
	}
}

bool
trl_config_read(const struct trl_config_table *table, void *out)
{
	bool fine = true;

	for (size_t i = 0; i < table->n_vars; i++)
		fine = read_var(&table->vars[i], out) && fine;
	return fine;
}

bool
trl_config_check_values(void)
{
	bool fine = true;

	for (const struct trl_config_table *const *t = trl_config_known; *t; t++)
		for (size_t i = 0; i < (*t)->n_vars; i++) {
			struct trl_config_var var = (*t)->vars[i];
			union {
				int64_t whole;
				double real;
				bool yes;
				const char *text;
				trl_secret *secret;
			} field = { 0 };

			var.offset = 0;
			fine = read_var(&var, &field) && fine;
			if (var.type == TRL_CONFIG_T_SECRET)
				trl_secret_free(&field.secret);
		}
	return fine;
}

/* One entry of the environment, of len characters before its sign; those that are no
 * member of the family are skipped. */
static bool
read_member(const char *entry, size_t len, size_t skip,
    void (*fn)(void *self, const char *rest, const char *value), void *self)
{
	char name[128];
	const char *value;

	snprintf(name, sizeof name, "%.*s", (int)len, entry);
	if (len >= sizeof name) {
		trl_config_complain(name, "and so on is too long for a name");
		return false;
	}
	if (strcmp(name + skip, "FILE") == 0)
		return true; /* of the variable called like the prefix */
	if (len > skip + 5 && strcmp(name + len - 5, "_FILE") == 0) {
		name[len - 5] = '\0';
		if (getenv(name) != NULL)
			return true; /* both are set, which the other one's turn says */
	}
	if (!trl_config_value(name, &value))
		return false;
	if (value != NULL)
		fn(self, name + skip, value);
	return true;
}

bool
trl_config_family(const char *prefix,
    void (*fn)(void *self, const char *rest, const char *value), void *self)
{
	size_t skip = strlen(prefix);
	bool fine = true;

	for (char **e = environ; e != NULL && *e != NULL; e++) {
		size_t len = strcspn(*e, "=");

		if (len > skip && strncmp(*e, prefix, skip) == 0)
			fine = read_member(*e, len, skip, fn, self) && fine;
	}
	return fine;
}

/* Whether a variable is set, and the path of its file. */
static bool
is_set(const char *name, const char **path)
{
	char file_name[160];

	snprintf(file_name, sizeof file_name, "%s_FILE", name);
	*path = getenv(file_name);
	return *path != NULL || getenv(name) != NULL;
}

static void
each_secret_of(const char *prefix,
    void (*fn)(void *self, const char *name, const char *path), void *self)
{
	const size_t skip = strlen(prefix);

	for (char **e = environ; e != NULL && *e != NULL; e++) {
		size_t len = strcspn(*e, "=");
		char name[128];
		const char *path;

		if (len <= skip || len >= sizeof name || strncmp(*e, prefix, skip) != 0)
			continue;
		if (len > skip + 5 && strncmp(*e + len - 5, "_FILE", 5) == 0)
			len -= 5;
		snprintf(name, sizeof name, "%.*s", (int)len, *e);
		if (is_set(name, &path))
			fn(self, name, path);
	}
}

void
trl_config_each_secret(
    void (*fn)(void *self, const char *name, const char *path), void *self)
{
	const char *path;

	for (const struct trl_config_table *const *t = trl_config_known; *t != NULL;
	     t++)
		for (size_t i = 0; i < (*t)->n_vars; i++) {
			const struct trl_config_var *var = &(*t)->vars[i];

			if (var->type == TRL_CONFIG_T_PREFIX && !var->shown &&
			    !var->of_services)
				each_secret_of(var->name, fn, self);
			else if (var->type == TRL_CONFIG_T_SECRET &&
				 is_set(var->name, &path))
				fn(self, var->name, path);
		}
}
