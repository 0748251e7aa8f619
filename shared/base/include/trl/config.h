/* config.h - what can be set: tables of TRELLIS_* variables, read once at start
 * into a struct and passed on as const. Each is also NAME_FILE, a file's path.
 * A name that is in no table of the build is an error at start, with the
 * nearest known one in the message.
 *
 *   static const struct trl_config_var vars[] = {
 *       TRL_CONFIG_STR(struct edge_config, http_listen, "TRELLIS_HTTP_LISTEN",
 *           "127.0.0.1:8080", "address and port people connect to"),
 *   };
 *   const struct trl_config_table edge_config_table =
 *       TRL_CONFIG_SERVICE_TABLE("edge", vars);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/compiler.h>
#include <trl/secret.h>

enum trl_config_type {
	TRL_CONFIG_T_STR,    /* const char *, never NULL unless the default is NULL */
	TRL_CONFIG_T_INT,    /* int64_t, within min and max */
	TRL_CONFIG_T_REAL,   /* double, within min and max */
	TRL_CONFIG_T_BOOL,   /* bool: true, false, 1, 0, yes, no */
	TRL_CONFIG_T_SECRET, /* trl_secret *, NULL when unset; value never shown */
	TRL_CONFIG_T_PREFIX  /* a family: TRELLIS_PEER_<NAME>; read by trl_config_family
			      */
};

struct trl_config_var {
	const char *name;
	enum trl_config_type type;
	const char *fallback; /* NULL: unset when absent */
	const char *help;
	size_t offset;
	double min, max;
	bool shown;       /* of a family: its values are no secrets */
	bool of_services; /* of a family: its members are services, no other name is */
	const char *role; /* of such a family: an end that a member may have, or NULL */
};

struct trl_config_table {
	const char *owner; /* the service or part of the system */
	bool is_service;
	const struct trl_config_var *vars;
	size_t n_vars;
};

#define TRL_CONFIG_TABLE(owner_, vars_)                                                \
	{                                                                              \
		.owner = (owner_), .vars = (vars_), .n_vars = TRL_COUNT(vars_)         \
	}
/* A service's own: owner is its name, which families of services then know. */
#define TRL_CONFIG_SERVICE_TABLE(owner_, vars_)                                        \
	{                                                                              \
		.owner = (owner_), .is_service = true, .vars = (vars_),                \
		.n_vars = TRL_COUNT(vars_)                                             \
	}
#define TRL_CONFIG_STR(s, field, name_, fallback_, help_)                              \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_STR, .fallback = (fallback_),    \
		.help = (help_), .offset = offsetof(s, field)                          \
	}
#define TRL_CONFIG_INT(s, field, name_, fallback_, min_, max_, help_)                  \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_INT, .fallback = (fallback_),    \
		.help = (help_), .offset = offsetof(s, field), .min = (min_),          \
		.max = (max_)                                                          \
	}
#define TRL_CONFIG_REAL(s, field, name_, fallback_, min_, max_, help_)                 \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_REAL, .fallback = (fallback_),   \
		.help = (help_), .offset = offsetof(s, field), .min = (min_),          \
		.max = (max_)                                                          \
	}
#define TRL_CONFIG_BOOL(s, field, name_, fallback_, help_)                             \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_BOOL, .fallback = (fallback_),   \
		.help = (help_), .offset = offsetof(s, field)                          \
	}
#define TRL_CONFIG_SECRET(s, field, name_, help_)                                      \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_SECRET, .help = (help_),         \
		.offset = offsetof(s, field)                                           \
	}
#define TRL_CONFIG_PREFIX(name_, help_)                                                \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_PREFIX, .help = (help_)          \
	}
/* <NAME> is a service, and the value no secret. */
#define TRL_CONFIG_SERVICES(name_, help_)                                              \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_PREFIX, .help = (help_),         \
		.shown = true, .of_services = true                                     \
	}
/* <NAME> is a service, or its role of that end (TENANTS_SYS). */
#define TRL_CONFIG_ROLES(name_, role_, help_)                                          \
	{                                                                              \
		.name = (name_), .type = TRL_CONFIG_T_PREFIX, .help = (help_),         \
		.of_services = true, .role = (role_)                                   \
	}

/* Every table of the build, NULL at the end: the executable defines it (the
 * build makes it from the services' lists). */
extern const struct trl_config_table *const trl_config_known[];

/* Reads table from the environment into out (a struct the table describes; the
 * strings live until exit). False: prints to stderr one line a problem: which
 * variable, what is wrong, what would be right. Start-up only. */
bool trl_config_read(const struct trl_config_table *table, void *out) TRL_MUST_CHECK;
/* Refuses TRELLIS_* variables that trl_config_known does not know; TRELLIS_TEST_*
 * belong to the test programs and pass. The services of a family of services are those
 * with a known table, and those in also (lower case, NULL-ended, or NULL). */
bool trl_config_check_names(const char *const *also) TRL_MUST_CHECK;
/* Reads every table of trl_config_known, also those that a module reads only when it is
 * opened, and keeps nothing. False: said on stderr, as trl_config_read() does. */
bool trl_config_check_values(void) TRL_MUST_CHECK;
/* Calls fn for each set variable of a family, with the rest of its name. One that
 * ends in _FILE comes with that cut off and the file's text as its value. False: a
 * value could not be read, which was said as trl_config_read() does; fn got the rest.
 * A value that is a secret is fn's to wipe.
 */
bool trl_config_family(const char *prefix,
    void (*fn)(void *self, const char *rest, const char *value),
    void *self) TRL_MUST_CHECK;
/* Prints all known tables as the README's Markdown table. */
void trl_config_print_markdown(void);
/* Calls fn for each variable of a table with its effective value as text, at most 300
 * characters of one line: a secret is "(set)" or "(unset)", and so is a member of a
 * family that is not said to be shown; a password inside a URL or a connection string
 * is "***". */
void trl_config_each(const struct trl_config_table *table, const void *values,
    void (*fn)(void *self, const char *name, const char *value), void *self);
/* Prints what trl_config_each shows, a line each. */
void trl_config_print(const struct trl_config_table *table, const void *values);
/* Calls fn for each secret that is set, members of families included, with the name of
 * its variable and the path of the file that it comes from, or NULL. */
void trl_config_each_secret(
    void (*fn)(void *self, const char *name, const char *path), void *self);
/* Looks at the settings' files. Calls fn for each that has been replaced since the last
 * look (the first time, for each there is), and says whether its value differs from the
 * one in use. A file that cannot be read is tried again at the next look. */
void trl_config_look(
    void (*fn)(void *self, const char *name, bool differs), void *self);
/* Whether, at the last look, the file of a setting (NULL: of any) held another value
 * than the one in use. */
bool trl_config_differs(const char *name);
/* A secret as its file holds it now, which is then the one in use. The caller owns it.
 * NULL: it cannot be read, or is empty; that was said. */
trl_secret *trl_config_secret_anew(const char *name);
