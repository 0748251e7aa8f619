/* ctl.h - the operator's command: what its files share. A run reads the settings,
 * dials every service it was told of, carries out one command in one actor, prints,
 * and ends. Commands write into out; errors of services are gathered, and shown
 * behind what did come. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/bus_open.h>
#include <trl/secret.h>
#include <trl/value.h>

enum { CTL_SERVICES_MAX = 32, CTL_WORDS_MAX = 16 };

/* How a run ends. */
enum ctl_exit { CTL_FINE = 0, CTL_FAILED = 1, CTL_MISUSED = 2 };

/* What may stand behind a command; which of them, its row says. */
enum ctl_option {
	CTL_JSON = 1 << 0,
	CTL_SERVICE = 1 << 1,
	CTL_TIMEOUT = 1 << 2,
	CTL_TYPE = 1 << 3,
	CTL_FOLLOW = 1 << 4,
	CTL_FROM = 1 << 5,
	CTL_TENANT = 1 << 6,
	CTL_ACCOUNT = 1 << 7,
	CTL_KEY = 1 << 8,
	CTL_LIMIT = 1 << 9,
	CTL_STATE = 1 << 10,
	CTL_KIND = 1 << 11,
	CTL_MARKDOWN = 1 << 12,
	CTL_HELP = 1 << 13,
	CTL_AGAIN = 1 << 14,
	CTL_DIR = 1 << 15,
	CTL_NAME = 1 << 16,
	CTL_NAMESPACE = 1 << 17,
	CTL_ONE = 1 << 18,
	CTL_DRY_RUN = 1 << 19,
	CTL_FORCE = 1 << 20,
	CTL_ACCEPT_RESTORE = 1 << 21,
	CTL_USUAL = CTL_JSON | CTL_TIMEOUT | CTL_HELP, /* any command takes them */
};

struct ctl_args {
	const struct ctl_command *command;
	unsigned given; /* enum ctl_option */
	const char *service, *type, *from, *tenant, *account, *key, *state, *kind;
	const char *dir, *name, *namespace;
	int64_t timeout_ms, limit;
	const char *words[CTL_WORDS_MAX];
	unsigned n_words;
};

struct ctl_service {
	char name[44];
	const char *address;
	bool wanted;
};

struct ctl_error {
	const char *service;
	enum trl_code code;
	const char *message;
};

struct ctl {
	struct ctl_args args;
	struct ctl_service services[CTL_SERVICES_MAX];
	unsigned n_services;
	const char *tls_ca, *tls_cert;
	trl_secret *tls_key;
	trl_loop *loop;
	trl_bus_net *net;
	trl_bus *bus;
	uint64_t reach_until_us;
	struct trl_buf out;
	struct ctl_error errors[CTL_SERVICES_MAX];
	unsigned n_errors;
	bool done;
	enum ctl_exit status;
};

struct ctl_command {
	const char *name;  /* "events tail" */
	const char *words; /* what follows, for people: "ID|SLUG" */
	const char *summary;
	const char *more; /* for --help, or NULL */
	unsigned options; /* beside --json, --timeout and --help */
	unsigned least, most;
	/* In an actor; what it says goes to ctl->out. NULL: local. */
	enum ctl_exit (*run)(struct ctl *ctl, trl_ctx *ctx);
	/* Without the mesh. */
	enum ctl_exit (*local)(struct ctl *ctl);
};

extern const struct ctl_command ctl_commands[]; /* ended by name NULL */

/* args.c: reads the words; false: *why (at most 300 characters) says what is wrong,
 * and what was meant perhaps. */
bool ctl_parse(struct ctl_args *args, int argc, char **argv, char why[300]);
/* All commands, or those of a group ("events"); false: there is no such group. */
bool ctl_print_usage(const char *group);
void ctl_print_help(const struct ctl_command *command);
/* The name nearest to word among names (NULL-ended), or NULL: none is near. */
const char *ctl_nearest(const char *word, const char *const *names);

/* options.c: takes the one at argv[*at], and its value, which may be the next word. */
bool ctl_take_option(
    struct ctl_args *args, int argc, char **argv, int *at, char why[300]);
/* Those that every command takes, and which. */
void ctl_print_options(unsigned which);
/* The option of a name ("--json"), or 0; *takes_value tells. */
unsigned ctl_option_named(const char *name, bool *takes_value);
const char *ctl_option_name(unsigned bit);

/* settings.c: which services there are, keys, certificates. False: said. */
bool ctl_settings(struct ctl *ctl);
/* Fills in what the file beside the executable says; nothing set is changed. */
void ctl_settings_load(void);

/* mesh.c */
enum ctl_exit ctl_run(struct ctl *ctl);
/* Waits until the service has greeted back, but not long: all services of a run are
 * waited for together. */
bool ctl_reach(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service);
/* Gives a change its idempotency key (--key, or one that the bus makes); the scope of
 * the operator's keys is its own, and the request is told by its encoding. */
void ctl_sign(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const ProtobufCMessage *in);
/* Asks one service; a failure is kept in ctl->errors, and false. */
bool ctl_ask(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const struct trl_method *method, const ProtobufCMessage *in,
    ProtobufCMessage **out);
