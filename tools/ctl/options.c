/* options.c - "--name value" and "--name=value": which there are, and who takes them.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option {
	const char *name;
	unsigned bit;
	const char *value; /* NULL: takes none */
	const char *help;
} options[] = {
	{ "--service", CTL_SERVICE, "NAME",
	    "only this service (several with commas); else all" },
	{ "--tenant", CTL_TENANT, "ID", "in this tenant" },
	{ "--account", CTL_ACCOUNT, "ID", "for this account" },
	{ "--key", CTL_KEY, "KEY",
	    "the idempotency key of a change; default: a new one" },
	{ "--type", CTL_TYPE, "TYPE", "only events of this type" },
	{ "--follow", CTL_FOLLOW, NULL, "keeps showing what comes, until stopped" },
	{ "--from", CTL_FROM, "SEQ|TIME",
	    "a number in each lane, or a time such as 2026-05-01T12:00:00Z" },
	{ "--again", CTL_AGAIN, NULL, "also what was applied before" },
	{ "--state", CTL_STATE, "STATE", "only jobs in this state" },
	{ "--kind", CTL_KIND, "KIND", "only jobs of this kind" },
	{ "--limit", CTL_LIMIT, "N", "at most this many" },
	{ "--dir", CTL_DIR, "FOLDER", "files in a new folder, and no Secrets" },
	{ "--name", CTL_NAME, "NAME",
	    "what the Secrets' names begin with (default trellis)" },
	{ "--namespace", CTL_NAMESPACE, "NAME", "where the Secrets belong" },
	{ "--dry-run", CTL_DRY_RUN, NULL, "only says what it would do" },
	{ "--force", CTL_FORCE, NULL, "also where it looks wrong" },
	{ "--accept-restore", CTL_ACCEPT_RESTORE, NULL,
	    "what a restored database does not know may go" },
	{ "--one", CTL_ONE, NULL, "all services run in one process" },
	{ "--markdown", CTL_MARKDOWN, NULL, "every setting, as a table" },
	{ "--json", CTL_JSON, NULL, "for programs" },
	{ "--timeout", CTL_TIMEOUT, "SECONDS", "waits at most this long (default 5)" },
	{ "--help", CTL_HELP, NULL, "says what a command does" },
};

static const struct option *
option_named(const char *name, size_t len)
{
	if (len == 2 && memcmp(name, "-h", 2) == 0)
		return option_named("--help", 6);
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

unsigned
ctl_option_named(const char *name, bool *takes_value)
{
	const struct option *option = option_named(name, strlen(name));
	*takes_value = option != NULL && option->value != NULL;
	return option ? option->bit : 0;
}

const char *
ctl_option_name(unsigned bit)
{
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if (options[i].bit == bit)
			return options[i].name;
	return NULL;
}

static bool
read_number(const char *text, double least, double most, double *out)
{
	char *end;
	errno = 0;
	*out = strtod(text, &end);
	return *text != '\0' && *end == '\0' && errno == 0 && *out >= least &&
	       *out <= most;
}

static bool
take_value(struct ctl_args *args, const struct option *option, const char *value,
    char why[300])
{
	double number = 0;
	switch (option->bit) {
	case CTL_SERVICE:
		args->service = value;
		break;
	case CTL_TYPE:
		args->type = value;
		break;
	case CTL_FROM:
		args->from = value;
		break;
	case CTL_TENANT:
		args->tenant = value;
		break;
	case CTL_ACCOUNT:
		args->account = value;
		break;
	case CTL_KEY:
		args->key = value;
		break;
	case CTL_STATE:
		args->state = value;
		break;
	case CTL_KIND:
		args->kind = value;
		break;
	case CTL_DIR:
		args->dir = value;
		break;
	case CTL_NAME:
		args->name = value;
		break;
	case CTL_NAMESPACE:
		args->namespace = value;
		break;
	case CTL_TIMEOUT:
		if (!read_number(value, 0.1, 3600, &number))
			snprintf(why, 300,
			    "--timeout is a number of seconds from 0.1 "
			    "to 3600");
		args->timeout_ms = (int64_t)(number * 1000);
		break;
	case CTL_LIMIT:
		if (!read_number(value, 1, 1000, &number))
			snprintf(why, 300, "--limit is a number from 1 to 1000");
		args->limit = (int64_t)number;
		break;
	default:
		break;
	}
	return why[0] == '\0';
}

static bool
say_no_option(const struct ctl_args *args, const char *word, char why[300])
{
	const char *all[TRL_COUNT(options) + 1];
	size_t n = 0;
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if ((options[i].bit & (args->command->options | CTL_USUAL)) != 0)
			all[n++] = options[i].name;
	all[n] = NULL;
	const char *near = ctl_nearest(word, all);
	snprintf(why, 300, "'%s' takes no %.60s; %s%s%s", args->command->name, word,
	    near ? "did you mean " : "its --help lists what it takes", near ? near : "",
	    near ? "?" : "");
	return false;
}

bool
ctl_take_option(struct ctl_args *args, int argc, char **argv, int *at, char why[300])
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *option = option_named(word, len);

	if (option == NULL || (option->bit & (args->command->options | CTL_USUAL)) == 0)
		return say_no_option(args, word, why);
	args->given |= option->bit;
	if (option->value == NULL) {
		if (equals != NULL)
			snprintf(why, 300, "%s takes no value", option->name);
		return equals == NULL;
	}
	const char *value = equals ? equals + 1 : NULL;
	if (value == NULL && *at + 1 < argc)
		value = argv[++*at];
	if (value == NULL || *value == '\0') {
		snprintf(why, 300, "%s needs a value: %s %s", option->name,
		    option->name, option->value);
		return false;
	}
	return take_value(args, option, value, why);
}

void
ctl_print_options(unsigned which)
{
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if ((options[i].bit & (which | CTL_USUAL)) != 0)
			printf("  %-10s %-9s %s\n", options[i].name,
			    options[i].value ? options[i].value : "", options[i].help);
}
