/* config_show.c - a table's effective values, without what must stay secret. Apart from
 * config_print.c, so that a program without the list of all tables can link it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <trl/buf.h>

#include "config_value.h"

enum { SHOWN_MAX = 300 };

struct showing {
	void (*fn)(void *self, const char *name, const char *value);
	void *self;
	const struct trl_config_var *var; /* a family */
};

/* The password of scheme://user:HERE@host, or NULL. */
static const char *
password_of_url(const char *text, size_t *len)
{
	const char *from = strstr(text, "://"), *at = NULL, *colon = NULL;

	if (from == NULL)
		return NULL;
	for (const char *c = from + 3; *c != '\0' && strchr("/?", *c) == NULL; c++) {
		if (*c == '@')
			at = c; /* the last one ends the user's part */
		if (*c == ':' && colon == NULL)
			colon = c;
	}
	if (at == NULL || colon == NULL || colon > at)
		return NULL;
	*len = (size_t)(at - colon) - 1;
	return colon + 1;
}

/* What stands behind password= in a URL's query or a connection string, or NULL. */
static const char *
password_named(const char *text, size_t *len)
{
	static const char word[] = "password=";
	const char *named = strstr(text, word);

	if (named == NULL)
		return NULL;
	named += strlen(word);
	*len = *named == '\'' ? strlen(named) : strcspn(named, "& ");
	return named;
}

static void
add_text(struct trl_buf *out, const char *text)
{
	size_t len, other_len;
	const char *secret = password_of_url(text, &len), *other;

	if (secret != NULL) {
		trl_buf_add(out, text, (size_t)(secret - text));
		trl_buf_adds(out, "***");
		text = secret + len;
	}
	while ((other = password_named(text, &other_len)) != NULL) {
		trl_buf_add(out, text, (size_t)(other - text));
		trl_buf_adds(out, "***");
		text = other + other_len;
	}
	trl_buf_adds(out, text);
}

static void
add_value(struct trl_buf *out, const struct trl_config_var *var, const void *field)
{
	const char *text;

	switch (var->type) {
	case TRL_CONFIG_T_STR:
		text = *(const char *const *)field;
		add_text(out, text ? text : "(unset)");
		break;
	case TRL_CONFIG_T_INT:
		trl_buf_printf(out, "%" PRId64, *(const int64_t *)field);
		break;
	case TRL_CONFIG_T_REAL:
		trl_buf_printf(out, "%g", *(const double *)field);
		break;
	case TRL_CONFIG_T_BOOL:
		trl_buf_adds(out, *(const bool *)field ? "true" : "false");
		break;
	case TRL_CONFIG_T_SECRET:
		trl_buf_adds(out, *(trl_secret *const *)field ? "(set)" : "(unset)");
		break;
	case TRL_CONFIG_T_PREFIX:
		break;
	}
}

/* One line of SHOWN_MAX bytes at most, cut between characters. */
static void
make_line(struct trl_buf *text)
{
	if (text->len > SHOWN_MAX) {
		text->len = SHOWN_MAX;
		while (text->len > 0 && (text->data[text->len] & 0xc0) == 0x80)
			text->len--;
	}
	for (size_t at = 0; at < text->len; at++)
		if (text->data[at] < 0x20 || text->data[at] == 0x7f)
			text->data[at] = ' ';
	trl_buf_add(text, "", 1);
}

static void
show_member(void *self, const char *rest, const char *value)
{
	struct showing *showing = self;
	struct trl_buf text = { 0 };
	char name[160];

	snprintf(name, sizeof name, "%s%s", showing->var->name, rest);
	add_text(&text, showing->var->shown ? value : "(set)");
	make_line(&text);
	showing->fn(showing->self, name, (const char *)text.data);
	trl_buf_fini(&text);
}

void
trl_config_each(const struct trl_config_table *table, const void *values,
    void (*fn)(void *self, const char *name, const char *value), void *self)
{
	struct trl_buf text = { 0 };

	for (size_t i = 0; i < table->n_vars; i++) {
		const struct trl_config_var *var = &table->vars[i];
		struct showing showing = { fn, self, var };

		if (var->type == TRL_CONFIG_T_PREFIX) {
			if (!trl_config_family(var->name, show_member, &showing))
				fn(self, var->name, "(one cannot be read)");
			continue;
		}
		trl_buf_clear(&text);
		add_value(&text, var, (const char *)values + var->offset);
		make_line(&text);
		fn(self, var->name, (const char *)text.data);
	}
	trl_buf_fini(&text);
}

static void
print_one(void *self, const char *name, const char *value)
{
	(void)self;
	printf("%s=%s\n", name, value);
}

void
trl_config_print(const struct trl_config_table *table, const void *values)
{
	trl_config_each(table, values, print_one, NULL);
}