/* The same of the one process at an address. */
bool ctl_ask_at(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const char *at, const struct trl_method *method, const ProtobufCMessage *in,
    ProtobufCMessage **out);
/* call.c: the same of a method that is called for itself, in the tenant that the
 * request or --tenant names, with as long as --timeout says or the contract: a failure
 * is shown at once, and false. */
bool ctl_call_one(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    const struct trl_method *method, ProtobufCMessage *in, ProtobufCMessage **out);
void ctl_show_error(struct ctl *ctl, trl_ctx *ctx, enum trl_code rc);
/* An option's id; false: said. No text leaves *out alone. */
bool ctl_take_id(const char *option, const char *text, struct trl_id *out);
/* The first word's id, of what it is ("a job; trellis jobs list shows them"). */
bool ctl_take_word_id(const struct ctl *ctl, const char *what, struct trl_id *out);
/* A file's text, or the input's ("-"), of at most 1 MiB; NULL: said. */
const char *ctl_read_file(trl_ctx *ctx, const char *path);
struct ctl_service *ctl_service_named(struct ctl *ctl, const char *name);
/* What to do about a service that does not answer. */
const char *ctl_advice(trl_ctx *ctx, const struct ctl_service *service);

/* table.c */
struct ctl_table {
	const char *const *heads; /* n_columns of them */
	unsigned n_columns;
	char **cells;
	size_t n_cells, room;
};
void ctl_table_add(struct ctl_table *table, const char *fmt, ...) TRL_PRINTF(2, 3);
bool ctl_is_terminal(void);
/* Appends it, aligned, and forgets it; no heads where there are no rows. */
void ctl_table_put(struct ctl_table *table, struct trl_buf *out, bool bold);
/* The same without heads, for what goes on. */
void ctl_table_put_rows(struct ctl_table *table, struct trl_buf *out);
/* In the order of the first column. */
void ctl_table_sort(struct ctl_table *table);
/* Text without what a terminal would act upon. */
void ctl_plain(struct trl_buf *out, const char *text);
/* json.c: compact JSON, on several lines. */
void ctl_json_pretty(struct trl_buf *out, const char *json, size_t len);
/* Opens {"items":[ and closes it with the errors; between them, items with commas,
 * {"service":"auth", and then what the message holds. With at, the address too. */
void ctl_json_open(struct ctl *ctl);
void ctl_json_item(struct ctl *ctl, const char *service,
    const struct trl_message *rules, const ProtobufCMessage *message);
void ctl_json_item_at(struct ctl *ctl, const char *service, const char *at,
    const struct trl_message *rules, const ProtobufCMessage *message);
void ctl_json_close(struct ctl *ctl);
/* figures.c: "1d 4h", "3m 20s", "35 ms"; "12.3 MB". */
const char *ctl_ms_text(char text[32], uint64_t ms);
const char *ctl_bytes_text(char text[32], uint64_t bytes);
/* "2026-05-01 12:00:00Z", or "" where there is none. */
const char *ctl_time_text(char text[32], const Google__Protobuf__Timestamp *at);

/* look.c: the same question to every process of every service. */
struct ctl_look {
	const struct trl_method *method;
	const ProtobufCMessage *in;
	/* What people see of one answer. */
	void (*show)(void *into, const char *service, const ProtobufCMessage *out);
	void *into;
	/* Sees each answer, also where JSON shows it; may be NULL. */
	void (*note)(void *into, const ProtobufCMessage *out);
};
enum ctl_exit ctl_look(struct ctl *ctl, trl_ctx *ctx, const struct ctl_look *look);

/* methods.c: the methods that a name may mean. Exact, or the end of exactly one name
 * ("GetTenant", "Tenants.GetTenant"), whatever the case. NULL: *why (300) says so. */
const struct trl_method *ctl_method(const char *name, char why[300]);

/* metrics.c: names of metrics, each once; whose texts stay the caller's. */
struct ctl_metrics {
	const char **names;
	size_t n, room;
};
void ctl_metric_note(struct ctl_metrics *metrics, const char *name);
/* Whether no name holds the word; *why then says so, and which was meant perhaps. */
bool ctl_metric_missing(
    const struct ctl_metrics *metrics, const char *word, char why[300]);
/* Whether a word of the command is a part of this name. */
bool ctl_metric_asked(const struct ctl_args *args, const char *name);
void ctl_metrics_fini(struct ctl_metrics *metrics);

/* The commands. */
enum ctl_exit ctl_stats(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_actors(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_peers(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_config(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_metrics(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_log_level(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_tenant_show(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_tenants_top(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_call(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_call_help(struct ctl *ctl);
enum ctl_exit ctl_call_list(struct ctl *ctl);
enum ctl_exit ctl_jobs_list(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_jobs_show(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_jobs_retry(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_jobs_cancel(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_tail(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_lag(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_parked(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_redrive(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_skip(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_replay(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_forget(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_events_new_epoch(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_billing_catalogue(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_ledger_check(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_ledger_export(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_media_sweep(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_media_release(struct ctl *ctl, trl_ctx *ctx);
enum ctl_exit ctl_keys_init(struct ctl *ctl);
enum ctl_exit ctl_crash_show(struct ctl *ctl);
enum ctl_exit ctl_completion(struct ctl *ctl);
enum ctl_exit ctl_complete(int argc, char **argv);
