/* test_ages.c - when certificates expire, as openssl made them and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <trl/ages.h>
#include <trl/buf.h>
#include <trl/config.h>
#include <trl/metrics.h>

static const struct trl_config_var vars[] = {
	{ .name = "TRELLIS_TEST_AGED", .type = TRL_CONFIG_T_SECRET },
	{ .name = "TRELLIS_TEST_UNSET", .type = TRL_CONFIG_T_SECRET },
	{ .name = "TRELLIS_TEST_PLAIN", .type = TRL_CONFIG_T_STR },
	TRL_CONFIG_PREFIX("TRELLIS_TEST_KEY_", "keys"),
};
static const struct trl_config_table table = TRL_CONFIG_TABLE("test", vars);
const struct trl_config_table *const trl_config_known[] = { &table, NULL };

/* openssl req -x509 -newkey ed25519 -nodes -subj /CN=a -not_after 20491231235959Z, and
 * -not_after 20500102030405Z, which is no UTCTime any more. */
static const char in_2049[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIG+MHICAQEwBQYDK2VwMAwxCjAIBgNVBAMMAWEwHhcNMjQwMTAxMDAwMDAwWhcN\n"
    "NDkxMjMxMjM1OTU5WjAMMQowCAYDVQQDDAFhMCowBQYDK2VwAyEAitk5uMw54cdW\n"
    "ZDzZG9kA2gEF1BUvikEevNz+9pMQ9IIwBQYDK2VwA0EA2iho4iNLNRS270jQGgzV\n"
    "mDIt7RoujbDNmIvatOQGBxm9mkEd83gSWGp/QX3ZMt4Mq3D2aJt3DkZU+S74pJVB\n"
    "Dg==\n"
    "-----END CERTIFICATE-----\n";
static const char in_2050[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIHAMHQCAQEwBQYDK2VwMAwxCjAIBgNVBAMMAWEwIBcNMjQwMTAxMDAwMDAwWhgP\n"
    "MjA1MDAxMDIwMzA0MDVaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQAvpwIdxDRE\n"
    "1geJwlwUAKJMPAgEFFgLQn0H665y9AtV/jAFBgMrZXADQQCfwpf/1Dwwgwf9j1IL\n"
    "DWfrsj1ioNeR/AouSIX+hdAE7VyE7xxnWP7mDQQPZ51VWPfEFpy/B3LRE0rEujaZ\n"
    "LYwP\n"
    "-----END CERTIFICATE-----\n";

static void
the_first_to_expire_of_a_bundle_counts(void **state)
{
	char both[sizeof in_2049 + sizeof in_2050 + 20];

	(void)state;
	assert_int_equal(
	    trl_certificate_expiry(in_2049, strlen(in_2049)), INT64_C(2524607999));
	assert_int_equal(
	    trl_certificate_expiry(in_2050, strlen(in_2050)), INT64_C(2524705445));
	snprintf(both, sizeof both, "%s# a remark\n%s", in_2050, in_2049);
	assert_int_equal(
	    trl_certificate_expiry(both, strlen(both)), INT64_C(2524607999));
}

static void
what_is_no_certificate_has_no_end(void **state)
{
	char broken[sizeof in_2049];
	const size_t len = strlen(in_2049);

	(void)state;
	assert_int_equal(trl_certificate_expiry("", 0), -1);
	assert_int_equal(trl_certificate_expiry("hello", 5), -1);
	/* Cut anywhere, and with each byte changed: never read past the end, and never
	 * a time out of nothing. */
	for (size_t i = 0; i < len; i++) {
		char *cut = malloc(i + 1);

		assert_non_null(cut);
		memcpy(cut, in_2049, i);
		if (i < len - 26) /* the last line is not whole */
			assert_int_equal(trl_certificate_expiry(cut, i), -1);
		free(cut);
		memcpy(broken, in_2049, sizeof broken);
		broken[i] = broken[i] == 'A' ? '/' : 'A';
		(void)trl_certificate_expiry(broken, len);
	}
}

static bool
renders(const char *what)
{
	struct trl_buf text = { 0 };
	bool found;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	found = strstr((char *)text.data, what) != NULL;
	trl_buf_fini(&text);
	return found;
}

static void
show(void *self, const char *name, const char *path)
{
	(*(unsigned *)self)++;
	trl_age_secret(name, path);
}

static void
each_secret_that_is_set_has_the_age_of_its_file(void **state)
{
	char path[] = "/tmp/trl-age-XXXXXX";
	const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	const int fd = mkstemp(path);
	unsigned n = 0;

	(void)state;
	assert_true(fd >= 0 && futimens(fd, times) == 0);
	setenv("TRELLIS_TEST_AGED_FILE", path, 1);
	setenv("TRELLIS_TEST_PLAIN", "x", 1);
	setenv("TRELLIS_TEST_KEY_A_FILE", path, 1);
	setenv("TRELLIS_TEST_KEY_B", "secret", 1);
	trl_config_each_secret(show, &n);
	assert_int_equal(n, 3);
	assert_true(renders("trellis_secret_timestamp_seconds{secret=\"TRELLIS_TEST_"
			    "AGED\"} 1000000000\n"));
	assert_true(renders("{secret=\"TRELLIS_TEST_KEY_A\"} 1000000000\n"));
	/* New, and so of this century. */
	assert_true(renders("{secret=\"TRELLIS_TEST_KEY_B\"} 1"));
	assert_false(renders("{secret=\"TRELLIS_TEST_KEY_B\"} 1000000000\n"));
	assert_false(renders("PLAIN"));
	close(fd);
	unlink(path);
	trl_age_certificate("TRELLIS_TEST_CERT", in_2049, strlen(in_2049));
	assert_true(renders("trellis_certificate_expiry_timestamp_seconds{certificate="
			    "\"TRELLIS_TEST_CERT\"} 2524607999\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_to_expire_of_a_bundle_counts),
		cmocka_unit_test(what_is_no_certificate_has_no_end),
		cmocka_unit_test(each_secret_that_is_set_has_the_age_of_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
