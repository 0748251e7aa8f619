/* trellis - the operator's command. It asks the services of a running mesh over their
 * bus, as the caller "ctl", and ends with 0, 1 (something failed) or 2 (called
 * wrongly). */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/config.h>
#include <trl/log.h>

static enum ctl_exit
run(struct ctl *ctl)
{
	const struct ctl_command *command = ctl->args.command;
	if ((ctl->args.given & CTL_HELP) != 0) {
		if (command->run == ctl_call && ctl->args.n_words > 0)
			return ctl_call_help(ctl);
		ctl_print_help(command);
		return CTL_FINE;
	}
	if ((ctl->args.given & CTL_MARKDOWN) != 0) {
		trl_config_print_markdown();
		return CTL_FINE;
	}
	if (command->run == ctl_call && ctl->args.n_words == 0)
		return ctl_call_list(ctl);
	if (command->local != NULL)
		return command->local(ctl);
	return ctl_settings(ctl) ? ctl_run(ctl) : CTL_FAILED;
}

int
main(int argc, char **argv)
{
	static struct ctl ctl;
	char why[300];

	trl_assert(sodium_init() >= 0);
	trl_log_init("ctl", TRL_LOG_ERROR);
	if (argc > 1 && strcmp(argv[1], "__complete") == 0)
		return ctl_complete(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("trellis " TRELLIS_VERSION);
		return CTL_FINE;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		(void)ctl_print_usage(NULL);
		return argc < 2 ? CTL_MISUSED : CTL_FINE;
	}
	if (argc == 3 &&
	    (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0) &&
	    ctl_print_usage(argv[1]))
		return CTL_FINE;
	if (!ctl_parse(&ctl.args, argc - 1, argv + 1, why)) {
		fprintf(stderr, "trellis: %s\n", why);
		return CTL_MISUSED;
	}
	ctl.status = run(&ctl);
	if (ctl.out.len > 0 &&
	    fwrite(ctl.out.data, 1, ctl.out.len, stdout) != ctl.out.len)
		ctl.status = CTL_FAILED;
	if (fflush(stdout) != 0 && ctl.status == CTL_FINE)
		ctl.status = CTL_FAILED;
	/* The transport's sockets are not safe to close while its threads work. */
	_exit((int)ctl.status);
}
