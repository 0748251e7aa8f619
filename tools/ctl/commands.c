/* commands.c - every command there is; usage, help, parsing and completion read this
 * table and nothing else. */
#include "ctl.h"

const struct ctl_command ctl_commands[] = {
	{
	    .name = "stats",
	    .words = "[METRIC...]",
	    .summary = "shows how each service does",
	    .more =
		"With words it also shows the metrics whose names hold one of them: "
		"trellis stats bus_calls",
	    .options = CTL_SERVICE,
	    .most = 8,
	    .run = ctl_stats,
	},
	{
	    .name = "actors",
	    .words = "",
	    .summary = "lists what is being done, and what it waits for",
	    .options = CTL_SERVICE,
	    .run = ctl_actors,
	},
	{
	    .name = "peers",
	    .words = "",
	    .summary = "lists who calls whom, address by address",
	    .options = CTL_SERVICE,
	    .run = ctl_peers,
	},
	{
	    .name = "config",
	    .words = "",
	    .summary = "lists the settings in effect, secrets hidden",
	    .more = "--markdown prints the table of all settings there are instead, "
		    "which needs no mesh.",
	    .options = CTL_SERVICE | CTL_MARKDOWN,
	    .run = ctl_config,
	},
	{
	    .name = "tenant show",
	    .words = "ID|SLUG",
	    .summary = "gathers what every service knows of a tenant",
	    .options = CTL_SERVICE,
	    .least = 1,
	    .most = 1,
	    .run = ctl_tenant_show,
	},
	{
	    .name = "jobs list",
	    .words = "",
	    .summary = "lists jobs that wait, run or have failed for good",
	    .options = CTL_SERVICE | CTL_STATE | CTL_KIND | CTL_TENANT | CTL_LIMIT,
	    .run = ctl_jobs_list,
	},
	{
	    .name = "jobs show",
	    .words = "ID",
	    .summary = "shows one job with its payload, secrets hidden",
	    .options = CTL_SERVICE,
	    .least = 1,
	    .most = 1,
	    .run = ctl_jobs_show,
	},
	{
	    .name = "jobs retry",
	    .words = "ID",
	    .summary = "makes a dead or cancelled job ready once more",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_jobs_retry,
	},
	{
	    .name = "jobs cancel",
	    .words = "ID",
	    .summary = "ends a job that waits, asks one that runs to stop",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_jobs_cancel,
	},
	{
	    .name = "call",
	    .words = "[METHOD [JSON]]",
	    .summary = "calls any method of any service; without one, lists them",
	    .more = "METHOD may be the end of its name, such as GetTenant. JSON may be "
		    "@FILE, or - for\nthe input. METHOD --help shows what it takes and "
		    "answers.",
	    .options = CTL_SERVICE | CTL_TENANT | CTL_ACCOUNT | CTL_KEY,
	    .most = 2,
	    .run = ctl_call,
	},
	{
	    .name = "completion",
	    .words = "bash|zsh",
	    .summary = "prints what makes a shell complete this command",
	    .more = "For instance: source <(trellis completion bash)",
	    .least = 1,
	    .most = 1,
	    .local = ctl_completion,
	},
	{ .name = NULL },
};
