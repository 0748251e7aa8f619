/* test_out_smtp.c - e-mail to a server of another make (aiosmtpd). Over 400 lines:
 * short talks, each of which stands by itself.
 *
 *   test_http_out_smtp test_out_world.py */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/span.h>
#include <trl/utf8.h>

#include "test_out_rig.h"

static const char message[] = "From: a@good.test\r\nTo: b@good.test\r\nSubject: x\r\n"
			      "\r\n.a dot\r\n..two\r\nFrom here\r\n";

static struct visit
letter_to(const char *to, const char *scheme, unsigned port)
{
	static char url[4][100];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(url[n], sizeof url[n], "%s://localhost:%u", scheme, port);
	return (struct visit){ .mail = { .url = url[n],
				   .user = "mesh",
				   .password = "pass word",
				   .from = "sender@good.test",
				   .to = to,
				   .message = message,
				   .message_len = sizeof message - 1 } };
}

/* What the mail server has taken, as text. */
static char *
mails(void)
{
	struct visit visit = { .call = { .url = at(world.http, "mails") } };

	go(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	return visit.body;
}

static void
a_letter_goes_by_starttls_with_a_password(void **state)
{
	struct visit visit = letter_to("first@good.test", "smtp", world.smtp);
	char *taken;

	(void)state;
	post(&visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.smtp.code, 250);
	assert_string_equal(visit.smtp_text, "250 OK, as 42");
	taken = mails();
	assert_non_null(strstr(taken, "\"to\": [\"first@good.test\"], \"tls\": true, "
				      "\"user\": \"mesh\""));
	assert_non_null(strstr(taken, "\\n.a dot\\r\\n..two\\r\\nFrom here"));
	free(taken);
}

static void
recorded(void *self, size_t n)
{
	(void)self, (void)n;
}

static void
a_letter_of_a_traced_message_is_a_span_without_its_recipient(void **state)
{
	static const struct {
		const char *to;
		enum trl_code code;
		unsigned said;
	} rows[] = { { "traced@good.test", TRL_OK, 250 },
		{ "refused@good.test", TRL_DENIED, 550 } };
	struct trl_span_record got[2];

	(void)state;
	trl_spans_open(
	    &(struct trl_spans_options){ .room = 4, .ratio = 1, .recorded = recorded });
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct visit visit = letter_to(rows[i].to, "smtp", world.smtp);

		trl_trace_new(&visit.trace);
		post(&visit);
		assert_int_equal(trl_spans_take(got, 2), 2);
		/* The thread that spoke, and the whole. */
		assert_int_equal(got[0].what, TRL_SPAN_OFFLOAD);
		assert_memory_equal(got[0].parent_id, got[1].span_id, 8);
		assert_int_equal(got[1].what, TRL_SPAN_MAIL);
		assert_string_equal(got[1].text, "localhost");
		assert_int_equal(got[1].code, rows[i].code);
		assert_int_equal(got[1].number, rows[i].said);
		assert_memory_equal(got[1].parent_id, visit.trace.span_id, 8);
	}
	trl_spans_close();
}

static void
a_letter_goes_by_tls_and_to_a_relay_without(void **state)
{
	struct visit tls = letter_to("tls@good.test", "smtps", world.smtps);
	struct visit plain =
	    letter_to("plain@good.test", "smtp+plain", world.smtp_plain);
	char *taken;

	(void)state;
	post(&tls);
	assert_int_equal(tls.rc, TRL_OK);
	plain.mail.user = plain.mail.password = NULL;
	post(&plain);
	assert_int_equal(plain.rc, TRL_OK);
	taken = mails();
	assert_non_null(strstr(taken, "[\"tls@good.test\"], \"tls\": true"));
	assert_non_null(strstr(taken, "[\"plain@good.test\"], \"tls\": false"));
	free(taken);
}

static void
without_starttls_nothing_is_sent(void **state)
{
	struct visit visit = letter_to("open@good.test", "smtp", world.smtp_plain);
	char *taken;

	(void)state;
	post(&visit);
	assert_int_equal(visit.rc, TRL_UNAVAILABLE);
	taken = mails();
	assert_null(strstr(taken, "open@good.test"));
	free(taken);
}

static void
the_connection_is_kept_for_the_next_letter(void **state)
{
	char *before = mails(), *after;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct visit visit = letter_to("more@good.test", "smtp", world.smtp);

		post(&visit);
		assert_int_equal(visit.rc, TRL_OK);
	}
	after = mails();
	assert_int_equal(strtoul(strchr(before, ':') + 1, NULL, 10),
	    strtoul(strchr(after, ':') + 1, NULL, 10));
	free(before);
	free(after);
}

