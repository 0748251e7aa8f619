/* out_smtp_talk.c - what a mail server said, and to what. A number by itself does not
 * tell what a refusal is about: 550 and 553 answer a sender that may not send here, a
 * recipient that does not exist and a text that is not liked.
 *
 * libcurl shows each command as it goes out (CURLINFO_HEADER_OUT) and each line of the
 * answer as it comes, in order, so the last command is what a reply is to. Its error's
 * text ("RCPT failed: 550") is words for people and may change, and replies by
 * themselves would have to be counted, which STARTTLS, signing in and a kept connection
 * each make more or fewer. Should a command ever not be seen, the stage stays behind,
 * and a refusal is taken for one of us: the mail waits, and no recipient is blamed.
 *
 * A server may speak in any bytes (RFC 5321 wants ASCII); what is kept of it is UTF-8.
 */
#include "out.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <trl/utf8.h>

static bool
begins(const char *data, size_t len, const char *word)
{
	return len >= strlen(word) && !memcmp(data, word, strlen(word));
}

/* Only one after the other, so that no line of a sign-in is taken for a command. */
static int
on_wire(CURL *easy, curl_infotype kind, char *data, size_t len, void *self)
{
	static const char *const next[] = { [TRL_SMTP_HELLO] = "MAIL FROM:",
		[TRL_SMTP_MAIL] = "RCPT TO:",
		[TRL_SMTP_RCPT] = "DATA\r\n" };
	struct out_smtp_talk *talk = self;

	(void)easy;
	if (kind != CURLINFO_HEADER_OUT)
		return 0;
	if (talk->stage < TRL_COUNT(next) && begins(data, len, next[talk->stage]))
		talk->stage++;
	else if (begins(data, len, "QUIT\r\n"))
		talk->over = true;
	return 0;
}

static size_t
on_reply(char *line, size_t one, size_t n, void *self)
{
	struct out_smtp_talk *talk = self;
	size_t len = n * one;

	if (talk->over || len < 4 || line[3] != ' ' || !isdigit((unsigned char)line[0]))
		return len;
	if (talk->stage == TRL_SMTP_DATA && begins(line, len, "354"))
		talk->stage = TRL_SMTP_BODY;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	snprintf(talk->reply, sizeof talk->reply, "%.*s", (int)len, line);
	trl_utf8_clean(talk->reply, strlen(talk->reply), "\t");
	return n * one;
}

void
out_smtp_listen(CURL *easy, struct out_smtp_talk *talk)
{
	curl_easy_setopt(easy, CURLOPT_VERBOSE, talk != NULL ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, talk != NULL ? on_wire : NULL);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, talk);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, talk != NULL ? on_reply : NULL);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, talk);
}

/* RFC 3463, 2. */
static const char *
read_status(trl_arena *arena, const char *reply)
{
	unsigned class, subject, detail;

	if (sscanf(reply, "%*3u %1u.%3u.%3u", &class, &subject, &detail) != 3)
		return "";
	return trl_arena_printf(arena, "%u.%u.%u", class, subject, detail);
}

void
out_smtp_answer(
    trl_arena *arena, const struct out_smtp_talk *talk, struct trl_smtp_answer *answer)
{
	answer->stage = talk->stage;
	answer->text = trl_arena_strdup(arena, talk->reply);
	answer->status = read_status(arena, talk->reply);
	answer->code = 0;
	if (sscanf(talk->reply, "%3u", &answer->code) != 1)
		answer->code = 0;
}

/* Of a recipient's refusal, what is about the sender or its right to send: many servers
 * keep these back until RCPT (RFC 3463: 5.7 is policy, 5.1.7 and 5.1.8 the sender's
 * address). Where a server names no status, as Exim's "550 relay not permitted", its
 * words have to do. */
static bool
is_about_us(const struct trl_smtp_answer *answer)
{
	static const char *const words[] = { "relay", "authentic", "sender" };
	const char *status = answer->status;

	for (size_t i = 0; *status == '\0' && i < TRL_COUNT(words); i++)
		if (strcasestr(answer->text, words[i]))
			return true;
	return !strncmp(status, "5.7.", 4) || !strcmp(status, "5.1.7") ||
	       !strcmp(status, "5.1.8");
}

bool
out_smtp_is_final(const struct trl_smtp_answer *answer)
{
	unsigned code = answer->code;

	if (code < 500 || code > 599 || code == 530 || code == 534 || code == 535 ||
	    code == 538 || answer->stage < TRL_SMTP_RCPT)
		return false;
	return answer->stage > TRL_SMTP_RCPT || !is_about_us(answer);
}
