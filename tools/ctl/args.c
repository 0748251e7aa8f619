/* args.c - the words behind `trellis`: a command of one word or two, options anywhere
 * behind it ("--name value", "--name=value"), "--" ends options. What is unknown is
 * answered with the nearest name there is. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/distance.h>

enum { USUAL = CTL_JSON | CTL_TIMEOUT | CTL_HELP };

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

const char *
ctl_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 2;
	for (; *names != NULL; names++) {
		unsigned far = trl_distance(word, strlen(word), *names, strlen(*names));
		if (far < least) {
			least = far;
			best = *names;
		}
	}
	return best;
}

/* ---- commands
 * ---------------------------------------------------------------------------- */

/* How many of the words are the command's name; 0: they are not. */
static unsigned
names(const struct ctl_command *command, int argc, char **argv)
{
	const char *space = strchr(command->name, ' ');
	if (space == NULL)
		return argc > 0 && strcmp(argv[0], command->name) == 0 ? 1 : 0;
	size_t n = (size_t)(space - command->name);
	return argc > 1 && strlen(argv[0]) == n &&
		       memcmp(argv[0], command->name, n) == 0 &&
		       strcmp(argv[1], space + 1) == 0
		   ? 2
		   : 0;
}

/* Whether it is the first word of commands of two. */
static bool
is_group(const char *word)
{
	size_t n = strlen(word);
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		if (strncmp(c->name, word, n) == 0 && c->name[n] == ' ')
			return true;
	return false;
}

/* Just "events", or with an option: which commands begin with it. */
static void
say_group(const char *word, char why[300])
{
	const char *and = " has the commands ";
	int at = snprintf(why, 300, "'%s'", word);

	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		const size_t n = strlen(word);

		if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ' || at >= 300)
			continue;
		at += snprintf(
		    why + at, (size_t)(300 - at), "%s%s", and, c->name + n + 1);
		and = ", ";
	}
}

static void
say_unknown(int argc, char **argv, char why[300])
{
	const char *all[64];
	char given[120];
	size_t n = 0;
	bool group = is_group(argv[0]);

	if (group && (argc == 1 || argv[1][0] == '-')) {
		say_group(argv[0], why);
		return;
	}
	for (const struct ctl_command *c = ctl_commands; c->name != NULL && n < 63; c++)
		all[n++] = c->name;
	all[n] = NULL;
	snprintf(given, sizeof given, "%.50s%s%.50s", argv[0],
	    argc > 1 && (group || argv[1][0] != '-') ? " " : "",
	    argc > 1 && (group || argv[1][0] != '-') ? argv[1] : "");
	const char *near = ctl_nearest(given, all);
	if (near == NULL)
		near = ctl_nearest(argv[0], all);
	if (near != NULL)
		snprintf(why, 300, "there is no command '%s'; did you mean '%s'?",
		    given, near);
	else
		snprintf(why, 300,
		    "there is no command '%s'; trellis --help lists them", given);
}

/* ---- options
 * ----------------------------------------------------------------------------- */

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
		if ((options[i].bit & (args->command->options | USUAL)) != 0)
			all[n++] = options[i].name;
	all[n] = NULL;
	const char *near = ctl_nearest(word, all);
	snprintf(why, 300, "'%s' takes no %.60s; %s%s%s", args->command->name, word,
	    near ? "did you mean " : "its --help lists what it takes", near ? near : "",
	    near ? "?" : "");
	return false;
}

/* Takes the option at *at, and its value. */
static bool
take_option(struct ctl_args *args, int argc, char **argv, int *at, char why[300])
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *option = option_named(word, len);

	if (option == NULL || (option->bit & (args->command->options | USUAL)) == 0)
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

bool
ctl_parse(struct ctl_args *args, int argc, char **argv, char why[300])
{
	bool options_end = false;
	unsigned used = 0;

	*args = (struct ctl_args){ .timeout_ms = 5000, .limit = 100 };
	why[0] = '\0';
	for (const struct ctl_command *c = ctl_commands; c->name != NULL && used == 0;
	     c++)
		if ((used = names(c, argc, argv)) > 0)
			args->command = c;
	if (args->command == NULL) {
		say_unknown(argc, argv, why);
		return false;
	}
	for (int at = (int)used; at < argc; at++) {
		if (!options_end && strcmp(argv[at], "--") == 0) {
			options_end = true;
		} else if (!options_end && argv[at][0] == '-' && argv[at][1] != '\0') {
			if (!take_option(args, argc, argv, &at, why))
				return false;
		} else if (args->n_words == args->command->most) {
			snprintf(why, 300,
			    "'%s' takes no '%.60s'; usage: trellis %s %s",
			    args->command->name, argv[at], args->command->name,
			    args->command->words);
			return false;
		} else {
			args->words[args->n_words++] = argv[at];
		}
	}
	if (args->n_words < args->command->least && (args->given & CTL_HELP) == 0) {
		snprintf(why, 300, "'%s' needs %s; trellis %s --help says more",
		    args->command->name, args->command->words, args->command->name);
		return false;
	}
	return true;
}

/* ---- help
 * -------------------------------------------------------------------------------- */

bool
ctl_print_usage(const char *group)
{
	const size_t n = group ? strlen(group) : 0;

	if (group && !is_group(group))
		return false;
	printf("trellis - asks the services of a running mesh, and tells them what to "
	       "do\n\nusage: trellis COMMAND [OPTION...]\n\n");
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		char left[80];
		if (group && (strncmp(c->name, group, n) != 0 || c->name[n] != ' '))
			continue;
		snprintf(left, sizeof left, "%s %s", c->name, c->words);
		printf("  %-34s %s\n", left, c->summary);
	}
	printf("\ntrellis COMMAND --help says more. Options of every command:\n");
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if ((options[i].bit & USUAL) != 0)
			printf("  %-9s %-8s %s\n", options[i].name,
			    options[i].value ? options[i].value : "", options[i].help);
	printf(
	    "\nExit status: 0; 1 if something failed; 2 if it was called wrongly.\n");
	return true;
}

void
ctl_print_help(const struct ctl_command *command)
{
	printf("usage: trellis %s%s%s [OPTION...]\n\n%s.\n", command->name,
	    command->words[0] ? " " : "", command->words, command->summary);
	if (command->more != NULL)
		printf("%s\n", command->more);
	printf("\n");
	for (size_t i = 0; i < TRL_COUNT(options); i++)
		if ((options[i].bit & (command->options | USUAL)) != 0)
			printf("  %-10s %-9s %s\n", options[i].name,
			    options[i].value ? options[i].value : "", options[i].help);
}