static void
refusals_for_good_are_told_from_those_for_now(void **state)
{
	static const struct {
		const char *to;
		enum trl_code rc;
		unsigned code;
		enum trl_smtp_stage stage;
		const char *status, *text;
	} cases[] = {
		{ "refused@good.test", TRL_DENIED, 550, TRL_SMTP_RCPT, "5.1.1",
		    "550 5.1.1 No such user" },
		{ "unknown@good.test", TRL_DENIED, 550, TRL_SMTP_RCPT, "",
		    "550 No such user here" },
		{ "full@good.test", TRL_DENIED, 552, TRL_SMTP_RCPT, "5.2.2",
		    "552 5.2.2 Mailbox full" },
		{ "spam@good.test", TRL_DENIED, 554, TRL_SMTP_BODY, "5.7.1",
		    "554 5.7.1 We do not like it" },
		{ "grey@good.test", TRL_UNAVAILABLE, 451, TRL_SMTP_RCPT, "4.7.1",
		    "451 4.7.1 Greylisted, try again later" },
		{ "grey@good.test", TRL_OK, 250, TRL_SMTP_BODY, "", "250 OK, as 42" },
		{ "a@good.test\r\nRCPT TO:<b@good.test>", TRL_DENIED, 0, TRL_SMTP_HELLO,
		    "", "" },
		{ "a@good.test> x=<b@good.test", TRL_DENIED, 0, TRL_SMTP_HELLO, "",
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		struct visit visit = letter_to(cases[i].to, "smtp", world.smtp);

		post(&visit);
		assert_int_equal(visit.rc, cases[i].rc);
		assert_int_equal(visit.smtp.code, cases[i].code);
		assert_int_equal(visit.smtp.stage, cases[i].stage);
		assert_string_equal(visit.smtp_status, cases[i].status);
		assert_string_equal(visit.smtp_text, cases[i].text);
	}
}

static void
a_refusal_of_us_makes_the_letter_wait_whenever_it_comes(void **state)
{
	static const struct {
		const char *from, *to;
		unsigned code;
		enum trl_smtp_stage stage;
	} cases[] = {
		{ "foreign@good.test", "b@good.test", 553, TRL_SMTP_MAIL },
		{ "unwanted@good.test", "b@good.test", 550, TRL_SMTP_MAIL },
		/* A server may keep such a refusal back until RCPT. */
		{ "a@good.test", "relay@good.test", 554, TRL_SMTP_RCPT },
		{ "a@good.test", "mine@good.test", 553, TRL_SMTP_RCPT },
		{ "a@good.test", "domain@good.test", 550, TRL_SMTP_RCPT },
		{ "a@good.test", "sign@good.test", 530, TRL_SMTP_RCPT },
	};
	struct visit closed;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		struct visit visit = letter_to(cases[i].to, "smtp", world.smtp);

		visit.mail.from = cases[i].from;
		post(&visit);
		assert_int_equal(visit.rc, TRL_UNAVAILABLE);
		assert_int_equal(visit.smtp.code, cases[i].code);
		assert_int_equal(visit.smtp.stage, cases[i].stage);
	}
	closed = letter_to("b@good.test", "smtp+plain", world.smtp_closed);
	post(&closed);
	assert_int_equal(closed.rc, TRL_UNAVAILABLE);
	assert_int_equal(closed.smtp.code, 554);
	assert_int_equal(closed.smtp.stage, TRL_SMTP_HELLO);
}

static void
what_a_server_says_is_kept_as_text_whatever_its_bytes(void **state)
{
	static const struct {
		const char *to, *text;
	} cases[] = {
		{ "latin@good.test", "550 5.1.1 Empf?nger unbekannt" },
		{ "gbk@good.test", "550 5.1.1 ?û???????" },
		{ "steers@good.test", "550 5.1.1 no?[2Jbody?" },
	};
	struct visit visit;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++) {
		visit = letter_to(cases[i].to, "smtp", world.smtp);
		post(&visit);
		assert_int_equal(visit.rc, TRL_DENIED);
		assert_string_equal(visit.smtp_text, cases[i].text);
		assert_string_equal(visit.smtp_status, "5.1.1");
		assert_true(trl_utf8_valid(visit.why, strlen(visit.why)));
	}
	visit = letter_to("long@good.test", "smtp", world.smtp); /* cut at 255 bytes */
	post(&visit);
	assert_int_equal(visit.rc, TRL_DENIED);
	assert_true(strlen(visit.smtp_text) > 200);
	assert_true(trl_utf8_valid(visit.smtp_text, strlen(visit.smtp_text)));
	assert_true(trl_utf8_valid(visit.why, strlen(visit.why)));
}

static void
a_letter_that_was_refused_says_nothing_of_the_next(void **state)
{
	struct visit refused = letter_to("spam@good.test", "smtp", world.smtp);
	struct visit foreign = letter_to("b@good.test", "smtp", world.smtp);
	struct visit fine = letter_to("b@good.test", "smtp", world.smtp);

	(void)state;
	foreign.mail.from = "foreign@good.test";
	for (int i = 0; i < 2; i++) {
		post(&refused);
		assert_int_equal(refused.smtp.stage, TRL_SMTP_BODY);
		post(&foreign);
		assert_int_equal(foreign.smtp.stage, TRL_SMTP_MAIL);
		post(&fine); /* whose connection is kept */
		assert_int_equal(fine.rc, TRL_OK);
		post(&foreign);
		assert_int_equal(foreign.smtp.stage, TRL_SMTP_MAIL);
	}
}

