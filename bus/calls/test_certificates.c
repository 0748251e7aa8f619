/* A certificate, its key and its authorities are held against each other before the bus
 * has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <trl/bus_open.h>

static char folder[] = "/tmp/trl-test-certificates-XXXXXX";

/* ca: the authority; own, signed by it; lone, signed by nobody else; old, which has
 * ended; server, which is for servers only; last, by an authority between. */
static const char script[] =
    "set -e; cd %s; new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "authority() { openssl req -x509 $new -keyout $1.key -out $1.crt -subj /CN=$1 "
    "-days 2; }\n"
    "signed() { name=$1 by=$2 lasts=$3; openssl req $new -keyout $name.key -out "
    "$name.csr -subj /CN=$name; printf \"$4\" >$name.ext; openssl x509 -req -in "
    "$name.csr -CA $by.crt -CAkey $by.key -CAcreateserial $lasts -extfile "
    "$name.ext -out $name.crt; }\n"
    /* From 3.5 on it refuses days below 0, and has had dates since 3.4. */
    "now='-days 2' old='-days -1'; openssl x509 -help 2>&1 | grep -q not_after && "
    "old='-not_before 20200101000000Z -not_after 20200201000000Z'\n"
    "{ authority ca; authority lone; ext='subjectAltName=DNS:own\\n'\n"
    "signed own ca \"$now\" \"$ext\"; signed old ca \"$old\" \"$ext\"\n"
    "signed server ca \"$now\" \"extendedKeyUsage=serverAuth\\n\"\n"
    "signed between ca \"$now\" 'basicConstraints=CA:true\\n'; signed last between "
    "\"$now\" "
    "\"$ext\"\n"
    "cat last.crt between.crt >chain.crt; cat lone.crt ca.crt >both.crt\n"
    "head -c 300 own.crt >half.crt; cp own.key half.key; head -c 100 own.key >cut.key\n"
    "cp last.key chain.key; : >empty.crt; } >log 2>&1";

static char *
read_file(const char *name, const char *kind)
{
	char path[128];
	char *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
	f = fopen(path, "r");
	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) < 65535);
	fclose(f);
	return text;
}

static void
what_cannot_be_used_together_is_refused(void **state)
{
	static const struct {
		const char *ca, *cert, *key, *why;
	} rows[] = {
		{ "ca", "own", "own", NULL },
		{ "both", "own", "own", NULL }, /* while authorities change */
		{ "ca", "chain", "last", NULL },
		{ "ca", "last", "last", "none of the authorities has" },
		{ "lone", "own", "own", "none of the authorities has" },
		{ "ca", "lone", "lone", "none of the authorities has" },
		{ "ca", "own", "lone", "the key is another certificate's" },
		{ "ca", "old", "old", "or one that signed it, has ended" },
		{ "ca", "server", "server", "not for both client and server" },
		{ "ca", "half", "own", "the certificate is none in PEM" },
		{ "ca", "empty", "own", "the certificate is none in PEM" },
		{ "half", "own", "own", "the authorities are no certificates" },
		{ "ca", "own", "cut", "the key is none in PEM" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char *ca = read_file(rows[i].ca, "crt");
		char *cert = read_file(rows[i].cert, "crt");
		char *key = read_file(rows[i].key, "key");
		const struct trl_bus_net_options options = { .tls_ca = ca,
			.tls_cert = cert,
			.tls_key = key,
			.tls_key_len = strlen(key) };
		const char *why = trl_bus_tls_refused(&options);

		if ((why == NULL) != (rows[i].why == NULL) ||
		    (why != NULL && strstr(why, rows[i].why) == NULL))
			fail_msg("row %zu: %s", i, why ? why : "taken");
		free(ca);
		free(cert);
		free(key);
	}
}

static int
begin(void **state)
{
	char command[2048];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof command, script, folder);
	return system(command);
}

static int
end(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_used_together_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
