/* test_out_guard.c - which URLs and addresses may be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "out.h"

/* A client that only judges. */
static const char *
refused(const char *allow, const char *url)
{
	trl_http_out out = { 0 };

	assert_true(out_guard_read(&out.guard, false, allow));
	return trl_http_out_refused(&out, url);
}

static enum out_verdict
judge(const char *allow, const char *text)
{
	struct out_guard guard;
	struct in6_addr address;
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	assert_true(out_guard_read(&guard, false, allow));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		assert_true(out_address_of((struct sockaddr *)&v4, &address));
	else
		assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return out_guard_judge(&guard, &address);
}

static void
special_addresses_are_refused_to_their_edges(void **state)
{
	static const char *const special[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0",
		"10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
		"192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::10.0.0.1", "::8.8.8.8",
		"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:0:8.8.8.8",
		"64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:0:53aa:64c:0:7d2b:f5ff:fffe", "2001:10::1",
		"2001:db8::1", "2002:a00:1::", "2002:808:808::1", "3fff::1", "5f00::1",
		"fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "4000::1" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(special); i++) {
		if (judge(NULL, special[i]) != OUT_REFUSED)
			fail_msg("%s is not refused", special[i]);
	}
}

static void
public_addresses_are_public(void **state)
{
	static const char *const public[] = { "1.1.1.1", "8.8.8.8", "9.255.255.255",
		"11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "::ffff:8.8.8.8", "2606:4700::1111",
		"2a00:1450:4001::1", "2001:4860:4860::8888", "2003::1" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(public); i++) {
		if (judge(NULL, public[i]) != OUT_PUBLIC)
			fail_msg("%s is not public", public[i]);
	}
}

static void
what_is_named_is_allowed_in_each_of_its_forms_and_no_more(void **state)
{
	static const char allow[] = "127.0.0.0/8, 10.1.0.0/15,fd00::/8";

	(void)state;
	assert_int_equal(judge(allow, "127.9.9.9"), OUT_ALLOWED);
	assert_int_equal(judge(allow, "::ffff:127.0.0.1"), OUT_ALLOWED);
	assert_int_equal(judge(allow, "10.1.255.255"), OUT_ALLOWED);
	assert_int_equal(
	    judge(allow, "10.0.0.1"), OUT_ALLOWED); /* 10.1/15 is 10.0/15 */
	assert_int_equal(judge(allow, "10.2.0.0"), OUT_REFUSED);
	assert_int_equal(judge(allow, "fd00::1"), OUT_ALLOWED);
	assert_int_equal(judge(allow, "fc00::1"), OUT_REFUSED);
	assert_int_equal(judge(allow, "::1"), OUT_REFUSED);
	assert_int_equal(judge(allow, "8.8.8.8"), OUT_PUBLIC);
	assert_int_equal(judge("0.0.0.0/0", "8.8.8.8"), OUT_ALLOWED);
	assert_int_equal(judge("0.0.0.0/0", "2606:4700::1111"), OUT_PUBLIC);
	assert_int_equal(judge("::/0", "10.0.0.1"), OUT_ALLOWED);
}

static void
a_mail_servers_url_is_looked_at_before_a_letter_is_sent(void **state)
{
	static const char *const fine[] = { "smtp://mail.example:587",
		"smtps://mail.example:465", "smtp+plain://127.0.0.1:25" };
	static const char *const wrong[] = { "", "mail.example", "ftp://mail.example",
		"https://mail.example", "smtp://user:word@mail.example",
		"smtp+tls://mail.example", "smtp:///", "smtp+plain://" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(fine); i++)
		if (trl_smtp_refused(fine[i]) != NULL)
			fail_msg("%s: %s", fine[i], trl_smtp_refused(fine[i]));
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		if (trl_smtp_refused(wrong[i]) == NULL)
			fail_msg("%s is taken", wrong[i]);
}

static void
a_wrong_list_is_no_list(void **state)
{
	static const char *const wrong[] = { "10.0.0.0", "10.0.0.0/33", "10.0.0/8",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "localhost/8",
		"127.1/8", "10.0.0.0/8;11.0.0.0/8" };
	struct out_guard guard;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		assert_false(out_guard_read(&guard, false, wrong[i]));
	assert_true(out_guard_read(&guard, false, ""));
	assert_int_equal(guard.n_allow, 0);
}

static void
urls_in_every_disguise_of_a_private_address_are_refused(void **state)
{
	static const char *const wrong[] = { "https://127.0.0.1/", "https://127.1/",
		"https://0x7f.1/", "https://0x7f000001/", "https://2130706433/",
		"https://0177.0.0.1/", "https://017700000001/",
		"https://10.0.0.1:443/a", "https://[::1]/",
		"https://[::ffff:10.0.0.1]/", "https://[::ffff:a00:1]/",
		"https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/",
		"https://[fc00::1]/", "https://[fe80::1%25eth0]/",
		"https://169.254.169.254/latest/", "https://0/",
		"https://%31%32%37.0.0.1/", "https://127.0.0.1./",
		"https://256.256.256.256/", "https://1.2.3.4.5/", "https://0x/",
		"https://example.0x7f/", "https://localhost/", "https://LOCALHOST/",
		"https://api.localhost/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/",
		"https://[::]/", "https://[v1.a]/" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		if (refused(NULL, wrong[i]) == NULL)
			fail_msg("%s is not refused", wrong[i]);
	}
}

