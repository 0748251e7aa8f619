/* commands.c - every command there is; usage, help, parsing and completion read this
 * table and nothing else. */
#include "ctl.h"

const struct ctl_command ctl_commands[] = {
	{
	    .name = "stats",
	    .words = "[METRIC...]",
	    .summary = "shows how each service is doing",
	    .more =
		"With words it also shows the metrics whose names hold one of them: "
		"trellis stats bus_calls. All begin with 'trellis_'.",
	    .options = CTL_SERVICE,
	    .most = 8,
	    .run = ctl_stats,
	},
	{
	    .name = "metrics",
	    .words = "[METRIC...]",
	    .summary = "lists every metric there is, and what it means",
	    .more = "With words only those whose names hold one of them.",
	    .options = CTL_SERVICE,
	    .most = 8,
	    .run = ctl_metrics,
	},
	{
	    .name = "actors",
	    .words = "",
	    .summary = "lists what is running, and what it waits for",
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
	    .more = "--markdown prints a table of every setting instead, which needs "
		    "no mesh.",
	    .options = CTL_SERVICE | CTL_MARKDOWN,
	    .run = ctl_config,
	},
	{
	    .name = "log-level",
	    .words = "[SERVICE] [LEVEL]",
	    .summary = "shows or sets the log level of services",
	    .more = "LEVEL is debug, info, warn or error, and holds until the process "
		    "ends; without SERVICE,\nfor all. Services of one process have one "
		    "log.",
	    .options = CTL_SERVICE,
	    .most = 2,
	    .run = ctl_log_level,
	},
	{
	    .name = "tenant show",
	    .words = "ID|SLUG",
	    .summary = "shows what every service knows about a tenant",
	    .options = CTL_SERVICE,
	    .least = 1,
	    .most = 1,
	    .run = ctl_tenant_show,
	},
	{
	    .name = "tenants top",
	    .words = "",
	    .summary = "lists the tenants that the services work most for",
	    .more = "Of the last ten to twenty minutes, of all processes together. "
		    "SECONDS is the time that\ncalls and jobs took.",
	    .options = CTL_SERVICE | CTL_LIMIT,
	    .run = ctl_tenants_top,
	},
	{
	    .name = "events tail",
	    .words = "",
	    .summary = "shows the newest events of the services' logs",
	    .more = "With --json each event is CloudEvents JSON beside its place; with "
		    "--follow too, an object\na line.",
	    .options = CTL_SERVICE | CTL_TYPE | CTL_FOLLOW | CTL_LIMIT,
	    .run = ctl_events_tail,
	},
	{
	    .name = "events lag",
	    .words = "",
	    .summary = "shows how far subscriptions are, and what is parked",
	    .options = CTL_SERVICE,
	    .run = ctl_events_lag,
	},
	{
	    .name = "events parked",
	    .words = "",
	    .summary = "lists events that could not be applied, and those behind them",
	    .options = CTL_SERVICE | CTL_LIMIT,
	    .run = ctl_events_parked,
	},
	{
	    .name = "events redrive",
	    .words = "ID",
	    .summary = "applies a parked event again, and what waits behind it",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_events_redrive,
	},
	{
	    .name = "events skip",
	    .words = "ID",
	    .summary =
		"drops a parked event for good, and applies what waits behind it",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_events_skip,
	},
	{
	    .name = "events replay",
	    .words = "SUBSCRIPTION",
	    .summary = "sets a subscription back to a number or a time",
	    .more = "Without --from: to the oldest event that is kept. Events already "
		    "applied are skipped,\nunless --again is given.",
	    .options = CTL_SERVICE | CTL_FROM | CTL_AGAIN | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_events_replay,
	},
	{
	    .name = "events forget",
	    .words = "SERVICE SUBSCRIPTION",
	    .summary = "forgets a subscriber that is gone and holds the log back",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 2,
	    .most = 2,
	    .run = ctl_events_forget,
	},
	{
	    .name = "events new-epoch",
	    .words = "SERVICE",
	    .summary = "after its database was restored: subscribers read again",
	    .options = CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_events_new_epoch,
	},
	{
	    .name = "jobs list",
	    .words = "",
	    .summary = "lists jobs that are waiting, running or have failed for good",
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
	    .summary = "makes a dead or cancelled job ready again",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_jobs_retry,
	},
	{
	    .name = "jobs cancel",
	    .words = "ID",
	    .summary = "ends a waiting job, or asks a running one to stop",
	    .options = CTL_SERVICE | CTL_KEY,
	    .least = 1,
	    .most = 1,
	    .run = ctl_jobs_cancel,
	},
	{
	    .name = "billing catalogue",
	    .words = "check|diff|apply FILE",
	    .summary = "checks a catalogue file, compares it, or puts it in force",
	    .more =
		"FILE is JSON (services/billing/README.md). diff lists what it would "
		"change. If any of it\nis wrong, none of it takes effect.",
	    .options = CTL_KEY,
	    .least = 2,
	    .most = 2,
	    .run = ctl_billing_catalogue,
	},
	{
	    .name = "ledger check",
	    .words = "",
	    .summary = "adds up the ledger, and compares it with invoices and balances",
	    .options = CTL_TENANT,
	    .run = ctl_ledger_check,
	},
	{
	    .name = "ledger export",
	    .words = "",
	    .summary = "prints the ledger as a journal that hledger reads",
	    .options = CTL_TENANT,
	    .run = ctl_ledger_export,
	},
	{
	    .name = "media sweep",
	    .words = "",
	    .summary = "removes bytes that belong to no file, and what has expired",
	    .more =
		"It also runs every night. Bytes younger than a day stay. Files whose "
		"bytes are missing, and\nwhat cannot be read or removed, are in "
		"media's log, and the command then fails. If the\nstore has many "
		"files that the tables do not know, none of them is removed without "
		"--force:\nfirst check that it is the right store and the right "
		"database. After the database was\nrestored nothing is removed until "
		"--accept-restore says that what it does not know may go.",
	    .options = CTL_DRY_RUN | CTL_FORCE | CTL_ACCEPT_RESTORE,
	    .run = ctl_media_sweep,
	},
	{
	    .name = "media release",
	    .words = "FILE",
	    .summary = "takes a file out of quarantine, once a scan calls it clean",
	    .more =
		"clamd scans it again, perhaps with newer signatures. With --force it "
		"is served as it is,\nwhatever was found in it.",
	    .options = CTL_TENANT | CTL_FORCE,
	    .least = 1,
	    .most = 1,
	    .run = ctl_media_release,
	},
	{
	    .name = "call",
	    .words = "[METHOD [JSON]]",
	    .summary = "calls any method of any service; without one, lists all",
	    .more = "METHOD may be the end of its name, such as GetTenant. JSON may be "
		    "@FILE, or - for\nthe input. METHOD --help shows what it takes and "
		    "answers.",
	    .options = CTL_SERVICE | CTL_TENANT | CTL_ACCOUNT | CTL_KEY,
	    .most = 2,
	    .run = ctl_call,
	},
	{
	    .name = "keys init",
	    .words = "",
	    .summary = "makes the keys of a new deployment, which it keeps nowhere",
	    .more =
		"They are Kubernetes Secrets, one for each process "
		"(NAME-SERVICE-keys), "
		"to be piped into\nwhat makes them and writes over none: trellis keys "
		"init --namespace trellis | kubectl\ncreate -f -. Or, with --dir, "
		"files "
		"FOLDER/SERVICE/KEY. A key's name is that of the setting\nwhose _FILE "
		"it is: TRELLIS_SEAL_KEY is seal-key. It needs no mesh.",
	    .options = CTL_DIR | CTL_NAME | CTL_NAMESPACE | CTL_ONE,
	    .local = ctl_keys_init,
	},
	{
	    .name = "crash show",
	    .words = "[FILE]",
	    .summary = "lists what crashes left behind; with FILE, where it was",
	    .more =
		"Reads the files here, without the mesh: in TRELLIS_CRASH_DIR, or "
		"crash below\nTRELLIS_RUN_DIR. Functions and lines are those of the "
		"executable that crashed, told\nby its build id; addr2line of "
		"binutils names them. An image's are in the debug files beside it:"
		"\ncall this in that folder (the one of .build-id).",
	    .options = CTL_SERVICE,
	    .most = 1,
	    .local = ctl_crash_show,
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