static void
a_wrong_password_is_ours_to_mend_and_the_letter_waits(void **state)
{
	struct visit visit = letter_to("b@good.test", "smtp", world.smtp);

	(void)state;
	visit.mail.user = "other";
	visit.mail.password = "wrong";
	post(&visit);
	assert_int_equal(visit.rc, TRL_UNAVAILABLE);
	assert_int_equal(visit.smtp.code, 535);
}

static void
a_server_that_never_takes_the_letter_holds_up_neither_loop_nor_actor(void **state)
{
	struct visit never = letter_to("never@good.test", "smtp", world.smtp);
	struct visit slow = letter_to("slow@good.test", "smtp", world.smtp);
	uint64_t began = trl_mono_us();

	(void)state;
	never.mail.timeout_ms = 3000;
	begin_letter(&never);
	post(&slow);
	assert_int_equal(slow.rc, TRL_OK);
	assert_false(never.done);
	for (int i = 0; i < 5; i++)
		assert_true(connections() > 0);
	assert_false(never.done);
	assert_true(trl_loop_run_until(world.loop, is_done, &never, 20000));
	assert_int_equal(never.rc, TRL_DEADLINE);
	assert_in_range(trl_mono_us() - began, 2900000, 15000000);
	slow.mail.to = "next@good.test"; /* not by the connection that was given up */
	post(&slow);
	assert_int_equal(slow.rc, TRL_OK);
	post(&slow);
	assert_int_equal(slow.rc, TRL_OK);
}

static void
conversations_that_stall_hold_up_nobody_elses(void **state)
{
	struct visit stalled[12], quick = letter_to("a@good.test", "smtp", world.smtp);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(stalled); i++) {
		stalled[i] = letter_to(
		    i % 2 ? "stalls@good.test" : "never@good.test", "smtp", world.smtp);
		stalled[i].mail.url = quick.mail.url;
		stalled[i].mail.timeout_ms = 8000;
		begin_letter(&stalled[i]);
	}
	for (int i = 0; i < 20; i++) {
		post(&quick);
		assert_int_equal(quick.rc, TRL_OK);
	}
	for (size_t i = 0; i < TRL_COUNT(stalled); i++)
		assert_false(stalled[i].done);
	for (size_t i = 0; i < TRL_COUNT(stalled); i++) {
		assert_true(
		    trl_loop_run_until(world.loop, is_done, &stalled[i], 20000));
		assert_int_equal(stalled[i].rc, TRL_DEADLINE);
	}
}

static void
each_step_before_the_text_has_a_time_of_its_own(void **state)
{
	struct visit visit = letter_to("stalls@good.test", "smtp", world.smtp);
	uint64_t began = trl_mono_us();

	(void)state;
	visit.actor_ms = 60000;
	visit.mail.timeout_ms = 50000;
	post(&visit);
	assert_int_equal(visit.rc, TRL_DEADLINE);
	assert_int_equal(visit.smtp.stage, TRL_SMTP_RCPT);
	assert_in_range(trl_mono_us() - began, 9900000, 45000000);
}

static void
more_letters_than_threads_wait_for_their_turn(void **state)
{
	struct visit visits[VISITS];

	(void)state;
	for (size_t i = 0; i < VISITS; i++) {
		visits[i] = letter_to("many@good.test", "smtp", world.smtp);
		visits[i].mail.url = visits[0].mail.url;
		begin_letter(&visits[i]);
	}
	assert_true(trl_loop_run_until(world.loop, all_done, visits, 15000));
	for (size_t i = 0; i < VISITS; i++)
		assert_int_equal(visits[i].rc, TRL_OK);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_goes_by_starttls_with_a_password),
		cmocka_unit_test(a_letter_goes_by_tls_and_to_a_relay_without),
		cmocka_unit_test(without_starttls_nothing_is_sent),
		cmocka_unit_test(the_connection_is_kept_for_the_next_letter),
		cmocka_unit_test(refusals_for_good_are_told_from_those_for_now),
		cmocka_unit_test(
		    a_refusal_of_us_makes_the_letter_wait_whenever_it_comes),
		cmocka_unit_test(what_a_server_says_is_kept_as_text_whatever_its_bytes),
		cmocka_unit_test(a_letter_that_was_refused_says_nothing_of_the_next),
		cmocka_unit_test(a_wrong_password_is_ours_to_mend_and_the_letter_waits),
		cmocka_unit_test(
		    a_server_that_never_takes_the_letter_holds_up_neither_loop_nor_actor),
		cmocka_unit_test(conversations_that_stall_hold_up_nobody_elses),
		cmocka_unit_test(each_step_before_the_text_has_a_time_of_its_own),
		cmocka_unit_test(more_letters_than_threads_wait_for_their_turn),
		cmocka_unit_test(
		    a_letter_of_a_traced_message_is_a_span_without_its_recipient),
	};

	trl_assert(argc == 2);
	world.script = argv[1];
	return cmocka_run_group_tests(tests, open_world, close_world);
}
