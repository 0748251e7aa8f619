/* args.c - the words behind `trellis`: a command of one word or two, options anywhere
 * behind it (options.c), "--" ends options. What is unknown is answered with the
 * nearest name there is. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include <trl/distance.h>

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
			if (!ctl_take_option(args, argc, argv, &at, why))
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
	ctl_print_options(0);
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
	ctl_print_options(command->options);
}
