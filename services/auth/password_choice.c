/* password_choice.c - which passwords may be chosen: long enough, none of those that
 * attackers try first, and none that can be told from the person (NIST SP
 * 800-63B, 5.1.1.2: breached, repetitive and context-specific ones). What is left of a
 * password without the words of the person's address and name has to be long enough by
 * itself, so a name may stand in a long one. */
#include <string.h>
#include <strings.h>

#include <trl/utf8.h>

#include "password.h"

enum {
	WORD_MIN = 3,     /* bytes of a word that is looked for */
	DIFFERENT_MIN = 4 /* characters that differ from each other */
};

static const char between[] = " .,_+-@'\t";

static bool
repeats_itself(const char *password)
{
	uint32_t seen[DIFFERENT_MIN], code;
	size_t len = strlen(password), at = 0, n = 0, i;

	while (at < len && n < DIFFERENT_MIN) {
		code = trl_utf8_next(password, len, &at);
		for (i = 0; i < n && seen[i] != code; i++)
			;
		if (i == n)
			seen[n++] = code;
	}
	return n < DIFFERENT_MIN;
}

static bool
shows_something(const char *password)
{
	size_t len = strlen(password), at = 0;

	while (at < len) {
		uint32_t code = trl_utf8_next(password, len, &at);

		if (!trl_utf8_blank(code) && !trl_utf8_hidden(code))
			return true;
	}
	return false;
}

/* The lower case of a capital beyond ASCII, in the alphabets of Europe. */
static uint32_t
small_letter(uint32_t code)
{
	if ((code >= 0xc0 && code <= 0xde && code != 0xd7) ||
	    (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f))
		return code + 0x20;
	if (code >= 0x400 && code <= 0x40f)
		return code + 0x50;
	if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17e))
		return code + (code & 1); /* there the capital is odd */
	if (code >= 0x100 && code <= 0x177)
		return code | 1;
	return code;
}

/* A copy in which the capitals beyond ASCII are small; each is as long as its capital.
 */
static void
copy_small(char *out, size_t size, const char *text)
{
	size_t len = strlen(text), at = 0, from;

	len = trl_utf8_cut(text, len, size - 1);
	memcpy(out, text, len);
	out[len] = '\0';
	while ((from = at) < len) {
		uint32_t code = trl_utf8_next(out, len, &at);

		if (at - from == 2)
			(void)trl_utf8_put(small_letter(code), out + from);
	}
}

/* Takes a word out of what is left, wherever it stands and in any case. */
static void
take_out(char *left, const char *word, size_t len)
{
	char *at = left;

	if (len < WORD_MIN)
		return;
	while (*at)
		if (strncasecmp(at, word, len) == 0)
			memmove(at, at + len, strlen(at + len) + 1);
		else
			at++;
}

/* First the whole, then each word of its first len bytes. */
static void
take_out_words(char *left, const char *text, size_t len)
{
	const char *end = text + len;

	take_out(left, text, strlen(text));
	while (text < end) {
		size_t n = strcspn(text, between);

		take_out(left, text, n);
		text += n;
		text += strspn(text, between);
	}
}

static bool
tells_the_person(const char *password, const char *email, const char *name)
{
	char left[AUTH_PASSWORD_MAX_BYTES + 1], called[AUTH_PASSWORD_MAX_BYTES + 1];
	size_t n = 0;

	copy_small(left, sizeof left, password);
	if (email) /* not its "com" */
		take_out_words(left, email, (size_t)(strrchr(email, '.') - email));
	if (name) {
		copy_small(called, sizeof called, name);
		take_out_words(left, called, strlen(called));
	}
	if (strlen(left) == strlen(password))
		return false;
	for (const char *at = left; *at; at++)
		n += !strchr(between, *at);
	return n < AUTH_PASSWORD_MIN;
}

const char *
auth_password_refused(const char *password, const char *email, const char *name)
{
	size_t len = strlen(password);

	if (trl_utf8_count(password, len) < AUTH_PASSWORD_MIN)
		return "A password has at least 8 characters; 15 or more are better.";
	if (len > AUTH_PASSWORD_MAX_BYTES)
		return "A password has at most 1,024 bytes.";
	if (!shows_something(password))
		return "A password of nothing but spaces is easy to guess; choose "
		       "another.";
	if (repeats_itself(password))
		return "This password repeats itself: use at least four different "
		       "characters.";
	if (auth_password_is_common(password))
		return "This password is among the first that attackers try; choose "
		       "another.";
	if (tells_the_person(password, email, name))
		return "This password is little more than your name or your address; "
		       "choose another.";
	return NULL;
}