static void
what_is_no_plain_https_url_is_refused(void **state)
{
	static const char *const wrong[] = { "", "example.com", "//example.com/",
		"http://example.com/", "ftp://example.com/", "file:///etc/passwd",
		"gopher://example.com/", "smtp://example.com/", "javascript:alert(1)",
		"https://", "https:///path", "https:/example.com/", "https:example.com",
		"https://user@example.com/", "https://user:pass@example.com/",
		"https://example.com/#part", "https://example.com:22/",
		"https://example.com:0/", "https://example.com:65536/",
		"https://example.com:8081/", "https://exa mple.com/",
		"https://example.com/a b", "https://example.com/\r\nX: y",
		"https://example.com\\@evil.com/", "https://-example.com/",
		"https://example-.com/", "https://a..b/", "https://example.com./",
		("https://b\xc3\xbc"
		 "cher.example/"),
		"https://a,b.example/", "https://[1.2.3.4]/" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		if (refused(NULL, wrong[i]) == NULL)
			fail_msg("%s is not refused", wrong[i]);
	}
	{
		char longer[2200] = "https://example.com/";

		memset(longer + 20, 'a', sizeof longer - 21);
		longer[sizeof longer - 1] = '\0';
		assert_non_null(refused(NULL, longer));
	}
}

static void
usual_urls_are_fine(void **state)
{
	static const char *const fine[] = { "https://example.com",
		"https://example.com/", "https://EXAMPLE.com:8443/hook?a=b&c=%20",
		"https://xn--bcher-kva.example/", "https://my_host.example/",
		"https://8.8.8.8/", "https://[2606:4700::1111]:443/x",
		"https://hooks.slack.com/services/T0/B0/xyz", "https://7.example/" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(fine); i++) {
		const char *why = refused(NULL, fine[i]);

		if (why != NULL)
			fail_msg("%s is refused: %s", fine[i], why);
	}
}

static void
http_and_other_ports_are_for_named_addresses_alone(void **state)
{
	static const char allow[] = "127.0.0.0/8";

	(void)state;
	assert_null(refused(allow, "http://127.0.0.1:9999/"));
	assert_null(refused(allow, "http://127.1/"));
	assert_null(refused(allow, "http://localhost:9999/")); /* seen when resolved */
	assert_non_null(refused(allow, "http://10.0.0.1/"));
	assert_non_null(refused(allow, "http://8.8.8.8/"));
	assert_non_null(refused(allow, "https://8.8.8.8:9999/"));
	assert_null(refused(allow, "https://8.8.8.8/"));
	assert_non_null(refused(allow, "http://[::1]/"));
}

static void
no_socket_is_opened_to_an_address_that_may_not_be_called(void **state)
{
	struct out_guard guard;
	struct out_url url;
	struct curl_sockaddr to = { .family = AF_INET,
		.socktype = SOCK_STREAM,
		.addrlen = sizeof(struct sockaddr_in) };
	struct sockaddr_in private = { .sin_family = AF_INET };
	const char *why = NULL;

	(void)state;
	assert_true(out_guard_read(&guard, false, NULL));
	assert_null(out_url_read("https://rebinds.example/", false, &url));
	inet_pton(AF_INET, "10.0.0.1", &private.sin_addr);
	memcpy(&to.addr, &private, sizeof private);
	assert_int_equal(out_open_socket(&guard, &url, &to, &why), CURL_SOCKET_BAD);
	assert_non_null(why);
	to.addr.sa_family = AF_UNIX;
	assert_int_equal(out_open_socket(&guard, &url, &to, &why), CURL_SOCKET_BAD);
	out_url_fini(&url);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_addresses_are_refused_to_their_edges),
		cmocka_unit_test(public_addresses_are_public),
		cmocka_unit_test(
		    what_is_named_is_allowed_in_each_of_its_forms_and_no_more),
		cmocka_unit_test(a_wrong_list_is_no_list),
		cmocka_unit_test(
		    urls_in_every_disguise_of_a_private_address_are_refused),
		cmocka_unit_test(what_is_no_plain_https_url_is_refused),
		cmocka_unit_test(
		    a_mail_servers_url_is_looked_at_before_a_letter_is_sent),
		cmocka_unit_test(usual_urls_are_fine),
		cmocka_unit_test(http_and_other_ports_are_for_named_addresses_alone),
		cmocka_unit_test(
		    no_socket_is_opened_to_an_address_that_may_not_be_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
