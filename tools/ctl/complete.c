/* complete.c - what the shell completes: the script asks `trellis __complete` with the
 * words so far, and takes the lines that come. So the script never grows old. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include <trl/config.h>
#include <trl/event_type.h>
#include <trl/log.h>
#include <trl/method.h>

static const char bash_script[] =
    "# trellis completion bash: source it, or put it into a completions folder\n"
    "_trellis() {\n"
    "\tlocal IFS=$'\\n'\n"
    "\tlocal words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
    "\tCOMPREPLY=($(\"${COMP_WORDS[0]}\" __complete \"${words[@]}\" 2>/dev/null))\n"
    "}\n"
    "complete -F _trellis trellis\n";

static const char zsh_script[] =
    "#compdef trellis\n"
    "# trellis completion zsh: source it after compinit, or save it as _trellis\n"
    "_trellis() {\n"
    "\tlocal -a found\n"
    "\tfound=(${(f)\"$(${words[1]} __complete \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)\"})\n"
    "\tcompadd -a found\n"
    "}\n"
    "compdef _trellis trellis\n";

enum ctl_exit
ctl_completion(struct ctl *ctl)
{
	const char *shell = ctl->args.words[0];
	if (strcmp(shell, "bash") == 0)
		trl_buf_adds(&ctl->out, bash_script);
	else if (strcmp(shell, "zsh") == 0)
		trl_buf_adds(&ctl->out, zsh_script);
	else
		fprintf(stderr, "trellis: completion is for bash or zsh\n");
	return ctl->out.len > 0 ? CTL_FINE : CTL_MISUSED;
}

static void
offer(const char *candidate, size_t len, const char *begun)
{
	if (strncmp(candidate, begun, strlen(begun)) == 0 && len >= strlen(begun))
		printf("%.*s\n", (int)len, candidate);
}

static void
offer_service(void *begun, const char *rest, const char *value)
{
	char name[44];
	size_t n = 0;
	(void)value;
	for (; rest[n] != '\0' && n + 1 < sizeof name; n++)
		name[n] = (char)(rest[n] | 0x20);
	name[n] = '\0';
	offer(name, n, begun);
}

/* The n-th words of commands whose words before are those given. */
static void
offer_commands(int n, char **words)
{
	const char *last = "";
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		const char *space = strchr(c->name, ' ');
		const char *word = c->name;
		size_t len = space ? (size_t)(space - c->name) : strlen(c->name);
		if (n == 2) {
			if (space == NULL || strlen(words[0]) != len ||
			    memcmp(words[0], c->name, len) != 0)
				continue;
			word = space + 1;
			len = strlen(word);
		}
		if (strlen(last) >= len && n == 1 && strncmp(last, word, len) == 0)
			continue; /* of a group, once */
		offer(word, len, words[n - 1]);
		last = word;
	}
}

static void
offer_methods(const char *begun)
{
	for (size_t i = 0; i < trl_methods_count; i++) {
		const char *full = trl_methods[i]->name, *last = strrchr(full, '.') + 1;
		char why[300];
		if (strncmp(full, begun, strlen(begun)) == 0 && strchr(begun, '.'))
			puts(full);
		else if (strncmp(last, begun, strlen(begun)) == 0)
			puts(ctl_method(last, why) != NULL ? last : full);
	}
}

static void
offer_options(const struct ctl_command *command, const char *begun)
{
	unsigned all = command->options | CTL_JSON | CTL_TIMEOUT | CTL_HELP;
	for (unsigned bit = 1; bit <= all; bit <<= 1)
		if ((all & bit) != 0) {
			const char *name = ctl_option_name(bit);
			offer(name, strlen(name), begun);
		}
}

static void
offer_types(const char *begun)
{
	for (size_t i = 0; i < trl_event_types_count; i++)
		offer(
		    trl_event_types[i]->name, strlen(trl_event_types[i]->name), begun);
}

static void
offer_levels(const char *begun)
{
	for (int level = TRL_LOG_DEBUG; level <= TRL_LOG_ERROR; level++) {
		const char *name = trl_log_level_name((enum trl_log_level)level);
		offer(name, strlen(name), begun);
	}
}

/* False: the services could not be read, which was said. */
static bool
offer_services(const char *begun)
{
	return trl_config_family(
	    "TRELLIS_PEER_", offer_service, (void *)(uintptr_t)begun);
}

static void
offer_words(const struct ctl_command *command, const char *begun)
{
	if (strcmp(command->name, "log-level") == 0) {
		(void)offer_services(begun);
		offer_levels(begun);
	}
	if (strcmp(command->name, "call") == 0)
		offer_methods(begun);
	if (strcmp(command->name, "completion") == 0) {
		offer("bash", 4, begun);
		offer("zsh", 3, begun);
	}
}

enum ctl_exit
ctl_complete(int argc, char **argv)
{
	const struct ctl_command *command = NULL;
	const char *begun = argc > 0 ? argv[argc - 1] : "";
	bool takes_value = false;
	unsigned option = argc > 1 ? ctl_option_named(argv[argc - 2], &takes_value) : 0;
	int used = 0;

	if (argc == 0)
		return CTL_MISUSED;
	ctl_settings_load();
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		char name[64];
		int n = strchr(c->name, ' ') ? 2 : 1;
		if (argc <= n)
			continue;
		snprintf(name, sizeof name, "%.30s%s%.30s", argv[0], n == 2 ? " " : "",
		    n == 2 ? argv[1] : "");
		if (strcmp(name, c->name) == 0) {
			command = c;
			used = n;
		}
	}
	if (command == NULL) {
		if (argc <= 2)
			offer_commands(argc, argv);
	} else if (takes_value && option == CTL_SERVICE) {
		if (!offer_services(begun))
			return CTL_FAILED;
	} else if (takes_value && option == CTL_TYPE)
		offer_types(begun);
	else if (!takes_value && begun[0] == '-')
		offer_options(command, begun);
	else if (!takes_value && argc == used + 1)
		offer_words(command, begun);
	else if (!takes_value && argc == used + 2 &&
		 strcmp(command->name, "log-level") == 0)
		offer_levels(begun);
	return CTL_FINE;
}
